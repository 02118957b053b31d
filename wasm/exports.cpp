// SPDX-License-Identifier: Apache-2.0
// The module's functions: arguments.h in, one byte string out, mostly JSON. exports.txt lists them;
// dotkey-core.d.ts says what each takes and gives, for callers in JavaScript.
#include <array>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "core/evidence/evidence.h"
#include "core/names/public_key.h"
#include "core/wire/dns_message.h"
#include "core/wire/zone_text.h"

#include "wasm/arguments.h"
#include "wasm/results.h"

namespace dotkey::wasm {
namespace {

using base::ByteView;
using base::Error;

void write_hostname(JsonWriter& json, names::Hostname const& host) {
  json.key("host").text(host.to_string());
  json.key("key").text(names::format_public_key(host.key));
  json.key("subdomain").text(host.subdomain);
}

void write_decision(JsonWriter& json, pin::Decision const& decision) {
  json.key("verdict").text(pin::slug_of(decision.verdict));
  json.key("allowed").boolean(pin::is_allowed(decision.verdict));
  json.key("advice").text(pin::advice_for(decision.verdict));
  json.key("record_index");
  if (decision.record_index) {
    json.number(static_cast<std::int64_t>(*decision.record_index));
  } else {
    json.null();
  }
  json.key("certificate").begin_object();
  json.key("spki_sha256").text(base::encode_hex(decision.spki_sha256));
  json.key("key_algorithm").text(pin::name_of(decision.key_algorithm));
  json.key("not_before_s").number(decision.not_before_s);
  json.key("not_after_s").number(decision.not_after_s).end_object();
}

void write_finding(JsonWriter& json, evidence::Finding const& finding) {
  write_decision(json, finding.decision);
  write_hostname(json, finding.host);
  json.key("endpoint").begin_object();
  json.key("server_name").text(finding.endpoint.server_name);
  json.key("port").number(finding.endpoint.port);
  json.key("key").text(names::format_public_key(finding.endpoint.key));
  json.key("addresses").begin_array();
  for (base::IpAddress const& address : finding.endpoint.addresses) json.text(address.to_string());
  json.end_array().end_object();
  json.key("pins").begin_object();
  json.key("key").text(names::format_public_key(finding.endpoint.tlsa_key));
  json.key("name").text(finding.endpoint.tlsa_name.to_string());
  json.key("records").begin_array();
  for (pin::TlsaRecord const& record : finding.endpoint.tlsa) {
    json.text(wire::dns::encode_record_data_text(record));
  }
  json.end_array().end_object();
  json.key("packets").begin_array();
  for (record::SignedPacket const& packet : finding.packets) write_packet(json, packet);
  json.end_array();
}

void finish_with_packet(base::Result<record::SignedPacket> const& packet) {
  if (!packet) return finish_with(packet.error());
  JsonWriter json;
  write_packet(json, *packet);
  finish(std::move(json));
}

std::string_view name_of(names::Ownership ownership) {
  switch (ownership) {
    case names::Ownership::ours:
      return "ours";
    case names::Ownership::malformed_ours:
      return "malformed_ours";
    case names::Ownership::not_ours:
      break;
  }
  return "not_ours";
}

std::vector<base::Bytes> copies_of(std::vector<ByteView> const& list) {
  std::vector<base::Bytes> copies;
  for (ByteView const bytes : list) copies.push_back(base::to_bytes(bytes));
  return copies;
}

}  // namespace
}  // namespace dotkey::wasm

using namespace dotkey;        // NOLINT(google-build-using-namespace): only exports follow
using namespace dotkey::wasm;  // NOLINT(google-build-using-namespace)

