// SPDX-License-Identifier: Apache-2.0
// dotkey install and dotkey uninstall.
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "host/cli/daemon_start.h"
#include "host/cli/install_settings.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/install/install.h"

namespace dotkey::host::cli {
namespace {

using install::Settings;
using install::Step;

boost::json::object to_json(Step const& step) {
  boost::json::object entry{{"what", step.what}, {"path", step.path}, {"changed", step.changed}};
  if (!step.browser.empty()) entry["browser"] = step.browser;
  if (!step.hint.empty()) entry["hint"] = step.hint;
  if (step.error) {
    entry["error"] = base::slug_of(step.error->code);
    entry["advice"] = base::advice_for(step.error->code);
    entry["detail"] = step.error->detail;
  }
  return entry;
}

std::string text_of(Step const& step, bool dry_run, std::string const& done) {
  constexpr std::size_t column = 14;
  std::string line = done;
  if (dry_run) line = "would change";
  if (!step.changed) line = step.hint.empty() ? "unchanged" : "note";
  if (step.error) line = "failed";
  line.resize(column, ' ');
  line += step.what;
  if (!step.browser.empty()) line.append(" for ").append(step.browser);
  line.append(": ").append(step.path);
  if (!step.hint.empty()) line.append("\n").append(column, ' ').append(step.hint);
  return line;
}

// The steps, and the first of their errors.
base::Result<void> print_steps(Program const& program, Settings const& settings, char const* done,
                               std::vector<Step> const& steps) {
  base::Result<void> result;
  boost::json::array list;
  for (Step const& step : steps) {
    if (step.error && result) result = base::Failure(*step.error);
    if (program.options.json) {
      list.push_back(to_json(step));
    } else {
      print_line(text_of(step, settings.dry_run, done));
    }
  }
  if (program.options.json) {
    print_json({{"dry_run", settings.dry_run}, {"steps", std::move(list)}});
  } else if (steps.empty()) {
    print_line("Nothing to do.");
  }
  return result;
}

using Operation = base::Result<std::vector<Step>> (*)(Settings const&);

void add_command(CLI::App& app, Program& program, char const* name, char const* text,
                 Operation operation, char const* done) {
  CLI::App* const command = app.add_subcommand(name, text);
  auto const settings = std::make_shared<Settings>();
  command
      ->add_option("--browser", settings->browser,
                   "One alone: chromium, chrome, edge, brave or firefox")
      ->type_name("NAME");
  CLI::Option* const system =
      command->add_flag("--system", settings->system, "For all users of this computer, as root");
  command->add_option("--root", settings->root, "With --system: below this directory")
      ->type_name("DIR");
  if (operation == &install::install) {
    command
        ->add_flag("--dns", settings->dns,
                   "With --system: systemd-resolved asks 127.0.0.1:5300 for names in .key")
        ->needs(system);
    command->add_flag("--new-ca", settings->new_ca,
                      "Replace the local CA: its file is damaged, or others may have read it");
  }
  command->add_flag("--dry-run", settings->dry_run, "Only say what would be done");
  command->footer(std::string("Examples:\n  dotkey ") + name + " --dry-run\n  dotkey " + name +
                  " --browser firefox");
  command->callback([&program, settings, operation, done] {
    program.action = [&program, settings, operation, done]() -> base::Result<void> {
      if (auto completed = complete_install_settings(*settings, program); !completed)
        return completed;
      auto const steps = operation(*settings);
      if (!steps) return base::Failure(steps.error());
      if (!settings->dry_run) tell_daemon_to_reload(program);
      return print_steps(program, *settings, done, *steps);
    };
  });
}

}  // namespace

void add_install_commands(CLI::App& app, Program& program) {
  add_command(app, program, "install", "Connect the browsers of this system with dotkey",
              &install::install, "installed");
  add_command(app, program, "uninstall", "Take back all that `dotkey install` did",
              &install::uninstall, "removed");
}

}  // namespace dotkey::host::cli
