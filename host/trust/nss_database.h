// SPDX-License-Identifier: Apache-2.0
// One NSS certificate database (cert9.db): what Chromium on Linux and every Firefox profile trust.
// Works on the database of a running browser, which notices at once.
//
// libnss3 is opened at run time, so that the program starts where it is missing. NSS keeps one
// configuration for the whole process: only one database is open at a time, and on one thread. The
// long-lived daemon therefore leaves this to a short-lived process of the same program.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace dotkey::host::trust {

struct NssCertificate {
  std::string fingerprint;  // lower-case hex of SHA-256 over the DER form
  std::string nickname;
  bool trusted_for_servers = false;  // as a CA: certutil's "C,,"
};

class NssDatabase {
 public:
  // `directory` holds cert9.db; a missing database is made there, without a password. Errors:
  // trust_nss_unavailable, trust_store_failed.
  static base::Result<std::unique_ptr<NssDatabase>> open(std::string const& directory);
  ~NssDatabase();
  NssDatabase(NssDatabase const&) = delete;
  NssDatabase& operator=(NssDatabase const&) = delete;

  // Errors here and below: trust_store_failed; trust_store_locked where a primary password guards
  // the trust settings (nothing is left behind then).
  base::Result<std::vector<NssCertificate>> list();
  // Trusts the CA for TLS servers and for nothing else. A certificate that is there already gets
  // that trust.
  base::Result<void> add_ca(base::ByteView der, std::string const& nickname);
  // Removes the certificate of exactly this fingerprint with its trust. False: not there.
  base::Result<bool> remove(std::string const& fingerprint);
  // No certificate and no private key.
  bool is_empty();

 private:
  struct Parts;
  explicit NssDatabase(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace dotkey::host::trust
