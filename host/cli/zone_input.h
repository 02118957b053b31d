// SPDX-License-Identifier: Apache-2.0
// The records a user wants published, from a zone file or the command line.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/keys.h"
#include "core/wire/dns_record.h"

#include "host/cli/external_addresses.h"

namespace dotkey::host::cli {

// What the user wrote.
struct RecordTexts {
  std::string zone_file;  // its name; empty: there is none
  std::string zone;       // what stands in it
  std::vector<std::string> records;
};
// `zone_file` may be "-" for stdin, or empty for none. Errors: file_unreadable.
base::Result<RecordTexts> read_texts(std::string const& zone_file,
                                     std::vector<std::string> const& record_texts);
bool has_placeholder(RecordTexts const& texts);

// Records with placeholders in them; those whose address is not known are left out. Errors as of
// parse_records().
base::Result<std::vector<wire::dns::ResourceRecord>> records_at(ExternalAddresses const& addresses,
                                                                crypto::PublicKey const& key,
                                                                RecordTexts const& texts);
// Names are relative to `key`. Errors: zone_syntax (file or record, line and column in the detail).
base::Result<std::vector<wire::dns::ResourceRecord>> parse_records(crypto::PublicKey const& key,
                                                                   RecordTexts const& texts);
// Names are relative to `key`. `zone_file` may be "-" for stdin, or empty for none. Errors:
// file_unreadable, zone_syntax (file or record, line and column in the detail).
base::Result<std::vector<wire::dns::ResourceRecord>> read_records(
    crypto::PublicKey const& key, std::string const& zone_file,
    std::vector<std::string> const& record_texts);

// A file, or stdin for "-". Errors: file_unreadable.
base::Result<base::Bytes> read_file_or_stdin(std::string const& path, std::size_t size_max);

}  // namespace dotkey::host::cli
