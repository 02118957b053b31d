// SPDX-License-Identifier: Apache-2.0
#include "core/bridge/key_name.h"

#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/names/hostname.h"
#include "core/names/public_key.h"
#include "core/record/signed_packet.h"

namespace dotkey::bridge {

namespace dns = wire::dns;
using dns::Name;

namespace {

std::vector<std::string_view> labels_of(Name const& name) {
  std::vector<std::string_view> out;
  name.for_each_label([&](std::string_view label) { out.push_back(label); });
  return out;
}

bool is_top_level(std::string_view label) {
  return label.size() == names::tld.size() && base::to_lower_ascii(label) == names::tld;
}

}  // namespace

KeyName classify(Name const& name) {
  KeyName out;
  auto labels = labels_of(name);
  if (labels.empty()) return out;
  out.has_top_level = is_top_level(labels.back());
  std::size_t const apex_labels = out.has_top_level ? 2 : 1;
  if (labels.size() < apex_labels) {
    out.place = Place::top_level;
    return out;
  }
  std::size_t const key_at = labels.size() - apex_labels;
  // A label of this size is a key or meant to be one, and nobody else's business.
  bool const is_ours = out.has_top_level || labels[key_at].size() == names::key_text_size;
  if (!is_ours) return out;
  auto const key = names::parse_bare_public_key(base::to_lower_ascii(labels[key_at]));
  if (!key) {
    out.place = Place::malformed;
    return out;
  }
  out.place = Place::key;
  out.key = *key;
  std::span<std::string_view const> const all(labels);
  out.apex = Name::from_labels(all.subspan(key_at)).value_or(Name());
  std::string const canonical = names::format_public_key(*key);
  labels.resize(key_at + 1);
  labels.back() = canonical;
  out.inner = Name::from_labels(labels).value_or(Name());
  return out;
}

Name add_top_level(Name const& name) {
  KeyName const known = classify(name);
  if (known.place != Place::key || known.has_top_level) return name;
  std::string_view const top[] = {names::tld};
  auto const suffix = Name::from_labels(top);
  return name.append(*suffix).value_or(name);
}

}  // namespace dotkey::bridge
