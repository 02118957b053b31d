// SPDX-License-Identifier: Apache-2.0
// What the commands share: the options, the user's paths and the command chosen.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/base/result.h"
#include "core/crypto/keys.h"

#include "host/cli/options.h"
#include "host/cli/output.h"
#include "host/loop/system_entropy.h"
#include "host/store/key_store.h"
#include "host/store/paths.h"

namespace dotkey::host::cli {

struct Program {
  Options options;
  Options named_options;  // by the command line alone
  store::Paths paths;
  loop::SystemEntropy entropy;
  // Tells the person, or the program that started this one, what went wrong.
  std::function<void(base::Error const&)> report = &print_error;
  // What the command line asks for; run after parsing, with options and paths complete.
  std::function<base::Result<void>()> action;
  // A command that finds faults says itself what is wrong with the configuration; it then runs with
  // the defaults.
  bool tolerates_bad_config = false;
  std::optional<base::Error> config_error;
  // What goes to stderr after an error, for a person.
  std::vector<std::string> error_notes;

  [[nodiscard]] store::KeyStore keys() const { return store::KeyStore(paths.keys_dir); }
};

// Each adds one command to the tree. `program` outlives `app`.
void add_key_command(CLI::App& app, Program& program);
void add_publish_command(CLI::App& app, Program& program);
void add_resolve_command(CLI::App& app, Program& program);
void add_encode_command(CLI::App& app, Program& program);
void add_decode_command(CLI::App& app, Program& program);
void add_tlsa_command(CLI::App& app, Program& program);
void add_cert_command(CLI::App& app, Program& program);
void add_allow_commands(CLI::App& app, Program& program);
void add_daemon_command(CLI::App& app, Program& program);
void add_doctor_command(CLI::App& app, Program& program);
void add_dns_command(CLI::App& app, Program& program);
void add_relay_command(CLI::App& app, Program& program);
void add_status_command(CLI::App& app, Program& program);
void add_testnet_command(CLI::App& app, Program& program);
void add_install_commands(CLI::App& app, Program& program);
void add_native_host_command(CLI::App& app, Program& program);
void add_trust_command(CLI::App& app, Program& program);
void add_use_relay_command(CLI::App& app, Program& program);

// A public key in any spelling, else the name of a stored key. Errors: those of
// names::parse_public_key and KeyStore::load.
base::Result<crypto::PublicKey> parse_key_argument(Program const& program, std::string const& text);

// Runs `dotkey` with these arguments. Returns the exit code: 0 done, 1 failed, 2 wrong usage, 130
// interrupted.
int run(int argc, char** argv);

}  // namespace dotkey::host::cli
