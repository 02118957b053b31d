// SPDX-License-Identifier: Apache-2.0
// Owners for OpenSSL's objects, and its certificates as bytes.
#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/base/bytes.h"

namespace dotkey::host::trust {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, FreeWith<&BIO_free>>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<&EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<&X509_free>>;

// A second owner of the same object.
X509Ptr share(X509* certificate);

base::Bytes encode_der(X509 const* certificate);
// Exactly one certificate and nothing after it; else null.
X509Ptr parse_der(base::ByteView der);

// What OpenSSL says went wrong last, for a person; clears its error queue.
std::string last_openssl_error();

}  // namespace dotkey::host::trust
