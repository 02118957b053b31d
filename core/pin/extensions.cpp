// SPDX-License-Identifier: Apache-2.0
#include "core/pin/extensions.h"

#include <array>

#include "core/pin/name_constraints.h"

namespace dotkey::pin {
namespace {

using base::ByteView;

// id-ce (2.5.29) followed by one byte.
constexpr std::uint8_t id_ce[] = {0x55, 0x1d};
constexpr std::uint8_t ce_key_usage = 15;
constexpr std::uint8_t ce_subject_alt_name = 17;
constexpr std::uint8_t ce_basic_constraints = 19;
constexpr std::uint8_t ce_name_constraints = 30;
constexpr std::uint8_t ce_certificate_policies = 32;
constexpr std::uint8_t ce_extended_key_usage = 37;
constexpr std::uint8_t kp_server_auth[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
constexpr std::uint8_t any_extended_key_usage[] = {0x55, 0x1d, 0x25, 0x00};

bool parse_basic_constraints(ByteView value, Extensions& out) {
  DerReader outer(value);
  auto const contents = outer.read_contents(der::sequence);
  if (!contents || !outer.at_end()) return false;
  DerReader fields(*contents);
  if (fields.next_is(der::boolean)) {
    // An explicit FALSE is not DER but common, and harmless.
    auto const is_ca = fields.read_boolean();
    if (!is_ca) return false;
    out.is_ca = *is_ca;
  }
  if (fields.next_is(der::integer)) {
    auto const length = fields.read_small_integer();
    if (!length || !out.is_ca) return false;
    out.path_length_max = length;
  }
  return fields.at_end();
}

bool parse_key_usage(ByteView value, Extensions& out) {
  DerReader reader(value);
  out.key_usage = reader.read_named_bits();
  return out.key_usage && reader.at_end();
}

bool parse_extended_key_usage(ByteView value, Extensions& out) {
  DerReader outer(value);
  auto const contents = outer.read_contents(der::sequence);
  if (!contents || contents->empty() || !outer.at_end()) return false;
  out.server_use = ServerUse::forbidden;
  DerReader purposes(*contents);
  while (!purposes.at_end()) {
    auto const purpose = purposes.read_contents(der::oid);
    if (!purpose || purpose->empty()) return false;
    if (base::equal(*purpose, kp_server_auth) || base::equal(*purpose, any_extended_key_usage)) {
      out.server_use = ServerUse::permitted;
    }
  }
  return true;
}

bool parse_subject_alt_name(ByteView value, Extensions& out) {
  DerReader outer(value);
  auto const contents = outer.read_contents(der::sequence);
  if (!contents || contents->empty() || !outer.at_end()) return false;
  DerReader names(*contents);
  while (!names.at_end()) {
    auto const name = names.read_any();
    if (!name || !is_general_name(*name)) return false;
    std::size_t const size = name->contents.size();
    if (name->tag == general_name::ip && size != 4 && size != 16) return false;
  }
  out.subject_alt_names = *contents;
  return true;
}

struct Extension {
  ByteView oid;
  bool is_critical = false;
  ByteView value;
};

std::optional<Extension> read_extension(DerReader& list) {
  auto const contents = list.read_contents(der::sequence);
  if (!contents) return std::nullopt;
  DerReader fields(*contents);
  Extension out;
  auto const oid = fields.read_contents(der::oid);
  if (!oid || oid->empty()) return std::nullopt;
  out.oid = *oid;
  if (fields.next_is(der::boolean)) {
    auto const is_critical = fields.read_boolean();
    // X.690 §11.5: a default value is left out.
    if (!is_critical || !*is_critical) return std::nullopt;
    out.is_critical = true;
  }
  auto const value = fields.read_contents(der::octet_string);
  if (!value || !fields.at_end()) return std::nullopt;
  out.value = *value;
  return out;
}

// False: one of the extensions read here is malformed.
bool parse_extension(Extension const& extension, Extensions& out) {
  if (extension.oid.size() == 3 && base::equal(extension.oid.first(2), id_ce)) {
    switch (extension.oid[2]) {
      case ce_key_usage:
        return parse_key_usage(extension.value, out);
      case ce_subject_alt_name:
        return parse_subject_alt_name(extension.value, out);
      case ce_basic_constraints:
        return parse_basic_constraints(extension.value, out);
      case ce_extended_key_usage:
        return parse_extended_key_usage(extension.value, out);
      case ce_name_constraints:
        out.name_constraints = extension.value;
        return are_name_constraints(extension.value);
      // No policy is asked for, so any policy will do (RFC 5280 §6.1.1, any-policy).
      case ce_certificate_policies:
        return true;
      default:
        break;
    }
  }
  if (extension.is_critical) out.has_unknown_critical = true;
  return true;
}

}  // namespace

bool is_general_name(DerElement const& element) {
  switch (element.tag) {
    case der::context_constructed(0):  // otherName
    case der::context(1):              // rfc822Name
    case general_name::dns:
    case der::context_constructed(3):  // x400Address
    case general_name::directory:
    case der::context_constructed(5):  // ediPartyName
    case der::context(6):              // URI
    case der::context(8):              // registeredID
      return true;
    case general_name::ip: {
      // 4 or 16 bytes in a certificate; twice that, with a mask, in a name constraint.
      std::size_t const size = element.contents.size();
      return size == 4 || size == 8 || size == 16 || size == 32;
    }
    default:
      return false;
  }
}

std::optional<Extensions> parse_extensions(ByteView bytes) {
  DerReader outer(bytes);
  auto const contents = outer.read_contents(der::sequence);
  if (!contents || contents->empty() || !outer.at_end()) return std::nullopt;
  std::array<ByteView, extensions_max> seen;
  std::size_t count = 0;
  Extensions out;
  DerReader list(*contents);
  while (!list.at_end()) {
    auto const extension = read_extension(list);
    if (!extension || count == seen.size()) return std::nullopt;
    for (std::size_t i = 0; i < count; ++i) {
      // RFC 5280 §4.2: no extension twice.
      if (base::equal(seen[i], extension->oid)) return std::nullopt;
    }
    seen[count++] = extension->oid;
    if (!parse_extension(*extension, out)) return std::nullopt;
  }
  return out;
}

}  // namespace dotkey::pin
