// SPDX-License-Identifier: Apache-2.0
// The fields that requests have in common. Each fails with session_body_malformed and the field's
// name, or with what is wrong with its content.
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/json/object.hpp>

#include "core/base/result.h"
#include "core/crypto/keys.h"
#include "core/publish/types.h"
#include "core/record/signed_packet.h"
#include "core/resolve/types.h"

#include "host/daemon/stored_keys.h"

namespace dotkey::host::daemon {

base::Failure malformed(std::string_view field);

// "key", in any spelling.
base::Result<crypto::PublicKey> read_key(boost::json::object const& body);

// "port": from 1 to 65,535.
base::Result<std::uint16_t> read_port(boost::json::object const& body);

// "policy", "source" and "timeout_ms", each optional.
base::Result<resolve::Options> read_resolve_options(boost::json::object const& body);

// "packet": a canonical packet in base64; its signature is checked.
base::Result<record::SignedPacket> read_packet(boost::json::object const& body);
std::string encode_packet(record::SignedPacket const& packet);

// "cas_us", "source", "dht_nodes_min" and "keep_alive", each optional.
base::Result<publish::Options> read_publish_options(boost::json::object const& body);

// A passphrase, or a key on its way in: out of the request, where nothing of it stays. Empty when
// it is not there. Taken before anything else is looked at, so that no refusal leaves it in memory.
base::Result<Passphrase> take_secret(boost::json::object& body, std::string_view name);

}  // namespace dotkey::host::daemon
