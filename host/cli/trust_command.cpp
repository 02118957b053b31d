// SPDX-License-Identifier: Apache-2.0
// dotkey trust: the only process that touches browsers' certificate databases.
#include <memory>

#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/install/trust_child.h"

namespace dotkey::host::cli {
namespace {

base::Result<void> run_trust(Program const& program, install::TrustRequest const& request) {
  auto const user = trust::UserDirectories::current();
  if (!user) return base::fail(base::ErrorCode::file_unreadable, "no home directory is known");
  auto const reports = install::run_trust(request, program.paths.state_dir, *user);
  if (!reports) return base::Failure(reports.error());
  print_line(install::encode_trust_reports(*reports));
  for (install::TrustReport const& report : *reports) {
    if (!report.error.empty()) {
      return base::fail(base::ErrorCode::trust_store_failed, report.directory);
    }
  }
  return {};
}

}  // namespace

void add_trust_command(CLI::App& app, Program& program) {
  CLI::App* const trust = app.add_subcommand(
      "trust", "Put the local CA into the browsers' trust stores, and out again");
  trust->require_subcommand(1);
  auto const request = std::make_shared<install::TrustRequest>();
  auto const only = std::make_shared<std::string>();
  trust->add_option("--only", *only, "One kind of browser")
      ->check(CLI::IsMember({"chromium", "firefox"}));
  auto const add = [&](char const* name, char const* text, install::TrustAction action) {
    CLI::App* const command = trust->add_subcommand(name, text);
    command->callback([&program, request, only, action] {
      program.tolerates_bad_config = true;  // nothing in it is of use here
      program.action = [&program, request, only, action] {
        request->action = action;
        if (!only->empty()) {
          request->only =
              *only == "firefox" ? install::BrowserKind::firefox : install::BrowserKind::chromium;
        }
        return run_trust(program, *request);
      };
    });
  };
  add("list", "Show the trust stores", install::TrustAction::list);
  add("install", "Trust the local CA; `dotkey install` does this", install::TrustAction::install);
  add("remove", "Trust it no more; `dotkey uninstall` does this", install::TrustAction::remove);
  trust->footer("Prints one JSON object. Example:\n  dotkey trust list");
}

}  // namespace dotkey::host::cli
