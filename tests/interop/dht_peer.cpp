// SPDX-License-Identifier: Apache-2.0
// dotkey's DHT node as a peer for interoperability tests and benchmarks: one JSON line on stdout.
//   serve --nodes N --base-port P [--seconds S] [--dead K] [--ipv6]
//   put   --seed-hex S --seq N --value-hex V --bootstrap H:P [--salt-hex X] [--cas N]
//   get   --pub-hex P --bootstrap H:P [--salt-hex X] [--timeout S]
//   put-immutable --value-hex V --bootstrap H:P        get-immutable --target-hex T --bootstrap H:P
//   bench --bootstrap H:P [--repeat N] [--size N]
//   run   --bootstrap H:P < commands    a node that stays and serves, until stdin closes; each line
//         is a JSON list of words, such as ["get","--pub-hex","P"]
// The values are byte strings; they are stored bencoded, as libtorrent and bittorrent-dht do.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>
#include <unistd.h>

#include "core/base/integers.h"
#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/wire/bencode.h"

#include "host/loop/clock.h"
#include "host/loop/node_driver.h"
#include "host/loop/system_entropy.h"

namespace {

using namespace dotkey;
namespace json = boost::json;
using host::loop::NodeDriver;

class Options {
 public:
  explicit Options(std::vector<std::string> const& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      bool const has_value = i + 1 < words.size() && !words[i + 1].starts_with("--");
      std::string& value = values_[words[i]];
      if (has_value) value = words[++i];
    }
  }
  [[nodiscard]] bool has(std::string const& name) const { return values_.contains(name); }
  [[nodiscard]] std::string text(std::string const& name, std::string const& fallback = "") const {
    auto const found = values_.find(name);
    return found == values_.end() ? fallback : found->second;
  }
  [[nodiscard]] std::int64_t number(std::string const& name, std::int64_t fallback = 0) const {
    return base::parse_decimal<std::int64_t>(text(name)).value_or(fallback);
  }
  [[nodiscard]] base::Bytes hex(std::string const& name) const {
    return base::parse_hex(text(name)).value_or(base::Bytes{});
  }
  [[nodiscard]] std::vector<std::string> bootstrap() const {
    std::vector<std::string> out;
    std::stringstream list(text("--bootstrap"));
    for (std::string each; std::getline(list, each, ',');) out.push_back(each);
    return out;
  }

 private:
  std::map<std::string, std::string> values_;
};

// Milliseconds, to a hundredth.
class Stopwatch {
 public:
  [[nodiscard]] double ms() const {
    auto const us = (host::loop::now() - started_).us;
    return static_cast<double>((us + 5) / 10) / 100.0;
  }

 private:
  engine::Instant started_ = host::loop::now();
};

struct Peer {
  boost::asio::io_context& loop;
  host::loop::SystemEntropy& entropy;
  std::unique_ptr<NodeDriver> driver;

  Peer(boost::asio::io_context& l, host::loop::SystemEntropy& e, std::uint16_t port,
       std::vector<std::string> bootstrap, dht::Mode mode, bool ipv6)
      : loop(l), entropy(e) {
    host::loop::NodeDriverSettings settings;
    settings.node.mode = mode;
    settings.node.allow_local_network = true;
    settings.bootstrap = std::move(bootstrap);
    auto const address = base::IpAddress::parse(ipv6 ? "::1" : "127.0.0.1").value();
    (ipv6 ? settings.local_v6 : settings.local_v4) = base::Endpoint{address, port};
    driver = NodeDriver::open(loop, entropy, std::move(settings)).value();
  }

  // Runs one operation to its end; `first_ms` is when its first item came.
  dht::Outcome run(NodeDriver::Command const& command, double* first_ms = nullptr) {
    Stopwatch const watch;
    std::optional<dht::Outcome> outcome;
    host::loop::OperationWatcher watcher;
    watcher.on_item = [&](dht::MutableItem const&) {
      if (first_ms != nullptr && *first_ms == 0) *first_ms = watch.ms();
    };
    watcher.on_finished = [&](dht::Outcome end) { outcome = std::move(end); };
    if (!driver->start(command, watcher)) return {};
    while (!outcome) loop.run_one();
    return *outcome;
  }

  // Until enough nodes are known for a lookup to be typical.
  double bootstrap() {
    Stopwatch const watch;
    while (!driver->node().is_bootstrapped() && watch.ms() < 10'000) {
      loop.run_one_for(std::chrono::milliseconds(5));
    }
    return watch.ms();
  }
};

int print(json::object const& object, bool ok) {
  std::printf("%s\n", json::serialize(object).c_str());
  std::fflush(stdout);
  return ok ? 0 : 1;
}

dht::MutableItem make_item(crypto::KeyPair const& pair, std::int64_t sequence, base::ByteView value,
                           base::Bytes salt) {
  dht::MutableItem item;
  item.key = pair.public_key();
  item.salt = std::move(salt);
  item.sequence = sequence;
  item.value = wire::bencode::encode_string(value);
  item.signature = pair.sign_now(wire::krpc::signable(item.salt, sequence, item.value));
  return item;
}

