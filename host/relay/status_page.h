// SPDX-License-Identifier: Apache-2.0
// What a relay shows of itself: a page for people, JSON for the page, Prometheus, health.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace dotkey::host::relay {

struct Figures {
  std::uint64_t uptime_s = 0;
  std::uint64_t started_s = 0;  // Unix time
  bool has_dht = false;
  std::uint32_t dht_nodes = 0;
  double dht_size = 0;       // nodes in the network, estimated; 0: unknown yet
  double dht_deviation = 0;  // relative
  std::uint16_t dht_port = 0;
  bool dht_read_only = true;
  std::uint64_t cache_packets = 0;
  std::uint64_t cache_bytes = 0;
  std::uint64_t stored_packets = 0;
  std::uint64_t stored_max = 0;
  std::uint64_t store_failures = 0;
  std::uint64_t corrupt_rows = 0;
  std::uint64_t connections = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t requests = 0;
  std::uint64_t requests_malformed = 0;
  std::uint64_t requests_timed_out = 0;
  std::uint64_t gets = 0;
  std::uint64_t puts = 0;
  std::uint64_t from_cache = 0;
  std::uint64_t rate_limited = 0;
  std::uint64_t client_errors = 0;
  std::uint64_t server_errors = 0;
};

// Written once a second by the main loop, read by the HTTP threads.
class StatusBoard {
 public:
  struct Page {
    std::uint16_t status = 200;
    std::string_view head;  // header lines
    std::string body;
  };

  explicit StatusBoard(std::string version) : version_(std::move(version)) {}

  void update(Figures const& figures);
  // "/", "/stats.json", "/metrics" and "/health".
  [[nodiscard]] std::optional<Page> page(std::string_view path);

 private:
  static constexpr std::size_t history_size = 120;

  std::string version_;
  std::mutex mutex_;
  std::string stats_ = "{}";
  std::string metrics_;
  bool healthy_ = true;
  std::array<std::uint32_t, history_size> per_second_{};  // requests, the oldest first
  std::uint64_t requests_before_ = 0;
};

}  // namespace dotkey::host::relay
