// SPDX-License-Identifier: Apache-2.0
// What a client, a resolver and an upstream do around a bridge, for its tests.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/integers.h"
#include "core/bridge/bridge.h"

#include "tests/support/packets.h"
#include "tests/support/seeded_entropy.h"

namespace dotkey::bridge {

namespace dns = wire::dns;
using base::ErrorCode;
using dns::RecordType;
using dns::ResponseCode;
using test::a_record;
using test::cname_record;
using test::dns_name;
using test::key_text;
using test::packet_of;

inline constexpr std::int64_t stamp_us = 1'709'571'004'412'159;

inline dns::ResourceRecord ns_record(std::string_view name, std::string_view target) {
  return dns::ResourceRecord::make(dns_name(name), 300, RecordType::ns, dns::Ns{dns_name(target)});
}

inline dns::ResourceRecord text_record(std::string_view name, std::string_view text) {
  return dns::ResourceRecord::make(dns_name(name), 300, RecordType::txt, dns::Txt::from({text}));
}

class BridgeTest : public testing::Test {
 protected:
  dns::Message question(std::string_view name, RecordType type) {
    dns::Message out;
    out.id = 0x1234;
    out.recursion_desired = true;
    out.questions.push_back({dns_name(name), type, dns::RecordClass::in});
    return out;
  }

  // The reply to `bytes`, now or after what the world has said by then; nullopt without one.
  std::optional<Bytes> send(ByteView bytes) {
    Bytes buffer(65'535);
    std::copy(bytes.begin(), bytes.end(), buffer.begin());
    auto const size = bridge->on_query(now, sender, ClientId{++client}, buffer, bytes.size());
    if (size) {
      buffer.resize(*size);
      return buffer.empty() ? std::nullopt : std::optional(buffer);
    }
    drain();
    auto const at = replies.find(client);
    if (at == replies.end()) return std::nullopt;
    return at->second;
  }

  std::optional<dns::Message> send(dns::Message const& query) {
    auto const bytes = send(dns::encode_message(query).value());
    if (!bytes) return std::nullopt;
    return dns::parse_message(*bytes, dns::rules_for_sockets).value();
  }

  dns::Message ask(std::string_view name, RecordType type) {
    auto const reply = send(question(name, type));
    EXPECT_TRUE(reply);
    return reply.value_or(dns::Message());
  }

  // Answers from `packets`, `upstream` and `servers`.
  void drain() {
    while (auto effect = bridge->poll_effect()) {
      if (auto* lookup = std::get_if<ResolveKey>(&*effect)) {
        asked_keys.push_back(lookup->key);
        if (!silent) bridge->on_outcome(now, lookup->id, outcome_of(lookup->key));
      } else if (auto* wanted = std::get_if<AskUpstream>(&*effect)) {
        asked_names.push_back(wanted->name.to_string());
        if (!silent) bridge->on_message(now, wanted->id, upstream_answer(*wanted));
      } else if (auto* servers = std::get_if<AskServers>(&*effect)) {
        asked_servers.push_back(*servers);
        bridge->on_message(now, servers->id, server_answer);
      } else {
        auto& reply = std::get<Reply>(*effect);
        replies[static_cast<std::uint64_t>(reply.client)] = std::move(reply.message);
      }
    }
  }

  resolve::Outcome outcome_of(crypto::PublicKey const& wanted) const {
    resolve::Outcome out;
    for (auto const& packet : packets) {
      if (!(packet.key() == wanted)) continue;
      out.verdict = resolve::Verdict::found;
      out.packet = packet;
      out.last_seen = last_seen;
      out.stale = stale;
      return out;
    }
    out.verdict = missing;
    out.error =
        base::Error(missing == resolve::Verdict::not_found ? ErrorCode::resolve_not_found
                                                           : ErrorCode::resolve_network_failed);
    return out;
  }

  base::Result<dns::Message> upstream_answer(AskUpstream const& wanted) const {
    if (!has_upstream) return base::fail(ErrorCode::dns_no_upstream);
    dns::Message out;
    out.response = true;
    out.code = upstream_code;
    out.questions.push_back({wanted.name, wanted.type, dns::RecordClass::in});
    out.answers = upstream;
    return out;
  }

  void pass(Duration duration) {
    now.instant = now.instant + duration;
    now.unix_time = now.unix_time + duration;
    bridge->on_deadline(now);
    drain();
  }

  static ExtendedError extended_error_of(dns::Message const& message) {
    for (auto const& option : message.edns.value_or(dns::Edns()).options) {
      if (option.code != option_code::extended_error) continue;
      return ExtendedError{base::read_be<std::uint16_t>(option.value)};
    }
    return ExtendedError::none;
  }

  static Bytes cookie_of(dns::Message const& message) {
    for (auto const& option : message.edns.value_or(dns::Edns()).options) {
      if (option.code == option_code::cookie) return option.value;
    }
    return {};
  }

  static std::string address_of(dns::ResourceRecord const& record) {
    auto const* a = std::get_if<dns::A>(&record.data);
    return a != nullptr ? a->address().to_string() : "";
  }

  Moment now{Instant{1}, UnixTime{stamp_us + 100'000'000}};
  test::SeededEntropy entropy{7};
  BridgeSettings settings;
  std::optional<Bridge> bridge{std::in_place, settings, entropy};
  Sender sender{base::IpAddress::v4({127, 0, 0, 1}), Transport::udp, true};
  std::uint64_t client = 0;
  std::map<std::uint64_t, Bytes> replies;

  std::vector<record::SignedPacket> packets = {
      packet_of(1, stamp_us,
                {a_record("@", "192.0.2.1"), cname_record("www", key_text(1)),
                 a_record("*.any", "192.0.2.7"), cname_record("other", key_text(2)),
                 cname_record("out", "host.example."), cname_record("loop", "pool." + key_text(1)),
                 cname_record("pool", "loop." + key_text(1)), a_record("home", "10.0.0.1"),
                 text_record("deep.down", "here"), ns_record("sub", "ns.sub." + key_text(1)),
                 a_record("ns.sub", "192.0.2.53"), ns_record("far", "ns.servers.net."),
                 text_record("long", std::string(600, 'x'))}),
      packet_of(2, stamp_us, {a_record("@", "192.0.2.2", 1000)}),
  };
  std::string const key = key_text(1);
  UnixTime last_seen = now.unix_time;
  bool stale = false;
  bool silent = false;
  resolve::Verdict missing = resolve::Verdict::not_found;
  bool has_upstream = true;
  ResponseCode upstream_code = ResponseCode::no_error;
  std::vector<dns::ResourceRecord> upstream;
  base::Result<dns::Message> server_answer = base::fail(ErrorCode::dns_servers_failed);
  std::vector<crypto::PublicKey> asked_keys;
  std::vector<std::string> asked_names;
  std::vector<AskServers> asked_servers;
};

}  // namespace dotkey::bridge