extern "C" {

std::uint8_t const* dotkey_result() {
  return reinterpret_cast<std::uint8_t const*>(result().data());
}

std::size_t dotkey_result_size() {
  return result().size();
}

// text → {key}
void dotkey_parse_public_key(std::uint8_t const* data, std::size_t size) {
  auto const key = names::parse_public_key(Arguments(data, size).next_text());
  if (!key) return finish_with(key.error());
  JsonWriter json;
  json.begin_object().key("key").text(names::format_public_key(*key)).end_object();
  finish(std::move(json));
}

// host → {ownership, host, key, subdomain}. `bare` is "[sub.]<key>" without the TLD.
void dotkey_classify_hostname(std::uint8_t const* data, std::size_t size) {
  std::string_view const host = Arguments(data, size).next_text();
  JsonWriter json;
  json.begin_object().key("ownership");
  auto parsed = names::parse_hostname(host);
  if (parsed) {
    json.text(name_of(names::Ownership::ours));
  } else if (names::classify(host) == names::Ownership::malformed_ours) {
    json.text(name_of(names::Ownership::malformed_ours));
    json.key("error").text(base::slug_of(parsed.error().code));
  } else if (parsed = names::parse_bare_hostname(host); parsed) {
    json.text("bare");
  } else {
    json.text(name_of(names::Ownership::not_ours));
  }
  if (parsed) write_hostname(json, *parsed);
  json.end_object();
  finish(std::move(json));
}

// canonical packet → {key, timestamp_us, size, records}
void dotkey_verify_packet(std::uint8_t const* data, std::size_t size) {
  finish_with_packet(record::SignedPacket::parse(Arguments(data, size).next_bytes()));
}

// key in any spelling, relay payload → the same
void dotkey_verify_payload(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  auto const key = names::parse_public_key(arguments.next_text());
  if (!key) return finish_with(key.error());
  finish_with_packet(record::SignedPacket::parse_relay_payload(*key, arguments.next_bytes()));
}

// host, port, route host, route port, packets, chain, now_s → {verdict, allowed, …}
void dotkey_decide(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  evidence::Evidence shown;
  shown.host = arguments.next_text();
  shown.port = static_cast<std::uint16_t>(arguments.next_u32());
  shown.route_host = arguments.next_text();
  shown.route_port = static_cast<std::uint16_t>(arguments.next_u32());
  shown.packets = arguments.next_list();
  shown.chain = arguments.next_list();
  shown.now_s = arguments.next_i64();
  auto const finding = evidence::examine(shown);
  if (!finding) return finish_with(finding.error());
  JsonWriter json;
  json.begin_object();
  write_finding(json, *finding);
  json.end_object();
  finish(std::move(json));
}

// hosts, keys (32 bytes each), TLSA rdata, chain, now_s → {verdict, allowed, …}
void dotkey_decide_pins(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  std::vector<std::string> hosts;
  for (ByteView const host : arguments.next_list()) hosts.emplace_back(base::text_of(host));
  std::vector<crypto::PublicKey> keys;
  for (ByteView const bytes : arguments.next_list()) {
    auto const key = crypto::PublicKey::from(bytes);
    if (!key) return finish_with(Error(base::ErrorCode::key_malformed));
    keys.push_back(*key);
  }
  std::vector<pin::TlsaRecord> records;
  for (ByteView const bytes : arguments.next_list()) {
    auto const data_of_record = wire::dns::parse_record_data(wire::dns::RecordType::tlsa, bytes);
    if (!data_of_record) return finish_with(data_of_record.error());
    records.push_back(std::get<wire::dns::Tlsa>(*data_of_record));
  }
  std::vector<base::Bytes> const chain = copies_of(arguments.next_list());
  JsonWriter json;
  json.begin_object();
  write_decision(json, pin::decide({hosts, keys, records, chain, arguments.next_i64()}));
  json.end_object();
  finish(std::move(json));
}

// certificate → {record, dns_names, spki_sha256}
void dotkey_pin_for(std::uint8_t const* data, std::size_t size) {
  ByteView const der = Arguments(data, size).next_bytes();
  auto const certificate = pin::parse_certificate(der);
  if (!certificate) return finish_with(certificate.error());
  auto const record = pin::tlsa_for(der);
  if (!record) return finish_with(record.error());
  JsonWriter json;
  json.begin_object().key("record").text(wire::dns::encode_record_data_text(*record));
  json.key("spki_sha256").text(base::encode_hex(record->data));
  json.key("dns_names").begin_array();
  for (std::string const& name : certificate->dns_names()) json.text(name);
  json.end_array().end_object();
  finish(std::move(json));
}

// slug → {advice}, empty for a slug that is not of this version
void dotkey_advice_for(std::uint8_t const* data, std::size_t size) {
  std::string_view const slug = Arguments(data, size).next_text();
  std::string_view advice;
  for (base::ErrorCode const code : base::all_error_codes) {
    if (base::slug_of(code) == slug) advice = base::advice_for(code);
  }
  for (pin::Verdict const verdict : pin::all_verdicts) {
    if (pin::slug_of(verdict) == slug) advice = pin::advice_for(verdict);
  }
  JsonWriter json;
  json.begin_object().key("advice").text(advice).end_object();
  finish(std::move(json));
}

}  // extern "C"
