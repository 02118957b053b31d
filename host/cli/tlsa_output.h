// SPDX-License-Identifier: Apache-2.0
// A TLSA record (usage 3, selector 1, matching type 1) as JSON and as a zone-file line.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "host/tls/certificate.h"

namespace dotkey::host::cli {

inline constexpr int tlsa_ttl_s = 3600;

// `owner` is the record's name, such as "_443._tcp".
boost::json::object describe_tlsa(std::string const& owner,
                                  tls::CertificateFacts const& certificate);
std::string format_tlsa(boost::json::object const& record);
void print_tlsa(bool json, std::string const& owner, tls::CertificateFacts const& certificate);

}  // namespace dotkey::host::cli
