// SPDX-License-Identifier: Apache-2.0
#include "host/http/request_head.h"

#include <algorithm>

#include "core/base/integers.h"

namespace dotkey::host::http {
namespace {

// A token's characters (RFC 9110 §5.6.2).
constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> out{};
  for (char const c : std::string_view("!#$%&'*+-.^_`|~"))
    out[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) out[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) out[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) out[static_cast<unsigned char>(c)] = true;
  return out;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return token_characters[static_cast<unsigned char>(c)];
  });
}

// Visible characters, space and tab; no control character may hide in a value.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    auto const byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || c == '\t';
  });
}

bool is_target(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view without_white_space(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() &&
         std::equal(text.begin(), text.end(), lower_case.begin(),
                    [](char a, char b) { return lower(a) == b; });
}

// Whether a comma-separated list has the element, in any case.
bool lists(std::string_view list, std::string_view lower_case) {
  while (!list.empty()) {
    std::size_t const comma = list.find(',');
    if (equals_ignoring_case(without_white_space(list.substr(0, comma)), lower_case)) return true;
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

// RFC 9112 §3.2.2: a server accepts the absolute-form, too. Empty when it has no path to cut to.
std::string_view path_of(std::string_view target) {
  if (target == "*" || target.starts_with('/')) return target;
  std::size_t const scheme = target.find("://");
  if (scheme == std::string_view::npos) return {};
  std::size_t const path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

HeadVerdict parse_request_line(std::string_view line, RequestHead& out, bool& is_http_1_0) {
  std::size_t const first = line.find(' ');
  std::size_t const last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return HeadVerdict::malformed;
  out.method = line.substr(0, first);
  std::string_view const target = line.substr(first + 1, last - first - 1);
  std::string_view const version = line.substr(last + 1);
  if (!is_token(out.method) || !is_target(target)) return HeadVerdict::malformed;
  out.target = path_of(target);
  if (out.target.empty()) return HeadVerdict::malformed;
  is_http_1_0 = version == "HTTP/1.0";
  if (version == "HTTP/1.1" || is_http_1_0) return HeadVerdict::complete;
  return version.starts_with("HTTP/") ? HeadVerdict::version_unsupported : HeadVerdict::malformed;
}

// What the fields seen so far say about the message.
struct Framing {
  int hosts = 0;
  bool has_length = false;
  bool has_transfer_encoding = false;
  bool says_close = false;
  bool says_keep_alive = false;
};

// False for a Content-Length that is no number or contradicts an earlier one.
bool read_field(dotkey::relay::HeaderView const& field, Framing& framing, RequestHead& out) {
  switch (field.name.size()) {
    case 4:
      if (equals_ignoring_case(field.name, "host")) ++framing.hosts;
      return true;
    case 6:
      if (equals_ignoring_case(field.name, "expect")) {
        out.expects_continue = equals_ignoring_case(field.value, "100-continue");
      }
      return true;
    case 10:
      if (equals_ignoring_case(field.name, "connection")) {
        framing.says_close = framing.says_close || lists(field.value, "close");
        framing.says_keep_alive = framing.says_keep_alive || lists(field.value, "keep-alive");
      }
      return true;
    case 14:
      if (equals_ignoring_case(field.name, "content-length")) {
        auto const length = base::parse_decimal<std::uint64_t>(field.value);
        if (!length || (framing.has_length && *length != out.content_length)) return false;
        framing.has_length = true;
        out.content_length = *length;
      }
      return true;
    case 17:
      if (equals_ignoring_case(field.name, "transfer-encoding")) {
        framing.has_transfer_encoding = true;
      }
      return true;
    default:
      return true;
  }
}

}  // namespace

HeadVerdict parse_request_head(std::string_view data, RequestHead& out) {
  std::size_t const end = data.find("\r\n\r\n");
  if (end == std::string_view::npos) return HeadVerdict::incomplete;
  out.size = end + 4;
  out.field_count = 0;
  out.content_length = 0;
  out.expects_continue = false;

  std::string_view rest = data.substr(0, end + 2);
  std::size_t line_end = rest.find("\r\n");
  bool is_http_1_0 = false;
  auto const verdict = parse_request_line(rest.substr(0, line_end), out, is_http_1_0);
  if (verdict != HeadVerdict::complete) return verdict;

  Framing framing;
  for (rest.remove_prefix(line_end + 2); !rest.empty(); rest.remove_prefix(line_end + 2)) {
    line_end = rest.find("\r\n");
    std::string_view const line = rest.substr(0, line_end);
    std::size_t const colon = line.find(':');
    if (colon == std::string_view::npos) return HeadVerdict::malformed;
    dotkey::relay::HeaderView const field{line.substr(0, colon),
                                          without_white_space(line.substr(colon + 1))};
    // Also refuses folded lines and white space before the colon (RFC 9112 §5.1, §5.2).
    if (!is_token(field.name) || !is_field_value(field.value)) return HeadVerdict::malformed;
    if (out.field_count == RequestHead::fields_max) return HeadVerdict::too_many_fields;
    out.field_array[out.field_count++] = field;
    if (!read_field(field, framing, out)) return HeadVerdict::malformed;
  }
  if (framing.hosts > 1 || (framing.hosts == 0 && !is_http_1_0)) return HeadVerdict::malformed;
  if (framing.has_transfer_encoding) {
    return framing.has_length ? HeadVerdict::malformed : HeadVerdict::length_required;
  }
  out.keep_alive = !framing.says_close && (!is_http_1_0 || framing.says_keep_alive);
  return HeadVerdict::complete;
}

}  // namespace dotkey::host::http
