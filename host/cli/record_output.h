// SPDX-License-Identifier: Apache-2.0
// DNS records as lines of a zone file.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/crypto/keys.h"
#include "core/wire/dns_record.h"

namespace dotkey::host::cli {

// A zone file relative to the key, columns aligned.
std::vector<std::string> format_records(std::span<wire::dns::ResourceRecord const> records,
                                        crypto::PublicKey const& key);
void print_records(std::span<wire::dns::ResourceRecord const> records,
                   crypto::PublicKey const& key);

}  // namespace dotkey::host::cli
