// SPDX-License-Identifier: Apache-2.0
// `dotkey trust`: the browsers' certificate databases are touched by short-lived processes only
// (see host/trust/nss_database.h). Here is what such a process does, and how it is asked.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

#include "host/install/browsers.h"
#include "host/trust/trust_stores.h"

namespace dotkey::host::install {

enum class TrustAction : std::uint8_t { list, install, remove };

struct TrustRequest {
  TrustAction action = TrustAction::list;
  std::optional<BrowserKind> only;  // absent: both
};

struct TrustReport {
  BrowserKind kind = BrowserKind::chromium;
  std::string directory;
  bool trusted = false;  // afterwards
  bool changed = false;
  std::string error;  // slug; empty: it went well
  std::string detail;
};

// In this very process. Keeps the fingerprints of what it installs in `<state_dir>/trusted_roots`
// until `remove` has taken the last of them back. Errors: those of LocalCa::load_or_create;
// file_unwritable.
base::Result<std::vector<TrustReport>> run_trust(TrustRequest const& request,
                                                 std::string const& state_dir,
                                                 trust::UserDirectories const& user);

std::string encode_trust_reports(std::vector<TrustReport> const& reports);

// Databases of browsers that are starting may be locked for a moment each.
inline constexpr std::chrono::seconds trust_patience{60};

// The same in a process of its own. `program`: this one's path. Errors: install_child_failed.
base::Result<std::vector<TrustReport>> run_trust_child(
    std::string const& program, TrustRequest const& request, std::string const& state_dir,
    std::chrono::seconds patience = trust_patience);

}  // namespace dotkey::host::install
