// SPDX-License-Identifier: Apache-2.0
#include "host/cli/status_output.h"

#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "host/channel/message.h"
#include "host/cli/output.h"

namespace dotkey::host::cli {

using channel::flag_at;
using channel::integer_at;
using channel::text_at;

namespace {

std::string number(boost::json::object const& from, std::string_view name) {
  return std::to_string(integer_at(from, name).value_or(0));
}

std::string text(boost::json::object const& from, std::string_view name) {
  return std::string(text_at(from, name).value_or(""));
}

boost::json::object const& object_at(boost::json::object const& from, std::string_view name) {
  static boost::json::object const empty;
  boost::json::value const* const value =
      from.if_contains(boost::json::string_view(name.data(), name.size()));
  return value != nullptr && value->is_object() ? value->get_object() : empty;
}

boost::json::array const& array_at(boost::json::object const& from, std::string_view name) {
  static boost::json::array const empty;
  boost::json::value const* const value =
      from.if_contains(boost::json::string_view(name.data(), name.size()));
  return value != nullptr && value->is_array() ? value->get_array() : empty;
}

// "3 min": whole units, the largest that fits.
std::string span_of(std::int64_t us) {
  std::int64_t const s = (us < 0 ? -us : us) / 1'000'000;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7200) return std::to_string(s / 60) + " min";
  if (s < 172'800) return std::to_string(s / 3600) + " h";
  return std::to_string(s / 86'400) + " days";
}

void print_dht(boost::json::object const& dht) {
  if (!flag_at(dht, "enabled").value_or(false)) return print_line("DHT      switched off");
  print_line("DHT      " + text(dht, "mode") + ", " + number(dht, "nodes") +
             " nodes known, about " + number(dht, "network_size") + " in the network, port " +
             number(dht, "port_v4"));
}

void print_relays(boost::json::array const& relays) {
  for (boost::json::value const& value : relays) {
    boost::json::object const& relay = value.get_object();
    std::string line = "Relay    " + text(relay, "url") + ", ";
    if (integer_at(relay, "failures_in_a_row").value_or(0) > 0) {
      line += "failing: " + text(relay, "last_error");
    } else if (integer_at(relay, "successes").value_or(0) > 0) {
      line += number(relay, "latency_ms") + " ms";
    } else {
      line += "not asked yet";
    }
    print_line(line);
  }
}

void print_keys(boost::json::array const& keys, engine::UnixTime now) {
  for (boost::json::value const& value : keys) {
    boost::json::object const& key = value.get_object();
    std::int64_t const stored_us = integer_at(key, "stored_us").value_or(0);
    std::int64_t const due_us = integer_at(key, "due_us").value_or(0);
    print_line("Key      " + text(key, "key"));
    std::string line = "         ";
    line += stored_us == 0 ? "not republished yet"
                           : "stored by " + number(key, "dht_nodes") + " nodes " +
                                 span_of(now.us - stored_us) + " ago";
    line += due_us > now.us ? ", again in " + span_of(due_us - now.us) : ", due now";
    if (std::int64_t const failures = integer_at(key, "failures").value_or(0); failures > 0) {
      line += ", " + std::to_string(failures) + " failures since";
    }
    print_line(line);
    if (integer_at(key, "adopted_timestamp_us")) {
      print_line("         a newer record of another device took its place " +
                 span_of(now.us - integer_at(key, "adopted_at_us").value_or(now.us)) + " ago");
    }
  }
}

}  // namespace

void print_status(boost::json::object const& status, engine::UnixTime now) {
  print_line("Daemon   " + text(status, "version") + ", process " + number(status, "pid") +
             ", up " + span_of(now.us - integer_at(status, "started_us").value_or(now.us)));
  print_dht(object_at(status, "dht"));
  print_relays(array_at(status, "relays"));
  print_line("Cache    " + number(object_at(status, "cache"), "entries") + " keys in memory, " +
             number(status, "packets_on_disk") + " on disk");
  print_keys(array_at(status, "keys"), now);
}

}  // namespace dotkey::host::cli
