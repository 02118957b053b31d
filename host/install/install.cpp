// SPDX-License-Identifier: Apache-2.0
#include "host/install/install.h"

#include <algorithm>

#include "host/install/trust_child.h"
#include "host/install/wanted_files.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::install {
namespace {

using base::Result;

constexpr char hint_restart_firefox[] = "takes effect when Firefox is started next";
constexpr char hint_resolved[] =
    "run `systemctl restart systemd-resolved`, and have `dotkey dns` or the daemon answer on "
    "127.0.0.1:5300";
constexpr char hint_confined[] =
    "this browser is confined by a snap or flatpak and cannot start programs; install Debian's "
    "package or the vendor's";

Step put_file(InstalledFiles& files, WantedFile const& wanted, bool dry_run) {
  Step step{kind_of_file(wanted.path), wanted.browser, wanted.path};
  auto const change = dry_run ? InstalledFiles::compare(wanted) : files.put(wanted);
  if (!change) {
    step.error = change.error();
    return step;
  }
  step.changed = *change == Change::made;
  if (step.changed && step.what == "dns") step.hint = hint_resolved;
  if (!step.changed || step.what != "preferences") return step;
  std::string const profile = wanted.path.substr(0, wanted.path.rfind('/'));
  if (is_profile_in_use(profile)) step.hint = hint_restart_firefox;
  return step;
}

// The old root leaves every store before its file does: `remove` knows it by the file, or by the
// list of what was installed.
void add_new_ca_steps(Settings const& settings, std::vector<Step>& steps) {
  std::string const file = settings.state_dir + "/ca.pem";
  Step step{"ca", "", file, store::exists(file)};
  if (!settings.dry_run && step.changed) {
    TrustRequest request;
    request.action = TrustAction::remove;
    auto const reports = run_trust_child(settings.program, request, settings.state_dir);
    if (!reports) step.error = reports.error();
    auto const removed = store::remove_file(file);
    if (!removed) step.error = removed.error();
  }
  steps.push_back(std::move(step));
}

void add_certificate_steps(Settings const& settings, std::vector<Browser> const& browsers,
                           std::vector<Step>& steps) {
  auto const has = [&](BrowserKind kind) {
    return std::any_of(browsers.begin(), browsers.end(),
                       [kind](Browser const& browser) { return browser.kind == kind; });
  };
  bool const chromium = has(BrowserKind::chromium);
  bool const firefox = has(BrowserKind::firefox);
  if (!chromium && !firefox) return;
  TrustRequest request;
  request.action = settings.dry_run ? TrustAction::list : TrustAction::install;
  if (!chromium) request.only = BrowserKind::firefox;
  if (!firefox) request.only = BrowserKind::chromium;
  auto const reports = run_trust_child(settings.program, request, settings.state_dir);
  if (!reports) {
    steps.push_back({"certificate", "", settings.state_dir, false, reports.error()});
    return;
  }
  for (TrustReport const& report : *reports) steps.push_back(certificate_step(report, request));
}

}  // namespace

Step certificate_step(TrustReport const& report, TrustRequest const& request) {
  Step step{"certificate", report.kind == BrowserKind::firefox ? "firefox" : "chromium",
            report.directory};
  step.changed = report.changed;
  if (request.action == TrustAction::list) step.changed = !report.trusted;
  if (report.error.empty()) return step;
  base::ErrorCode const code = report.error == base::slug_of(base::ErrorCode::trust_store_locked)
                                   ? base::ErrorCode::trust_store_locked
                                   : base::ErrorCode::trust_store_failed;
  step.error.emplace(code, report.detail);
  return step;
}

Result<std::vector<Step>> install(Settings const& settings) {
  auto const browsers = chosen_browsers(settings);
  if (!browsers) return base::Failure(browsers.error());
  // Every user's daemon looks whether the system has an installation.
  auto files = InstalledFiles::load(list_path_of(settings), settings.system ? 0755 : 0700);
  if (!files) return base::Failure(files.error());
  auto wanted = settings.system ? system_files(settings, *browsers)
                                : Result<std::vector<WantedFile>>(user_files(settings, *browsers));
  if (!wanted) return base::Failure(wanted.error());
  std::vector<Step> steps;
  for (WantedFile const& file : *wanted) {
    steps.push_back(put_file(*files, file, settings.dry_run));
  }
  if (settings.system) return steps;
  if (settings.new_ca) add_new_ca_steps(settings, steps);
  add_certificate_steps(settings, *browsers, steps);
  for (std::string const& directory : confined_browsers(settings.user)) {
    steps.push_back({"browser", "", directory, false, std::nullopt, hint_confined});
  }
  return steps;
}

}  // namespace dotkey::host::install
