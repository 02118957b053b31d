// SPDX-License-Identifier: Apache-2.0
#include "host/trust/nss_database.h"

#include <dlfcn.h>
#include <nspr/prerror.h>
#include <nss/cert.h>
#include <nss/certdb.h>
#include <nss/keyhi.h>
#include <nss/nss.h>
#include <nss/pk11pub.h>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/crypto/hash.h"

namespace dotkey::host::trust {
// The functions of libnss3 that are used here, by the types of its headers.
struct NssLibrary {
  decltype(&::NSS_InitContext) init_context = nullptr;
  decltype(&::NSS_ShutdownContext) shutdown_context = nullptr;
  decltype(&::PK11_GetInternalKeySlot) internal_key_slot = nullptr;
  decltype(&::PK11_FreeSlot) free_slot = nullptr;
  decltype(&::PK11_NeedUserInit) needs_user_init = nullptr;
  decltype(&::PK11_InitPin) init_pin = nullptr;
  decltype(&::PK11_NeedLogin) needs_login = nullptr;
  decltype(&::PK11_ImportCert) import_certificate = nullptr;
  decltype(&::PK11_ListCertsInSlot) list_certificates = nullptr;
  decltype(&::PK11_ListPrivKeysInSlot) list_private_keys = nullptr;
  decltype(&::SECKEY_DestroyPrivateKeyList) destroy_private_keys = nullptr;
  decltype(&::CERT_DestroyCertList) destroy_list = nullptr;
  decltype(&::CERT_NewTempCertificate) new_certificate = nullptr;
  decltype(&::CERT_DestroyCertificate) destroy_certificate = nullptr;
  decltype(&::CERT_GetDefaultCertDB) default_database = nullptr;
  decltype(&::CERT_ChangeCertTrust) change_trust = nullptr;
  decltype(&::CERT_GetCertTrust) trust_of = nullptr;
  decltype(&::SEC_DeletePermCertificate) delete_certificate = nullptr;
  decltype(&::PR_GetError) last_error = nullptr;  // of NSPR, which libnss3 brings

  bool load() {
    void* const library = ::dlopen("libnss3.so", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    auto const get = [library](auto& function, char const* name) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
      return function != nullptr;
    };
    return get(init_context, "NSS_InitContext") && get(shutdown_context, "NSS_ShutdownContext") &&
           get(internal_key_slot, "PK11_GetInternalKeySlot") && get(free_slot, "PK11_FreeSlot") &&
           get(needs_user_init, "PK11_NeedUserInit") && get(init_pin, "PK11_InitPin") &&
           get(needs_login, "PK11_NeedLogin") && get(import_certificate, "PK11_ImportCert") &&
           get(list_certificates, "PK11_ListCertsInSlot") &&
           get(list_private_keys, "PK11_ListPrivKeysInSlot") &&
           get(destroy_private_keys, "SECKEY_DestroyPrivateKeyList") &&
           get(destroy_list, "CERT_DestroyCertList") &&
           get(new_certificate, "CERT_NewTempCertificate") &&
           get(destroy_certificate, "CERT_DestroyCertificate") &&
           get(default_database, "CERT_GetDefaultCertDB") &&
           get(change_trust, "CERT_ChangeCertTrust") && get(trust_of, "CERT_GetCertTrust") &&
           get(delete_certificate, "SEC_DeletePermCertificate") && get(last_error, "PR_GetError");
  }
};

namespace {

using base::ErrorCode;
using base::Result;

// Never unloaded: NSS registers handlers that outlive its own shutdown.
NssLibrary const* nss_library() {
  static NssLibrary library;
  static bool const loaded = library.load();
  return loaded ? &library : nullptr;
}

bool database_open = false;

base::ByteView der_of(CERTCertificate const* certificate) {
  return {certificate->derCert.data, certificate->derCert.len};
}

std::string fingerprint_of(CERTCertificate const* certificate) {
  return base::encode_hex(crypto::sha256({der_of(certificate)}));
}

}  // namespace

struct NssDatabase::Parts {
  NssLibrary const& nss;
  std::string directory;
  NSSInitContext* context = nullptr;
  PK11SlotInfo* slot = nullptr;

  Parts(NssLibrary const& library, std::string path) : nss(library), directory(std::move(path)) {
    DOTKEY_ASSERT(!database_open);
    database_open = true;
  }
  ~Parts() {
    if (slot != nullptr) nss.free_slot(slot);
    if (context != nullptr) nss.shutdown_context(context);
    database_open = false;
  }
  Parts(Parts const&) = delete;
  Parts& operator=(Parts const&) = delete;

  [[nodiscard]] base::Failure failure(char const* what) const {
    std::string detail = directory;
    detail.append(": ")
        .append(what)
        .append(", NSS error ")
        .append(std::to_string(nss.last_error()));
    return base::fail(ErrorCode::trust_store_failed, std::move(detail));
  }

