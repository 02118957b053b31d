// SPDX-License-Identifier: Apache-2.0
// The definitions of Boost.JSON, in one object file.
#include <boost/json/src.hpp>
