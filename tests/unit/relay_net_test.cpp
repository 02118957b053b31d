// SPDX-License-Identifier: Apache-2.0
// A relay-only client (a browser without the host) against real relay servers on a real DHT, all on
// virtual time. Its two drivers show how the engines are connected.
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "core/publish/publisher.h"
#include "core/resolve/resolver.h"

#include "tests/support/cache_shelf.h"
#include "tests/support/datagram_net.h"
#include "tests/support/packets.h"

namespace dotkey {
namespace {

using engine::Duration;
using engine::Instant;
using engine::Moment;
using record::SignedPacket;
using resolve::Verdict;
using test::a_record;
using test::packet_of;

constexpr std::int64_t stamp_us = 1'709'571'004'412'159;
constexpr Duration http_latency = Duration::from_ms(30);

struct HttpResponse {
  std::uint16_t status = 0;
  std::string head;
  base::Bytes body;
};
using Reply = std::function<void(HttpResponse)>;

std::vector<relay::HeaderView> fields_of(std::string_view head) {
  std::vector<relay::HeaderView> out;
  while (!head.empty()) {
    std::size_t const end = head.find("\r\n");
    std::string_view const line = head.substr(0, end);
    out.push_back({line.substr(0, line.find(':')), line.substr(line.find(':') + 1)});
    head.remove_prefix(end + 2);
  }
  return out;
}

// A relay server with a DHT node, a cache, a resolver and a publisher.
class RelayHost {
 public:
  RelayHost(test::DatagramNet& net, dht::Node& node)
      : net_(net), node_(node), resolver_(dht_only(), cache_) {
    publish::Settings settings;
    settings.sources.relay = false;
    publisher_.emplace(settings, entropy_);
  }

  void on_request(Moment now, relay::FetchUrl const& fetch, Reply reply) {
    std::vector<relay::HeaderView> headers;
    for (auto const& header : fetch.headers) headers.push_back({header.name, header.value});
    std::string const target = fetch.url.substr(fetch.url.find('/', 8));
    relay::Request const request{fetch.method == relay::Method::get ? "GET" : "PUT", target,
                                 headers, fetch.body, base::IpAddress::v4({198, 51, 100, 1})};
    relay::Response response;
    auto const ticket = server_.on_request(now, request, response);
    if (!ticket) return reply({response.status, response.head, response.body});
    replies_.emplace(*ticket, std::move(reply));
  }

  void step(Moment now) {
    for (auto at = operations_.begin(); at != operations_.end();) {
      auto const found = net_.finished.find(at->first);
      if (found == net_.finished.end()) {
        ++at;
        continue;
      }
      dht::Outcome const outcome = std::move(found->second);
      net_.finished.erase(found);
      auto const end = std::move(at->second);
      at = operations_.erase(at);
      end(now, outcome);
    }
    resolver_.on_deadline(now);
    publisher_->on_deadline(now);
    drain(now);
  }

 private:
  static resolve::Settings dht_only() {
    resolve::Settings out;
    out.sources.relay = false;
    return out;
  }

  void drain(Moment now) {
    bool moved = true;
    while (moved) {
      moved = false;
      while (auto effect = server_.poll_effect()) {
        moved = true;
        take(now, std::move(*effect));
      }
      while (auto effect = resolver_.poll_effect()) {
        moved = true;
        take(now, std::move(*effect));
      }
      while (auto effect = publisher_->poll_effect()) {
        moved = true;
        take(now, std::move(*effect));
      }
    }
  }

  void take(Moment now, relay::ServerEffect effect) {
    if (auto* wanted = std::get_if<relay::ResolveWanted>(&effect)) {
      resolve::Options options;
      options.policy = resolve::policy_of(wanted->policy);
      questions_.emplace(resolver_.ask(now, wanted->key, options).value(), wanted->id);
    } else if (auto* put = std::get_if<relay::PublishWanted>(&effect)) {
      publish::Options options;
      options.cas_us = put->cas_us;
      publications_.emplace(publisher_->publish(now, put->packet, options).value(), *put);
    } else if (auto* ready = std::get_if<relay::ResponseReady>(&effect)) {
      auto const reply = replies_.extract(ready->id);
      reply.mapped()(
          {ready->response.status, ready->response.head, std::move(ready->response.body)});
    }
  }

