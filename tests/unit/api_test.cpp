// SPDX-License-Identifier: Apache-2.0
// api::Node with all its engines, on a real DHT of virtual time and relays that the test scripts.
// `World` is the whole of what a driver has to do.
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "core/api/node.h"
#include "core/names/hostname.h"

#include "tests/support/datagram_net.h"
#include "tests/support/packets.h"

namespace dotkey::api {
namespace {

using base::ErrorCode;
using resolve::Verdict;
using test::a_record;
using test::packet_of;

constexpr std::int64_t stamp_us = 1'709'571'004'412'159;
constexpr Duration http_latency = Duration::from_ms(30);

class MemoryArchive final : public PacketArchive {
 public:
  std::optional<Stored> find(PublicKey const& key) override {
    ++reads;
    auto const found = packets.find(key);
    if (found == packets.end()) return std::nullopt;
    return found->second;
  }
  void put(SignedPacket const& packet, UnixTime last_seen) {
    packets.insert_or_assign(packet.key(), Stored{packet, last_seen});
  }

  std::map<PublicKey, Stored> packets;
  std::uint32_t reads = 0;
};

// A relay that holds one packet, if any; a dead one answers nothing.
struct ScriptedRelay {
  std::optional<SignedPacket> packet;
  bool dead = false;
  std::uint32_t gets = 0;
  std::uint32_t puts = 0;
};

class World {
 public:
  explicit World(Settings settings = {}) : node(settings, entropy, &archive) {
    dht::Settings dht_settings;
    dht_settings.mode = dht::Mode::server;
    for (std::uint16_t i = 0; i < 22; ++i) net.add(dht_settings, port(i), {{loopback(), port(0)}});
    net.run(Duration::from_s(60), [] { return false; });
    dht_ = &net.at({loopback(), port(1)});
    node.set_sources({true, false});
  }

