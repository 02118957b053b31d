// SPDX-License-Identifier: Apache-2.0
#include "core/pin/name_constraints.h"

#include <optional>

#include "core/base/text.h"
#include "core/pin/der.h"
#include "core/pin/extensions.h"

namespace dotkey::pin {
namespace {

using base::ByteView;
using base::text_of;

struct Subtrees {
  ByteView permitted;
  ByteView excluded;
};

// GeneralSubtrees are SEQUENCEs that hold one GeneralName: minimum is 0 by default and maximum
// absent (RFC 5280 §4.2.1.10), and DER leaves both out.
std::optional<DerElement> read_subtree(DerReader& subtrees) {
  auto const contents = subtrees.read_contents(der::sequence);
  if (!contents) return std::nullopt;
  DerReader fields(*contents);
  auto const base_name = fields.read_any();
  if (!base_name || !fields.at_end()) return std::nullopt;
  return base_name;
}

bool are_subtrees(ByteView contents, std::size_t& count) {
  if (contents.empty()) return false;
  DerReader subtrees(contents);
  while (!subtrees.at_end()) {
    auto const name = read_subtree(subtrees);
    if (!name || !is_general_name(*name) || ++count > name_subtrees_max) return false;
    bool const has_mask = name->contents.size() == 8 || name->contents.size() == 32;
    if (name->tag == general_name::ip && !has_mask) return false;
  }
  return true;
}

std::optional<Subtrees> parse_name_constraints(ByteView bytes) {
  DerReader outer(bytes);
  auto const contents = outer.read_contents(der::sequence);
  if (!contents || contents->empty() || !outer.at_end()) return std::nullopt;
  DerReader fields(*contents);
  Subtrees out;
  std::size_t count = 0;
  if (fields.next_is(der::context_constructed(0))) {
    out.permitted = fields.read_contents(der::context_constructed(0)).value_or(ByteView{});
    if (!are_subtrees(out.permitted, count)) return std::nullopt;
  }
  if (fields.next_is(der::context_constructed(1))) {
    out.excluded = fields.read_contents(der::context_constructed(1)).value_or(ByteView{});
    if (!are_subtrees(out.excluded, count)) return std::nullopt;
  }
  if (!fields.at_end()) return std::nullopt;
  return out;
}

// True when `name` is `domain` or below it. "" holds every name; ".example" holds what is below
// "example" but not itself, which is how NSS and OpenSSL read the leading dot.
bool is_within(std::string_view name, std::string_view domain) {
  if (domain.empty()) return true;
  if (domain.size() > name.size()) return false;
  std::string_view const tail = name.substr(name.size() - domain.size());
  if (base::to_lower_ascii(tail) != base::to_lower_ascii(domain)) return false;
  if (tail.size() == name.size()) return !domain.starts_with('.');
  return domain.starts_with('.') || name[name.size() - domain.size() - 1] == '.';
}

bool is_in_network(ByteView address, ByteView network) {
  if (network.size() != 2 * address.size()) return false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    unsigned const mask = network[address.size() + i];
    if ((address[i] & mask) != (network[i] & mask)) return false;
  }
  return true;
}

// Names and constraints of a kind that is not compared here count as within, for exclusion, and as
// not within, for permission.
enum class Side : std::uint8_t { permitted, excluded };

bool is_name_within(DerElement const& name, DerElement const& subtree, Side side) {
  if (name.tag == general_name::ip) return is_in_network(name.contents, subtree.contents);
  if (name.tag != general_name::dns) return side == Side::excluded;
  std::string_view text = text_of(name.contents);
  std::string_view const domain = text_of(subtree.contents);
  if (side == Side::permitted) return is_within(text, domain);
  // A wildcard is excluded as soon as one of the names that it stands for is.
  if (text.starts_with("*.")) {
    text.remove_prefix(2);
    if (is_within(domain, text)) return true;
  }
  return is_within(text, domain);
}

bool take_one(std::size_t& left) {
  if (left == 0) return false;
  --left;
  return true;
}

bool is_permitted(DerElement const& name, Subtrees const& constraints,
                  std::size_t& comparisons_left) {
  bool has_permitted_kind = false;
  bool is_inside = false;
  DerReader permitted(constraints.permitted);
  while (!permitted.at_end()) {
    auto const subtree = read_subtree(permitted);
    if (!subtree || !take_one(comparisons_left)) return false;
    if (subtree->tag != name.tag) continue;
    has_permitted_kind = true;
    is_inside = is_inside || is_name_within(name, *subtree, Side::permitted);
  }
  if (has_permitted_kind && !is_inside) return false;
  DerReader excluded(constraints.excluded);
  while (!excluded.at_end()) {
    auto const subtree = read_subtree(excluded);
    if (!subtree || !take_one(comparisons_left)) return false;
    if (subtree->tag == name.tag && is_name_within(name, *subtree, Side::excluded)) return false;
  }
  return true;
}

}  // namespace

bool are_name_constraints(ByteView bytes) {
  return parse_name_constraints(bytes).has_value();
}

bool permits_names(ByteView bytes, Certificate const& certificate, std::size_t& comparisons_left) {
  if (bytes.empty()) return true;
  if (comparisons_left == 0) return false;
  auto const constraints = parse_name_constraints(bytes);
  if (!constraints) return false;
  DerReader names(certificate.extensions.subject_alt_names);
  while (!names.at_end()) {
    auto const name = names.read_any();
    if (!name || !is_permitted(*name, *constraints, comparisons_left)) return false;
  }
  // A subject that is not empty is a name of the kind directoryName.
  DerReader subject_reader(certificate.subject);
  auto const subject = subject_reader.read_contents(der::sequence);
  if (!subject) return false;
  if (subject->empty()) return true;
  return is_permitted({general_name::directory, *subject, certificate.subject}, *constraints,
                      comparisons_left);
}

}  // namespace dotkey::pin
