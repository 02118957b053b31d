// SPDX-License-Identifier: Apache-2.0
// Queries over HTTP/2 (RFC 8484), a stream for each.
#include <array>
#include <unordered_map>

#include "host/dns/doh.h"
#include "host/dns/http2_session.h"
#include "host/dns/upstream_stream.h"

namespace dotkey::host::dns {
namespace {

struct ReplyStream {
  base::Bytes query;
  std::size_t sent = 0;  // of the query
  base::Bytes body;
  bool is_ok = false;  // status 200
};

class Http2Client final : public ClientFraming {
 public:
  explicit Http2Client(Upstream const& server)
      : path_(server.path),
        authority_(server.name.empty() ? server.endpoint.to_string()
                                       : server.name + ':' + std::to_string(server.endpoint.port)) {
  }

  // False without memory.
  bool open() {
    std::array<nghttp2_settings_entry, 1> const settings{{{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}}};
    session_ = open_http2(Http2Side::client, &set_callbacks, this, settings);
    return session_ != nullptr;
  }

  std::optional<std::uint64_t> submit(base::ByteView query, base::Bytes&) override {
    auto stream = std::make_unique<ReplyStream>();
    stream->query = base::to_bytes(query);
    // Equal questions make equal requests (RFC 8484 §4.1).
    stream->query[0] = stream->query[1] = 0;
    std::string const size = std::to_string(query.size());
    std::array<nghttp2_nv, 7> const fields{
        {field_of(":method", "POST"), field_of(":scheme", "https"),
         field_of(":authority", authority_), field_of(":path", path_),
         field_of("accept", doh_content_type), field_of("content-type", doh_content_type),
         field_of("content-length", size)}};
    nghttp2_data_provider provider{};
    provider.source.ptr = stream.get();
    provider.read_callback = &read_query;
    std::int32_t const id = nghttp2_submit_request(session_.get(), nullptr, fields.data(),
                                                   fields.size(), &provider, nullptr);
    if (id < 0) return std::nullopt;
    streams_.emplace(id, std::move(stream));
    return static_cast<std::uint64_t>(id);
  }

  bool on_input(base::ByteView input, Replies& replies) override {
    replies_ = &replies;
    auto const taken = nghttp2_session_mem_recv(session_.get(), input.data(), input.size());
    replies_ = nullptr;
    return taken >= 0 && nghttp2_session_want_read(session_.get()) != 0;
  }

  void collect(base::Bytes& out) override { take_output(*session_, out); }

 private:
  static void set_callbacks(nghttp2_session_callbacks* out) {
    nghttp2_session_callbacks_set_on_header_callback(out, &on_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(out, &on_body);
    nghttp2_session_callbacks_set_on_stream_close_callback(out, &on_closed);
  }
  static Http2Client& self(void* user) { return *static_cast<Http2Client*>(user); }

  static int on_field(nghttp2_session*, nghttp2_frame const* frame, std::uint8_t const* name,
                      std::size_t name_size, std::uint8_t const* value, std::size_t value_size,
                      std::uint8_t, void* user) {
    auto const at = self(user).streams_.find(frame->hd.stream_id);
    bool const is_status = base::text_of({name, name_size}) == ":status";
    if (at != self(user).streams_.end() && is_status) {
      at->second->is_ok = base::text_of({value, value_size}) == "200";
    }
    return 0;
  }

  static int on_body(nghttp2_session* session, std::uint8_t, std::int32_t id,
                     std::uint8_t const* data, std::size_t size, void* user) {
    auto const at = self(user).streams_.find(id);
    if (at == self(user).streams_.end()) return 0;
    if (at->second->body.size() + size > doh_body_max) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
      return 0;
    }
    base::append(at->second->body, base::ByteView(data, size));
    return 0;
  }

  // An error is a reply without a message.
  static int on_closed(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    auto const node = self(user).streams_.extract(id);
    if (node.empty() || self(user).replies_ == nullptr) return 0;
    bool const whole = error == NGHTTP2_NO_ERROR && node.mapped()->is_ok;
    self(user).replies_->on_reply(static_cast<std::uint64_t>(id),
                                  whole ? base::ByteView(node.mapped()->body) : base::ByteView());
    return 0;
  }

  static ssize_t read_query(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t room,
                            std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& stream = *static_cast<ReplyStream*>(source->ptr);
    return read_part(stream.query, stream.sent, {out, room}, *flags);
  }

  std::string path_;
  std::string authority_;
  Http2Session session_;
  std::unordered_map<std::int32_t, std::unique_ptr<ReplyStream>> streams_;
  Replies* replies_ = nullptr;  // during on_input()
};

}  // namespace

std::unique_ptr<ClientFraming> make_http2_client(Upstream const& server) {
  auto out = std::make_unique<Http2Client>(server);
  if (!out->open()) return nullptr;
  return out;
}

}  // namespace dotkey::host::dns
