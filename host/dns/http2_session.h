// SPDX-License-Identifier: Apache-2.0
// What the server's and the client's side of HTTP/2 have in common, on top of nghttp2.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <nghttp2/nghttp2.h>

#include "core/base/bytes.h"

namespace dotkey::host::dns {

struct FreeHttp2Session {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};
using Http2Session = std::unique_ptr<nghttp2_session, FreeHttp2Session>;

enum class Http2Side : std::uint8_t { client, server };

// `user` is what the callbacks get. nullptr without memory.
Http2Session open_http2(Http2Side side, void (*set_callbacks)(nghttp2_session_callbacks*),
                        void* user, std::span<nghttp2_settings_entry const> settings);

// What it has to say goes behind `out`.
void take_output(nghttp2_session& session, base::Bytes& out);

// A header field; both texts outlive it.
nghttp2_nv field_of(std::string_view name, std::string_view value);

// For a data source: the next part of `body`, of which `sent` bytes are gone.
ssize_t read_part(base::ByteView body, std::size_t& sent, std::span<std::uint8_t> out,
                  std::uint32_t& flags);

}  // namespace dotkey::host::dns
