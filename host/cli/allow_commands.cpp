// SPDX-License-Identifier: Apache-2.0
// dotkey allow-local KEY and dotkey allow-http KEY
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/names/public_key.h"

#include "host/cli/access.h"
#include "host/cli/output.h"
#include "host/cli/program.h"

namespace dotkey::host::cli {
namespace {

struct AllowArguments {
  std::string operation;  // of the daemon
  std::string key;
  bool remove = false;
};

base::Result<void> allow(Program& program, AllowArguments const& arguments) {
  boost::json::object request;
  if (!arguments.key.empty()) {
    auto const key = parse_key_argument(program, arguments.key);
    if (!key) return tl::make_unexpected(key.error());
    request["key"] = names::format_public_key(*key);
    request["allow"] = !arguments.remove;
  }
  auto const access = Access::open(program);
  if (!access) return tl::make_unexpected(access.error());
  auto const answer = (*access)->ask(arguments.operation, std::move(request));
  if (!answer) return tl::make_unexpected(answer.error());
  if (program.options.json) {
    print_json(*answer);
    return {};
  }
  for (auto const& key : answer->at("keys").as_array()) {
    print_line(std::string_view(key.as_string().data(), key.as_string().size()));
  }
  return {};
}

void add_command(CLI::App& app, Program& program, std::string const& name,
                 std::string const& operation, char const* text) {
  CLI::App* const command = app.add_subcommand(name, text);
  auto const arguments = std::make_shared<AllowArguments>();
  arguments->operation = operation;
  command->add_option("KEY", arguments->key,
                      "A public key, or a stored key's name (default: list)");
  command->add_flag("--remove,--undo", arguments->remove, "Take the permission back");
  command->footer("Examples:\n  dotkey " + name + " alice\n  dotkey " + name + " alice --remove");
  command->callback([&program, arguments] {
    if (arguments->remove && arguments->key.empty()) throw CLI::RequiredError("KEY");
    program.action = [&program, arguments] { return allow(program, *arguments); };
  });
}

}  // namespace

void add_allow_commands(CLI::App& app, Program& program) {
  add_command(app, program, "allow-local", "allow_local",
              "Let a key's names lead to this machine and its local network");
  add_command(
      app, program, "allow-http", "allow_http",
      "Let a key that publishes no pin be opened over http, not encrypted and not verified");
}

}  // namespace dotkey::host::cli
