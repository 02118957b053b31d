// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <filesystem>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/channel/channel.h"
#include "host/channel/socket_path.h"
#include "host/install/install.h"
#include "host/install/wanted_files.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::install {
namespace {

using base::ErrorCode;
using base::Result;

constexpr int end_patience_ms = 20'000;
constexpr char hint_foreign[] = "somebody else changed this file; it stays as it is";

std::string directory_of(std::string const& path) {
  return path.substr(0, path.rfind('/'));
}

// Asks a process to end, and waits for it.
bool end_process(pid_t pid) {
  int const fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return errno == ESRCH;
  bool ended = false;
  if (::kill(pid, SIGTERM) == 0) {
    pollfd entry{fd, POLLIN, 0};
    ended = ::poll(&entry, 1, end_patience_ms) == 1;
  }
  ::close(fd);
  return ended;
}

// Firefox copied our preferences into prefs.js when it started.
Result<void> restore_prefs_js(InstalledFile const& user_js) {
  std::string const path = directory_of(user_js.path) + "/prefs.js";
  if (!store::exists(path)) return {};
  auto const text = store::read_file(path, installed_file_size_max);
  if (!text) return base::Failure(text.error());
  std::string const now(base::text_of(*text));
  std::string const then =
      restore(now, block_of(base::text_of(user_js.written)), user_js.preferences_before);
  if (then == now) return {};
  return rewrite_file(path, then);
}

// The person's own lines came after ours were written: only ours go.
Result<Change> cut_block_out(InstalledFiles& files, std::string const& path) {
  auto const text = store::read_file(path, installed_file_size_max);
  if (!text) return base::Failure(text.error());
  std::string const rest = without_block(base::text_of(*text));
  if (auto written = rewrite_file(path, rest); !written) return base::Failure(written.error());
  if (auto forgotten = files.forget(path); !forgotten) return base::Failure(forgotten.error());
  return Change::made;
}

Result<Change> take_back_preferences(InstalledFiles& files, InstalledFile const& file) {
  if (is_profile_in_use(directory_of(file.path))) {
    return base::fail(ErrorCode::install_firefox_running, directory_of(file.path));
  }
  if (auto restored = restore_prefs_js(file); !restored) return base::Failure(restored.error());
  auto const now = store::exists(file.path) ? store::read_file(file.path, installed_file_size_max)
                                            : Result<base::Bytes>(file.written);
  if (now && *now != file.written) return cut_block_out(files, file.path);
  return files.take_back(file.path);
}

Step take_back_file(InstalledFiles& files, InstalledFile const& file, bool dry_run) {
  Step step{kind_of_file(file.path), file.browser, file.path};
  if (dry_run) {
    step.changed = true;
    return step;
  }
  auto const change =
      step.what == "preferences" ? take_back_preferences(files, file) : files.take_back(file.path);
  if (!change) {
    step.error = change.error();
    return step;
  }
  step.changed = *change == Change::made;
  if (*change == Change::foreign) step.hint = hint_foreign;
  return step;
}

void add_certificate_steps(Settings const& settings, TrustRequest request,
                           std::vector<Step>& steps) {
  request.action = settings.dry_run ? TrustAction::list : TrustAction::remove;
  auto const reports = run_trust_child(settings.program, request, settings.state_dir);
  if (!reports) {
    steps.push_back({"certificate", "", settings.state_dir, false, reports.error()});
    return;
  }
  for (TrustReport const& report : *reports) {
    Step step = certificate_step(report, request);
    if (settings.dry_run) step.changed = report.trusted;
    steps.push_back(std::move(step));
  }
}

// It would serve browsers with a CA that is no longer trusted, and write its state once more.
Step stop_daemon(Settings const& settings) {
  Step step{"daemon", "", settings.state_dir};
  int const fd = channel::connect_to_daemon(settings.sockets);
  if (fd < 0) return step;
  auto const daemon = channel::peer_process(fd);
  ::close(fd);
  step.changed = daemon.has_value();
  if (!daemon || settings.dry_run) return step;
  if (!end_process(*daemon)) {
    step.error.emplace(ErrorCode::daemon_running, "process " + std::to_string(*daemon));
  }
  return step;
}

bool is_our_state(std::string const& name) {
  for (char const* const ours : {"ca.pem", "trusted_roots", "allow-http", "allow-local",
                                 "daemon.lock", "daemon.log", "daemon.log.1", "daemon.sock",
                                 "packets.sqlite", "packets.sqlite-shm", "packets.sqlite-wal"}) {
    if (name == ours) return true;
  }
  return name.starts_with("dht") && name.ends_with(".state");
}

// What the program itself kept. Keys are elsewhere and are never touched, and what was published
// with them and is to be published again stays with them.
Step remove_state(Settings const& settings, std::vector<std::string> const& made_directories) {
  Step step{"state", "", settings.state_dir};
  std::error_code error;
  std::vector<std::string> paths;
  for (auto const& entry : std::filesystem::directory_iterator(settings.state_dir, error)) {
    if (is_our_state(entry.path().filename())) paths.push_back(entry.path());
  }
  step.changed = !paths.empty();
  if (settings.dry_run) return step;
  for (std::string const& path : paths) {
    if (auto removed = store::remove_file(path); !removed) step.error = removed.error();
  }
  // Only what is empty goes.
  for (std::string const& socket : settings.sockets) ::rmdir(directory_of(socket).c_str());
  ::rmdir(settings.state_dir.c_str());
  for (std::string const& directory : made_directories) ::rmdir(directory.c_str());
  return step;
}

bool has_failed(std::vector<Step> const& steps) {
  return std::any_of(steps.begin(), steps.end(), [](Step const& s) { return s.error.has_value(); });
}

bool is_kind_left(InstalledFiles const& files, std::vector<Browser> const& known,
                  BrowserKind kind) {
  return std::any_of(known.begin(), known.end(), [&](Browser const& browser) {
    return browser.kind == kind &&
           std::any_of(files.files().begin(), files.files().end(),
                       [&](InstalledFile const& f) { return f.browser == browser.name; });
  });
}

}  // namespace

Result<std::vector<Step>> uninstall(Settings const& settings) {
  auto files = InstalledFiles::load(list_path_of(settings));
  if (!files) return base::Failure(files.error());
  std::vector<Browser> const known = known_browsers(settings.user);
  auto const named = std::find_if(known.begin(), known.end(),
                                  [&](Browser const& b) { return b.name == settings.browser; });
  if (!settings.browser.empty() && named == known.end()) {
    return base::fail(ErrorCode::install_browser_unknown, settings.browser);
  }
  std::vector<std::string> const made_directories = files->made_directories();
  std::vector<Step> steps;
  for (InstalledFile const& file : std::vector<InstalledFile>(files->files())) {
    if (!settings.browser.empty() && file.browser != settings.browser) continue;
    steps.push_back(take_back_file(*files, file, settings.dry_run));
  }
  if (settings.system) {
    for (std::string const& directory : made_directories) ::rmdir(directory.c_str());
    return steps;
  }
  TrustRequest request;
  if (named != known.end()) {
    request.only = named->kind;
    // Others of its kind use the same certificates.
    if (is_kind_left(*files, known, named->kind)) return steps;
  }
  if (settings.browser.empty()) steps.push_back(stop_daemon(settings));
  add_certificate_steps(settings, request, steps);
  // The CA goes last: what could not be undone now is undone with its help later.
  bool const complete = !has_failed(steps) && (files->files().empty() || settings.dry_run);
  if (settings.browser.empty() && complete) {
    steps.push_back(remove_state(settings, made_directories));
  }
  return steps;
}

}  // namespace dotkey::host::install
