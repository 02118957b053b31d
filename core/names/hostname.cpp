// SPDX-License-Identifier: Apache-2.0
#include "core/names/hostname.h"

#include "core/base/text.h"
#include "core/names/public_key.h"

namespace dotkey::names {

using base::ErrorCode;
using base::Result;

namespace {

base::Failure malformed(std::string detail) {
  return base::fail(ErrorCode::hostname_malformed, std::move(detail));
}

// RFC 952 and 1123, and the underscore of RFC 8552.
bool is_label_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// Splits the last label off `name`, which may become empty.
std::string_view take_last_label(std::string_view& name) {
  std::size_t const dot = name.rfind('.');
  std::string_view const label = name.substr(dot == std::string_view::npos ? 0 : dot + 1);
  name = name.substr(0, dot == std::string_view::npos ? 0 : dot);
  return label;
}

// Lower case, without the root's dot, every label within its bounds.
Result<std::string> normalize(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.empty()) return malformed("it is empty");
  if (host.size() > hostname_size_max) {
    return malformed(std::to_string(host.size()) + " characters, at most " +
                     std::to_string(hostname_size_max) + " fit");
  }
  std::string out = base::to_lower_ascii(host);
  std::size_t label_size = 0;
  for (char const c : out) {
    if (c == '.' && label_size == 0) return malformed("a label is empty");
    if (c != '.' && !is_label_character(c)) {
      bool const is_ascii = static_cast<unsigned char>(c) < 0x80;
      return malformed(is_ascii
                           ? "a label holds a character other than letters, digits, '-' and '_'"
                           : "write names in other scripts as A-labels (xn--...)");
    }
    label_size = c == '.' ? 0 : label_size + 1;
    if (label_size > label_size_max) return malformed("a label has more than 63 characters");
  }
  if (label_size == 0) return malformed("a label is empty");
  return out;
}

// `name` is normalized and without the TLD.
Result<Hostname> parse_below_tld(std::string_view name) {
  auto const key = parse_bare_public_key(take_last_label(name));
  if (!key) return base::Failure(key.error());
  return Hostname{*key, std::string(name)};
}

}  // namespace

std::string Hostname::to_string() const {
  std::string out = subdomain;
  if (!out.empty()) out += '.';
  out += format_public_key(key);
  out += '.';
  out += tld;
  return out;
}

Result<Hostname> parse_hostname(std::string_view host) {
  auto const normal = normalize(host);
  if (!normal) return base::Failure(normal.error());
  std::string_view name = *normal;
  if (take_last_label(name) != tld) return malformed("it does not end in ." + std::string(tld));
  if (name.empty()) return malformed("no public key stands before ." + std::string(tld));
  return parse_below_tld(name);
}

Result<Hostname> parse_bare_hostname(std::string_view host) {
  auto const normal = normalize(host);
  if (!normal) return base::Failure(normal.error());
  return parse_below_tld(*normal);
}

Ownership classify(std::string_view host) {
  if (parse_hostname(host)) return Ownership::ours;
  // Wider than the grammar on purpose: whatever a sloppy resolver could take for a `.key` name
  // stays with us.
  while (!host.empty() && (host.back() == '.' || static_cast<unsigned char>(host.back()) <= 0x20)) {
    host.remove_suffix(1);
  }
  bool const ends_in_tld = base::to_lower_ascii(take_last_label(host)) == tld;
  return ends_in_tld ? Ownership::malformed_ours : Ownership::not_ours;
}

}  // namespace dotkey::names
