// SPDX-License-Identifier: Apache-2.0
#include "core/custody/key_file.h"

#include <array>
#include <vector>

#include "core/base/integers.h"
#include "core/base/text.h"
#include "core/crypto/ed25519.h"

namespace dotkey::custody {
namespace {

using base::ErrorCode;

constexpr std::string_view first_line = "dotkey-key 1";

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  std::size_t const first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

base::Failure malformed(std::string detail) {
  return base::fail(ErrorCode::keystore_malformed, std::move(detail));
}

base::Result<KeyFile> parse_plain(std::string_view text) {
  auto bytes = base::parse_hex(text);
  if (!bytes || bytes->size() != 32) return malformed("expected 64 hexadecimal characters");
  KeyFile out;
  out.seed = crypto::Seed::from(*bytes);
  crypto::wipe(bytes->data(), bytes->size());
  out.public_key = crypto::KeyPair(*out.seed).public_key();
  return out;
}

std::string header_of(crypto::PublicKey const& key, crypto::KdfCost cost,
                      crypto::KdfSalt const& salt, crypto::AeadNonce const& nonce) {
  std::string out(first_line);
  out += "\npublic " + base::encode_zbase32(key.view());
  out += "\nargon2id-passes " + std::to_string(cost.passes);
  out += "\nargon2id-memory-kib " + std::to_string(cost.memory_kib);
  out += "\nsalt " + base::encode_hex(salt.view());
  out += "\nnonce " + base::encode_hex(nonce.view());
  out += "\n";
  return out;
}

// The values of a sealed file, in the order of its lines.
enum Line : std::size_t { line_public, line_passes, line_memory, line_salt, line_nonce, line_box };
constexpr std::array<std::string_view, 6> labels = {
    "public ", "argon2id-passes ", "argon2id-memory-kib ", "salt ", "nonce ", "box "};

base::Result<std::array<std::string_view, labels.size()>> split_lines(std::string_view text) {
  std::array<std::string_view, labels.size()> values;
  text.remove_prefix(first_line.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::string const where = "line " + std::to_string(i + 2);
    if (!text.starts_with('\n')) return malformed(where + " is missing");
    text.remove_prefix(1);
    if (!text.starts_with(labels[i])) {
      return malformed(where + " does not start with '" + std::string(labels[i]) + "'");
    }
    std::size_t const end = std::min(text.find('\n'), text.size());
    values[i] = text.substr(labels[i].size(), end - labels[i].size());
    text.remove_prefix(end);
  }
  if (!text.empty()) return malformed("text after the box");
  return values;
}

template <class Fixed>
std::optional<Fixed> fixed_from_hex(std::string_view text) {
  auto const bytes = base::parse_hex(text);
  return bytes ? Fixed::from(*bytes) : std::nullopt;
}

base::Result<KeyFile> parse_sealed(std::string_view text) {
  auto const lines = split_lines(text);
  if (!lines) return tl::make_unexpected(lines.error());
  auto const& values = *lines;
  auto const key_bytes = base::parse_zbase32(values[line_public]);
  auto const key = key_bytes ? crypto::PublicKey::from(*key_bytes) : std::nullopt;
  auto const passes = base::parse_decimal<std::uint32_t>(values[line_passes]);
  auto const memory_kib = base::parse_decimal<std::uint32_t>(values[line_memory]);
  auto const salt = fixed_from_hex<crypto::KdfSalt>(values[line_salt]);
  auto const nonce = fixed_from_hex<crypto::AeadNonce>(values[line_nonce]);
  auto const box = base::parse_hex(values[line_box]);
  if (!key) return malformed("line 2 holds no public key");
  if (!passes || *passes == 0 || *passes > crypto::KdfCost::passes_max) {
    return malformed("line 3 holds no number of passes");
  }
  if (!memory_kib || *memory_kib < 8 || *memory_kib > crypto::KdfCost::memory_kib_max) {
    return malformed("line 4 holds no memory size");
  }
  if (!salt || !nonce) return malformed("lines 5 and 6 hold no salt and nonce");
  if (!box || box->size() != 48) return malformed("line 7 does not hold 48 bytes");
  KeyFile out;
  out.public_key = *key;
  crypto::KdfCost const cost{*passes, *memory_kib};
  out.sealed = KeyFile::Sealed{cost, *salt, *nonce, *box, header_of(*key, cost, *salt, *nonce)};
  return out;
}

}  // namespace

std::string encode_key_file(crypto::Seed const& seed) {
  return base::encode_hex(seed.expose());
}

base::Result<std::string> encode_key_file(crypto::Seed const& seed, std::string_view passphrase,
                                          crypto::KdfCost cost, engine::Entropy& entropy) {
  auto const salt = entropy.next_bytes<crypto::KdfSalt>();
  auto const nonce = entropy.next_bytes<crypto::AeadNonce>();
  auto const key = crypto::derive_key(passphrase, salt, cost);
  if (!key) return tl::make_unexpected(key.error());
  std::string const header = header_of(crypto::KeyPair(seed).public_key(), cost, salt, nonce);
  auto const box = crypto::seal(*key, nonce, seed.expose(), base::view_of(header));
  return header + "box " + base::encode_hex(box) + "\n";
}

base::Result<KeyFile> parse_key_file(std::string_view text) {
  if (text.size() > key_file_size_max) return malformed("too large for a key file");
  text = trim(text);
  return text.starts_with(first_line) ? parse_sealed(text) : parse_plain(text);
}

base::Result<crypto::Seed> unlock(KeyFile const& file, std::string_view passphrase) {
  if (file.seed) return *file.seed;
  auto const& sealed = *file.sealed;
  auto const key = crypto::derive_key(passphrase, sealed.salt, sealed.cost);
  if (!key) return tl::make_unexpected(key.error());
  auto plain = crypto::open(*key, sealed.nonce, sealed.box, base::view_of(sealed.header));
  if (!plain) return tl::make_unexpected(plain.error());
  auto const seed = crypto::Seed::from(*plain);
  crypto::wipe(plain->data(), plain->size());
  if (!seed || !(crypto::KeyPair(*seed).public_key() == file.public_key)) {
    return malformed("the seed does not belong to the public key");
  }
  return *seed;
}

}  // namespace dotkey::custody
