// SPDX-License-Identifier: Apache-2.0
// Reads the shared vector files of tests/vectors.
#pragma once

#include <string>

#include <boost/json.hpp>

#include "core/base/bytes.h"

namespace dotkey::test {

// The file tests/vectors/<name>; ends the test program with a message when it cannot be read.
boost::json::value load_vectors(std::string const& name);

// The member `name` of an object, as text or as hex-decoded bytes.
std::string text_at(boost::json::value const& object, char const* name);
base::Bytes hex_at(boost::json::value const& object, char const* name);

}  // namespace dotkey::test
