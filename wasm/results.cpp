// SPDX-License-Identifier: Apache-2.0
#include "wasm/results.h"

#include "core/names/public_key.h"
#include "core/wire/zone_rdata.h"

namespace dotkey::wasm {

std::string& result() {
  static std::string kept;
  return kept;
}

void finish_with(base::ByteView secret) {
  result().assign(base::text_of(secret));
}

void write_error(JsonWriter& json, base::Error const& error) {
  json.key("error").text(base::slug_of(error.code));
  json.key("advice").text(base::advice_for(error.code));
  json.key("detail").text(error.detail);
}

void finish_with(base::Error const& error) {
  JsonWriter json;
  json.begin_object();
  write_error(json, error);
  json.end_object();
  finish(std::move(json));
}

void write_records(JsonWriter& json, std::span<wire::dns::ResourceRecord const> records) {
  json.begin_array();
  for (wire::dns::ResourceRecord const& record : records) {
    std::string name = record.name.to_string();
    if (name.size() > 1) name.pop_back();
    json.begin_object().key("name").text(name);
    json.key("ttl").number(record.ttl_s);
    json.key("type").text(wire::dns::encode_record_type(record.type));
    json.key("data").text(wire::dns::encode_record_data_text(record.data)).end_object();
  }
  json.end_array();
}

void write_packet(JsonWriter& json, record::SignedPacket const& packet) {
  json.begin_object().key("key").text(names::format_public_key(packet.key()));
  json.key("timestamp_us").number(packet.timestamp_us());
  json.key("size").number(static_cast<std::int64_t>(packet.size()));
  json.key("records");
  write_records(json, packet.records());
  json.end_object();
}

}  // namespace dotkey::wasm
