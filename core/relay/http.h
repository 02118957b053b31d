// SPDX-License-Identifier: Apache-2.0
// The little of HTTP (RFC 9110) that relays need: header fields and dates.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/time.h"

namespace dotkey::relay {

// A field of a message received; its name in any case.
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

struct Header {
  std::string name;
  std::string value;
  friend bool operator==(Header const&, Header const&) = default;
};

// The value of the first field of that name, without white space around it.
std::optional<std::string_view> find_header(std::span<HeaderView const> headers,
                                            std::string_view name);

// IMF-fixdate (RFC 9110 §5.6.7), cut to the second: "Sun, 06 Nov 1994 08:49:37 GMT".
void append_http_date(std::string& out, engine::UnixTime time);
std::string encode_http_date(engine::UnixTime time);
// IMF-fixdate and the two obsolete forms, as recipients must; years 1970 to 9999. `now` settles the
// century of the two-digit years. Nullopt for everything else.
std::optional<engine::UnixTime> parse_http_date(std::string_view text, engine::UnixTime now);

}  // namespace dotkey::relay
