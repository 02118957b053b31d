// SPDX-License-Identifier: Apache-2.0
// DNS over HTTP/1.1: one request at a time, the next one when its reply is written (RFC 9112
// §9.3.2).
#include "host/dns/doh.h"
#include "host/dns/framing.h"
#include "host/http/request_head.h"

namespace dotkey::host::dns {
namespace {

int status_of(http::HeadVerdict verdict) {
  switch (verdict) {
    case http::HeadVerdict::too_many_fields:
      return 431;
    case http::HeadVerdict::length_required:
      return 411;
    case http::HeadVerdict::version_unsupported:
      return 505;
    default:
      return 400;
  }
}

class Http1Framing final : public Framing {
 public:
  bool on_input(base::ByteView input, Queries& queries) override {
    base::append(input_, input);
    while (!is_waiting_ && !is_last_ && !input_.empty()) {
      if (!take_request(queries)) break;
    }
    // What comes behind an unanswered request has to be small enough to keep.
    return !is_last_ && input_.size() <= 2 * (doh_head_max + doh_body_max);
  }

  [[nodiscard]] bool has_kept() const override { return has_more_ && !is_waiting_ && !is_last_; }

  void reply(QueryToken, base::ByteView message, base::Bytes&) override {
    is_waiting_ = false;
    // A query that deserves no answer: there is no way in HTTP to say nothing.
    if (message.empty()) return answer(400, {});
    answer(200, message);
  }

  void collect(base::Bytes& out) override {
    base::append(out, output_);
    output_.clear();
  }

 private:
  // False when more input is needed first.
  bool take_request(Queries& queries) {
    http::RequestHead head;
    has_more_ = false;
    auto const verdict = http::parse_request_head(base::text_of(input_), head);
    if (verdict == http::HeadVerdict::incomplete) {
      if (input_.size() > doh_head_max) refuse(431);
      return false;
    }
    if (verdict != http::HeadVerdict::complete) return refuse(status_of(verdict));
    if (head.size > doh_head_max) return refuse(431);
    if (head.content_length > doh_body_max) return refuse(413);
    std::size_t const end = head.size + static_cast<std::size_t>(head.content_length);
    if (input_.size() < end) {
      if (head.expects_continue && !std::exchange(said_continue_, true)) {
        base::append(output_, "HTTP/1.1 100 Continue\r\n\r\n");
      }
      return false;
    }
    said_continue_ = false;
    is_last_ = !head.keep_alive;
    DohRequest request{head.method, head.target, {}, {}};
    request.content_type =
        dotkey::relay::find_header(head.fields(), "content-type").value_or(std::string_view{});
    request.body = base::ByteView(input_).subspan(head.size, end - head.size);
    base::Bytes query;
    int const status = read_doh_request(request, query);
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(end));
    has_more_ = !input_.empty();
    if (status != 200) {
      answer(status, {});
      return true;
    }
    is_waiting_ = true;
    queries.on_query(0, query);
    return true;
  }

  bool refuse(int status) {
    is_last_ = true;
    answer(status, {});
    return false;
  }

  void answer(int status, base::ByteView message) {
    std::string head = "HTTP/1.1 " + std::to_string(status) + ' ';
    head += reason_of(status);
    if (status == 200) {
      head += "\r\ncontent-type: ";
      head += doh_content_type;
      head += "\r\ncache-control: " + cache_control_for(message);
    }
    if (status == 405) head += "\r\nallow: GET, POST";
    if (is_last_) head += "\r\nconnection: close";
    head += "\r\ncontent-length: " + std::to_string(message.size()) + "\r\n\r\n";
    base::append(output_, head);
    base::append(output_, message);
  }

  base::Bytes input_;
  base::Bytes output_;
  bool is_waiting_ = false;  // for a reply
  bool is_last_ = false;     // no request after this one
  bool has_more_ = false;    // behind the last request
  bool said_continue_ = false;
};

}  // namespace

std::unique_ptr<Framing> make_http1_framing() {
  return std::make_unique<Http1Framing>();
}

}  // namespace dotkey::host::dns
