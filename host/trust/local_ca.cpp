// SPDX-License-Identifier: Apache-2.0
#include "host/trust/local_ca.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/text.h"

#include "host/store/atomic_file.h"
#include "host/trust/certificate_builder.h"

namespace dotkey::host::trust {
namespace {

using base::ErrorCode;
using base::Result;
using engine::Duration;
using engine::UnixTime;

constexpr std::size_t file_size_max = 64 * 1024;
constexpr std::size_t retired_max = 4;
constexpr Duration backdating = Duration::from_s(86'400);  // for clocks that run behind

Root make_new_root(UnixTime now) {
  std::array<std::uint8_t, 4> tag{};
  DOTKEY_ASSERT(RAND_bytes(tag.data(), static_cast<int>(tag.size())) == 1);
  Root root;
  root.key = make_p256_key();
  root.certificate = make_root(root.key.get(), "dotkey local CA " + base::encode_hex(tag),
                               {now - backdating, now + root_lifetime});
  return root;
}

// A key file is ours alone: a regular file of this user that nobody else may open.
Result<void> check_privacy(std::string const& path) {
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) {
    return base::fail(ErrorCode::file_unreadable, path + ": " + std::strerror(errno));
  }
  if (!S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid() || (facts.st_mode & 077) != 0) {
    return base::fail(ErrorCode::trust_ca_exposed, path);
  }
  return {};
}

bool belongs_together(Root const& root) {
  return root.key && root.certificate &&
         X509_check_private_key(root.certificate.get(), root.key.get()) == 1;
}

struct PemBlock {
  std::string type;
  unsigned char* data = nullptr;
  long size = 0;

