// SPDX-License-Identifier: Apache-2.0
// HTTP request heads: a complete one reads the same without what follows, and no prefix of it is
// complete.
#include "core/base/assert.h"
#include "core/base/bytes.h"

#include "host/http/request_head.h"

namespace dotkey::host::http {
namespace {

void check(std::string_view input) {
  RequestHead head;
  HeadVerdict const verdict = parse_request_head(input, head);
  if (verdict == HeadVerdict::incomplete) {
    DOTKEY_ASSERT(input.find("\r\n\r\n") == std::string_view::npos);
    return;
  }
  if (verdict != HeadVerdict::complete) return;
  DOTKEY_ASSERT(head.size <= input.size());
  DOTKEY_ASSERT(head.target == "*" || head.target.starts_with('/'));
  DOTKEY_ASSERT(!head.method.empty() && head.fields().size() <= RequestHead::fields_max);
  RequestHead again;
  DOTKEY_ASSERT(parse_request_head(input.substr(0, head.size), again) == HeadVerdict::complete);
  DOTKEY_ASSERT(again.size == head.size && again.content_length == head.content_length);
  DOTKEY_ASSERT(parse_request_head(input.substr(0, head.size - 1), again) ==
                HeadVerdict::incomplete);
}

}  // namespace
}  // namespace dotkey::host::http

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::host::http::check(dotkey::base::text_of({data, size}));
  return 0;
}
