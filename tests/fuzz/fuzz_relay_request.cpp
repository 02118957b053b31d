// SPDX-License-Identifier: Apache-2.0
// Requests of strangers to the relay server. Every request is answered once, now or later, and no
// response carries a header that the server did not mean.
#include "core/base/assert.h"
#include "core/relay/server.h"

#include "tests/support/cache_shelf.h"
#include "tests/support/packets.h"

namespace dotkey {
namespace {

// Splits the input at its line ends: method, target, header lines, then the body.
class Input {
 public:
  explicit Input(std::string_view text) : rest_(text) {}
  std::string_view line() {
    std::size_t const end = rest_.find('\n');
    std::string_view const out = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
    return out;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

void check(relay::Response const& response) {
  DOTKEY_ASSERT(response.status >= 200 && response.status < 600);
  DOTKEY_ASSERT(!relay::reason_of(response.status).empty());
  DOTKEY_ASSERT(response.head.ends_with("\r\n"));
  for (std::size_t i = 0; i < response.head.size(); ++i) {
    char const c = response.head[i];
    bool const ends_line = c == '\r' && response.head[i + 1] == '\n';
    bool const is_end = c == '\n' && response.head[i - 1] == '\r';
    DOTKEY_ASSERT(ends_line || is_end || (c >= 0x20 && c < 0x7f));
  }
  DOTKEY_ASSERT(response.head.find("\r\n\r\n") == std::string::npos);
  DOTKEY_ASSERT(response.body.size() <= relay::payload_size_max);
}

void run(std::string_view text) {
  cache::PacketCache cache{cache::Settings{}, 7};
  test::CacheShelf shelf(cache);
  static auto const packet =
      test::packet_of(1, 1'709'571'004'412'159, {test::a_record("www", "192.0.2.1", 3600)});
  engine::Moment const now{engine::Instant{1}, engine::UnixTime{1'709'571'104'412'159}};
  cache.put(packet, now.unix_time);
  relay::ServerSettings settings;
  settings.verify_elsewhere = text.size() % 2 == 0;
  relay::LocalCommons commons(relay::Quotas{}, 7);
  relay::Server server(settings, shelf, commons);

  Input input(text);
  std::string_view const method = input.line();
  std::string_view const target = input.line();
  std::vector<relay::HeaderView> headers;
  while (headers.size() < 16) {
    std::string_view const line = input.line();
    if (line.empty()) break;
    std::size_t const colon = line.find(':');
    headers.push_back({line.substr(0, colon), colon == std::string_view::npos
                                                  ? std::string_view{}
                                                  : line.substr(colon + 1)});
  }
  relay::Request const request{method, target, headers, base::view_of(input.rest()), {}};
  for (int i = 0; i < 2; ++i) {
    relay::Response response;
    auto const ticket = server.on_request(now, request, response);
    if (!ticket) check(response);
    while (auto effect = server.poll_effect()) {
      DOTKEY_ASSERT(ticket);
      if (auto* resolve = std::get_if<relay::ResolveWanted>(&*effect)) {
        server.on_resolved(now, resolve->id, {relay::ResolveVerdict::invalid_packet, {}, {}, 5});
      } else if (auto* verify = std::get_if<relay::VerifyWanted>(&*effect)) {
        server.on_verified(now, verify->id,
                           record::SignedPacket::parse_relay_payload(verify->key, verify->payload));
      } else if (auto* publish = std::get_if<relay::PublishWanted>(&*effect)) {
        server.on_published(now, publish->id, {relay::PublishVerdict::stored, 3});
      } else {
        check(std::get<relay::ResponseReady>(*effect).response);
      }
    }
    DOTKEY_ASSERT(server.pending() == 0);
  }
}

}  // namespace
}  // namespace dotkey

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::run({reinterpret_cast<char const*>(data), size});
  return 0;
}
