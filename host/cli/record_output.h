// SPDX-License-Identifier: Apache-2.0
// DNS records as JSON and as lines of a zone file.
#pragma once

#include <span>
#include <string>

#include <boost/json/array.hpp>

#include "core/crypto/keys.h"
#include "core/wire/dns_record.h"

namespace dotkey::host::cli {

// [{"name","ttl","type","data"}]: the name absolute without its final dot, the data as in a zone
// file.
boost::json::array describe_records(std::span<wire::dns::ResourceRecord const> records);

// A zone file relative to the key, columns aligned.
void print_records(std::span<wire::dns::ResourceRecord const> records,
                   crypto::PublicKey const& key);

}  // namespace dotkey::host::cli
