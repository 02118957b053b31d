// SPDX-License-Identifier: Apache-2.0
// A relay server on a cache, and what its driver does, for its tests.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/relay/server.h"

#include "tests/support/cache_shelf.h"
#include "tests/support/packets.h"

namespace dotkey::relay {

using test::a_record;
using test::key_pair;
using test::key_text;
using test::packet_of;

// 2024-03-04 16:50:04.412159 UTC
inline constexpr std::int64_t stamp_us = 1'709'571'004'412'159;
inline constexpr std::string_view at_stamp = "Mon, 04 Mar 2024 16:50:04 GMT";
inline constexpr std::string_view after_stamp = "Mon, 04 Mar 2024 16:50:05 GMT";

class RelayServerTest : public testing::Test {
 protected:
  RelayServerTest() { configure(std::nullopt, std::nullopt); }

  void configure(std::optional<Quota> quota, std::optional<Quota> dht_quota) {
    commons.emplace(Quotas{quota, dht_quota}, 7);
    server.emplace(ServerSettings{}, shelf, *commons);
  }

  void verify_elsewhere() {
    ServerSettings settings;
    settings.verify_elsewhere = true;
    server.emplace(settings, shelf, *commons);
  }

  // The immediate response to a request, or the ticket.
  std::optional<TicketId> send(std::string_view method, std::string const& target,
                               std::vector<HeaderView> const& headers = {}, ByteView body = {},
                               std::string_view client = "198.51.100.1") {
    auto const address = base::IpAddress::parse(client).value();
    ticket = server->on_request(now, {method, target, headers, body, address}, response);
    return ticket;
  }

  std::optional<TicketId> get(std::string const& query = "",
                              std::vector<HeaderView> const& headers = {}) {
    return send("GET", "/" + key_text(1) + query, headers);
  }
  std::optional<TicketId> put(SignedPacket const& p, std::vector<HeaderView> const& headers = {}) {
    return send("PUT", "/" + base::encode_zbase32(p.key().view()), headers, p.relay_payload());
  }

  // The next effect, when it is of this type.
  template <class T>
  std::optional<T> take() {
    auto effect = server->poll_effect();
    if (!effect || !std::holds_alternative<T>(*effect)) return std::nullopt;
    return std::move(std::get<T>(*effect));
  }

  // What the ticket's request is answered with.
  Response const& await_response() {
    auto ready = take<ResponseReady>();
    EXPECT_TRUE(ready);
    response = ready ? std::move(ready->response) : Response{};
    return response;
  }

  Response const& answer_get(ResolveAnswer const& answer) {
    EXPECT_TRUE(ticket);
    EXPECT_EQ(take<ResolveWanted>()->id, *ticket);
    server->on_resolved(now, *ticket, answer);
    return await_response();
  }

  Response const& answer_put(PublishAnswer const& answer) {
    EXPECT_TRUE(ticket);
    EXPECT_TRUE(take<PublishWanted>());
    server->on_published(now, *ticket, answer);
    return await_response();
  }

  [[nodiscard]] std::optional<std::string> field(std::string_view name) const {
    std::string_view rest = response.head;
    while (!rest.empty()) {
      std::size_t const end = rest.find("\r\n");
      std::string_view const line = rest.substr(0, end);
      rest.remove_prefix(end + 2);
      std::size_t const colon = line.find(": ");
      if (line.substr(0, colon) == name) return std::string(line.substr(colon + 2));
    }
    return std::nullopt;
  }
  [[nodiscard]] std::string text() const { return std::string(base::text_of(response.body)); }

  cache::PacketCache cache{cache::Settings{}, 7};
  test::CacheShelf shelf{cache};
  std::optional<LocalCommons> commons;
  std::optional<Server> server;
  Moment now{Instant{1'000'000}, UnixTime{stamp_us + 100'000'000}};
  SignedPacket packet = packet_of(1, stamp_us, {a_record("www", "192.0.2.1", 3600)});
  Response response;
  std::optional<TicketId> ticket;
};

}  // namespace dotkey::relay
