// SPDX-License-Identifier: Apache-2.0
// How many files and sockets this process may have open.
#pragma once

namespace dotkey::host::loop {

// Raises the soft limit to the hard one. The usual 1,024 is less than what servers here take in:
// without a free descriptor a connection can neither be accepted nor refused.
void raise_file_limit();

}  // namespace dotkey::host::loop
