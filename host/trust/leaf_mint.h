// SPDX-License-Identifier: Apache-2.0
// Leaves for the local proxy: one certificate per host, all with one key that lives as long as the
// process.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/engine/time.h"

#include "host/trust/local_ca.h"

namespace dotkey::host::trust {

inline constexpr engine::Duration leaf_lifetime = engine::Duration::from_s(7LL * 86'400);
inline constexpr engine::Duration leaf_backdating = engine::Duration::from_s(86'400);
inline constexpr std::size_t leaves_max = 512;  // the least recently used goes first

class LeafMint {
 public:
  // `ca` outlives the mint.
  explicit LeafMint(LocalCa const& ca);

  // The certificate for exactly `host`, from memory or freshly signed. Mint only for a host that
  // was verified just now. The owner of the result is the mint; share() it to keep it.
  X509* leaf_for(std::string_view host, engine::UnixTime now);
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }

  // A browser may remember that it refused a leaf: call this after a root was installed.
  void forget_leaves();
  [[nodiscard]] std::size_t minted_count() const { return minted_count_; }

 private:
  struct Leaf {
    std::string host;
    X509Ptr certificate;
    engine::UnixTime fresh_until;
    X509 const* signer;
  };

  LocalCa const& ca_;
  PrivateKeyPtr key_;
  std::list<Leaf> leaves_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Leaf>::iterator> by_host_;
  std::size_t minted_count_ = 0;
};

}  // namespace dotkey::host::trust
