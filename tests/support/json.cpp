// SPDX-License-Identifier: Apache-2.0
#include "tests/support/json.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <boost/json/src.hpp>

#include "core/base/text.h"

namespace dotkey::test {

boost::json::value load_vectors(std::string const& name) {
  std::string const path = std::string(DOTKEY_VECTORS_DIR) + "/" + name;
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  boost::system::error_code error;
  auto value = boost::json::parse(text.str(), error);
  if (!file || error) {
    std::fprintf(stderr, "cannot read %s: %s\n", path.c_str(), error.message().c_str());
    std::exit(1);
  }
  return value;
}

std::string text_at(boost::json::value const& object, char const* name) {
  return std::string(object.at(name).as_string());
}

base::Bytes hex_at(boost::json::value const& object, char const* name) {
  return base::parse_hex(text_at(object, name)).value();
}

}  // namespace dotkey::test
