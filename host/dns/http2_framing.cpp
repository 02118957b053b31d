// SPDX-License-Identifier: Apache-2.0
// DNS over HTTP/2 (RFC 9113) by nghttp2: a stream for each query, replies in any order.
#include <array>
#include <unordered_map>
#include <utility>

#include "host/dns/doh.h"
#include "host/dns/framing.h"
#include "host/dns/http2_session.h"

namespace dotkey::host::dns {
namespace {

constexpr std::uint32_t requests_max = 100;
// Of all requests that have begun and not ended, on one connection. Whole ones are not held.
constexpr std::size_t held_max = 2 * (doh_head_max + doh_body_max);

struct RequestStream {
  std::string method;
  std::string target;
  std::string content_type;
  base::Bytes body;
  std::size_t head_size = 0;
  std::size_t held = 0;
  base::Bytes reply;
  std::size_t sent = 0;  // of the reply
};

class Http2Framing final : public Framing {
 public:
  // False without memory.
  bool open() {
    std::array<nghttp2_settings_entry, 2> const settings{
        {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, requests_max},
         {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, doh_head_max}}};
    session_ = open_http2(Http2Side::server, &set_callbacks, this, settings);
    return session_ != nullptr;
  }

  bool on_input(base::ByteView input, Queries& queries) override {
    queries_ = &queries;
    auto const taken = nghttp2_session_mem_recv(session_.get(), input.data(), input.size());
    queries_ = nullptr;
    if (taken < 0) return false;
    return nghttp2_session_want_read(session_.get()) != 0 ||
           nghttp2_session_want_write(session_.get()) != 0;
  }

  void reply(QueryToken token, base::ByteView message, base::Bytes&) override {
    auto const id = static_cast<std::int32_t>(token);
    auto const at = streams_.find(id);
    if (at == streams_.end()) return;  // the client no longer wants it
    answer(id, at->second, message.empty() ? 400 : 200, message);
  }

  void collect(base::Bytes& out) override { take_output(*session_, out); }

 private:
  static void set_callbacks(nghttp2_session_callbacks* out) {
    nghttp2_session_callbacks_set_on_begin_headers_callback(out, &on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(out, &on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(out, &on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(out, &on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(out, &on_stream_close);
  }
  static Http2Framing& self(void* user) { return *static_cast<Http2Framing*>(user); }

  static int on_begin_headers(nghttp2_session*, nghttp2_frame const* frame, void* user) {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) self(user).streams_[frame->hd.stream_id];
    return 0;
  }

  static int on_header(nghttp2_session* session, nghttp2_frame const* frame,
                       std::uint8_t const* name, std::size_t name_size, std::uint8_t const* value,
                       std::size_t value_size, std::uint8_t, void* user) {
    auto const at = self(user).streams_.find(frame->hd.stream_id);
    if (at == self(user).streams_.end()) return 0;
    RequestStream& stream = at->second;
    stream.head_size += name_size + value_size;
    bool const fits = self(user).hold(stream, name_size + value_size);
    if (!fits || stream.head_size > doh_head_max) return reset(session, frame->hd.stream_id);
    std::string_view const key = base::text_of({name, name_size});
    std::string_view const text = base::text_of({value, value_size});
    if (key == ":method") stream.method = text;
    if (key == ":path") stream.target = text;
    if (key == "content-type") stream.content_type = text;
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                     std::uint8_t const* data, std::size_t size, void* user) {
    auto const at = self(user).streams_.find(id);
    if (at == self(user).streams_.end()) return 0;
    if (at->second.body.size() + size > doh_body_max) return reset(session, id);
    if (!self(user).hold(at->second, size)) return reset(session, id);
    base::append(at->second.body, base::ByteView(data, size));
    return 0;
  }

  static int on_frame(nghttp2_session*, nghttp2_frame const* frame, void* user) {
    bool const carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      self(user).on_request(frame->hd.stream_id);
    }
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    auto const at = self(user).streams_.find(id);
    if (at == self(user).streams_.end()) return 0;
    self(user).release(at->second);
    self(user).streams_.erase(at);
    return 0;
  }

  // False when the client would have us hold more than it may.
  bool hold(RequestStream& stream, std::size_t size) {
    if (held_ + size > held_max) return false;
    held_ += size;
    stream.held += size;
    return true;
  }

  void release(RequestStream& stream) { held_ -= std::exchange(stream.held, 0); }

  static int reset(nghttp2_session* session, std::int32_t id) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
  }

  static ssize_t read_reply(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t room,
                            std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& stream = *static_cast<RequestStream*>(source->ptr);
    return read_part(stream.reply, stream.sent, {out, room}, *flags);
  }

  void on_request(std::int32_t id) {
    auto const at = streams_.find(id);
    if (at == streams_.end()) return;
    RequestStream& stream = at->second;
    base::Bytes query;
    int const status =
        read_doh_request({stream.method, stream.target, stream.content_type, stream.body}, query);
    if (status != 200) return answer(id, stream, status, {});
    stream.body = {};
    release(stream);
    queries_->on_query(static_cast<QueryToken>(id), query);
  }

  // The reply stays where it is until the stream closes: map nodes do not move.
  void answer(std::int32_t id, RequestStream& stream, int status, base::ByteView message) {
    stream.reply = base::to_bytes(message);
    std::string const code = std::to_string(status);
    std::string const size = std::to_string(message.size());
    std::string const cache = status == 200 ? cache_control_for(message) : "no-store";
    std::array<nghttp2_nv, 4> const fields{
        {field_of(":status", code), field_of("content-length", size),
         field_of("cache-control", cache), field_of("content-type", doh_content_type)}};
    nghttp2_data_provider provider{};
    provider.source.ptr = &stream;
    provider.read_callback = &read_reply;
    nghttp2_submit_response(session_.get(), id, fields.data(),
                            status == 200 ? fields.size() : fields.size() - 1, &provider);
  }

  Http2Session session_;
  std::unordered_map<std::int32_t, RequestStream> streams_;
  std::size_t held_ = 0;
  Queries* queries_ = nullptr;  // during on_input()
};

}  // namespace

std::unique_ptr<Framing> make_http2_framing() {
  auto out = std::make_unique<Http2Framing>();
  if (!out->open()) return nullptr;
  return out;
}

}  // namespace dotkey::host::dns
