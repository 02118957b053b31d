// SPDX-License-Identifier: Apache-2.0
// What a call of the module gives: one byte string, kept until the next call.
#pragma once

#include <string>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/record/signed_packet.h"

#include "wasm/json_writer.h"

namespace dotkey::wasm {

// One call at a time: the driver copies the result, and wipes it, before it makes the next.
std::string& result();

inline void finish(JsonWriter json) {
  result() = json.take();
}
// 32 bytes that are no JSON.
void finish_with(base::ByteView secret);
// error, advice and detail, into an object that is open.
void write_error(JsonWriter& json, base::Error const& error);
// {error, advice, detail}
void finish_with(base::Error const& error);

// {key, timestamp_us, size, records}
void write_packet(JsonWriter& json, record::SignedPacket const& packet);
// [{name, ttl, type, data}, …]
void write_records(JsonWriter& json, std::span<wire::dns::ResourceRecord const> records);

}  // namespace dotkey::wasm
