// SPDX-License-Identifier: Apache-2.0
// Queries over HTTP/2 (RFC 8484), a stream for each.
#include <algorithm>
#include <array>
#include <unordered_map>

#include <nghttp2/nghttp2.h>

#include "host/dns/doh.h"
#include "host/dns/upstream_stream.h"

namespace dotkey::host::dns {
namespace {

struct FreeClientSession {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

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
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) return false;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &on_body);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &on_closed);
    nghttp2_session* session = nullptr;
    int const made = nghttp2_session_client_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    if (made != 0) return false;
    session_.reset(session);
    std::array<nghttp2_settings_entry, 1> const settings{{{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}}};
    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) ==
           0;
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

  void collect(base::Bytes& out) override {
    for (;;) {
      std::uint8_t const* bytes = nullptr;
      auto const size = nghttp2_session_mem_send(session_.get(), &bytes);
      if (size <= 0) return;
      base::append(out, base::ByteView(bytes, static_cast<std::size_t>(size)));
    }
  }

 private:
  static nghttp2_nv field_of(std::string_view name, std::string_view value) {
    auto const bytes = [](std::string_view text) {
      return const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
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
    std::size_t const size = std::min(room, stream.query.size() - stream.sent);
    std::copy_n(stream.query.begin() + static_cast<std::ptrdiff_t>(stream.sent), size, out);
    stream.sent += size;
    if (stream.sent == stream.query.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  std::string path_;
  std::string authority_;
  std::unique_ptr<nghttp2_session, FreeClientSession> session_;
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
