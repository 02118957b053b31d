// SPDX-License-Identifier: Apache-2.0
// Keys and host names: what is accepted has one canonical spelling that is accepted too, and no
// `.key` name is ever called foreign.
#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/names/hostname.h"
#include "core/names/public_key.h"

namespace dotkey::names {
namespace {

void check_key(std::string_view text) {
  auto const key = parse_public_key(text);
  if (!key) {
    DOTKEY_ASSERT(!parse_bare_public_key(text));
    return;
  }
  DOTKEY_ASSERT(crypto::is_on_curve(*key));
  DOTKEY_ASSERT(parse_bare_public_key(format_public_key(*key)).value() == *key);
  DOTKEY_ASSERT(parse_public_key(format_public_key_uri(*key)).value() == *key);
}

void check_host(std::string_view text) {
  auto const host = parse_hostname(text);
  auto const ownership = classify(text);
  DOTKEY_ASSERT((ownership == Ownership::ours) == host.has_value());
  std::string const lower = base::to_lower_ascii(text);
  DOTKEY_ASSERT(classify(lower) == ownership);
  if (lower.size() >= 4 && lower.substr(lower.size() - 4) == ".key") {
    DOTKEY_ASSERT(ownership != Ownership::not_ours);
  }
  if (host) {
    DOTKEY_ASSERT(parse_hostname(host->to_string()).value() == *host);
    DOTKEY_ASSERT(parse_hostname(host->to_string() + ".").value() == *host);
    DOTKEY_ASSERT(parse_public_key(host->to_string()).value() == host->key);
    DOTKEY_ASSERT(host->to_string().size() <= hostname_size_max);
  }
  auto const bare = parse_bare_hostname(text);
  if (bare && bare->to_string().size() <= hostname_size_max) {
    DOTKEY_ASSERT(!host && parse_hostname(bare->to_string()).value() == *bare);
  }
}

}  // namespace
}  // namespace dotkey::names

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const text = dotkey::base::text_of({data, size});
  dotkey::names::check_key(text);
  dotkey::names::check_host(text);
  return 0;
}