  PemBlock() = default;
  PemBlock(PemBlock&& other) noexcept
      : type(std::move(other.type)),
        data(std::exchange(other.data, nullptr)),
        size(std::exchange(other.size, 0)) {}
  PemBlock& operator=(PemBlock&&) = delete;
  ~PemBlock() { OPENSSL_clear_free(data, static_cast<std::size_t>(size)); }
};

std::optional<PemBlock> read_block(BIO* in) {
  PemBlock block;
  char* type = nullptr;
  char* header = nullptr;
  if (PEM_read_bio(in, &type, &header, &block.data, &block.size) != 1) return std::nullopt;
  block.type = type;
  OPENSSL_free(type);
  OPENSSL_free(header);
  return block;
}

bool write_root(BIO* out, Root const& root) {
  return PEM_write_bio_PrivateKey(out, root.key.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
             1 &&
         PEM_write_bio_X509(out, root.certificate.get()) == 1;
}

}  // namespace

TrustedRoot describe_root(X509 const* certificate) {
  TrustedRoot root;
  root.der = encode_der(certificate);
  root.fingerprint = base::encode_hex(crypto::sha256({root.der}));
  char name[128] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  root.name = name;
  root.not_after = not_after_of(certificate);
  return root;
}

Result<LocalCa> LocalCa::load_or_create(std::string const& directory, UnixTime now) {
  LocalCa ca(directory + "/ca.pem");
  if (!store::exists(ca.path_)) {
    if (auto made = store::create_private_directory(directory); !made) {
      return base::Failure(made.error());
    }
    ca.signer_ = make_new_root(now);
    auto saved = ca.save(store::Existing::refuse);
    if (saved) return ca;
    // Another process was faster: its root is the one.
    if (saved.error().code != ErrorCode::file_exists) return base::Failure(saved.error());
  }
  auto loaded = load(directory);
  if (!loaded) return loaded;
  if (auto renewed = loaded->renew_if_due(now); !renewed) return base::Failure(renewed.error());
  return loaded;
}

Result<LocalCa> LocalCa::load(std::string const& directory) {
  LocalCa ca(directory + "/ca.pem");
  if (auto checked = check_privacy(ca.path_); !checked) return base::Failure(checked.error());
  auto pem = store::read_file(ca.path_, file_size_max);
  if (!pem) return base::Failure(pem.error());
  auto const parsed = ca.parse(*pem);
  OPENSSL_cleanse(pem->data(), pem->size());
  if (!parsed) return base::Failure(parsed.error());
  return ca;
}

// The file is a row of PEM blocks: a private key begins a root, and the certificate after it is
// that root's; a certificate without a key before it is a retired root.
Result<void> LocalCa::parse(base::ByteView pem) {
  BioPtr const in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  DOTKEY_ASSERT(in);
  std::vector<Root> roots;
  PrivateKeyPtr key;
  bool sound = true;
  while (std::optional<PemBlock> block = read_block(in.get())) {
    unsigned char const* data = block->data;
    if (block->type == PEM_STRING_PKCS8INF && !key) {
      key.reset(d2i_AutoPrivateKey(nullptr, &data, block->size));
      sound = sound && key;
    } else if (block->type == PEM_STRING_X509 && roots.size() < 2 + retired_max) {
      roots.push_back({std::move(key), X509Ptr(d2i_X509(nullptr, &data, block->size))});
      sound = sound && roots.back().certificate;
    } else {
      sound = false;
    }
  }
  last_openssl_error();
  if (!sound || key || roots.empty() || !belongs_together(roots[0])) {
    return base::fail(ErrorCode::trust_ca_malformed, path_);
  }
  signer_ = std::move(roots[0]);
  std::size_t next = 1;
  if (roots.size() > 1 && roots[1].key) {
    if (!belongs_together(roots[1])) return base::fail(ErrorCode::trust_ca_malformed, path_);
    successor_ = std::move(roots[next++]);
  }
  for (; next < roots.size(); ++next) retired_.push_back(std::move(roots[next].certificate));
  return {};
}

Result<void> LocalCa::save(store::Existing existing) const {
  BioPtr const out(BIO_new(BIO_s_secmem()));
  DOTKEY_ASSERT(out && write_root(out.get(), signer_));
  if (successor_.certificate) DOTKEY_ASSERT(write_root(out.get(), successor_));
  for (X509Ptr const& certificate : retired_) {
    DOTKEY_ASSERT(PEM_write_bio_X509(out.get(), certificate.get()) == 1);
  }
  char* data = nullptr;
  long const size = BIO_get_mem_data(out.get(), &data);
  DOTKEY_ASSERT(size > 0);
  auto saved = store::write_file(
      path_, {reinterpret_cast<std::uint8_t const*>(data), static_cast<std::size_t>(size)}, 0600,
      existing);
  OPENSSL_cleanse(data, static_cast<std::size_t>(size));
  return saved;
}

void LocalCa::promote_successor() {
  retired_.insert(retired_.begin(), std::move(signer_.certificate));
  if (retired_.size() > retired_max) retired_.pop_back();
  signer_ = std::move(successor_);
  successor_ = {};
}

Result<void> LocalCa::adopt_successor() {
  if (!has_successor()) return {};
  promote_successor();
  return save(store::Existing::replace);
}

Result<bool> LocalCa::renew_if_due(UnixTime now) {
  bool changed = false;
  UnixTime const end = not_after_of(signer_.certificate.get());
  if (!has_successor() && now + renewal_before_end >= end) {
    successor_ = make_new_root(now);
    changed = true;
  }
  if (has_successor() && now + adoption_before_end >= end) {
    promote_successor();
    changed = true;
  }
  auto const ended = [now](X509Ptr const& root) { return not_after_of(root.get()) < now; };
  changed = std::erase_if(retired_, ended) > 0 || changed;
  if (!changed) return false;
  if (auto saved = save(store::Existing::replace); !saved) return base::Failure(saved.error());
  return true;
}

std::vector<TrustedRoot> LocalCa::trusted_roots() const {
  std::vector<TrustedRoot> roots{describe_root(signer_.certificate.get())};
  if (has_successor()) roots.push_back(describe_root(successor_.certificate.get()));
  for (X509Ptr const& certificate : retired_) roots.push_back(describe_root(certificate.get()));
  return roots;
}

}  // namespace dotkey::host::trust
