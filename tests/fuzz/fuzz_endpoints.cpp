// SPDX-License-Identifier: Apache-2.0
// Packets of strangers to the endpoint search: it ends within its bounds, and no endpoint is one
// that the address policy forbids. Six keys exist; the input says what each publishes.
#include <algorithm>
#include <map>

#include "core/base/assert.h"
#include "core/resolve/endpoints.h"

#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::resolve {
namespace {

namespace dns = wire::dns;

constexpr std::uint64_t key_count = 6;

class Input {
 public:
  explicit Input(base::ByteView bytes) : rest_(bytes) {}
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    std::uint8_t const out = rest_[0];
    rest_ = rest_.subspan(1);
    return out;
  }
  base::Bytes take(std::size_t size) {
    auto const out = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return base::to_bytes(out);
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  base::ByteView rest_;
};

std::vector<std::string> const& key_texts() {
  static auto const texts = [] {
    std::vector<std::string> out;
    for (std::uint64_t i = 0; i < key_count; ++i) out.push_back(test::key_text(i));
    return out;
  }();
  return texts;
}

dns::Name read_target(Input& input) {
  std::uint8_t const kind = input.byte();
  static char const* const fixed[] = {".", "www", "example.com", "localhost", "127.0.0.1", "x.key"};
  if (kind < 6) return test::dns_name(fixed[kind]);
  if (kind < 64) return test::dns_name(key_texts()[kind % key_count]);
  if (kind < 128) return test::dns_name("www." + key_texts()[kind % key_count] + ".key");
  auto const raw = input.take(kind & 15);
  std::string_view const labels[] = {base::text_of(raw), "example", "org"};
  auto const name = dns::Name::from_labels(labels);
  return name ? *name : dns::Name();
}

dns::ResourceRecord read_record(Input& input) {
  static char const* const owners[] = {"@", "www", "*", "_443._tcp"};
  auto const owner = test::dns_name(owners[input.byte() & 3]);
  switch (input.byte() % 5) {
    case 0: {
      auto const raw = input.take(4);
      dns::A data;
      std::copy(raw.begin(), raw.end(), data.bytes.begin());
      return dns::ResourceRecord::make(owner, 300, dns::RecordType::a, data);
    }
    case 1: {
      auto const raw = input.take(16);
      dns::Aaaa data;
      std::copy(raw.begin(), raw.end(), data.bytes.begin());
      return dns::ResourceRecord::make(owner, 300, dns::RecordType::aaaa, data);
    }
    case 2:
      return dns::ResourceRecord::make(owner, 300, dns::RecordType::cname,
                                       dns::Cname{read_target(input)});
    case 3:
      return dns::ResourceRecord::make(owner, 300, dns::RecordType::tlsa,
                                       dns::Tlsa{3, 1, 1, input.take(32)});
    default: {
      dns::Svcb data;
      data.priority = input.byte() & 3;
      data.target = read_target(input);
      for (std::uint8_t params = input.byte() & 3; params > 0; --params) {
        std::uint16_t const key = input.byte() & 7;
        data.set(key, input.take(input.byte() & 31));
      }
      return dns::ResourceRecord::make(owner, 300, dns::RecordType::https, std::move(data));
    }
  }
}

void check(EndpointSearch const& search) {
  DOTKEY_ASSERT(search.endpoints().size() <= endpoints_max);
  DOTKEY_ASSERT(search.trace().size() <= trace_steps_max);
  DOTKEY_ASSERT(search.settled() <= search.endpoints().size());
  LocalNetwork const local = search.query().local_network;
  for (Endpoint const& endpoint : search.endpoints()) {
    DOTKEY_ASSERT(endpoint.port != 0);
    DOTKEY_ASSERT(endpoint.addresses.empty() != endpoint.icann_host.empty());
    DOTKEY_ASSERT(endpoint.path.size() <= endpoint_depth_max);
    for (auto const& address : endpoint.addresses)
      DOTKEY_ASSERT(is_address_allowed(address, local));
    for (auto const& hint : endpoint.hints) DOTKEY_ASSERT(is_address_allowed(hint, local));
    if (!endpoint.icann_host.empty()) {
      DOTKEY_ASSERT(is_icann_host_allowed(endpoint.icann_host, local));
    }
  }
}

void run(base::ByteView bytes) {
  Input input(bytes);
  EndpointQuery query;
  query.host = {test::key_pair(0).public_key(), (input.byte() & 1) != 0 ? "www" : ""};
  if ((input.byte() & 1) != 0) query.local_network = LocalNetwork::allowed;
  std::map<PublicKey, Outcome> world;
  for (std::uint64_t i = 0; i < key_count && !input.empty(); ++i) {
    std::vector<dns::ResourceRecord> records;
    for (std::uint8_t count = input.byte() & 15; count > 0; --count) {
      records.push_back(read_record(input));
    }
    auto keys = test::key_pair(i);
    auto packet = SignedPacket::build(keys, 1, records);
    if (!packet) continue;
    Outcome outcome;
    outcome.verdict = Verdict::found;
    outcome.packet = std::move(*packet);
    world.emplace(keys.public_key(), std::move(outcome));
  }
  test::SeededEntropy entropy(1);
  EndpointSearch search(query, entropy);
  std::uint32_t asked = 0;
  for (auto keys = search.take_wanted_keys(); !keys.empty(); keys = search.take_wanted_keys()) {
    for (PublicKey const& key : keys) {
      DOTKEY_ASSERT(++asked <= endpoint_keys_max);
      auto const known = world.find(key);
      Outcome outcome;
      outcome.error = base::Error(base::ErrorCode::resolve_not_found);
      search.on_outcome(key, known == world.end() ? outcome : known->second);
      check(search);
    }
  }
  DOTKEY_ASSERT(search.is_done() && search.settled() == search.endpoints().size());
}

}  // namespace
}  // namespace dotkey::resolve

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::resolve::run({data, size});
  return 0;
}
