// SPDX-License-Identifier: Apache-2.0
#include "host/dns/doh.h"

#include "core/base/text.h"
#include "core/bridge/answer.h"

namespace dotkey::host::dns {
namespace {

constexpr std::string_view path = "/dns-query";
constexpr std::string_view parameter = "dns=";

// The query in the target's `dns` parameter, if there is exactly one.
int read_parameter(std::string_view parameters, base::Bytes& query) {
  bool found = false;
  while (!parameters.empty()) {
    std::size_t const end = parameters.find('&');
    std::string_view const one = parameters.substr(0, end);
    parameters = end == std::string_view::npos ? std::string_view{} : parameters.substr(end + 1);
    if (!one.starts_with(parameter)) continue;
    auto bytes = base::parse_base64(one.substr(parameter.size()), base::Base64Alphabet::url);
    if (found || !bytes) return 400;
    found = true;
    query = std::move(*bytes);
  }
  return found ? 200 : 400;
}

}  // namespace

int read_doh_request(DohRequest const& request, base::Bytes& query) {
  std::size_t const mark = request.target.find('?');
  if (request.target.substr(0, mark) != path) return 404;
  int status = 405;
  if (request.method == "GET") {
    bool const has_parameters = mark != std::string_view::npos;
    status = has_parameters ? read_parameter(request.target.substr(mark + 1), query) : 400;
  } else if (request.method == "POST") {
    // Of parameters behind the type there are none (RFC 8484 §6).
    bool const is_dns = base::to_lower_ascii(request.content_type) == doh_content_type;
    status = is_dns ? 200 : 415;
    if (is_dns) query = base::to_bytes(request.body);
  }
  if (status != 200) return status;
  if (query.size() > doh_body_max) return 413;
  return query.size() < wire::dns::header_size ? 400 : 200;
}

std::string cache_control_for(base::ByteView reply) {
  return "max-age=" + std::to_string(bridge::freshness_s(reply));
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 431:
      return "Request Header Fields Too Large";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace dotkey::host::dns