  void take(Moment now, resolve::Effect effect) {
    if (auto* start = std::get_if<resolve::StartLookup>(&effect)) {
      dht::GetOptions options;
      options.newer_than = start->newer_than_us;
      auto const id = node_.get_mutable(now.instant, start->key, {}, options).value();
      operations_.emplace(id, [this, lookup = start->id](Moment t, dht::Outcome const& outcome) {
        resolver_.on_dht_finished(t, lookup, outcome);
      });
    } else if (auto* answer = std::get_if<resolve::Answered>(&effect)) {
      auto const ticket = questions_.extract(answer->id);
      server_.on_resolved(now, ticket.mapped(), resolve::answer_for_relay(answer->outcome));
    } else if (auto* learned = std::get_if<resolve::PacketLearned>(&effect)) {
      publisher_->on_packet_seen(now, learned->packet);
    }
  }

  void take(Moment now, publish::Effect effect) {
    if (auto* put = std::get_if<publish::StartPut>(&effect)) {
      dht::MutableItem item;
      item.key = put->packet.key();
      item.sequence = put->packet.timestamp_us();
      item.value = put->packet.item_value();
      item.signature = put->packet.signature();
      watch(node_.put_mutable(now.instant, item, {put->cas_us}).value(), put->id);
    } else if (auto* get = std::get_if<publish::StartGet>(&effect)) {
      watch(node_.get_mutable(now.instant, get->key, {}, {}).value(), get->id);
    } else if (auto* end = std::get_if<publish::Published>(&effect)) {
      auto const wanted = publications_.extract(end->id);
      server_.on_published(
          now, wanted.mapped().id,
          publish::answer_for_relay(end->outcome, wanted.mapped().cas_us.has_value()));
    }
  }

  void watch(dht::OperationId operation, publish::PutId put) {
    operations_.emplace(operation, [this, put](Moment t, dht::Outcome const& outcome) {
      publisher_->on_dht_finished(t, put, outcome);
    });
  }

