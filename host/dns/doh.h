// SPDX-License-Identifier: Apache-2.0
// DNS over HTTPS (RFC 8484), what both versions of HTTP share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace dotkey::host::dns {

inline constexpr std::string_view doh_content_type = "application/dns-message";
// Of a request: one DNS message, or its base64url in the target, with some room.
inline constexpr std::size_t doh_body_max = 65'535;
inline constexpr std::size_t doh_head_max = 96 * 1024;

struct DohRequest {
  std::string_view method;
  std::string_view target;  // path and query
  std::string_view content_type;
  base::ByteView body;
};

// 200 with `query`, else the status that says what is wrong.
int read_doh_request(DohRequest const& request, base::Bytes& query);

// "max-age=300" for a reply of ours.
std::string cache_control_for(base::ByteView reply);

// "Not Found"; "" for a status that is not ours.
std::string_view reason_of(int status);

}  // namespace dotkey::host::dns
