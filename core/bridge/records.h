// SPDX-License-Identifier: Apache-2.0
// Records on their way from a packet or a server into an answer.
#pragma once

#include <cstdint>

#include "core/bridge/key_name.h"
#include "core/resolve/address_policy.h"
#include "core/wire/dns_message.h"

namespace dotkey::bridge {

// A zone of ours has no name server to be primary and no mailbox; both say so (RFC 2606, RFC 7505).
wire::dns::ResourceRecord soa_record(wire::dns::Name apex, std::uint32_t serial,
                                     std::uint32_t negative_ttl_s);

// "key.", in the spelling of `name`, which ends in it.
wire::dns::Name top_level_of(wire::dns::Name const& name);

// Gives `.key` to the names under keys that the record leads to, for an asker who writes it.
void add_top_level(wire::dns::RecordData& data);

// Takes the addresses out that a stranger must not lead to. False: nothing is left of the record.
bool keep_allowed(wire::dns::RecordData& data, resolve::LocalNetwork local);

// Signatures are for those who ask for them with DO (RFC 4035 §3.2.1), and no one else has to be
// able to read them.
enum class Signatures : bool { left_out, kept };

// What a server's answer section says to a question: the records of the name and of the aliases
// that it leads to, in order. Anything else is none of the server's business.
struct AnswerSection {
  std::vector<wire::dns::ResourceRecord const*> records;
  // The name itself or the last alias' target.
  wire::dns::Name last;
  // Whether records of the type asked for stand at `last`.
  bool complete = false;
};
AnswerSection select_answers(wire::dns::Message const& message, wire::dns::Name const& name,
                             wire::dns::RecordType type, Signatures signatures);

// The name exists or does not; any other code says that the server could not tell.
bool is_final(wire::dns::Message const& message);

// The SOA record that says how long a negative answer about `name` holds; nullptr without one.
wire::dns::ResourceRecord const* negative_soa(wire::dns::Message const& message,
                                              wire::dns::Name const& name);

}  // namespace dotkey::bridge
