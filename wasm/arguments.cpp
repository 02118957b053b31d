// SPDX-License-Identifier: Apache-2.0
#include "wasm/arguments.h"

#include "core/base/assert.h"

namespace dotkey::wasm {
namespace {

std::uint64_t parse_little_endian(base::ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

base::ByteView Arguments::next_bytes() {
  DOTKEY_ASSERT(rest_.size() >= 4);
  auto const size = static_cast<std::size_t>(parse_little_endian(rest_.first(4)));
  rest_ = rest_.subspan(4);
  DOTKEY_ASSERT(size <= rest_.size());
  base::ByteView const bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  return bytes;
}

std::uint32_t Arguments::next_u32() {
  base::ByteView const bytes = next_bytes();
  DOTKEY_ASSERT(bytes.size() == 4);
  return static_cast<std::uint32_t>(parse_little_endian(bytes));
}

std::int64_t Arguments::next_i64() {
  base::ByteView const bytes = next_bytes();
  DOTKEY_ASSERT(bytes.size() == 8);
  return static_cast<std::int64_t>(parse_little_endian(bytes));
}

std::vector<base::ByteView> Arguments::next_list() {
  std::uint32_t const count = next_u32();
  std::vector<base::ByteView> list;
  for (std::uint32_t i = 0; i < count; ++i) list.push_back(next_bytes());
  return list;
}

}  // namespace dotkey::wasm
