// SPDX-License-Identifier: Apache-2.0
#include "host/cli/output.h"

#include <cstdio>
#include <ctime>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace dotkey::host::cli {

void print_json(boost::json::object const& object) {
  print_line(boost::json::serialize(object));
}

void print_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void print_notice(std::string const& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
}

void print_error(base::Error const& error) {
  std::string line(base::slug_of(error.code));
  line += ": ";
  line += base::advice_for(error.code);
  if (!error.detail.empty()) line += " (" + error.detail + ")";
  print_notice(line);
}

std::string format_time(engine::UnixTime time) {
  std::time_t const seconds = static_cast<std::time_t>(time.us / 1'000'000);
  std::tm parts{};
  char text[64];
  if (::gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
    return std::to_string(time.us) + " us";
  }
  return text;
}

}  // namespace dotkey::host::cli
