// SPDX-License-Identifier: Apache-2.0
// The program `dotkey`.
#include <cstdio>
#include <string_view>

#include "host/cli/program.h"
#include "host/cli/version.h"

int main(int argc, char** argv) {
  // Scripts ask for the version before every use: it must not cost a command tree.
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    return std::puts(dotkey::host::cli::version_line.data()) < 0 ? 1 : 0;
  }
  return dotkey::host::cli::run(argc, argv);
}
