// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/records.h"

#include <algorithm>

namespace dotkey::bridge {

namespace dns = wire::dns;
using dns::Name;
using dns::RecordData;
using dns::RecordType;
using dns::ResourceRecord;

namespace {

constexpr std::size_t aliases_max = 16;
constexpr auto rrsig = static_cast<RecordType>(46);

// Hints are addresses too; without them the target's own records decide.
bool keep_allowed_hints(dns::Svcb& data, resolve::LocalNetwork local) {
  auto const is_refused = [local](base::IpAddress const& address) {
    return !resolve::is_address_allowed(address, local);
  };
  auto const drop = [&](std::uint16_t key, std::vector<base::IpAddress> const& hints) {
    if (std::none_of(hints.begin(), hints.end(), is_refused)) return true;
    auto const mandatory = data.mandatory();
    if (std::find(mandatory.begin(), mandatory.end(), key) != mandatory.end()) return false;
    std::erase_if(data.params, [key](dns::SvcParam const& param) { return param.key == key; });
    return true;
  };
  return drop(dns::svc_key::ipv4hint, data.ipv4hints()) &&
         drop(dns::svc_key::ipv6hint, data.ipv6hints());
}

}  // namespace

ResourceRecord soa_record(Name apex, std::uint32_t serial, std::uint32_t negative_ttl_s) {
  dns::Soa data;
  data.primary = apex;
  data.mailbox = Name::parse("nobody.invalid.").value_or(Name());
  data.serial = serial;
  data.refresh_s = 3600;
  data.retry_s = 600;
  data.expire_s = 86'400;
  data.minimum_s = negative_ttl_s;
  return ResourceRecord::make(std::move(apex), negative_ttl_s, RecordType::soa, std::move(data));
}

Name top_level_of(Name const& name) {
  Name out = name;
  while (out.label_count() > 1) out = out.parent();
  return out;
}

void add_top_level(RecordData& data) {
  if (auto* ns = std::get_if<dns::Ns>(&data)) ns->target = add_top_level(ns->target);
  if (auto* cname = std::get_if<dns::Cname>(&data)) cname->target = add_top_level(cname->target);
  if (auto* ptr = std::get_if<dns::Ptr>(&data)) ptr->target = add_top_level(ptr->target);
  if (auto* mx = std::get_if<dns::Mx>(&data)) mx->exchange = add_top_level(mx->exchange);
  if (auto* srv = std::get_if<dns::Srv>(&data)) srv->target = add_top_level(srv->target);
  if (auto* svcb = std::get_if<dns::Svcb>(&data)) svcb->target = add_top_level(svcb->target);
}

bool keep_allowed(RecordData& data, resolve::LocalNetwork local) {
  if (auto const* a = std::get_if<dns::A>(&data)) {
    return resolve::is_address_allowed(a->address(), local);
  }
  if (auto const* aaaa = std::get_if<dns::Aaaa>(&data)) {
    return resolve::is_address_allowed(aaaa->address(), local);
  }
  auto* const svcb = std::get_if<dns::Svcb>(&data);
  return svcb == nullptr || keep_allowed_hints(*svcb, local);
}

AnswerSection select_answers(dns::Message const& message, Name const& name, RecordType type,
                             Signatures signatures) {
  AnswerSection out;
  out.last = name;
  for (std::size_t hops = 0; hops <= aliases_max; ++hops) {
    ResourceRecord const* alias = nullptr;
    for (ResourceRecord const& record : message.answers) {
      if (record.record_class != dns::RecordClass::in || !(record.name == out.last)) continue;
      if (dns::lacks_data(record)) continue;
      bool const wanted = record.type == type;
      bool const signs = record.type == rrsig && signatures == Signatures::kept;
      if (!wanted && record.type != RecordType::cname && !signs) continue;
      if (std::find(out.records.begin(), out.records.end(), &record) != out.records.end()) continue;
      out.records.push_back(&record);
      out.complete = out.complete || wanted;
      if (!wanted && record.type == RecordType::cname) alias = &record;
    }
    auto const* const data = alias != nullptr ? std::get_if<dns::Cname>(&alias->data) : nullptr;
    if (out.complete || data == nullptr) return out;
    out.last = data->target;
  }
  return out;
}

bool is_final(dns::Message const& message) {
  return message.code == dns::ResponseCode::no_error ||
         message.code == dns::ResponseCode::name_error;
}

ResourceRecord const* negative_soa(dns::Message const& message, Name const& name) {
  for (ResourceRecord const& record : message.authorities) {
    if (record.type != RecordType::soa || !std::holds_alternative<dns::Soa>(record.data)) continue;
    if (name.is_subdomain_of(record.name)) return &record;
  }
  return nullptr;
}

}  // namespace dotkey::bridge
