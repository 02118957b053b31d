// SPDX-License-Identifier: Apache-2.0
#include "host/loop/file_limit.h"

#include <sys/resource.h>

namespace dotkey::host::loop {

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace dotkey::host::loop
