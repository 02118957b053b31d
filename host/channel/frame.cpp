// SPDX-License-Identifier: Apache-2.0
#include "host/channel/frame.h"

#include <cstring>

#include "core/base/assert.h"
#include "core/crypto/secret.h"

namespace dotkey::host::channel {

std::string encode_frame(std::string_view payload) {
  DOTKEY_ASSERT(payload.size() <= frame_size_max);
  auto const size = static_cast<std::uint32_t>(payload.size());
  std::string out(sizeof size, '\0');
  std::memcpy(out.data(), &size, sizeof size);
  out += payload;
  return out;
}

FrameReader::~FrameReader() {
  crypto::wipe(buffer_.data(), buffer_.size());
}

// Messages may hold a passphrase.
void FrameReader::drop_taken() {
  if (taken_ == 0) return;
  std::size_t const left = pending();
  std::memmove(buffer_.data(), buffer_.data() + taken_, left);
  crypto::wipe(buffer_.data() + left, taken_);
  buffer_.resize(left);
  taken_ = 0;
}

std::optional<std::string_view> FrameReader::next() {
  std::uint32_t size = 0;
  if (broken_ || pending() < sizeof size) {
    drop_taken();
    return std::nullopt;
  }
  std::memcpy(&size, buffer_.data() + taken_, sizeof size);
  if (size > frame_size_max) {
    broken_ = true;
    return std::nullopt;
  }
  if (pending() < sizeof size + size) {
    drop_taken();
    return std::nullopt;
  }
  std::string_view const payload(buffer_.data() + taken_ + sizeof size, size);
  taken_ += sizeof size + size;
  return payload;
}

}  // namespace dotkey::host::channel
