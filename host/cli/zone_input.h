// SPDX-License-Identifier: Apache-2.0
// The records a user wants published, from a zone file or the command line.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/keys.h"
#include "core/wire/dns_record.h"

namespace dotkey::host::cli {

// Names are relative to `key`. `zone_file` may be "-" for stdin, or empty for none. Errors:
// file_unreadable, zone_syntax (file or record, line and column in the detail).
base::Result<std::vector<wire::dns::ResourceRecord>> read_records(
    crypto::PublicKey const& key, std::string const& zone_file,
    std::vector<std::string> const& record_texts);

// A file, or stdin for "-". Errors: file_unreadable.
base::Result<base::Bytes> read_file_or_stdin(std::string const& path, std::size_t size_max);

}  // namespace dotkey::host::cli
