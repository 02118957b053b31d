// SPDX-License-Identifier: Apache-2.0
// DNS records as JSON.
#pragma once

#include <span>

#include <boost/json/array.hpp>

#include "core/wire/dns_record.h"

namespace dotkey::host::json {

// [{"name","ttl","type","data"}]: the name absolute without its final dot, the data as in a zone
// file.
boost::json::array describe_records(std::span<wire::dns::ResourceRecord const> records);

}  // namespace dotkey::host::json