json::object describe(dht::Outcome const& outcome) {
  json::object errors;
  for (auto const& each : outcome.errors) errors[std::to_string(each.code)] = each.nodes;
  json::object out{{"ok", !outcome.error.has_value()},
                   {"stored_at", outcome.stored},
                   {"errors", errors},
                   {"asked", outcome.tally.queried},
                   {"answered", outcome.tally.responded}};
  if (outcome.error) out["error"] = base::slug_of(*outcome.error);
  return out;
}

json::object put(Peer& peer, Options const& options, crypto::KeyPair const& pair,
                 std::int64_t sequence, base::ByteView value) {
  auto const item = make_item(pair, sequence, value, options.hex("--salt-hex"));
  dht::PutOptions put_options;
  if (options.has("--cas")) put_options.cas = options.number("--cas");
  Stopwatch const watch;
  auto const outcome = peer.run([&](dht::Node& node, engine::Instant now) {
    return node.put_mutable(now, item, put_options);
  });
  auto out = describe(outcome);
  out["ms"] = watch.ms();
  out["seq"] = sequence;
  out["pub_hex"] = base::encode_hex(item.key.view());
  out["sig_hex"] = base::encode_hex(item.signature.view());
  if (outcome.item) out["found_seq"] = outcome.item->sequence;
  return out;
}

json::object get(Peer& peer, Options const& options, crypto::PublicKey const& key) {
  auto const salt = options.hex("--salt-hex");
  double first_ms = 0;
  Stopwatch const watch;
  auto const outcome = peer.run(
      [&](dht::Node& node, engine::Instant now) { return node.get_mutable(now, key, salt, {}); },
      &first_ms);
  auto out = describe(outcome);
  out["ms"] = first_ms;
  out["ms_final"] = watch.ms();
  if (!outcome.item) return out;
  auto const content = wire::bencode::parse_string(outcome.item->value);
  out["seq"] = outcome.item->sequence;
  out["sig_hex"] = base::encode_hex(outcome.item->signature.view());
  out["value_hex"] = base::encode_hex(content.value_or(base::ByteView{}));
  auto const covered = wire::krpc::signable(salt, outcome.item->sequence, outcome.item->value);
  out["verified"] = crypto::verify(key, outcome.item->signature, covered);
  return out;
}

json::value statistics(std::vector<double> values) {
  if (values.empty()) return nullptr;
  std::sort(values.begin(), values.end());
  std::size_t const middle = values.size() / 2;
  double const median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return json::object{{"median", median}, {"min", values.front()}, {"max", values.back()}};
}

int serve(boost::asio::io_context& loop, host::loop::SystemEntropy& entropy,
          Options const& options) {
  auto const count = static_cast<std::size_t>(options.number("--nodes", 30));
  auto const base_port = static_cast<std::uint16_t>(options.number("--base-port"));
  auto const dead = static_cast<std::size_t>(options.number("--dead"));
  bool const ipv6 = options.has("--ipv6");
  std::string const first =
      (ipv6 ? "[::1]:" : "127.0.0.1:") + std::to_string(options.number("--base-port"));
  Stopwatch const watch;
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < count; ++i) {
    peers.emplace_back(loop, entropy, static_cast<std::uint16_t>(base_port + i),
                       i == 0 ? std::vector<std::string>{} : std::vector{first}, dht::Mode::server,
                       ipv6);
  }
  auto const known = [&](Peer const& peer) {
    auto const status = peer.driver->node().status();
    return status.nodes_v4 + status.nodes_v6;
  };
  auto const wanted = std::min<std::size_t>(count - 1, 20);
  while (watch.ms() < 60'000 && std::any_of(peers.begin(), peers.end(), [&](Peer const& peer) {
           return known(peer) < wanted;
         })) {
    loop.run_one_for(std::chrono::milliseconds(20));
  }
  for (std::size_t i = 0; i < dead; ++i) peers.pop_back();
  json::object const ready{
      {"ready", true}, {"bootstrap", first}, {"nodes", count}, {"dead", dead}, {"ms", watch.ms()}};
  print(ready, true);
  boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](auto, int) { loop.stop(); });
  loop.run_for(std::chrono::seconds(options.number("--seconds", 900)));
  return 0;
}

