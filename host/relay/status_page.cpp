// SPDX-License-Identifier: Apache-2.0
#include "host/relay/status_page.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "host/relay/status_html.h"

namespace dotkey::host::relay {
namespace {

constexpr std::string_view html_head =
    "content-type: text/html; charset=utf-8\r\n"
    "cache-control: no-cache\r\n"
    "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'\r\n"
    "x-content-type-options: nosniff\r\n"
    "referrer-policy: no-referrer\r\n";
constexpr std::string_view json_head =
    "content-type: application/json\r\n"
    "cache-control: no-store\r\n"
    "access-control-allow-origin: *\r\n";
// Prometheus' text format.
constexpr std::string_view metrics_head =
    "content-type: text/plain; version=0.0.4; charset=utf-8\r\n"
    "cache-control: no-store\r\n";

class Metrics {
 public:
  void add(std::string_view name, std::string_view kind, std::string_view help, double value) {
    std::string const full = "dotkey_relay_" + std::string(name);
    text_ += "# HELP " + full + ' ';
    text_ += help;
    text_ += "\n# TYPE " + full + ' ';
    text_ += kind;
    text_ += '\n' + full + ' ';
    std::string number = std::to_string(value);
    number.erase(number.find_last_not_of('0') + 1);
    if (number.ends_with('.')) number.pop_back();
    text_ += number + '\n';
  }
  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    add(name, "counter", help, static_cast<double>(value));
  }
  void gauge(std::string_view name, std::string_view help, double value) {
    add(name, "gauge", help, value);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string encode_metrics(Figures const& f) {
  Metrics out;
  out.counter("requests_total", "Requests of all kinds.", f.requests);
  out.counter("gets_total", "Requests for a packet.", f.gets);
  out.counter("puts_total", "Requests to publish a packet.", f.puts);
  out.counter("cache_answers_total", "Packets answered from the cache or the disk.", f.from_cache);
  out.counter("rate_limited_total", "Requests refused by a rate limit.", f.rate_limited);
  out.counter("client_errors_total", "Responses with a status of 400 to 499.", f.client_errors);
  out.counter("server_errors_total", "Responses with a status of 500 and more.", f.server_errors);
  out.counter("malformed_total", "Requests that were no HTTP.", f.requests_malformed);
  out.counter("timed_out_total", "Requests that took too long to arrive.", f.requests_timed_out);
  out.counter("connections_refused_total", "Connections over a limit.", f.connections_refused);
  out.gauge("connections", "Connections open.", static_cast<double>(f.connections));
  out.gauge("cache_packets", "Packets in memory.", static_cast<double>(f.cache_packets));
  out.gauge("cache_bytes", "Memory of the cache.", static_cast<double>(f.cache_bytes));
  out.gauge("stored_packets", "Packets on disk.", static_cast<double>(f.stored_packets));
  out.counter("store_failures_total", "Packets that could not be written.", f.store_failures);
  out.counter("corrupt_rows_total", "Damaged packets found on disk.", f.corrupt_rows);
  out.gauge("dht_nodes", "DHT nodes in the routing table.", f.dht_nodes);
  out.gauge("dht_size", "DHT nodes in the whole network, estimated.", f.dht_size);
  out.gauge("uptime_seconds", "Seconds since the start.", static_cast<double>(f.uptime_s));
  return out.take();
}

}  // namespace

void StatusBoard::update(Figures const& f) {
  std::string metrics = encode_metrics(f);
  std::lock_guard const lock(mutex_);
  std::rotate(per_second_.begin(), per_second_.begin() + 1, per_second_.end());
  per_second_.back() = static_cast<std::uint32_t>(f.requests - requests_before_);
  requests_before_ = f.requests;
  healthy_ = !f.has_dht || f.dht_nodes > 0;
  metrics_ = std::move(metrics);
  boost::json::array history(per_second_.begin(), per_second_.end());
  stats_ = boost::json::serialize(boost::json::object{
      {"version", version_},
      {"uptime_s", f.uptime_s},
      {"dht",
       {{"enabled", f.has_dht},
        {"nodes", f.dht_nodes},
        {"size", f.dht_size},
        {"deviation", f.dht_deviation},
        {"port", f.dht_port},
        {"reachable", !f.dht_read_only}}},
      {"cache", {{"packets", f.cache_packets}, {"bytes", f.cache_bytes}}},
      {"store", {{"packets", f.stored_packets}, {"max", f.stored_max}}},
      {"requests",
       {{"total", f.requests},
        {"gets", f.gets},
        {"puts", f.puts},
        {"from_cache", f.from_cache},
        {"rate_limited", f.rate_limited},
        {"client_errors", f.client_errors},
        {"server_errors", f.server_errors},
        {"connections", f.connections},
        {"per_second", std::move(history)}}},
  });
}

std::optional<StatusBoard::Page> StatusBoard::page(std::string_view path) {
  if (path == "/") return Page{200, html_head, std::string(status_html)};
  std::lock_guard const lock(mutex_);
  if (path == "/stats.json") return Page{200, json_head, stats_};
  if (path == "/metrics") return Page{200, metrics_head, metrics_};
  if (path != "/health") return std::nullopt;
  return healthy_ ? Page{200, json_head, R"({"status":"ok"})"}
                  : Page{503, json_head, R"({"status":"no DHT node is known"})"};
}

}  // namespace dotkey::host::relay