  // Calls `visit` for each certificate until it says false.
  template <class Visit>
  bool visit(Visit visit) const {
    CERTCertList* const list = nss.list_certificates(slot);
    if (list == nullptr) return false;
    for (CERTCertListNode* node = CERT_LIST_HEAD(list); !CERT_LIST_END(node, list);
         node = CERT_LIST_NEXT(node)) {
      if (!visit(node->cert)) break;
    }
    nss.destroy_list(list);
    return true;
  }
};

NssDatabase::NssDatabase(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
NssDatabase::~NssDatabase() = default;

Result<std::unique_ptr<NssDatabase>> NssDatabase::open(std::string const& directory) {
  NssLibrary const* const nss = nss_library();
  if (nss == nullptr) return base::fail(ErrorCode::trust_nss_unavailable);
  auto parts = std::make_unique<Parts>(*nss, directory);
  NSSInitParameters parameters{};
  parameters.length = sizeof parameters;
  // No root module: what the browser ships is not our concern. sql: is the format of today.
  parts->context =
      nss->init_context(std::string("sql:").append(directory).c_str(), "", "", SECMOD_DB,
                        &parameters, NSS_INIT_NOROOTINIT | NSS_INIT_OPTIMIZESPACE);
  if (parts->context == nullptr) return parts->failure("the database does not open");
  parts->slot = nss->internal_key_slot();
  if (parts->slot == nullptr) return parts->failure("no slot");
  if (nss->needs_user_init(parts->slot) && nss->init_pin(parts->slot, nullptr, "") != SECSuccess) {
    return parts->failure("a new database cannot be made");
  }
  return std::unique_ptr<NssDatabase>(new NssDatabase(std::move(parts)));
}

Result<std::vector<NssCertificate>> NssDatabase::list() {
  std::vector<NssCertificate> found;
  bool const listed = parts_->visit([&](CERTCertificate* certificate) {
    CERTCertTrust trust{};
    bool const has_trust = parts_->nss.trust_of(certificate, &trust) == SECSuccess;
    found.push_back({fingerprint_of(certificate),
                     certificate->nickname == nullptr ? "" : certificate->nickname,
                     has_trust && (trust.sslFlags & CERTDB_TRUSTED_CA) != 0});
    return true;
  });
  if (!listed) return parts_->failure("the certificates cannot be listed");
  return found;
}

Result<void> NssDatabase::add_ca(base::ByteView der, std::string const& nickname) {
  NssLibrary const& nss = parts_->nss;
  SECItem item{siBuffer, const_cast<unsigned char*>(der.data()), static_cast<unsigned>(der.size())};
  CERTCertificate* const certificate =
      nss.new_certificate(nss.default_database(), &item, nullptr, PR_FALSE, PR_TRUE);
  if (certificate == nullptr) return parts_->failure("not a certificate");
  std::string const fingerprint = base::encode_hex(crypto::sha256({der}));
  bool const locked = nss.needs_login(parts_->slot);
  bool const imported = nss.import_certificate(parts_->slot, certificate, CK_INVALID_HANDLE,
                                               nickname.c_str(), PR_FALSE) == SECSuccess;
  CERTCertTrust trust{CERTDB_VALID_CA | CERTDB_TRUSTED_CA, 0, 0};
  bool const trusted =
      imported && nss.change_trust(nss.default_database(), certificate, &trust) == SECSuccess;
  Result<void> const failed = trusted ? Result<void>{} : parts_->failure("the CA is not accepted");
  nss.destroy_certificate(certificate);
  if (trusted) return {};
  if (imported) static_cast<void>(remove(fingerprint));
  if (locked) return base::fail(ErrorCode::trust_store_locked, parts_->directory);
  return failed;
}

Result<bool> NssDatabase::remove(std::string const& fingerprint) {
  bool found = false;
  bool removed = false;
  bool const listed = parts_->visit([&](CERTCertificate* certificate) {
    if (fingerprint_of(certificate) != fingerprint) return true;
    found = true;
    removed = parts_->nss.delete_certificate(certificate) == SECSuccess;
    return false;
  });
  if (!listed || removed != found) return parts_->failure("the CA cannot be removed");
  return removed;
}

bool NssDatabase::is_empty() {
  bool certificates = false;
  bool const listed = parts_->visit([&certificates](CERTCertificate*) {
    certificates = true;
    return false;
  });
  SECKEYPrivateKeyList* const keys = parts_->nss.list_private_keys(parts_->slot, nullptr, nullptr);
  bool const has_keys = keys != nullptr && !PRIVKEY_LIST_END(PRIVKEY_LIST_HEAD(keys), keys);
  if (keys != nullptr) parts_->nss.destroy_private_keys(keys);
  return listed && !certificates && !has_keys;
}

}  // namespace dotkey::host::trust
