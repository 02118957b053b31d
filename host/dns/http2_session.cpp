// SPDX-License-Identifier: Apache-2.0
#include "host/dns/http2_session.h"

#include <algorithm>

namespace dotkey::host::dns {

Http2Session open_http2(Http2Side side, void (*set_callbacks)(nghttp2_session_callbacks*),
                        void* user, std::span<nghttp2_settings_entry const> settings) {
  nghttp2_session_callbacks* callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) return nullptr;
  set_callbacks(callbacks);
  nghttp2_session* session = nullptr;
  auto* const make =
      side == Http2Side::server ? &nghttp2_session_server_new : &nghttp2_session_client_new;
  int const made = make(&session, callbacks, user);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) return nullptr;
  Http2Session out(session);
  int const submitted =
      nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  return submitted == 0 ? std::move(out) : nullptr;
}

void take_output(nghttp2_session& session, base::Bytes& out) {
  for (;;) {
    std::uint8_t const* bytes = nullptr;
    auto const size = nghttp2_session_mem_send(&session, &bytes);
    if (size <= 0) return;
    base::append(out, base::ByteView(bytes, static_cast<std::size_t>(size)));
  }
}

nghttp2_nv field_of(std::string_view name, std::string_view value) {
  auto const bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

ssize_t read_part(base::ByteView body, std::size_t& sent, std::span<std::uint8_t> out,
                  std::uint32_t& flags) {
  std::size_t const size = std::min(out.size(), body.size() - sent);
  std::copy_n(body.begin() + static_cast<std::ptrdiff_t>(sent), size, out.begin());
  sent += size;
  if (sent == body.size()) flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(size);
}

}  // namespace dotkey::host::dns
