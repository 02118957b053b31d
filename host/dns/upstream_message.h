// SPDX-License-Identifier: Apache-2.0
// A query of ours, and whether a message is the reply to it. Who wants to forge one has to guess
// its id, its port and the case of its letters (draft-vixie-dnsext-dns0x20).
#pragma once

#include "core/base/result.h"
#include "core/engine/entropy.h"
#include "core/wire/dns_message.h"

namespace dotkey::host::dns {

struct UpstreamQuery {
  wire::dns::Name name;
  wire::dns::RecordType type = wire::dns::RecordType::a;
  bool recursion_desired = true;
  bool dnssec_ok = false;
  bool checking_disabled = false;
  bool padded = false;  // RFC 8467 §4.1: to a multiple of 128 bytes
};

// The name with the case of each letter tossed.
wire::dns::Name toss_case(wire::dns::Name const& name, engine::Entropy& entropy);

base::Bytes encode_query(std::uint16_t id, UpstreamQuery const& query);

enum class ReplyFit : std::uint8_t {
  ours,
  case_lost,  // all but the case of the letters is right
  foreign,
};
ReplyFit fit_of(wire::dns::Message const& reply, std::uint16_t id, UpstreamQuery const& query);

// Names in the reply that point back into the question have its tossed letters: all become lower
// case, so that the answer is the same for every client.
void settle_case(wire::dns::Message& reply);

}  // namespace dotkey::host::dns
