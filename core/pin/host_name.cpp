// SPDX-License-Identifier: Apache-2.0
#include "core/pin/host_name.h"

#include "core/base/endpoint.h"
#include "core/pin/der.h"
#include "core/pin/extensions.h"

namespace dotkey::pin {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// Labels of 1 to 63 bytes, 253 bytes in all, no bytes that have no place in a host name.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  std::size_t label_size = 0;
  for (char const c : name) {
    if (c == '.') {
      if (label_size == 0) return false;
      label_size = 0;
      continue;
    }
    bool const is_allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!is_allowed || ++label_size > 63) return false;
  }
  return label_size != 0;
}

}  // namespace

bool matches_host(std::string_view presented, std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (!is_host_name(host)) return false;
  if (!presented.starts_with("*.")) return equal_ignoring_case(presented, host);
  std::string_view const parent = presented.substr(2);
  if (!is_host_name(parent) || parent.find('.') == std::string_view::npos) return false;
  std::size_t const dot = host.find('.');
  return dot != std::string_view::npos && equal_ignoring_case(parent, host.substr(dot + 1));
}

bool names_host(Certificate const& certificate, std::string_view host) {
  if (base::IpAddress::parse(host)) return false;
  DerReader names(certificate.extensions.subject_alt_names);
  while (!names.at_end()) {
    auto const name = names.read_any();
    if (!name) return false;
    if (name->tag == general_name::dns && matches_host(base::text_of(name->contents), host)) {
      return true;
    }
  }
  return false;
}

}  // namespace dotkey::pin
