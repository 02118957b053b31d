// SPDX-License-Identifier: Apache-2.0
// What a native host says for itself when there is no daemon to say it.
#pragma once

#include <cstdint>
#include <string_view>

namespace dotkey::host::native {

// The id of the first request that waits on `fd`; 0 when none comes soon, or it is none.
std::uint64_t read_first_id(int fd);

// One frame, as far as the other end takes it.
void write_frame(int fd, std::string_view payload);

}  // namespace dotkey::host::native
