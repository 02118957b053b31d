// SPDX-License-Identifier: Apache-2.0
#include "host/cli/usage.h"

#include <algorithm>

namespace dotkey::host::cli {
namespace {

constexpr std::size_t word_size_max = 32;

// Optimal string alignment: insertions, deletions, changes, and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t const change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      bool const swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// The command that was being read when reading stopped, and its words, such as "dotkey key new".
struct Place {
  CLI::App const* app;
  std::string words;
};

Place find_place(CLI::App const& app) {
  Place place{&app, app.get_name()};
  for (auto chosen = app.get_subcommands(); !chosen.empty();
       chosen = place.app->get_subcommands()) {
    place.app = chosen.front();
    place.words += " " + place.app->get_name();
  }
  return place;
}

std::vector<std::string> command_names(CLI::App const& app) {
  std::vector<std::string> names;
  for (CLI::App const* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

void add_option_names(CLI::App const& app, std::vector<std::string>& names) {
  for (CLI::Option const* option : app.get_options()) {
    for (std::string const& name : option->get_lnames()) names.push_back("--" + name);
  }
}

std::vector<std::string> option_names(CLI::App const& app, CLI::App const& command) {
  std::vector<std::string> names;
  add_option_names(app, names);
  if (&command != &app) add_option_names(command, names);
  return names;
}

std::string suggest(std::string const& meant) {
  return meant.empty() ? "" : "; did you mean `" + meant + "`?";
}

std::string explain_word(CLI::App const& app, Place const& place, std::string const& word) {
  if (word.starts_with('-')) {
    std::string const name = word.substr(0, word.find('='));
    return name + " is no option of `" + place.words + "`" +
           suggest(nearest(name, option_names(app, *place.app)));
  }
  std::vector<std::string> const commands = command_names(*place.app);
  if (commands.empty()) return "`" + place.words + "` has no use for \"" + word + "\"";
  return "\"" + word + "\" is no command" + suggest(nearest(word, commands));
}

bool is(CLI::ParseError const& error, CLI::ExitCodes code) {
  return error.get_exit_code() == static_cast<int>(code);
}

}  // namespace

std::string nearest(std::string_view word, std::vector<std::string> const& candidates) {
  std::size_t const distance_max = std::min<std::size_t>(2, (word.size() - 1) / 2);
  std::string best;
  std::size_t best_distance = distance_max + 1;
  if (word.empty() || word.size() > word_size_max) return best;
  for (std::string const& candidate : candidates) {
    std::size_t const distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string describe_usage_error(CLI::App const& app, CLI::ParseError const& error) {
  Place const place = find_place(app);
  std::vector<std::string> const unread = app.remaining(true);
  bool const about_a_word =
      is(error, CLI::ExitCodes::ExtrasError) ||
      (is(error, CLI::ExitCodes::RequiredError) && !command_names(*place.app).empty());
  std::string const what = about_a_word && !unread.empty()
                               ? explain_word(app, place, unread.front())
                               : std::string(error.what());
  return "usage: " + what + "\nRun `" + place.words + " --help`.\n";
}

}  // namespace dotkey::host::cli
