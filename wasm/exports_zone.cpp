// SPDX-License-Identifier: Apache-2.0
// Zone text and records, for an editor.
#include <utility>

#include "core/names/public_key.h"
#include "core/wire/zone_text.h"

#include "wasm/arguments.h"
#include "wasm/results.h"

using namespace dotkey;        // NOLINT(google-build-using-namespace): only exports follow
using namespace dotkey::wasm;  // NOLINT(google-build-using-namespace)

extern "C" {

// key, zone text → {records, size, size_max}: what a packet would hold, of how many bytes
void dotkey_read_zone(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  auto const key = names::parse_public_key(arguments.next_text());
  if (!key) return finish_with(key.error());
  auto records = wire::dns::parse_zone_text(arguments.next_text(), record::origin_of(*key));
  if (!records) return finish_with(records.error());
  auto const message = record::encode_unsigned(*key, *records);
  if (!message) return finish_with(message.error());
  for (auto& record : *records) record.name = *record::normalise_name(record.name, *key);
  JsonWriter json;
  json.begin_object().key("records");
  write_records(json, *records);
  json.key("size").number(static_cast<std::int64_t>(message->size()));
  json.key("size_max").number(std::int64_t{record::SignedPacket::dns_size_max}).end_object();
  finish(std::move(json));
}

// key, one line of a zone file with its owner → {records}: the one record in canonical form
void dotkey_read_record(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  auto const key = names::parse_public_key(arguments.next_text());
  if (!key) return finish_with(key.error());
  auto record = wire::dns::parse_record_text(arguments.next_text(), record::origin_of(*key));
  if (!record) return finish_with(record.error());
  auto name = record::normalise_name(record->name, *key);
  if (!name) return finish_with(name.error());
  record->name = std::move(*name);
  JsonWriter json;
  json.begin_object().key("records");
  write_records(json, std::span(&*record, 1));
  json.end_object();
  finish(std::move(json));
}

// canonical packet → {zone}: a zone file of the same records
void dotkey_zone_of(std::uint8_t const* data, std::size_t size) {
  auto const packet = record::SignedPacket::parse(Arguments(data, size).next_bytes());
  if (!packet) return finish_with(packet.error());
  JsonWriter json;
  json.begin_object().key("zone");
  json.text(wire::dns::encode_zone_text(packet->records(), record::origin_of(packet->key())));
  json.end_object();
  finish(std::move(json));
}

}  // extern "C"
