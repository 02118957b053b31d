// SPDX-License-Identifier: Apache-2.0
#include "host/dns/upstream_message.h"

#include "core/bridge/query.h"

namespace dotkey::host::dns {

namespace wire_dns = wire::dns;

wire_dns::Name toss_case(wire_dns::Name const& name, engine::Entropy& entropy) {
  base::Bytes bytes = base::to_bytes(name.wire());
  base::Bytes tosses((bytes.size() + 7) / 8);
  entropy.fill(tosses);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::uint8_t const lower = bytes[i] | 0x20;
    // Length bytes are no letters: they are below 64.
    bool const is_letter = lower >= 'a' && lower <= 'z' && bytes[i] >= 'A';
    bool const toss = (tosses[i / 8] >> (i % 8) & 1) != 0;
    if (is_letter && toss) bytes[i] ^= 0x20;
  }
  return wire_dns::Name::parse_wire(bytes).value_or(name);
}

base::Bytes encode_query(std::uint16_t id, UpstreamQuery const& query) {
  constexpr std::size_t padding_block = 128;
  wire_dns::Message message;
  message.id = id;
  message.recursion_desired = query.recursion_desired;
  message.checking_disabled = query.checking_disabled;
  message.questions.push_back({query.name, query.type, wire_dns::RecordClass::in});
  message.edns.emplace();
  message.edns->dnssec_ok = query.dnssec_ok;
  if (query.padded) {
    std::size_t const bare = wire_dns::header_size + query.name.wire().size() + 4 + 11 + 4;
    message.edns->options.push_back(
        {bridge::option_code::padding,
         base::Bytes((padding_block - bare % padding_block) % padding_block)});
  }
  return wire_dns::encode_message(message).value_or(base::Bytes());
}

ReplyFit fit_of(wire_dns::Message const& reply, std::uint16_t id, UpstreamQuery const& query) {
  if (!reply.response || reply.id != id || reply.questions.size() != 1) return ReplyFit::foreign;
  wire_dns::Question const& question = reply.questions.front();
  bool const same = question.type == query.type && question.name == query.name &&
                    question.record_class == wire_dns::RecordClass::in;
  if (!same) return ReplyFit::foreign;
  return base::equal(question.name.wire(), query.name.wire()) ? ReplyFit::ours
                                                              : ReplyFit::case_lost;
}

void settle_case(wire_dns::Message& reply) {
  for (auto* const section : {&reply.answers, &reply.authorities, &reply.additionals}) {
    for (wire_dns::ResourceRecord& record : *section) {
      record.name = record.name.to_lower();
      auto& data = record.data;
      if (auto* ns = std::get_if<wire_dns::Ns>(&data)) ns->target = ns->target.to_lower();
      if (auto* name = std::get_if<wire_dns::Cname>(&data)) name->target = name->target.to_lower();
      if (auto* ptr = std::get_if<wire_dns::Ptr>(&data)) ptr->target = ptr->target.to_lower();
      if (auto* mx = std::get_if<wire_dns::Mx>(&data)) mx->exchange = mx->exchange.to_lower();
      if (auto* soa = std::get_if<wire_dns::Soa>(&data)) {
        soa->primary = soa->primary.to_lower();
        soa->mailbox = soa->mailbox.to_lower();
      }
    }
  }
}

}  // namespace dotkey::host::dns