  static std::uint16_t port(std::uint16_t index) {
    return static_cast<std::uint16_t>(10'000 + index);
  }
  static base::IpAddress loopback() { return base::IpAddress::v4({127, 0, 0, 1}); }
  [[nodiscard]] Moment now() const { return {net.now, {stamp_us + net.now.us + skipped.us}}; }

  void use_relays(std::vector<std::string> const& names, bool with_dht) {
    std::vector<std::string> urls;
    for (std::string const& name : names) urls.push_back("https://" + name);
    ASSERT_TRUE(node.set_relays(urls));
    node.set_sources({with_dht, true});
  }

  // A millisecond at a time.
  bool run(Duration limit, std::function<bool()> const& done) {
    Instant const end = net.now + limit;
    drain();
    while (!done() && net.now < end) {
      net.run(Duration::from_ms(1), [] { return false; });
      while (!arrivals.empty() && arrivals.begin()->first <= net.now) {
        auto const arrival = std::move(arrivals.begin()->second);
        arrivals.erase(arrivals.begin());
        arrival();
      }
      finish_dht();
      if (node.next_deadline() <= net.now) node.on_deadline(now());
      drain();
    }
    return done();
  }

  resolve::Outcome resolve(PublicKey const& key, resolve::Policy policy = resolve::Policy::first) {
    resolve::Options options;
    options.policy = policy;
    auto const id = node.resolve(now(), key, options).value();
    EXPECT_TRUE(run(Duration::from_s(40), [&] { return resolved.contains(id); }));
    return resolved[id];
  }

  publish::Outcome publish(SignedPacket const& packet, publish::Options const& options = {}) {
    auto const id = node.publish(now(), packet, options).value();
    EXPECT_TRUE(run(Duration::from_s(90), [&] { return published.contains(id); }));
    return published[id];
  }

  test::DatagramNet net{1};
  test::SeededEntropy entropy{2};
  MemoryArchive archive;
  Node node;
  Duration skipped;  // the machine slept
  std::map<std::string, ScriptedRelay> relays;
  bool dht_is_dead = false;

  std::map<RequestId, resolve::Outcome> resolved;
  std::map<RequestId, publish::Outcome> published;
  std::map<RequestId, resolve::EndpointSearch> searches;
  std::map<PublicKey, publish::Bytes> rows;
  std::vector<SignedPacket> adopted;
  std::uint32_t progress = 0;
  std::uint32_t dht_gets = 0;
  std::uint32_t fetches = 0;

 private:
  void drain() {
    while (auto effect = node.poll_effect()) {
      std::visit([this](auto& wanted) { carry_out(wanted); }, *effect);
    }
  }

  void carry_out(StartDhtGet& get) {
    ++dht_gets;
    if (dht_is_dead) return node.on_dht_not_started(now(), get.id, ErrorCode::dht_no_responses);
    running_[dht_->get_mutable(net.now, get.key, {}, get.options).value()] = get.id;
  }
  void carry_out(StartDhtPut& put) {
    if (dht_is_dead) return node.on_dht_not_started(now(), put.id, ErrorCode::dht_no_responses);
    running_[dht_->put_mutable(net.now, put.item, put.options).value()] = put.id;
  }
  void carry_out(CancelDht& cancel) {
    for (auto const& [operation, id] : running_) {
      if (id == cancel.id) dht_->cancel(net.now, operation);
    }
  }
  void carry_out(relay::FetchUrl& fetch) {
    ++fetches;
    std::string const name = fetch.url.substr(8, fetch.url.find('/', 8) - 8);
    ScriptedRelay& relay = relays[name];
    ++(fetch.method == relay::Method::get ? relay.gets : relay.puts);
    if (relay.dead) return;
    base::Bytes body;
    if (relay.packet) body = base::to_bytes(relay.packet->relay_payload());
    std::uint16_t status = relay.packet ? 200 : 404;
    if (fetch.method == relay::Method::put) {
      status = 204;
      body.clear();
    }
    arrivals.emplace(net.now + http_latency, [this, id = fetch.id, status, body] {
      node.on_fetched(now(), id, {status, {}, body});
    });
  }
  void carry_out(relay::CancelFetch&) {}
  void carry_out(StorePacket& store) { archive.put(store.packet, store.last_seen); }
  void carry_out(publish::SaveRow& save) { rows.insert_or_assign(save.key, save.row); }
  void carry_out(publish::DropRow& drop) { rows.erase(drop.key); }
  void carry_out(publish::Adopted& one) { adopted.push_back(one.packet); }
  void carry_out(Resolved& one) { resolved.insert_or_assign(one.id, std::move(one.outcome)); }
  void carry_out(Published& one) { published.insert_or_assign(one.id, std::move(one.outcome)); }
  void carry_out(EndpointsFound& one) { searches.emplace(one.id, std::move(one.search)); }
  void carry_out(Progress&) { ++progress; }

  void finish_dht() {
    for (auto at = running_.begin(); at != running_.end();) {
      auto const found = net.finished.find(at->first);
      if (found == net.finished.end()) {
        ++at;
        continue;
      }
      DhtId const id = at->second;
      dht::Outcome const outcome = found->second;
      at = running_.erase(at);
      net.finished.erase(found);
      node.on_dht_progress(now(), id, outcome.tally, outcome.stored);
      node.on_dht_finished(now(), id, outcome);
    }
  }

  dht::Node* dht_ = nullptr;
  std::map<dht::OperationId, DhtId> running_;
  std::multimap<Instant, std::function<void()>> arrivals;
};

SignedPacket alice(std::int64_t offset_us = 0) {
  return packet_of(1, stamp_us + offset_us, {a_record("www", "192.0.2.1", 600)});
}

TEST(api, what_is_published_is_found_and_kept_alive) {
  World world;
  auto const outcome = world.publish(alice());
  EXPECT_FALSE(outcome.error);
  EXPECT_GE(outcome.dht_nodes, 20U);
  EXPECT_EQ(world.rows.size(), 1U);
  EXPECT_EQ(world.archive.packets.size(), 1U);
  EXPECT_GT(world.progress, 0U);
  auto const found = world.resolve(alice().key(), resolve::Policy::newest);
  EXPECT_EQ(found.packet, alice());
  EXPECT_EQ(found.source, resolve::Source::dht);
}

TEST(api, a_fresh_packet_is_answered_without_the_network_also_in_the_next_life) {
  World world;
  world.publish(alice());
  world.dht_gets = 0;
  EXPECT_EQ(world.resolve(alice().key()).source, resolve::Source::cache);
  EXPECT_EQ(world.dht_gets, 0U);

  World next;
  next.archive.put(alice(), next.now().unix_time);
  EXPECT_EQ(next.resolve(alice().key()).packet, alice());
  EXPECT_EQ(next.dht_gets, 0U);
  EXPECT_EQ(next.archive.reads, 1U);
  next.resolve(alice().key());
  EXPECT_EQ(next.archive.reads, 1U);
}

TEST(api, the_archive_keeps_us_from_going_back) {
  World world;
  world.publish(alice());
  World next;
  next.archive.put(alice(5), {0});
  next.use_relays({"old.example"}, false);
  next.relays["old.example"].packet = alice();
  EXPECT_EQ(next.resolve(alice().key(), resolve::Policy::newest).packet, alice(5));
  auto const conflict = next.publish(alice(4));
  ASSERT_TRUE(conflict.error);
  EXPECT_EQ(conflict.error->code, ErrorCode::publish_conflict);
  EXPECT_EQ(conflict.theirs, alice(5));
  EXPECT_EQ(next.relays["old.example"].puts, 0U);
}

TEST(api, relays_and_the_dht_are_raced) {
  World world;
  world.use_relays({"fast.example", "dead.example"}, true);
  world.relays["fast.example"].packet = alice();
  world.relays["dead.example"].dead = true;
  world.dht_is_dead = true;
  auto const found = world.resolve(alice().key());
  EXPECT_EQ(found.packet, alice());
  EXPECT_EQ(found.source, resolve::Source::relay);
  EXPECT_EQ(world.archive.packets.size(), 1U);
}

TEST(api, when_nobody_can_say_each_reason_is_told) {
  World world;
  world.use_relays({"dead.example"}, true);
  world.relays["dead.example"].dead = true;
  world.dht_is_dead = true;
  auto const failed = world.resolve(alice().key());
  EXPECT_EQ(failed.verdict, Verdict::network_failed);
  EXPECT_EQ(failed.error->code, ErrorCode::resolve_network_failed);
  EXPECT_EQ(failed.error->detail, "dht.no_responses, relay.timeout");
}

TEST(api, without_any_network_that_is_said) {
  World world;
  world.node.set_sources({false, true});  // but no relay
  EXPECT_EQ(world.resolve(alice().key()).error->code, ErrorCode::network_no_source);
  EXPECT_EQ(world.node.publish(world.now(), alice(), {}).error().code,
            ErrorCode::network_no_source);
}

TEST(api, a_put_goes_to_the_dht_and_to_all_relays) {
  World world;
  world.use_relays({"one.example", "two.example"}, true);
  auto const outcome = world.publish(alice());
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.relays.size(), 2U);
  EXPECT_EQ(world.relays["one.example"].puts + world.relays["two.example"].puts, 2U);
}

TEST(api, a_conditional_publication_overwrites_nothing_on_a_relay_that_takes_anything) {
  World world;
  world.use_relays({"any.example", "empty.example"}, false);
  world.relays["any.example"].packet = alice(5);
  auto const refused = world.publish(alice(9), {.cas_us = stamp_us});
  EXPECT_EQ(refused.error->code, ErrorCode::publish_conflict);
  EXPECT_EQ(refused.theirs, alice(5));
  EXPECT_EQ(world.relays["any.example"].puts + world.relays["empty.example"].puts, 0U);
  auto const stored = world.publish(alice(9), {.cas_us = stamp_us + 5});
  EXPECT_FALSE(stored.error);
  EXPECT_EQ(world.relays["any.example"].puts + world.relays["empty.example"].puts, 2U);
}

TEST(api, what_only_a_relay_has_holds_a_condition_for_the_dht_too) {
  World world;
  world.use_relays({"any.example"}, true);
  world.relays["any.example"].packet = alice(5);
  auto const refused = world.publish(alice(9), {.cas_us = stamp_us});
  EXPECT_EQ(refused.error->code, ErrorCode::publish_conflict);
  EXPECT_EQ(refused.theirs, alice(5));
  world.use_relays({}, true);
  EXPECT_EQ(world.publish(alice(7)).dht_nodes, 20U) << "the DHT has nothing newer";
}

TEST(api, what_only_the_dht_has_holds_a_condition_for_relays_too) {
  World world;
  EXPECT_FALSE(world.publish(alice(5)).error);
  world.archive.packets.clear();
  world.use_relays({"empty.example"}, true);
  auto const refused = world.publish(alice(9), {.cas_us = stamp_us});
  EXPECT_EQ(refused.error->code, ErrorCode::publish_conflict);
  EXPECT_EQ(world.relays["empty.example"].puts, 0U);
}

TEST(api, a_relay_that_has_a_newer_packet_is_not_put_to_without_a_condition_either) {
  World world;
  world.use_relays({"any.example"}, false);
  world.relays["any.example"].packet = alice(5);
  auto const refused = world.publish(alice());
  EXPECT_EQ(refused.error->code, ErrorCode::publish_conflict);
  EXPECT_EQ(refused.theirs, alice(5));
  EXPECT_EQ(world.relays["any.example"].puts, 0U);
}

TEST(api, without_an_answer_from_anybody_a_condition_is_not_met) {
  World world;
  world.use_relays({"dead.example"}, false);
  world.relays["dead.example"].dead = true;
  EXPECT_EQ(world.publish(alice(9), {.cas_us = stamp_us}).error->code, ErrorCode::relay_timeout);
  EXPECT_EQ(world.relays["dead.example"].puts, 0U);
}

TEST(api, old_relays_that_count_no_nodes_are_enough_where_there_is_no_dht) {
  World world;
  world.use_relays({"old.example"}, false);
  auto const outcome = world.publish(alice());
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.attempts, 1U);
}

TEST(api, a_thousand_askers_cost_one_lookup) {
  World world;
  std::vector<RequestId> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(world.node.resolve(world.now(), alice().key(), {}).value());
  }
  EXPECT_TRUE(world.run(Duration::from_s(30), [&] { return world.resolved.size() == 1000; }));
  EXPECT_EQ(world.dht_gets, 1U);
}

