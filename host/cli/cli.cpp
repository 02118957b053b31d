// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>
#include <string_view>

#include "core/names/public_key.h"

#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/usage.h"
#include "host/cli/version.h"

namespace dotkey::host::cli {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_interrupted = 130;  // as shells report SIGINT

void add_common_options(CLI::App& app, Options& options) {
  app.add_flag("--json", options.json, "Print one JSON object a line instead of text");
  app.add_option("--config", options.config_file,
                 "Configuration (default $XDG_CONFIG_HOME/dotkey/config.toml)")
      ->type_name("FILE");
  app.add_option("--state-dir", options.state_dir,
                 "Databases and routing table (default $XDG_STATE_HOME/dotkey)")
      ->type_name("DIR");
  app.add_option("--bootstrap", options.bootstrap,
                 "A DHT node to start from, repeatable (default: the public network)")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  app.add_option("--relay", options.relays, "A relay to use, repeatable")
      ->type_name("URL")
      ->allow_extra_args(false);
  app.add_flag("--no-dht", options.no_dht, "Do not use the DHT");
  app.add_flag("--allow-local-network", options.allow_local_network,
               "Accept DHT nodes with loopback and private addresses");
  app.add_option("--timeout-s", options.timeout_s, "Seconds until a command gives up (default 30)")
      ->type_name("N");
}

void build_tree(CLI::App& app, Program& program) {
  app.require_subcommand(1);
  app.fallthrough();  // common options may come after the command
  app.footer(
      "The common options above may also come after the command.\n"
      "Examples:\n"
      "  dotkey key new alice\n"
      "  dotkey publish alice --record \"@ 300 A 192.0.2.1\"\n"
      "  dotkey resolve alice --json");
  app.set_version_flag("--version", std::string(version_line), "Print the version");
  add_common_options(app, program.options);
  add_key_command(app, program);
  add_publish_command(app, program);
  add_resolve_command(app, program);
  add_encode_command(app, program);
  add_decode_command(app, program);
  add_tlsa_command(app, program);
  add_cert_command(app, program);
  add_allow_commands(app, program);
  add_daemon_command(app, program);
  add_status_command(app, program);
  add_doctor_command(app, program);
  add_relay_command(app, program);
  add_dns_command(app, program);
  add_testnet_command(app, program);
  add_install_commands(app, program);
  add_native_host_command(app, program);
  add_trust_command(app, program);
  add_use_relay_command(app, program);
}

int print_usage_or_help(CLI::App const& app, CLI::ParseError const& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  std::fputs(describe_usage_error(app, error).c_str(), stderr);
  return exit_usage;
}

base::Result<void> run_action(Program& program) {
  auto paths = store::paths_from_environment();
  if (!paths) return tl::make_unexpected(paths.error());
  program.paths = std::move(*paths);
  program.named_options = program.options;
  if (auto complete = complete_options(program.options, program.paths); !complete) {
    if (!program.tolerates_bad_config) return complete;
    program.config_error = complete.error();
    if (!program.options.state_dir.empty()) program.paths.state_dir = program.options.state_dir;
  }
  return program.action();
}

// Browsers start what a manifest names with arguments of their own: Chrome the extension's origin,
// Firefox the manifest's path and the extension.
bool is_started_by_browser(int argc, char** argv) {
  if (argc < 2) return false;
  if (std::string_view(argv[1]).starts_with("chrome-extension://")) return true;
  return argc == 3 && argv[1][0] == '/' && std::string_view(argv[2]).find('@') != std::string::npos;
}

void parse_arguments(CLI::App& app, int argc, char** argv) {
  if (is_started_by_browser(argc, argv)) return app.parse("native-host");
  app.parse(argc, argv);
}

}  // namespace

base::Result<crypto::PublicKey> parse_key_argument(Program const& program,
                                                   std::string const& text) {
  auto const key = names::parse_public_key(text);
  if (key) return *key;
  if (!store::KeyStore::is_name(text)) return tl::make_unexpected(key.error());
  auto const file = program.keys().load(text);
  if (file) return file->public_key;
  bool const unknown = file.error().code == base::ErrorCode::keystore_not_found;
  return tl::make_unexpected(unknown ? key.error() : file.error());
}

int run(int argc, char** argv) {
  Program program;
  CLI::App app("dotkey: public keys as web addresses.", "dotkey");
  build_tree(app, program);
  try {
    parse_arguments(app, argc, argv);
  } catch (CLI::ParseError const& error) {
    return print_usage_or_help(app, error);
  }
  try {
    auto const done = run_action(program);
    if (done) return 0;
    program.report(done.error());
    for (std::string const& note : program.error_notes) print_notice(note);
    return done.error().code == base::ErrorCode::cancelled ? exit_interrupted : exit_failed;
  } catch (std::exception const& error) {  // a library's, such as std::bad_alloc: nothing half done
    std::fprintf(stderr, "internal: The program failed (%s).\n", error.what());
    return exit_failed;
  }
}

}  // namespace dotkey::host::cli
