// SPDX-License-Identifier: Apache-2.0
// End to end: what a client, an upstream and a name server send into the bridge, and whether every
// reply is one that ldns, another implementation, can read. The input: one byte that says who
// the client is, then messages behind their lengths: the query, then what others answer.
#include <cstdlib>
#include <map>

#include "core/base/integers.h"
#include "core/bridge/bridge.h"

#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

// Last: it has macros of its own for what C++ has words for.
#include <ldns/ldns.h>

namespace {

using namespace dotkey;
using bridge::Bridge;
using engine::Duration;
namespace dns = wire::dns;

void require(bool holds) {
  if (!holds) std::abort();
}

class Input {
 public:
  explicit Input(base::ByteView bytes) : rest_(bytes) {}
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    std::uint8_t const out = rest_.front();
    rest_ = rest_.subspan(1);
    return out;
  }
  base::ByteView message() {
    std::size_t const high = byte();
    std::size_t const low = byte();
    base::ByteView const out = rest_.first(std::min(high << 8 | low, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return out;
  }

 private:
  base::ByteView rest_;
};

// Data of types that the bridge does not know pass through it as they came (RFC 3597 §3), while
// ldns reads some of them: for it they become a type that no one knows.
base::Bytes without_unknown_types(base::ByteView reply) {
  constexpr std::uint16_t private_use = 0xff00;
  base::Bytes out = base::to_bytes(reply);
  auto const u16 = [&](std::size_t at) {
    require(at + 2 <= out.size());
    return base::read_be<std::uint16_t>(out, at);
  };
  std::size_t at = dns::header_size;
  auto const skip_name = [&] {
    while (u16(at) >> 8 != 0 && u16(at) >> 8 < 0xc0) at += 1U + out[at];
    at += out[at] == 0 ? 1U : 2U;
  };
  for (unsigned questions = u16(4); questions > 0; --questions) {
    skip_name();
    at += 4;
  }
  for (unsigned records = u16(6) + u16(8) + u16(10); records > 0; --records) {
    skip_name();
    dns::RecordType const type{u16(at)};
    bool const known =
        type == dns::RecordType::opt || !dns::encode_record_type(type).starts_with("TYPE");
    if (!known) base::write_be(out.data() + at, private_use);
    at += std::size_t{10} + u16(at + 8);
  }
  require(at == out.size());
  return out;
}

// What every reply must be, whoever asked.
void check_reply(base::ByteView query, base::ByteView reply, bridge::Sender const& sender) {
  require(reply.size() >= dns::header_size);
  require(reply[0] == query[0] && reply[1] == query[1]);
  require((reply[2] & 0x80) != 0);
  bool const is_udp = sender.transport == bridge::Transport::udp;
  if (is_udp) require(reply.size() <= 1232);
  if (is_udp && !sender.trusted) require(reply.size() * 2 <= query.size() * 3);
  ldns_pkt* packet = nullptr;
  base::Bytes const readable = without_unknown_types(reply);
  require(ldns_wire2pkt(&packet, readable.data(), readable.size()) == LDNS_STATUS_OK);
  require(ldns_pkt_id(packet) == base::read_be<std::uint16_t>(query));
  require(ldns_pkt_qr(packet));
  ldns_pkt_free(packet);
}

record::SignedPacket const& packet() {
  static record::SignedPacket const out = test::packet_of(
      1, 1'709'571'004'412'159,
      {test::a_record("@", "192.0.2.1"), test::cname_record("out", "host.example."),
       test::cname_record("self", test::key_text(1)), test::a_record("*.any", "10.0.0.1"),
       dns::ResourceRecord::make(test::dns_name("sub"), 300, dns::RecordType::ns,
                                 dns::Ns{test::dns_name("ns." + test::key_text(1))}),
       test::a_record("ns", "192.0.2.53"),
       dns::ResourceRecord::make(test::dns_name("bare"), 300, dns::RecordType::cname,
                                 dns::RawData{}),
       dns::ResourceRecord::make(test::dns_name("@"), 300, dns::RecordType::soa, dns::RawData{})});
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  Input input({data, size});
  test::SeededEntropy entropy{1};
  bridge::BridgeSettings settings;
  // Tables of the usual size would take longer to clear than the rest does.
  settings.admission.networks_max = 16;
  settings.cache.entries_max = 64;
  Bridge bridge(settings, entropy);
  engine::Moment now{engine::Instant{1'000'000}, engine::UnixTime{1'709'571'104'000'000}};
  std::uint8_t const who = input.byte();
  bridge::Sender sender;
  sender.address = base::IpAddress::v4({127, 0, 0, 1});
  sender.transport = bridge::Transport(who & 3);
  sender.trusted = (who & 4) != 0;

  base::Bytes buffer(dns::message_size_max + Bridge::reply_overhead_max);
  std::map<std::uint64_t, base::Bytes> queries;  // by client
  for (std::uint64_t client = 1; client <= 3; ++client) {
    base::ByteView const query = input.message();
    std::copy(query.begin(), query.end(), buffer.begin());
    queries[client] = base::to_bytes(query);
    auto const done = bridge.on_query(now, sender, bridge::ClientId{client}, buffer, query.size());
    if (done && *done > 0) check_reply(query, base::ByteView(buffer).first(*done), sender);
    for (int effects = 0; effects < 64; ++effects) {
      auto effect = bridge.poll_effect();
      if (!effect) break;
      if (auto const* const lookup = std::get_if<bridge::ResolveKey>(&*effect)) {
        resolve::Outcome outcome;
        bool const found = lookup->key == packet().key();
        outcome.verdict = found ? resolve::Verdict::found : resolve::Verdict::not_found;
        if (found) outcome.packet = packet();
        outcome.last_seen = now.unix_time;
        outcome.error = base::Error(base::ErrorCode::resolve_not_found);
        bridge.on_outcome(now, lookup->id, outcome);
      } else if (auto const* const reply = std::get_if<bridge::Reply>(&*effect)) {
        check_reply(queries.at(static_cast<std::uint64_t>(reply->client)), reply->message, sender);
      } else {
        auto const* const upstream = std::get_if<bridge::AskUpstream>(&*effect);
        auto const id =
            upstream != nullptr ? upstream->id : std::get<bridge::AskServers>(*effect).id;
        bridge.on_message(now, id, dns::parse_message(input.message(), dns::rules_for_sockets));
      }
    }
    now.instant = now.instant + Duration::from_s(input.byte());
    bridge.on_deadline(now);
  }
  return 0;
}
