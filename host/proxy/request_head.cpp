// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/request_head.h"

#include <algorithm>

#include "core/base/integers.h"
#include "core/base/text.h"

namespace dotkey::host::proxy {
namespace {

using base::Result;

constexpr std::string_view line_end = "\r\n";

base::Failure malformed(char const* what) {
  return base::fail(base::ErrorCode::proxy_request_malformed, what);
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 9110 §5.6.2.
bool is_token_char(char c) {
  return is_alphanumeric(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    auto const byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

struct Authority {
  std::string host;
  std::uint16_t port = 0;
};

// "host:port" with only the characters of host names: brackets (IPv6), percent signs and user
// information have no place in ours.
std::optional<Authority> parse_authority(std::string_view text, std::uint16_t default_port) {
  Authority authority;
  authority.port = default_port;
  if (std::size_t const colon = text.find(':'); colon != std::string_view::npos) {
    std::string_view const digits = text.substr(colon + 1);
    auto const port = base::parse_decimal<std::uint16_t>(digits);
    if (!port || *port == 0 || digits.front() == '0') return std::nullopt;
    authority.port = *port;
    text = text.substr(0, colon);
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  bool const plain = std::all_of(text.begin(), text.end(), [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
  });
  // Empty labels: the next reader would strip another dot and see another name.
  bool const dotted =
      text.starts_with('.') || text.ends_with('.') || text.find("..") != std::string_view::npos;
  if (text.empty() || text.size() > 253 || !plain || dotted || authority.port == 0)
    return std::nullopt;
  authority.host = base::to_lower_ascii(text);
  return authority;
}

Result<void> parse_target(std::string_view target, RequestHead& head) {
  std::optional<Authority> authority;
  if (head.is_connect()) {
    authority = parse_authority(target, 0);
  } else {
    constexpr std::string_view scheme = "http://";
    if (base::to_lower_ascii(target.substr(0, scheme.size())) != scheme) {
      return malformed("the target is no absolute http URL");
    }
    target.remove_prefix(scheme.size());
    if (target.find('#') != std::string_view::npos) return malformed("a fragment");
    std::size_t const end = std::min(target.find_first_of("/?"), target.size());
    authority = parse_authority(target.substr(0, end), 80);
    head.path = target.substr(end);
    if (!head.path.starts_with('/')) head.path.insert(0, "/");
  }
  if (!authority) return malformed("the target's authority");
  head.host = authority->host;
  head.port = authority->port;
  return {};
}

Result<void> parse_request_line(std::string_view line, RequestHead& head) {
  std::size_t const first = line.find(' ');
  std::size_t const last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return malformed("the request line");
  std::string_view const target = line.substr(first + 1, last - first - 1);
  std::string_view const version = line.substr(last + 1);
  head.method = line.substr(0, first);
  if (!is_token(head.method)) return malformed("the method");
  if (target.size() > request_target_size_max || !is_visible(target))
    return malformed("the target");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return malformed("the version");
  head.keep_alive_version = version == "HTTP/1.1";
  return parse_target(target, head);
}

// RFC 9112 §6.3: what says where the body ends must say it once and plainly.
Result<void> read_framing(RequestHead& head) {
  bool host_seen = false;
  for (RequestField const& field : head.fields) {
    if (field.name == "content-length") {
      bool const digits = std::all_of(field.value.begin(), field.value.end(),
                                      [](char c) { return c >= '0' && c <= '9'; });
      auto const size = base::parse_decimal<std::uint64_t>(field.value);
      if (head.content_length || !digits || !size) return malformed("Content-Length");
      head.content_length = *size;
    } else if (field.name == "transfer-encoding") {
      if (head.chunked || base::to_lower_ascii(field.value) != "chunked") {
        return malformed("Transfer-Encoding");
      }
      head.chunked = true;
    } else if (field.name == "host") {
      auto const named = parse_authority(field.value, head.is_connect() ? head.port : 80);
      bool const same = named && named->host == head.host && named->port == head.port;
      // curl and browsers send what the target says; RFC 9112 §3.2 asks for it.
      if (host_seen || !same) return malformed("Host");
      host_seen = true;
    }
  }
  if (head.chunked && head.content_length) return malformed("two framings");
  if (head.chunked && !head.keep_alive_version) return malformed("chunked in HTTP/1.0");
  if (head.is_connect() && (head.chunked || head.content_length.value_or(0) != 0)) {
    return malformed("a body on CONNECT");
  }
  if (!host_seen && head.keep_alive_version) return malformed("Host is missing");
  return {};
}

}  // namespace

std::string const* RequestHead::field(std::string_view name) const {
  auto const found = std::find_if(fields.begin(), fields.end(),
                                  [name](RequestField const& f) { return f.name == name; });
  return found == fields.end() ? nullptr : &found->value;
}

std::optional<std::size_t> find_head_end(std::string_view bytes) {
  std::size_t const at = bytes.find("\r\n\r\n");
  if (at == std::string_view::npos) return std::nullopt;
  return at + 4;
}

Result<RequestHead> parse_request_head(std::string_view head) {
  if (head.size() > request_head_size_max) return malformed("too large");
  RequestHead request;
  bool first = true;
  while (true) {
    std::size_t const end = head.find(line_end);
    if (end == std::string_view::npos) return malformed("no empty line");
    std::string_view const line = head.substr(0, end);
    head.remove_prefix(end + line_end.size());
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
      return malformed("a bare line feed");
    }
    if (first) {
      if (auto read = parse_request_line(line, request); !read) return base::Failure(read.error());
      first = false;
      continue;
    }
    if (line.empty()) break;
    std::size_t const colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
      return malformed("a field name");
    }
    std::string_view const value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) return malformed("a field value");
    if (request.fields.size() == request_fields_max) return malformed("too many fields");
    request.fields.push_back({base::to_lower_ascii(line.substr(0, colon)), std::string(value)});
  }
  if (!head.empty()) return malformed("bytes after the head");
  if (auto framed = read_framing(request); !framed) return base::Failure(framed.error());
  return request;
}

}  // namespace dotkey::host::proxy
