// SPDX-License-Identifier: Apache-2.0
#include "host/install/trust_child.h"

#include <algorithm>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "host/install/child.h"
#include "host/loop/clock.h"
#include "host/store/atomic_file.h"
#include "host/trust/nss_database.h"

namespace dotkey::host::install {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::size_t fingerprints_size_max = 64 * 1024;

std::string_view name_of(BrowserKind kind) {
  return kind == BrowserKind::chromium ? "chromium" : "firefox";
}

BrowserKind kind_of(trust::StoreKind kind) {
  return kind == trust::StoreKind::chromium ? BrowserKind::chromium : BrowserKind::firefox;
}

// Fingerprints of every root that was ever installed, one a line.
class TrustedRoots {
 public:
  explicit TrustedRoots(std::string const& state_dir) : path_(state_dir + "/trusted_roots") {
    auto const text = store::read_file(path_, fingerprints_size_max);
    if (!text) return;
    std::string_view rest = base::text_of(*text);
    while (!rest.empty()) {
      std::size_t const end = std::min(rest.find('\n'), rest.size());
      if (end > 0) fingerprints_.emplace(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  [[nodiscard]] std::set<std::string> const& all() const { return fingerprints_; }

  Result<void> add(std::vector<trust::TrustedRoot> const& roots) {
    std::size_t const before = fingerprints_.size();
    for (trust::TrustedRoot const& root : roots) fingerprints_.insert(root.fingerprint);
    if (fingerprints_.size() == before) return {};
    std::string text;
    for (std::string const& fingerprint : fingerprints_) text.append(fingerprint).append("\n");
    return store::write_file(path_, base::view_of(text), 0600, store::Existing::replace);
  }

  [[nodiscard]] Result<void> clear() const {
    return store::exists(path_) ? store::remove_file(path_) : Result<void>{};
  }

 private:
  std::string path_;
  std::set<std::string> fingerprints_;
};

TrustReport report_on(trust::StoreOutcome const& outcome, bool trusted) {
  TrustReport report{
      kind_of(outcome.store.kind), outcome.store.directory, trusted, outcome.changed, "", ""};
  if (!outcome.error) return report;
  report.trusted = false;
  report.changed = false;
  report.error = base::slug_of(outcome.error->code);
  report.detail = outcome.error->detail;
  return report;
}

TrustReport look_into(trust::TrustStore const& store,
                      std::vector<trust::TrustedRoot> const& roots) {
  trust::StoreOutcome outcome{store, std::nullopt, false};
  if (!store.exists) return report_on(outcome, false);
  auto database = trust::NssDatabase::open(store.directory);
  auto const present = database ? (*database)->list() : base::Failure(database.error());
  if (!present) {
    outcome.error = present.error();
    return report_on(outcome, false);
  }
  bool const trusted = std::all_of(roots.begin(), roots.end(), [&](auto const& root) {
    return std::any_of(present->begin(), present->end(), [&](auto const& c) {
      return c.fingerprint == root.fingerprint && c.trusted_for_servers;
    });
  });
  return report_on(outcome, trusted && !roots.empty());
}

std::vector<trust::TrustStore> wanted_stores(TrustRequest const& request,
                                             trust::UserDirectories const& user) {
  auto stores = trust::find_trust_stores(user);
  std::erase_if(stores,
                [&](auto const& s) { return request.only && kind_of(s.kind) != *request.only; });
  return stores;
}

bool is_ca_there(std::string const& state_dir) {
  return store::exists(state_dir + "/ca.pem");
}

Result<std::vector<TrustReport>> install_all(std::vector<trust::TrustStore> const& stores,
                                             std::string const& state_dir) {
  auto const ca = trust::LocalCa::load_or_create(state_dir, loop::unix_now());
  if (!ca) return base::Failure(ca.error());
  auto const roots = ca->trusted_roots();
  if (auto kept = TrustedRoots(state_dir).add(roots); !kept) return base::Failure(kept.error());
  std::vector<TrustReport> reports;
  for (auto const& outcome : trust::install_roots(stores, roots)) {
    reports.push_back(report_on(outcome, true));
  }
  return reports;
}

// A damaged CA file does not stand in the way: its roots were written down when they were
// installed.
Result<std::vector<TrustReport>> remove_all(std::vector<trust::TrustStore> const& stores,
                                            std::string const& state_dir, bool everywhere) {
  TrustedRoots const kept(state_dir);
  std::set<std::string> fingerprints = kept.all();
  if (is_ca_there(state_dir)) {
    auto const ca = trust::LocalCa::load_or_create(state_dir, loop::unix_now());
    for (auto const& root : ca ? ca->trusted_roots() : std::vector<trust::TrustedRoot>{}) {
      fingerprints.insert(root.fingerprint);
    }
  }
  std::vector<TrustReport> reports;
  bool complete = everywhere;
  for (auto const& outcome :
       trust::remove_roots(stores, {fingerprints.begin(), fingerprints.end()})) {
    reports.push_back(report_on(outcome, false));
    complete = complete && !outcome.error;
  }
  if (complete) {
    if (auto cleared = kept.clear(); !cleared) return base::Failure(cleared.error());
  }
  return reports;
}

}  // namespace

Result<std::vector<TrustReport>> run_trust(TrustRequest const& request,
                                           std::string const& state_dir,
                                           trust::UserDirectories const& user) {
  auto const stores = wanted_stores(request, user);
  if (request.action == TrustAction::install) return install_all(stores, state_dir);
  if (request.action == TrustAction::remove) {
    return remove_all(stores, state_dir, !request.only.has_value());
  }
  std::vector<trust::TrustedRoot> roots;
  if (is_ca_there(state_dir)) {
    auto const ca = trust::LocalCa::load(state_dir);
    if (!ca) return base::Failure(ca.error());
    roots = ca->trusted_roots();
  }
  std::vector<TrustReport> reports;
  for (auto const& store : stores) reports.push_back(look_into(store, roots));
  return reports;
}

std::string encode_trust_reports(std::vector<TrustReport> const& reports) {
  boost::json::array stores;
  for (TrustReport const& report : reports) {
    boost::json::object entry{{"browser", name_of(report.kind)},
                              {"directory", report.directory},
                              {"trusted", report.trusted},
                              {"changed", report.changed}};
    if (!report.error.empty()) {
      entry["error"] = report.error;
      entry["detail"] = report.detail;
    }
    stores.push_back(std::move(entry));
  }
  return boost::json::serialize(boost::json::object{{"stores", std::move(stores)}});
}

namespace {

std::string text_in(boost::json::object const& entry, char const* name) {
  auto const* const value = entry.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

bool flag_in(boost::json::object const& entry, char const* name) {
  auto const* const value = entry.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// Our own child's words: what does not fit is no report.
std::optional<std::vector<TrustReport>> parse_trust_reports(std::string_view text) {
  boost::system::error_code error;
  boost::json::value const value = boost::json::parse(text, error);
  auto const* const root = error ? nullptr : value.if_object();
  auto const* const stores = root == nullptr ? nullptr : root->if_contains("stores");
  if (stores == nullptr || !stores->is_array()) return std::nullopt;
  std::vector<TrustReport> reports;
  for (auto const& item : stores->get_array()) {
    if (!item.is_object()) return std::nullopt;
    boost::json::object const& entry = item.get_object();
    bool const firefox = text_in(entry, "browser") == name_of(BrowserKind::firefox);
    reports.push_back({firefox ? BrowserKind::firefox : BrowserKind::chromium,
                       text_in(entry, "directory"), flag_in(entry, "trusted"),
                       flag_in(entry, "changed"), text_in(entry, "error"),
                       text_in(entry, "detail")});
  }
  return reports;
}

}  // namespace

Result<std::vector<TrustReport>> run_trust_child(std::string const& program,
                                                 TrustRequest const& request,
                                                 std::string const& state_dir,
                                                 std::chrono::seconds patience) {
  char const* const actions[] = {"list", "install", "remove"};
  std::vector<std::string> command = {program, "trust",
                                      actions[static_cast<std::size_t>(request.action)],
                                      "--state-dir", state_dir};
  if (request.only) command.insert(command.end(), {"--only", std::string(name_of(*request.only))});
  auto const output = run_child(command, patience);
  if (!output) return base::Failure(output.error());
  auto reports = parse_trust_reports(output->out);
  if (reports) return std::move(*reports);
  std::string words = output->err;
  while (words.ends_with('\n')) words.pop_back();
  return base::fail(ErrorCode::install_child_failed, std::move(words));
}

}  // namespace dotkey::host::install
