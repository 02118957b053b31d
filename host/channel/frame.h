// SPDX-License-Identifier: Apache-2.0
// Frames as browsers' native messaging has them: a length of 32 bits in native order, then so many
// bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace dotkey::host::channel {

// Of the payload; browsers refuse more from a program.
inline constexpr std::size_t frame_size_max = 1024 * 1024;

// `payload` has at most frame_size_max bytes.
std::string encode_frame(std::string_view payload);

// Cuts a stream into payloads, in memory bounded by one frame and one piece of the stream. What was
// read is wiped.
class FrameReader {
 public:
  FrameReader() = default;
  ~FrameReader();
  FrameReader(FrameReader&&) = default;
  FrameReader& operator=(FrameReader&&) = delete;

  void append(base::ByteView bytes) { buffer_.append(base::text_of(bytes)); }
  // Good until the next call. Nullopt: more bytes are needed, or the stream is broken.
  std::optional<std::string_view> next();
  // A frame over frame_size_max was announced: nothing after that can be read.
  [[nodiscard]] bool is_broken() const { return broken_; }
  // Bytes of a frame that has begun.
  [[nodiscard]] std::size_t pending() const { return buffer_.size() - taken_; }

 private:
  void drop_taken();

  std::string buffer_;
  std::size_t taken_ = 0;
  bool broken_ = false;
};

}  // namespace dotkey::host::channel
