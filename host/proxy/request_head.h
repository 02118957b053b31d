// SPDX-License-Identifier: Apache-2.0
// The head of a request to the proxy (RFC 9112), read so strictly that no two readers can disagree
// about where it ends or whom it is for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace dotkey::host::proxy {

inline constexpr std::size_t request_head_size_max = 16 * 1024;
inline constexpr std::size_t request_target_size_max = 8 * 1024;
inline constexpr std::size_t request_fields_max = 100;

struct RequestField {
  std::string name;  // lower case
  std::string value;
};

struct RequestHead {
  std::string method;
  std::string host;                // lower case, no trailing dot, as written otherwise
  std::uint16_t port = 0;          // 80 where an http target has none
  std::string path;                // "/x?y" for http; empty for CONNECT
  bool keep_alive_version = true;  // HTTP/1.1
  std::vector<RequestField> fields;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;

  [[nodiscard]] bool is_connect() const { return method == "CONNECT"; }
  // Null when absent. `name` in lower case.
  [[nodiscard]] std::string const* field(std::string_view name) const;
};

// Where the head ends in `bytes`: the size up to and with the empty line. Absent: not there yet.
std::optional<std::size_t> find_head_end(std::string_view bytes);

// `head` is all up to and with the empty line. CONNECT with an authority, or another method with an
// absolute http target. Refused, among others: bare line feeds, folded or repeated framing fields,
// a space before a colon, both framings at once, user information, a Host that names another host,
// a body on CONNECT. Errors: proxy_request_malformed.
base::Result<RequestHead> parse_request_head(std::string_view head);

}  // namespace dotkey::host::proxy
