// SPDX-License-Identifier: Apache-2.0
// dotkey publish --watch: keeps records at the addresses that the nodes of the DHT see us at
// (BEP 42 `ip`).
#pragma once

#include <functional>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/keys.h"
#include "core/engine/time.h"
#include "core/wire/dns_record.h"

#include "host/cli/access.h"
#include "host/cli/zone_input.h"

namespace dotkey::host::cli {

using PublishRecords =
    std::function<base::Result<void>(std::vector<wire::dns::ResourceRecord> const&)>;

// Until Ctrl-C. What fails is told and tried again, except where it cannot get better. Errors:
// network_no_source without a DHT; daemon_gone.
base::Result<void> watch_addresses(Program& program, Access& access, crypto::PublicKey const& key,
                                   RecordTexts const& texts, engine::Duration interval,
                                   PublishRecords const& publish);

}  // namespace dotkey::host::cli
