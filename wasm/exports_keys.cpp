// SPDX-License-Identifier: Apache-2.0
// Secret keys: their files, their phrases, and what they sign.
#include <utility>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/custody/key_file.h"
#include "core/custody/recovery_phrase.h"
#include "core/names/public_key.h"
#include "core/wire/zone_text.h"

#include "wasm/arguments.h"
#include "wasm/given_entropy.h"
#include "wasm/results.h"

namespace dotkey::wasm {
namespace {

using base::ErrorCode;

std::optional<crypto::Seed> next_seed(Arguments& arguments) {
  auto seed = crypto::Seed::from(arguments.next_bytes());
  if (!seed) finish_with(base::Error(ErrorCode::key_malformed, "a seed has 32 bytes"));
  return seed;
}

void finish_with_key(crypto::Seed const& seed) {
  JsonWriter json;
  json.begin_object().key("key");
  json.text(names::format_public_key(crypto::KeyPair(seed).public_key())).end_object();
  finish(std::move(json));
}

void finish_with_seed(base::Result<crypto::Seed> const& seed) {
  if (!seed) return finish_with(seed.error());
  finish_with(seed->expose());
}

}  // namespace
}  // namespace dotkey::wasm

using namespace dotkey;        // NOLINT(google-build-using-namespace): only exports follow
using namespace dotkey::wasm;  // NOLINT(google-build-using-namespace)

extern "C" {

// seed → {key}
void dotkey_public_key_of(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  auto const seed = next_seed(arguments);
  if (seed) finish_with_key(*seed);
}

// seed, passphrase, passes, memory in KiB, 40 random bytes → {file}
void dotkey_seal_key(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  auto const seed = next_seed(arguments);
  if (!seed) return;
  std::string_view const passphrase = arguments.next_text();
  crypto::KdfCost const cost{arguments.next_u32(), arguments.next_u32()};
  GivenEntropy entropy(arguments.next_bytes());
  auto const text = custody::encode_key_file(*seed, passphrase, cost, entropy);
  if (!text) return finish_with(text.error());
  JsonWriter json;
  json.begin_object().key("file").text(*text).end_object();
  finish(std::move(json));
}

// text of a key file → {key, locked}
void dotkey_read_key_file(std::uint8_t const* data, std::size_t size) {
  auto const file = custody::parse_key_file(Arguments(data, size).next_text());
  if (!file) return finish_with(file.error());
  JsonWriter json;
  json.begin_object().key("key").text(names::format_public_key(file->public_key));
  json.key("locked").boolean(file->is_locked()).end_object();
  finish(std::move(json));
}

// text of a key file, passphrase → the seed's 32 bytes. A file without a passphrase needs none.
void dotkey_open_key_file(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  auto const file = custody::parse_key_file(arguments.next_text());
  if (!file) return finish_with(file.error());
  finish_with_seed(custody::unlock(*file, arguments.next_text()));
}

// seed → {words}
void dotkey_phrase_of(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  auto const seed = next_seed(arguments);
  if (!seed) return;
  std::string words = custody::encode_recovery_phrase(*seed);
  JsonWriter json;
  json.begin_object().key("words").text(words).end_object();
  crypto::wipe(words.data(), words.size());
  finish(std::move(json));
}

// words → the seed's 32 bytes
void dotkey_parse_phrase(std::uint8_t const* data, std::size_t size) {
  finish_with_seed(custody::parse_recovery_phrase(Arguments(data, size).next_text()));
}

// seed, timestamp_us, zone text → {packet}, the canonical bytes in base64
void dotkey_build_packet(std::uint8_t const* data, std::size_t size) {
  Arguments arguments(data, size);
  auto const seed = next_seed(arguments);
  if (!seed) return;
  crypto::KeyPair pair(*seed);
  std::int64_t const timestamp_us = arguments.next_i64();
  auto const records =
      wire::dns::parse_zone_text(arguments.next_text(), record::origin_of(pair.public_key()));
  if (!records) return finish_with(records.error());
  auto const packet = record::SignedPacket::build(pair, timestamp_us, *records);
  if (!packet) return finish_with(packet.error());
  JsonWriter json;
  json.begin_object().key("packet");
  json.text(base::encode_base64(packet->canonical(), base::Base64Alphabet::standard));
  json.end_object();
  finish(std::move(json));
}

}  // extern "C"
