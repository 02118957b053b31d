// SPDX-License-Identifier: Apache-2.0
// The head of an HTTP/1.1 request (RFC 9112), read strictly: what two readers could take for two
// different requests is refused.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/relay/http.h"

namespace dotkey::host::http {

// The views point into the bytes parsed.
struct RequestHead {
  static constexpr std::size_t fields_max = 64;

  std::string_view method;
  std::string_view target;  // origin-form, or "*"; an absolute-form is cut to its path and query
  std::array<dotkey::relay::HeaderView, fields_max> field_array;
  std::size_t field_count = 0;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
  std::size_t size = 0;  // of the head, its empty line included

  [[nodiscard]] std::span<dotkey::relay::HeaderView const> fields() const {
    return {field_array.data(), field_count};
  }
};

enum class HeadVerdict : std::uint8_t {
  complete,
  incomplete,
  malformed,            // 400
  too_many_fields,      // 431
  length_required,      // 411: a body of unknown length
  version_unsupported,  // 505
};

// Reads the head at the beginning of `data`. `out` is whole only for `complete`.
HeadVerdict parse_request_head(std::string_view data, RequestHead& out);

}  // namespace dotkey::host::http
