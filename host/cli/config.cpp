// SPDX-License-Identifier: Apache-2.0
#include "host/cli/config.h"

#include <functional>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "host/cli/ascii_toml.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;
using base::Result;

std::string place_of(std::string const& file, toml::source_region const& region) {
  return file + ", line " + std::to_string(region.begin.line) + ", column " +
         std::to_string(region.begin.column) + ": ";
}

// One key of a table: where its value goes, and what it may be.
struct Entry {
  enum class Fit : std::uint8_t { good, wrong_kind, out_of_range };

  std::string_view name;
  std::function<Fit(toml::node const&)> read;
};

template <class T>
Entry value(std::string_view name, std::optional<T>& out) {
  return {name, [&out](toml::node const& node) {
            out = node.value_exact<T>();
            return out ? Entry::Fit::good : Entry::Fit::wrong_kind;
          }};
}

Entry flag(std::string_view name, bool& out) {
  return {name, [&out](toml::node const& node) {
            auto const read = node.value_exact<bool>();
            out = read.value_or(out);
            return read ? Entry::Fit::good : Entry::Fit::wrong_kind;
          }};
}

template <class T>
Entry number(std::string_view name, T& out, std::int64_t min, std::int64_t max) {
  return {name, [&out, min, max](toml::node const& node) {
            auto const read = node.value_exact<std::int64_t>();
            if (!read) return Entry::Fit::wrong_kind;
            if (*read < min || *read > max) return Entry::Fit::out_of_range;
            out = static_cast<T>(*read);
            return Entry::Fit::good;
          }};
}

Entry list(std::string_view name, std::vector<std::string>& out) {
  return {name, [&out](toml::node const& node) {
            toml::array const* const array = node.as_array();
            if (array == nullptr) return Entry::Fit::wrong_kind;
            for (toml::node const& element : *array) {
              auto text = element.value_exact<std::string>();
              if (!text) return Entry::Fit::wrong_kind;
              out.push_back(std::move(*text));
            }
            return Entry::Fit::good;
          }};
}

Result<void> read_entry(std::string const& file, toml::key const& key, toml::node const& node,
                        std::vector<Entry> const& entries) {
  std::string const name(key.str());
  for (Entry const& entry : entries) {
    if (entry.name != name) continue;
    switch (entry.read(node)) {
      case Entry::Fit::good:
        return {};
      case Entry::Fit::wrong_kind:
        return base::fail(ErrorCode::config_malformed,
                          place_of(file, node.source()) + name + " has a value of another kind");
      case Entry::Fit::out_of_range:
        return base::fail(ErrorCode::number_out_of_range, place_of(file, node.source()) + name);
    }
  }
  return base::fail(ErrorCode::config_unknown_key, place_of(file, key.source()) + name);
}

Result<void> read_table(std::string const& file, toml::table const& table,
                        std::vector<Entry> const& entries) {
  for (auto const& [key, node] : table) {
    if (auto read = read_entry(file, key, node, entries); !read) return read;
  }
  return {};
}

std::vector<Entry> daemon_entries(DaemonOptions& out) {
  return {number("cache_entries_max", out.cache_entries_max, 1, 10'000'000),
          number("dht_port", out.dht_port, 0, 65'535),
          number("packets_max", out.packets_max, 1, 100'000'000),
          number("republish_interval_s", out.republish_interval_s, 10, 7200)};
}

std::vector<Entry> top_entries(Config& out) {
  return {list("bootstrap", out.bootstrap),
          list("relays", out.relays),
          value("dht", out.dht),
          value("allow_local_network", out.allow_local_network),
          value("timeout_s", out.timeout_s),
          value("state_dir", out.state_dir)};
}

}  // namespace

Result<Config> parse_config(std::string const& file, std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  auto const ascii = escape_toml(text);
  if (!ascii) return base::fail(ascii.error().code, file + ", " + ascii.error().detail);
  toml::parse_result const parsed = toml::parse(std::string_view(*ascii), file);
  if (!parsed) {
    return base::fail(ErrorCode::config_malformed, place_of(file, parsed.error().source()) +
                                                       std::string(parsed.error().description()));
  }
  Config config;
  std::vector<Entry> const top = top_entries(config);
  for (auto const& [key, node] : parsed.table()) {
    // The relays are a list, or a table that names it.
    Result<void> read;
    if (toml::table const* const table = node.as_table(); table != nullptr && key == "daemon") {
      read = read_table(file, *table, daemon_entries(config.daemon));
    } else if (table != nullptr && key == "relays") {
      read = read_table(
          file, *table,
          {list("urls", config.relays), flag("republish", config.daemon.republish_to_relays)});
    } else {
      read = read_entry(file, key, node, top);
    }
    if (!read) return tl::make_unexpected(read.error());
  }
  return config;
}

Result<Config> load_config(std::string const& named, std::string const& fallback) {
  constexpr std::size_t config_size_max = 64 * 1024;
  if (named.empty() && !store::exists(fallback)) return Config{};
  std::string const& file = named.empty() ? fallback : named;
  auto const text = store::read_file(file, config_size_max);
  if (!text) return tl::make_unexpected(text.error());
  return parse_config(file, base::text_of(*text));
}

}  // namespace dotkey::host::cli
