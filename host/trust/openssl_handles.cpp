// SPDX-License-Identifier: Apache-2.0
#include "host/trust/openssl_handles.h"

#include <openssl/err.h>

#include "core/base/assert.h"

namespace dotkey::host::trust {

X509Ptr share(X509* certificate) {
  X509_up_ref(certificate);
  return X509Ptr(certificate);
}

base::Bytes encode_der(X509 const* certificate) {
  int const size = i2d_X509(certificate, nullptr);
  DOTKEY_ASSERT(size > 0);
  base::Bytes der(static_cast<std::size_t>(size));
  unsigned char* out = der.data();
  i2d_X509(certificate, &out);
  return der;
}

X509Ptr parse_der(base::ByteView der) {
  unsigned char const* in = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
  bool const whole = certificate && in == der.data() + der.size();
  if (!whole) ERR_clear_error();
  return whole ? std::move(certificate) : nullptr;
}

std::string last_openssl_error() {
  char text[256] = "unknown";
  if (unsigned long const code = ERR_peek_last_error(); code != 0) {
    ERR_error_string_n(code, text, sizeof text);
  }
  ERR_clear_error();
  return text;
}

}  // namespace dotkey::host::trust
