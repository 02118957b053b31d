// SPDX-License-Identifier: Apache-2.0
// Where a DHT node's routing table is kept between runs, apart for each bootstrap list: a node of a
// test network never asks the public one, nor the other way round.
#pragma once

#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace dotkey::host::store {

// STATE_DIR/dht.state for the public network, STATE_DIR/dht-<hash>.state for explicit bootstrap
// nodes (in any order).
std::string dht_state_path(std::string const& state_dir, std::span<std::string const> bootstrap);

// Empty when there is none or it cannot be read: the table is only a short cut.
base::Bytes load_dht_state(std::string const& path);

// Errors: file_unwritable.
base::Result<void> save_dht_state(std::string const& path, base::ByteView state);

}  // namespace dotkey::host::store
