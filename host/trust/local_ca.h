// SPDX-License-Identifier: Apache-2.0
// The certificate authority of this installation: one root key in one private file, constrained to
// `.key` names, renewed before its end. It signs leaves for the local proxy and nothing else.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/hash.h"
#include "core/engine/time.h"

#include "host/store/atomic_file.h"
#include "host/trust/openssl_handles.h"

namespace dotkey::host::trust {

inline constexpr engine::Duration root_lifetime = engine::Duration::from_s(730LL * 86'400);
inline constexpr engine::Duration renewal_before_end = engine::Duration::from_s(60LL * 86'400);
// With this little left the successor signs even where nobody said that it is trusted: a leaf's
// seven days and one more.
inline constexpr engine::Duration adoption_before_end = engine::Duration::from_s(8LL * 86'400);

struct Root {
  PrivateKeyPtr key;
  X509Ptr certificate;
};

// What to put into a trust store, and how to find it there again.
struct TrustedRoot {
  base::Bytes der;
  std::string fingerprint;  // lower-case hex of SHA-256 over the DER form
  std::string name;         // unique to this root, for people
  engine::UnixTime not_after;
};

class LocalCa {
 public:
  // Reads `<directory>/ca.pem`, or makes the directory (0700), a root and the file (0600). A file
  // that belongs to another user or that others can read is refused, never mended silently: its
  // key may be known. Errors: trust_ca_exposed, trust_ca_malformed, file_unreadable,
  // file_unwritable.
  static base::Result<LocalCa> load_or_create(std::string const& directory, engine::UnixTime now);

  // As it is on disk: nothing is made, and nothing renewed. Errors: as above.
  static base::Result<LocalCa> load(std::string const& directory);

  // Call daily. Makes a successor renewal_before_end, lets it sign from adoption_before_end on, and
  // forgets what has ended. True when the roots changed: install them into the trust stores.
  // Errors: file_unwritable; the old state then stays.
  base::Result<bool> renew_if_due(engine::UnixTime now);

  // The successor is in every trust store: it signs from now on, and the old root stays trusted
  // until its end. Without a successor nothing happens. Errors: file_unwritable.
  base::Result<void> adopt_successor();

  // All roots that a browser should trust, the signing one first.
  [[nodiscard]] std::vector<TrustedRoot> trusted_roots() const;
  [[nodiscard]] bool has_successor() const { return successor_.certificate != nullptr; }
  [[nodiscard]] Root const& signer() const { return signer_; }

 private:
  explicit LocalCa(std::string path) : path_(std::move(path)) {}

  base::Result<void> parse(base::ByteView pem);
  [[nodiscard]] base::Result<void> save(store::Existing existing) const;
  void promote_successor();

  std::string path_;
  Root signer_;
  Root successor_;                // empty most of the time
  std::vector<X509Ptr> retired_;  // no key: they are trusted until their end, but sign no more
};

// What an uninstaller needs to find our roots when `ca.pem` is damaged: the fingerprints alone.
TrustedRoot describe_root(X509 const* certificate);

}  // namespace dotkey::host::trust
