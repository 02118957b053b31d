// SPDX-License-Identifier: Apache-2.0
#include "host/install/firefox_preferences.h"

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

namespace dotkey::host::install {
namespace {

constexpr std::string_view block_begin = "// dotkey begins: .key names stay out of the DNS.\n";
constexpr std::string_view block_end = "// dotkey ends.\n";
constexpr char https_records[] = "network.dns.native_https_query";
constexpr char not_over_https[] = "network.trr.excluded-domains";

std::string_view take_line(std::string_view& text) {
  std::size_t const end = text.find('\n');
  std::string_view const line = text.substr(0, end == std::string_view::npos ? end : end + 1);
  text.remove_prefix(line.size());
  return line;
}

struct Line {
  std::string_view name;
  std::string_view value;
};

void trim(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
}

// user_pref("name", value);
std::optional<Line> parse_line(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  trim(line);
  constexpr std::string_view opening = "user_pref(\"";
  if (!line.starts_with(opening) || !line.ends_with(");")) return std::nullopt;
  line.remove_prefix(opening.size());
  line.remove_suffix(2);
  std::size_t const quote = line.find('"');
  if (quote == std::string_view::npos) return std::nullopt;
  Line found{line.substr(0, quote), line.substr(quote + 1)};
  trim(found.value);
  if (!found.value.starts_with(',')) return std::nullopt;
  found.value.remove_prefix(1);
  trim(found.value);
  return found;
}

std::string text_of(FirefoxPreference const& preference) {
  std::string line = "user_pref(\"";
  return line.append(preference.name).append("\", ").append(preference.value).append(");\n");
}

FirefoxPreference const* find(std::vector<FirefoxPreference> const& list, std::string_view name) {
  auto const found =
      std::find_if(list.begin(), list.end(), [&](auto const& p) { return p.name == name; });
  return found == list.end() ? nullptr : &*found;
}

struct Block {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::optional<Block> find_block(std::string_view user_js) {
  std::size_t const begin = user_js.find(block_begin);
  if (begin == std::string_view::npos) return std::nullopt;
  std::size_t const end = user_js.find(block_end, begin);
  if (end == std::string_view::npos) return std::nullopt;
  return Block{begin, end + block_end.size()};
}

// `list` is a quoted, comma-separated list of names; gives it with `key` in it.
std::string with_key(std::string list) {
  if (list.size() < 2 || list.front() != '"' || list.back() != '"') return "\"key\"";
  std::string_view names = std::string_view(list).substr(1, list.size() - 2);
  if (names.empty()) return "\"key\"";
  for (std::string_view rest = names; !rest.empty();) {
    std::size_t const end = std::min(rest.find(','), rest.size());
    std::string_view name = rest.substr(0, end);
    trim(name);
    if (name == "key") return list;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::string("\"").append(names).append(",key\"");
}

}  // namespace

std::optional<std::string> value_of(std::string_view preferences, std::string_view name) {
  std::optional<std::string> value;
  while (!preferences.empty()) {
    auto const line = parse_line(take_line(preferences));
    if (line && line->name == name) value = line->value;
  }
  return value;
}

std::vector<FirefoxPreference> wanted_preferences(std::string_view user_js,
                                                  std::string_view prefs_js) {
  auto excluded = value_of(user_js, not_over_https);
  if (!excluded) excluded = value_of(prefs_js, not_over_https);
  return {{https_records, "false"}, {not_over_https, with_key(excluded.value_or("\"\""))}};
}

std::string with_block(std::string_view user_js, std::vector<FirefoxPreference> const& wanted) {
  std::string text = without_block(user_js);
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  text += block_begin;
  for (FirefoxPreference const& preference : wanted) text += text_of(preference);
  text += block_end;
  return text;
}

std::string without_block(std::string_view user_js) {
  std::string text(user_js);
  while (auto const block = find_block(text)) text.erase(block->begin, block->end - block->begin);
  return text;
}

std::vector<FirefoxPreference> block_of(std::string_view user_js) {
  std::vector<FirefoxPreference> found;
  auto const block = find_block(user_js);
  if (!block) return found;
  std::string_view text = user_js.substr(block->begin, block->end - block->begin);
  while (!text.empty()) {
    if (auto const line = parse_line(take_line(text))) {
      found.push_back({std::string(line->name), std::string(line->value)});
    }
  }
  return found;
}

std::string restore(std::string_view prefs_js, std::vector<FirefoxPreference> const& ours,
                    std::vector<FirefoxPreference> const& before) {
  std::string text;
  while (!prefs_js.empty()) {
    std::string_view const raw = take_line(prefs_js);
    auto const line = parse_line(raw);
    FirefoxPreference const* const mine = line ? find(ours, line->name) : nullptr;
    if (mine == nullptr || line->value != mine->value) {
      text += raw;
    } else if (FirefoxPreference const* const old = find(before, line->name)) {
      text += text_of(*old);
    }
  }
  return text;
}

bool is_profile_in_use(std::string const& profile) {
  int const fd = ::open((profile + "/.parentlock").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  bool const held = ::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(fd);
  return held;
}

}  // namespace dotkey::host::install