  test::DatagramNet& net_;
  dht::Node& node_;
  test::SeededEntropy entropy_{3};
  cache::PacketCache cache_{cache::Settings{}, 7};
  test::CacheShelf shelf_{cache_};
  relay::LocalCommons commons_{{std::nullopt, std::nullopt}, 7};
  relay::Server server_{relay::ServerSettings{}, shelf_, commons_};
  resolve::Resolver resolver_;
  std::optional<publish::Publisher> publisher_;
  std::map<relay::TicketId, Reply> replies_;
  std::map<resolve::QuestionId, relay::TicketId> questions_;
  std::map<publish::PublishId, relay::PublishWanted> publications_;
  std::map<dht::OperationId, std::function<void(Moment, dht::Outcome const&)>> operations_;
};

class RelayNetTest : public testing::Test {
 protected:
  static base::Endpoint endpoint_of(std::size_t index) {
    return {base::IpAddress::v4({127, 0, 0, 1}), static_cast<std::uint16_t>(10'000 + index)};
  }

  void SetUp() override {
    dht::Settings settings;
    settings.mode = dht::Mode::server;
    for (std::size_t i = 0; i < 22; ++i) net.add(settings, endpoint_of(i).port, {endpoint_of(0)});
    net.run(Duration::from_s(60), [] { return false; });
    host.emplace(net, net.at(endpoint_of(1)));
    resolve::Settings client_settings;
    client_settings.sources.dht = false;
    resolver.emplace(client_settings, cache);
    use({"https://good.example"});
  }

  void use(std::vector<std::string> const& urls) { ASSERT_TRUE(client.set_relays(urls)); }
  [[nodiscard]] Moment now() const { return {net.now, {stamp_us + net.now.us}}; }

  // A millisecond at a time.
  bool run(Duration limit, std::function<bool()> const& done) {
    Instant const end = net.now + limit;
    while (!done() && net.now < end) {
      drain();
      net.run(Duration::from_ms(1), [] { return false; });
      host->step(now());
      while (!arrivals.empty() && arrivals.begin()->first <= net.now) {
        auto const arrival = std::move(arrivals.begin()->second);
        arrivals.erase(arrivals.begin());
        arrival();
      }
      client.on_deadline(now());
      resolver->on_deadline(now());
      drain();
    }
    return done();
  }

  void after(Duration delay, std::function<void()> what) {
    arrivals.emplace(net.now + delay, std::move(what));
  }

  void fetch(relay::FetchUrl const& request) {
    ++fetches;
    bool const is_good = request.url.starts_with("https://good.example");
    bool const lies = request.url.starts_with("https://liar.example");
    auto const deliver = [this, id = request.id](HttpResponse const& response) {
      after(http_latency, [this, id, response] {
        statuses.push_back(response.status);
        client.on_fetched(now(), id, {response.status, fields_of(response.head), response.body});
      });
    };
    if (is_good) {
      after(http_latency, [this, request, deliver] { host->on_request(now(), request, deliver); });
    } else if (lies) {
      deliver({200, "", base::to_bytes(packet_of(99, 1, {}).relay_payload())});
    }  // else: it never answers
  }

  void drain() {
    while (auto effect = client.poll_effect()) {
      if (auto* request = std::get_if<relay::FetchUrl>(&*effect)) fetch(*request);
      if (auto* found = std::get_if<relay::PacketFound>(&*effect)) {
        if (lookups.contains(found->id)) {
          resolver->on_packet(now(), lookups.at(found->id), found->packet, found->last_seen);
        }
      }
      if (auto* end = std::get_if<relay::Finished>(&*effect)) {
        if (lookups.contains(end->id)) {
          resolver->on_relays_finished(now(), lookups.at(end->id), end->outcome);
        } else {
          puts.insert_or_assign(end->id, std::move(end->outcome));
        }
      }
    }
    while (auto effect = resolver->poll_effect()) {
      if (auto* start = std::get_if<resolve::StartLookup>(&*effect)) {
        relay::GetOptions options;
        options.newer_than_us = start->newer_than_us;
        if (start->thorough) options.policy = relay::Policy::network_only;
        lookups.emplace(client.get(now(), start->key, options).value(), start->id);
      }
      if (auto* answer = std::get_if<resolve::Answered>(&*effect)) {
        answers.insert_or_assign(answer->id, std::move(answer->outcome));
      }
    }
  }

  relay::Outcome put(SignedPacket const& p, std::optional<std::int64_t> cas_us = {}) {
    auto const id = client.put(now(), p, {cas_us}).value();
    EXPECT_TRUE(run(Duration::from_s(30), [&] { return puts.contains(id); }));
    return puts[id];
  }

  resolve::Outcome ask(crypto::PublicKey const& key,
                       resolve::Policy policy = resolve::Policy::first) {
    resolve::Options options;
    options.policy = policy;
    auto const id = resolver->ask(now(), key, options).value();
    Instant const start = net.now;
    EXPECT_TRUE(run(Duration::from_s(30), [&] {
      drain();
      return answers.contains(id);
    }));
    took = net.now - start;
    return answers[id];
  }

  test::DatagramNet net{1};
  test::SeededEntropy entropy{2};
  std::optional<RelayHost> host;
  cache::PacketCache cache{cache::Settings{}, 7};
  relay::Client client{relay::ClientSettings{}, entropy};
  std::optional<resolve::Resolver> resolver;
  std::map<relay::OperationId, resolve::LookupId> lookups;
  std::map<relay::OperationId, relay::Outcome> puts;
  std::map<resolve::QuestionId, resolve::Outcome> answers;
  std::multimap<Instant, std::function<void()>> arrivals;
  std::vector<std::uint16_t> statuses;
  std::uint32_t fetches = 0;
  Duration took;
  SignedPacket packet = packet_of(1, stamp_us, {a_record("www", "192.0.2.1", 600)});
};

TEST_F(RelayNetTest, what_is_put_through_a_relay_is_found_through_the_dht) {
  auto const stored = put(packet);
  EXPECT_FALSE(stored.error);
  EXPECT_GE(stored.dht_nodes, 20U);
  auto const found = ask(packet.key(), resolve::Policy::newest);
  EXPECT_EQ(found.verdict, Verdict::found);
  EXPECT_EQ(found.packet, packet);
  EXPECT_EQ(found.source, resolve::Source::relay);
}

TEST_F(RelayNetTest, a_key_that_nobody_published_is_not_found) {
  EXPECT_EQ(ask(packet.key()).verdict, Verdict::not_found);
  EXPECT_EQ(statuses, std::vector<std::uint16_t>{404});
}

TEST_F(RelayNetTest, a_conflict_at_the_relay_comes_back_with_the_packet_in_the_way) {
  auto const newer = packet_of(1, stamp_us + 1, {});
  put(newer);
  auto const older = put(packet);
  EXPECT_EQ(older.error, base::ErrorCode::relay_newer_exists);
  EXPECT_EQ(older.packet, newer);
  auto const mismatch = put(packet_of(1, stamp_us + 2, {}), stamp_us);
  EXPECT_EQ(mismatch.error, base::ErrorCode::relay_cas_mismatch);
  EXPECT_EQ(mismatch.packet, newer);
  EXPECT_FALSE(put(packet_of(1, stamp_us + 3, {}), stamp_us + 1).error);
}

TEST_F(RelayNetTest, an_unchanged_packet_is_confirmed_without_its_bytes) {
  auto const whole_second = packet_of(1, 1'709'571'004'000'000, {a_record("www", "192.0.2.1")});
  put(whole_second);
  EXPECT_EQ(ask(whole_second.key()).packet, whole_second);
  statuses.clear();
  auto const confirmed = ask(whole_second.key(), resolve::Policy::newest);
  EXPECT_EQ(confirmed.packet, whole_second);
  EXPECT_EQ(statuses, std::vector<std::uint16_t>{304});
}

TEST_F(RelayNetTest, a_dead_relay_beside_a_healthy_one_costs_no_time) {
  put(packet);
  ask(packet.key());
  Duration const alone = took;
  cache.erase(packet.key());
  use({"https://dead.example", "https://good.example"});
  EXPECT_EQ(ask(packet.key()).packet, packet);
  EXPECT_LE(took, alone + Duration::from_ms(20));
  // Once it is known to be dead, newest does not wait for it either.
  run(Duration::from_s(15), [] { return false; });
  ask(packet.key(), resolve::Policy::newest);
  EXPECT_LE(took, Duration::from_s(1));
}

TEST_F(RelayNetTest, a_lying_relay_changes_nothing_beside_an_honest_one) {
  put(packet);
  use({"https://liar.example", "https://good.example"});
  EXPECT_EQ(ask(packet.key(), resolve::Policy::newest).packet, packet);
  use({"https://liar.example"});
  cache.erase(packet.key());
  auto const alone = ask(packet.key());
  EXPECT_EQ(alone.verdict, Verdict::network_failed);
  EXPECT_EQ(alone.error->code, base::ErrorCode::relay_payload_invalid);
}

TEST_F(RelayNetTest, when_all_relays_are_dead_the_question_ends_in_time) {
  use({"https://dead.example"});
  auto const failed = ask(packet.key());
  EXPECT_EQ(failed.verdict, Verdict::network_failed);
  EXPECT_EQ(failed.error->code, base::ErrorCode::relay_timeout);
  EXPECT_LE(took, Duration::from_s(15));
}

}  // namespace
}  // namespace dotkey
