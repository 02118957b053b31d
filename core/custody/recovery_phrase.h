// SPDX-License-Identifier: Apache-2.0
// A seed as 24 words for paper: BIP 39's encoding of 256 bits with its checksum. The words are the
// seed itself; BIP 39's way from words to a wallet's seed (PBKDF2, a passphrase) is not taken.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace dotkey::custody {

inline constexpr std::size_t recovery_words = 24;
inline constexpr std::size_t recovery_phrase_size_max = 1024;

// Lower case, one space between words. The caller wipes it.
std::string encode_recovery_phrase(crypto::Seed const& seed);

// Any case and white space; the first four letters of a word are enough, as BIP 39 intends. Errors:
// phrase_length_wrong, phrase_word_unknown with "word N", phrase_checksum_wrong.
base::Result<crypto::Seed> parse_recovery_phrase(std::string_view text);

}  // namespace dotkey::custody
