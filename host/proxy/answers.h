// SPDX-License-Identifier: Apache-2.0
// What the proxy itself says over plain HTTP. Browsers show none of it for CONNECT; for http://
// pages they do, so it explains.
#pragma once

#include <string>
#include <string_view>

namespace dotkey::host::proxy {

inline constexpr std::string_view connection_established =
    "HTTP/1.1 200 Connection established\r\n\r\n";

// A refusal of CONNECT: a short text body with the slug.
std::string refusal_of_connect(int status, std::string_view slug);

// A page that says what is wrong; it can load and run nothing.
std::string refusal_page(int status, std::string_view host, std::string_view slug,
                         std::string_view advice);

// To the same host and path over https.
std::string redirect_to_https(std::string_view host, std::string_view path);

std::string credentials_wanted();

}  // namespace dotkey::host::proxy