TEST(api, a_cancelled_question_is_answered_so) {
  World world;
  auto const id = world.node.resolve(world.now(), alice().key(), {}).value();
  world.node.cancel(world.now(), id);
  world.run(Duration::from_ms(1), [] { return false; });
  ASSERT_TRUE(world.resolved.contains(id));
  EXPECT_EQ(world.resolved[id].error->code, ErrorCode::cancelled);
}

TEST(api, rows_of_an_earlier_life_are_published_again) {
  World world;
  world.publish(alice());
  world.publish(packet_of(2, stamp_us, {}));
  auto const rows = world.rows;
  EXPECT_EQ(rows.size(), 2U);

  World next;
  for (auto const& [key, row] : rows) ASSERT_TRUE(next.node.add_row(next.now(), row));
  EXPECT_EQ(next.node.status().keys_kept_alive, 2U);
  // Two hours pass in sleep; this network has never heard of either key.
  next.skipped = Duration::from_s(7200);
  EXPECT_TRUE(next.run(Duration::from_s(120), [&] {
    auto const kept = next.node.kept_alive();
    return std::all_of(kept.begin(), kept.end(), [](KeptKey const& k) {
      return k.schedule.stored_at.us > stamp_us + Duration::from_s(7200).us;
    });
  }));
  EXPECT_EQ(next.resolve(alice().key(), resolve::Policy::newest).packet, alice());
}

