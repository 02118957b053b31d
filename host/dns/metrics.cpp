// SPDX-License-Identifier: Apache-2.0
#include "host/dns/metrics.h"

namespace dotkey::host::dns {
namespace {

// Names and units after https://prometheus.io/docs/practices/naming/.
class MetricsText {
 public:
  void begin(std::string_view name, std::string_view kind, std::string_view meaning) {
    name_ = "dotkey_dns_" + std::string(name);
    text_ += "# HELP " + name_ + ' ';
    text_ += meaning;
    text_ += "\n# TYPE " + name_ + ' ';
    text_ += kind;
    text_ += '\n';
  }
  void value(std::uint64_t count, std::string_view labels = {}) {
    text_ += name_;
    if (!labels.empty()) text_ += '{' + std::string(labels) + '}';
    text_ += ' ' + std::to_string(count) + '\n';
  }
  void counter(std::string_view name, std::string_view meaning, std::uint64_t count) {
    begin(name, "counter", meaning);
    value(count);
  }
  void gauge(std::string_view name, std::string_view meaning, std::uint64_t number) {
    begin(name, "gauge", meaning);
    value(number);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

void add(ShardFigures& total, ShardFigures const& one) {
  auto const sum = [](std::uint64_t& to, std::uint64_t from) { to += from; };
  sum(total.bridge.queries, one.bridge.queries);
  sum(total.bridge.from_cache, one.bridge.from_cache);
  sum(total.bridge.malformed, one.bridge.malformed);
  sum(total.bridge.refused, one.bridge.refused);
  sum(total.bridge.denied, one.bridge.denied);
  sum(total.bridge.limited, one.bridge.limited);
  sum(total.bridge.joined, one.bridge.joined);
  sum(total.bridge.truncated, one.bridge.truncated);
  sum(total.bridge.name_errors, one.bridge.name_errors);
  sum(total.bridge.failures, one.bridge.failures);
  sum(total.forwarder.asked, one.forwarder.asked);
  sum(total.forwarder.sent, one.forwarder.sent);
  sum(total.forwarder.foreign, one.forwarder.foreign);
  sum(total.forwarder.raced, one.forwarder.raced);
  sum(total.forwarder.truncated, one.forwarder.truncated);
  sum(total.forwarder.failed, one.forwarder.failed);
  for (std::size_t i = 0; i < std::size(total.queries); ++i) sum(total.queries[i], one.queries[i]);
  sum(total.answers, one.answers);
  sum(total.answer_bytes, one.answer_bytes);
  sum(total.questions, one.questions);
  sum(total.unsent, one.unsent);
}

class MetricsService final : public http::Service {
 public:
  explicit MetricsService(Server const& server) : server_(server) {}

  bool on_request(dotkey::relay::Moment, dotkey::relay::Request const& request, http::RequestId,
                  dotkey::relay::Response& out) override {
    bool const is_known = request.target == "/metrics" && request.method == "GET";
    out.status = is_known ? 200 : 404;
    out.head =
        "content-type: text/plain; version=0.0.4; charset=utf-8\r\n"
        "cache-control: no-store\r\n";
    out.body = is_known ? base::to_bytes(server_.metrics()) : base::Bytes();
    out.content_length = out.body.size();
    return true;
  }
  void on_abandoned(http::RequestId) override {}

 private:
  Server const& server_;
};

}  // namespace

std::string Server::metrics() const {
  ShardFigures total;
  for (auto const& shard : shards_) add(total, shard->figures());
  MetricsText out;
  out.begin("queries_total", "counter", "Datagrams and messages that came in.");
  constexpr char const* transports[] = {"udp", "tcp", "tls", "https"};
  for (std::size_t i = 0; i < std::size(transports); ++i) {
    out.value(total.queries[i], "transport=\"" + std::string(transports[i]) + '"');
  }
  out.counter("cache_hits_total", "Queries answered from the cache.", total.bridge.from_cache);
  out.counter("joined_total", "Queries that waited for a question under way.", total.bridge.joined);
  out.counter("malformed_total", "Queries with a format error.", total.bridge.malformed);
  out.counter("refused_total", "Queries for what this server does not do.", total.bridge.refused);
  out.counter("denied_total", "Queries from addresses that are not served.", total.bridge.denied);
  out.counter("limited_total", "Queries over their client's rate.", total.bridge.limited);
  out.counter("truncated_total", "Replies with TC.", total.bridge.truncated);
  out.counter("name_errors_total", "Replies of NXDOMAIN.", total.bridge.name_errors);
  out.counter("failures_total", "Replies of SERVFAIL.", total.bridge.failures);
  out.counter("unsent_total", "Replies that the system did not take.", total.unsent);
  out.gauge("questions", "Questions under way.", total.questions);
  out.gauge("cache_answers", "Answers in the cache.", total.answers);
  out.gauge("cache_bytes", "Memory of the cached answers.", total.answer_bytes);
  out.gauge("connections", "Connections of clients.", places_.open());
  out.counter("forwarded_total", "Questions to upstreams and name servers.", total.forwarder.asked);
  out.counter("forwarded_queries_total", "Queries sent for them.", total.forwarder.sent);
  out.counter("forwarded_raced_total", "Queries to a further server.", total.forwarder.raced);
  out.counter("forwarded_tcp_total", "Replies fetched again over TCP.", total.forwarder.truncated);
  out.counter("forwarded_foreign_total", "Messages that answer no query of ours.",
              total.forwarder.foreign);
  out.counter("forwarded_failures_total", "Questions that nobody answered.",
              total.forwarder.failed);
  return out.take();
}

base::Result<std::unique_ptr<http::Server>> serve_metrics(boost::asio::io_context& loop,
                                                          base::Endpoint const& listen,
                                                          Server const& server) {
  http::ServerSettings settings;
  settings.listen = listen;
  settings.connections_max = 64;
  return http::Server::open(loop, settings, [&server](http::Worker&) {
    return std::make_unique<MetricsService>(server);
  });
}

}  // namespace dotkey::host::dns