int bench(boost::asio::io_context& loop, host::loop::SystemEntropy& entropy,
          Options const& options) {
  auto const repeat = options.number("--repeat", 10);
  auto const size = static_cast<std::size_t>(options.number("--size", 950));
  Peer publisher(loop, entropy, 0, options.bootstrap(), dht::Mode::client, false);
  Peer reader(loop, entropy, 0, options.bootstrap(), dht::Mode::client, false);
  publisher.bootstrap();
  reader.bootstrap();
  Stopwatch const settling;  // the start's own lookups are no part of what is measured
  while (settling.ms() < 7000) loop.run_one_for(std::chrono::milliseconds(20));
  std::vector<double> stored, put_ms, first_ms, final_ms;
  int bad = 0;
  for (std::int64_t i = 0; i < repeat; ++i) {
    crypto::Seed seed;
    entropy.fill(seed.writable());
    crypto::KeyPair const pair(seed);
    base::Bytes value(size);
    entropy.fill(value);
    auto const was_put = put(publisher, options, pair, 1, value);
    auto const was_got = get(reader, options, pair.public_key());
    auto const* content = was_got.if_contains("value_hex");
    if (content == nullptr || content->as_string() != base::encode_hex(value)) {
      ++bad;
      continue;
    }
    stored.push_back(static_cast<double>(was_put.at("stored_at").as_uint64()));
    put_ms.push_back(was_put.at("ms").as_double());
    first_ms.push_back(was_got.at("ms").as_double());
    final_ms.push_back(was_got.at("ms_final").as_double());
  }
  return print({{"repeat", repeat},
                {"bad", bad},
                {"stored_at", statistics(stored)},
                {"put_ms", statistics(put_ms)},
                {"get_first_ms", statistics(first_ms)},
                {"get_final_ms", statistics(final_ms)}},
               bad == 0);
}

json::object put_immutable(Peer& peer, Options const& options) {
  auto const value = wire::bencode::encode_string(options.hex("--value-hex"));
  auto out = describe(peer.run(
      [&](dht::Node& node, engine::Instant now) { return node.put_immutable(now, value); }));
  out["target_hex"] = base::encode_hex(wire::krpc::immutable_target(value).view());
  return out;
}

json::object get_immutable(Peer& peer, Options const& options) {
  auto const target = dht::NodeId::from(options.hex("--target-hex"));
  if (!target) return {{"ok", false}, {"error", "--target-hex wants 40 digits"}};
  auto const outcome = peer.run(
      [&](dht::Node& node, engine::Instant now) { return node.get_immutable(now, *target); });
  auto out = describe(outcome);
  if (outcome.value) {
    auto const content = wire::bencode::parse_string(*outcome.value);
    out["value_hex"] = base::encode_hex(content.value_or(base::ByteView{}));
  }
  return out;
}

json::object carry_out(Peer& peer, std::string const& command, Options const& options) {
  if (command == "put") {
    auto const seed = crypto::Seed::from(options.hex("--seed-hex"));
    if (!seed) return {{"ok", false}, {"error", "--seed-hex wants 64 digits"}};
    return put(peer, options, crypto::KeyPair(*seed), options.number("--seq"),
               options.hex("--value-hex"));
  }
  if (command == "get") {
    auto const key = crypto::PublicKey::from(options.hex("--pub-hex"));
    if (!key) return {{"ok", false}, {"error", "--pub-hex wants 64 digits"}};
    return get(peer, options, *key);
  }
  if (command == "put-immutable") return put_immutable(peer, options);
  return get_immutable(peer, options);
}

bool is_ipv6(Options const& options) {
  return options.text("--bootstrap").starts_with('[');
}

int run_once(boost::asio::io_context& loop, host::loop::SystemEntropy& entropy,
             std::string const& command, Options const& options) {
  Peer peer(loop, entropy, 0, options.bootstrap(), dht::Mode::client, is_ipv6(options));
  double const boot_ms = peer.bootstrap();
  json::object out = carry_out(peer, command, options);
  out["boot_ms"] = boot_ms;
  bool const ok = out.at("ok").as_bool();
  return print(out, ok);
}

// One node for many commands. It serves: libtorrent takes who puts for a server, whatever the
// sender says (BEP 43), and waits 15 s for one that is silent.
int run(boost::asio::io_context& loop, host::loop::SystemEntropy& entropy, Options const& options) {
  Peer peer(loop, entropy, 0, options.bootstrap(), dht::Mode::server, is_ipv6(options));
  peer.bootstrap();
  print({{"ready", true}}, true);
  boost::asio::posix::stream_descriptor input(loop, dup(STDIN_FILENO));
  std::string buffer;
  for (;;) {
    std::optional<boost::system::error_code> end;
    std::size_t size = 0;
    boost::asio::async_read_until(input, boost::asio::dynamic_buffer(buffer), '\n',
                                  [&](auto error, std::size_t read) { end = error, size = read; });
    while (!end) loop.run_one();
    if (*end) return 0;
    auto const words =
        json::value_to<std::vector<std::string>>(json::parse(buffer.substr(0, size)));
    buffer.erase(0, size);
    print(carry_out(peer, words.at(0), Options({words.begin() + 1, words.end()})), true);
  }
}

}  // namespace

int main(int count, char** words) {
  std::string const command = count > 1 ? words[1] : "";
  Options const options({words + std::min(count, 2), words + count});
  boost::asio::io_context loop(1);
  host::loop::SystemEntropy entropy;
  if (command == "serve") return serve(loop, entropy, options);
  if (command == "bench") return bench(loop, entropy, options);
  if (command == "run") return run(loop, entropy, options);
  for (auto const* known : {"put", "get", "put-immutable", "get-immutable"}) {
    if (command == known) return run_once(loop, entropy, command, options);
  }
  std::fprintf(stderr, "usage: dht_peer serve|put|get|put-immutable|get-immutable|bench|run ...\n");
  return 2;
}