TEST(api, an_older_packet_than_the_one_known_is_not_kept_alive) {
  World world;
  world.relays["one.example"].packet = alice(7);
  world.use_relays({"one.example"}, true);
  world.resolve(alice().key(), resolve::Policy::newest);
  ASSERT_TRUE(world.node.keep_alive(world.now(), alice()));
  ASSERT_EQ(world.node.kept_alive().size(), 1U);
  EXPECT_EQ(world.node.kept_alive()[0].schedule.timestamp_us, alice(7).timestamp_us());
}

TEST(api, a_newer_packet_seen_takes_the_place_of_the_one_kept_alive) {
  World world;
  world.use_relays({"one.example"}, true);
  world.publish(alice());
  world.relays["one.example"].packet = alice(7);
  world.resolve(alice().key(), resolve::Policy::newest);
  ASSERT_EQ(world.adopted.size(), 1U);
  EXPECT_EQ(world.adopted[0], alice(7));
  auto const kept = world.node.kept_alive();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].adopted_timestamp_us, stamp_us + 7);
  EXPECT_EQ(kept[0].schedule.timestamp_us, stamp_us + 7);
  world.node.forget(world.now(), alice().key());
  world.run(Duration::from_ms(1), [] { return false; });
  EXPECT_TRUE(world.rows.empty());
  EXPECT_TRUE(world.node.kept_alive().empty());
}

