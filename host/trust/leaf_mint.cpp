// SPDX-License-Identifier: Apache-2.0
#include "host/trust/leaf_mint.h"

#include "host/trust/certificate_builder.h"

namespace dotkey::host::trust {
namespace {

constexpr engine::Duration leaf_refresh_before_end = engine::Duration::from_s(86'400);

}  // namespace

LeafMint::LeafMint(LocalCa const& ca) : ca_(ca), key_(make_p256_key()) {}

X509* LeafMint::leaf_for(std::string_view host, engine::UnixTime now) {
  X509* const signer = ca_.signer().certificate.get();
  if (auto const found = by_host_.find(host); found != by_host_.end()) {
    auto const leaf = found->second;
    bool const clock_fits = leaf->fresh_until - leaf_lifetime <= now && now < leaf->fresh_until;
    if (clock_fits && leaf->signer == signer) {
      leaves_.splice(leaves_.begin(), leaves_, leaf);
      return leaf->certificate.get();
    }
    by_host_.erase(found);
    leaves_.erase(leaf);
  }
  if (leaves_.size() >= leaves_max) {
    by_host_.erase(leaves_.back().host);
    leaves_.pop_back();
  }
  std::string const name(host);
  ++minted_count_;
  leaves_.push_front({name,
                      make_leaf(key_.get(), name, signer, ca_.signer().key.get(),
                                {now - leaf_backdating, now - leaf_backdating + leaf_lifetime}),
                      now - leaf_backdating + leaf_lifetime - leaf_refresh_before_end, signer});
  by_host_.emplace(leaves_.front().host, leaves_.begin());
  return leaves_.front().certificate.get();
}

void LeafMint::forget_leaves() {
  by_host_.clear();
  leaves_.clear();
}

}  // namespace dotkey::host::trust
