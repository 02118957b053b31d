// SPDX-License-Identifier: Apache-2.0
// What the driver hands to an exported function: byte strings, each after its length (u32, little
// endian). A list is its count as a byte string of four bytes, then its elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace dotkey::wasm {

// The driver is ours, so arguments that do not fit are our bug and trap.
class Arguments {
 public:
  Arguments(std::uint8_t const* data, std::size_t size) : rest_(data, size) {}

  base::ByteView next_bytes();
  std::string_view next_text() { return base::text_of(next_bytes()); }
  std::uint32_t next_u32();
  std::int64_t next_i64();
  std::vector<base::ByteView> next_list();

 private:
  base::ByteView rest_;
};

}  // namespace dotkey::wasm
