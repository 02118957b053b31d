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

// Names and units after https://prometheus.io/docs/practices/naming/.
class Metrics {
 public:
  enum class Kind : std::uint8_t { counter, gauge };

  void begin(std::string_view name, Kind kind, std::string_view help) {
    name_ = "dotkey_relay_" + std::string(name);
    text_ += "# HELP " + name_ + ' ';
    text_ += help;
    text_ += "\n# TYPE " + name_ + (kind == Kind::counter ? " counter\n" : " gauge\n");
  }
  // `labels`: none, or such as `kind="get"`.
  void value(double value, std::string_view labels = {}) {
    text_ += name_;
    if (!labels.empty()) text_ += '{' + std::string(labels) + '}';
    std::string number = std::to_string(value);
    number.erase(number.find_last_not_of('0') + 1);
    if (number.ends_with('.')) number.pop_back();
    text_ += ' ' + number + '\n';
  }
  void value(std::uint64_t count, std::string_view labels = {}) {
    value(static_cast<double>(count), labels);
  }
  void counter(std::string_view name, std::string_view help, std::uint64_t count) {
    begin(name, Kind::counter, help);
    value(count);
  }
  void gauge(std::string_view name, std::string_view help, double number) {
    begin(name, Kind::gauge, help);
    value(number);
  }
  void gauge(std::string_view name, std::string_view help, std::uint64_t count) {
    gauge(name, help, static_cast<double>(count));
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

void add_http_metrics(Metrics& out, Figures const& f) {
  out.begin("requests_total", Metrics::Kind::counter, "Requests, by what they ask.");
  out.value(f.gets, R"(kind="get")");
  out.value(f.puts, R"(kind="put")");
  out.value(f.requests - std::min(f.requests, f.gets + f.puts), R"(kind="other")");
  out.begin("errors_total", Metrics::Kind::counter, "Responses with an error status, by class.");
  out.value(f.client_errors, R"(class="4xx")");
  out.value(f.server_errors, R"(class="5xx")");
  out.begin("refused_total", Metrics::Kind::counter, "What was not served, by why.");
  out.value(f.rate_limited, R"(reason="rate_limit")");
  out.value(f.requests_malformed, R"(reason="malformed")");
  out.value(f.requests_timed_out, R"(reason="too_slow")");
  out.value(f.connections_refused, R"(reason="too_many_connections")");
  out.gauge("connections", "Connections open.", f.connections);
}

std::string encode_metrics(Figures const& f, std::string_view version) {
  Metrics out;
  out.begin("build_info", Metrics::Kind::gauge, "Always 1; the label is the version.");
  out.value(std::uint64_t{1}, "version=\"" + std::string(version) + '"');
  out.gauge("start_time_seconds", "When the relay started, in Unix time.", f.started_s);
  add_http_metrics(out, f);
  out.counter("cache_hits_total", "Packets answered from the cache or the disk.", f.from_cache);
  out.gauge("cache_packets", "Packets in memory.", f.cache_packets);
  out.gauge("cache_bytes", "Memory of the cache.", f.cache_bytes);
  out.gauge("store_packets", "Packets on disk.", f.stored_packets);
  out.counter("store_write_failures_total", "Packets that could not be written.", f.store_failures);
  out.counter("store_corrupt_rows_total", "Damaged packets found on disk.", f.corrupt_rows);
  out.gauge("dht_nodes", "DHT nodes in the routing table.", std::uint64_t{f.dht_nodes});
  out.gauge("dht_network_nodes", "DHT nodes in the whole network, estimated.", f.dht_size);
  return out.take();
}

}  // namespace

void StatusBoard::update(Figures const& f) {
  std::string metrics = encode_metrics(f, version_);
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
