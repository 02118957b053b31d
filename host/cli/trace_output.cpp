// SPDX-License-Identifier: Apache-2.0
#include "host/cli/trace_output.h"

#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "host/channel/message.h"
#include "host/cli/output.h"

namespace dotkey::host::cli {
namespace {

std::string member_text(boost::json::object const& from, std::string_view name) {
  return std::string(channel::text_at(from, name).value_or(""));
}

std::string joined(boost::json::object const& from, std::string_view name,
                   std::string_view separator) {
  std::string out;
  auto const* const value = from.if_contains(boost::json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_array()) return out;
  for (auto const& element : value->get_array()) {
    if (!element.is_string()) continue;
    if (!out.empty()) out += separator;
    out.append(element.get_string().data(), element.get_string().size());
  }
  return out;
}

// A line a step, further in with each packet crossed; the key is named where it changes.
void print_steps(boost::json::array const& steps) {
  std::string key;
  for (auto const& value : steps) {
    if (!value.is_object()) continue;
    boost::json::object const& step = value.get_object();
    auto const depth = static_cast<std::size_t>(channel::integer_at(step, "depth").value_or(0));
    std::string const indent(2 * depth, ' ');
    if (member_text(step, "key") != key) {
      key = member_text(step, "key");
      print_line(indent + key);
    }
    std::string line = indent + "  " + member_text(step, "name");
    if (std::string const record = member_text(step, "record"); !record.empty())
      line += "  " + record;
    print_line(line + ": " + member_text(step, "note"));
  }
}

void print_endpoint(std::size_t number, boost::json::object const& endpoint) {
  std::string const host = member_text(endpoint, "icann_host");
  std::string line = std::to_string(number) + ". ";
  line += host.empty() ? joined(endpoint, "addresses", ", ") : host;
  line += " port " + std::to_string(channel::integer_at(endpoint, "port").value_or(0));
  if (std::string const hints = joined(endpoint, "hints", ", "); !hints.empty()) {
    line += ", or " + hints;
  }
  if (std::string const alpn = joined(endpoint, "alpn", ", "); !alpn.empty()) line += ", " + alpn;
  print_line(line);
  std::string const pins = joined(endpoint, "tlsa", "\n   TLSA ");
  print_line(pins.empty() ? "   without a pin" : "   TLSA " + pins);
}

}  // namespace

void print_trace(boost::json::object const& found) {
  print_line(member_text(found, "host") + " port " +
             std::to_string(channel::integer_at(found, "port").value_or(0)));
  print_steps(found.at("trace").as_array());
  std::size_t number = 0;
  for (auto const& endpoint : found.at("endpoints").as_array()) {
    print_endpoint(++number, endpoint.as_object());
  }
}

}  // namespace dotkey::host::cli
