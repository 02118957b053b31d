// SPDX-License-Identifier: Apache-2.0
// What commands print: JSON objects for scripts, plain lines for people, errors with their slug.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

#include "core/base/error.h"
#include "core/engine/time.h"

namespace dotkey::host::cli {

// One object on one line of stdout, flushed.
void print_json(boost::json::object const& object);

void print_line(std::string_view line);

// For whoever reads the log: a line on stderr.
void print_notice(std::string const& line);

// "slug: sentence (detail)" on stderr.
void print_error(base::Error const& error);

// "2026-11-21 04:20:00 UTC".
std::string format_time(engine::UnixTime time);

}  // namespace dotkey::host::cli
