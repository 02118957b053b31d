// SPDX-License-Identifier: Apache-2.0
// Proxy requests: what is accepted can be written canonically and reads the same again.
#include "core/base/assert.h"
#include "core/base/bytes.h"

#include "host/proxy/request_head.h"

namespace {

using dotkey::host::proxy::RequestHead;

std::string write(RequestHead const& head) {
  std::string const authority = head.host + ":" + std::to_string(head.port);
  std::string text = head.method;
  text.append(" ").append(head.is_connect() ? authority : "http://" + authority + head.path);
  text.append(head.keep_alive_version ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  for (auto const& field : head.fields) {
    text.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return text.append("\r\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using dotkey::host::proxy::find_head_end;
  using dotkey::host::proxy::parse_request_head;
  std::string_view const text = dotkey::base::text_of({data, size});
  auto const end = find_head_end(text);
  if (!end) return 0;
  auto const head = parse_request_head(text.substr(0, *end));
  if (!head) return 0;
  DOTKEY_ASSERT(!head->host.empty() && head->port != 0);
  DOTKEY_ASSERT(!(head->chunked && head->content_length));
  DOTKEY_ASSERT(head->host.find_first_of(" \r\n@/[]%") == std::string::npos);
  std::string const written = write(*head);
  // A path that gained its slash, or a port its digits, may have grown beyond the limits.
  if (written.size() > dotkey::host::proxy::request_target_size_max) return 0;
  auto const again = parse_request_head(written);
  DOTKEY_ASSERT(again && again->host == head->host && again->port == head->port);
  DOTKEY_ASSERT(again->path == head->path && again->fields.size() == head->fields.size());
  DOTKEY_ASSERT(again->content_length == head->content_length && again->chunked == head->chunked);
  return 0;
}
