// SPDX-License-Identifier: Apache-2.0
// Answers of hostile relays to the relay client. Every operation ends exactly once, and a packet
// that it reports belongs to the key asked for.
#include "core/base/assert.h"
#include "core/relay/client.h"

#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey {
namespace {

// Each answer: status (2 bytes), what the headers say (1), length of the body (2), body.
class Input {
 public:
  explicit Input(base::ByteView bytes) : rest_(bytes) {}
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    std::uint8_t const out = rest_[0];
    rest_ = rest_.subspan(1);
    return out;
  }
  std::uint16_t number() { return static_cast<std::uint16_t>(byte() << 8 | byte()); }
  base::ByteView take(std::size_t size) {
    auto const out = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return out;
  }

 private:
  base::ByteView rest_;
};

void run(base::ByteView bytes) {
  Input input(bytes);
  test::SeededEntropy entropy(1);
  relay::Client client(relay::ClientSettings{}, entropy);
  DOTKEY_ASSERT(client.set_relays({"https://one.example", "https://two.example"}));
  static auto const packet = test::packet_of(1, 1'709'571'004'412'159, {});
  static auto const newer = test::packet_of(1, 1'709'571'004'412'160, {});
  engine::Moment now{engine::Instant{1}, engine::UnixTime{1'709'571'104'412'159}};
  unsigned const kind = input.byte();
  bool const is_put = (kind & 1) != 0;
  auto const id = is_put ? client.put(now, packet, {5, (kind & 2) != 0}).value()
                         : client.get(now, packet.key(), {relay::Policy::cache_first, 7}).value();
  bool finished = false;
  std::uint32_t fetches = 0;
  while (auto effect = client.poll_effect()) {
    if (auto* end = std::get_if<relay::Finished>(&*effect)) {
      DOTKEY_ASSERT(end->id == id && !finished);
      finished = true;
      if (end->outcome.packet) DOTKEY_ASSERT(end->outcome.packet->key() == packet.key());
    }
    auto* const fetch = std::get_if<relay::FetchUrl>(&*effect);
    if (fetch == nullptr) continue;
    DOTKEY_ASSERT(++fetches <= 8);
    now.instant = now.instant + engine::Duration::from_ms(input.byte());
    auto const status = static_cast<std::uint16_t>(input.number() % 600);
    std::uint8_t const kinds = input.byte();
    std::vector<relay::HeaderView> headers;
    auto const value = base::text_of(input.take(kinds & 31));
    if ((kinds & 32) != 0) headers.push_back({"pkarr-dht-stored-nodes", value});
    if ((kinds & 64) != 0) headers.push_back({"memento-datetime", value});
    if ((kinds & 128) != 0) headers.push_back({"pkarr-invalid-signed-packet-seq", value});
    headers.push_back({"retry-after", value});
    std::uint16_t const size = input.number();
    base::ByteView body = input.take(size);
    if (size == 0xfffe) body = packet.relay_payload();
    if (size == 0xffff) body = newer.relay_payload();
    client.on_fetched(now, fetch->id, {status, headers, body});
  }
  DOTKEY_ASSERT(finished && !client.next_deadline());
}

}  // namespace
}  // namespace dotkey

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::run({data, size});
  return 0;
}
