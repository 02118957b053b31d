// SPDX-License-Identifier: Apache-2.0
// Record data inside a message, and the compression that names share over a whole message.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/dns_name.h"
#include "core/wire/dns_record.h"

namespace dotkey::wire::dns {

enum class Compression : std::uint8_t { off, on };

// Appends names to a message and remembers where each suffix stands. The names must outlive it.
class NameWriter {
 public:
  NameWriter(base::Bytes& out, Compression compression) : out_(out), compression_(compression) {
    heads_.fill(none);
  }
  // Writes a pointer for the longest suffix that stands in the message already.
  void compressed(Name const& name);
  void plain(Name const& name) { base::append(out_, name.wire()); }
  [[nodiscard]] base::Bytes& out() { return out_; }

 private:
  static constexpr std::uint16_t none = 0xffff;
  struct Suffix {
    std::uint8_t const* bytes;
    std::uint32_t hash;
    std::uint16_t offset;
    std::uint16_t next;  // in the same chain
    std::uint8_t size;
  };

  base::Bytes& out_;
  Compression compression_;
  std::vector<Suffix> suffixes_;
  std::array<std::uint16_t, 64> heads_;
};

// The `size` bytes of `message` at `offset` as data of `type`. The caller has checked that they are
// there. Errors: dns_malformed.
base::Result<RecordData> parse_rdata(RecordType type, base::ByteView message, std::size_t offset,
                                     std::size_t size);

void write_rdata(RecordData const& data, NameWriter& names);

}  // namespace dotkey::wire::dns