resolve::EndpointQuery query_for(PublicKey const& key) {
  resolve::EndpointQuery out;
  out.host.key = key;
  return out;
}

TEST(api, a_search_asks_for_every_key_on_its_way) {
  World world;
  auto const bob = packet_of(2, stamp_us, {a_record("@", "192.0.2.7")});
  auto const to_bob = packet_of(1, stamp_us, {test::cname_record("@", test::key_text(2) + ".")});
  world.publish(bob);
  world.publish(to_bob);
  auto const id = world.node.find_endpoints(world.now(), query_for(to_bob.key()), {}).value();
  EXPECT_TRUE(world.run(Duration::from_s(30), [&] { return world.searches.contains(id); }));
  auto const& search = world.searches.at(id);
  ASSERT_EQ(search.endpoints().size(), 1U);
  EXPECT_EQ(search.endpoints()[0].path, (std::vector{to_bob.key(), bob.key()}));
  EXPECT_NE(search.packet_of(bob.key()), nullptr);
}

TEST(api, the_first_endpoint_will_do_while_another_way_is_still_unknown) {
  World world;
  wire::dns::Svcb first;
  first.priority = 1;
  first.target = test::dns_name(".");
  wire::dns::Svcb second;
  second.priority = 2;
  second.target = test::dns_name(test::key_text(9) + ".");
  auto const packet = packet_of(1, stamp_us,
                                {test::https_record("@", first), test::https_record("@", second),
                                 a_record("@", "192.0.2.7")});
  world.publish(packet);
  EndpointOptions options;
  options.first_will_do = true;
  auto const id = world.node.find_endpoints(world.now(), query_for(packet.key()), options).value();
  // The cache has the packet: no time passes.
  EXPECT_TRUE(world.run(Duration::from_ms(0), [&] { return world.searches.contains(id); }));
  EXPECT_EQ(world.searches.at(id).settled(), 1U);
  // Its other question ends without anybody waiting.
  world.run(Duration::from_s(40), [] { return false; });
  EXPECT_EQ(world.node.status().lookups, 0U);
  EXPECT_EQ(world.node.status().searches, 0U);
}

TEST(api, a_cancelled_search_ends_with_what_it_has) {
  World world;
  auto const id = world.node.find_endpoints(world.now(), query_for(alice().key()), {}).value();
  world.node.cancel(world.now(), id);
  EXPECT_TRUE(world.run(Duration::from_ms(1), [&] { return world.searches.contains(id); }));
  EXPECT_TRUE(world.searches.at(id).endpoints().empty());
}

}  // namespace
}  // namespace dotkey::api
