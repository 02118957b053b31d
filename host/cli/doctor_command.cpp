// SPDX-License-Identifier: Apache-2.0
// dotkey doctor: which link between the browser and the network is broken, and what mends it.
#include <cstdio>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <unistd.h>

#include "host/channel/channel.h"
#include "host/cli/install_settings.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/version.h"
#include "host/doctor/chain.h"
#include "host/loop/clock.h"

namespace dotkey::host::cli {
namespace {

using doctor::Link;
using doctor::LinkState;

// What is being looked at, on a terminal.
class Waiting {
 public:
  Waiting() : on_terminal_(::isatty(STDERR_FILENO) == 1) { draw("looking ..."); }
  ~Waiting() { clear(); }
  Waiting(Waiting const&) = delete;
  Waiting& operator=(Waiting const&) = delete;

  void draw(char const* text) const {
    if (on_terminal_) std::fprintf(stderr, "\r\033[K%s", text);
  }
  void clear() const { draw(""); }

 private:
  bool on_terminal_;
};

void print_link(Link const& link) {
  constexpr std::size_t column = 10;
  std::string line(doctor::name_of(link.state));
  line.resize(column, ' ');
  line += link.name;
  if (!link.subject.empty()) line.append(" ").append(link.subject);
  line.append(": ").append(link.text);
  print_line(line);
  std::string const indent(column, ' ');
  for (std::string const& detail : link.details) print_line(indent + "| " + detail);
  if (!link.command.empty()) print_line(indent + "$ " + link.command);
}

doctor::Ask ask_through(std::shared_ptr<channel::Channel> const& channel) {
  return [channel](std::string_view op, boost::json::object body,
                   std::chrono::milliseconds patience) -> base::Result<boost::json::object> {
    auto answer = channel->ask(op, std::move(body),
                               loop::now() + engine::Duration::from_ms(patience.count()));
    if (!answer) return base::Failure(answer.error());
    if (answer->op != "error") return std::move(answer->body);
    channel::RemoteError const error = channel::parse_error(answer->body);
    for (base::ErrorCode const code : base::all_error_codes) {
      if (base::slug_of(code) == error.slug) return base::fail(code, error.detail);
    }
    return base::fail(base::ErrorCode::session_op_unknown, error.slug);
  };
}

base::Result<doctor::Surroundings> look_around(Program const& program) {
  doctor::Surroundings around;
  if (auto done = complete_install_settings(around.install, program); !done) {
    return base::Failure(done.error());
  }
  auto const standard = store::paths_from_environment();
  around.version = version_number;
  around.config_file =
      program.options.config_file.empty() ? program.paths.config_file : program.options.config_file;
  around.config_error = program.config_error;
  around.is_standard_state = standard && standard->state_dir == program.paths.state_dir;
  return around;
}

base::Result<void> run_doctor(Program const& program) {
  auto const around = look_around(program);
  if (!around) return base::Failure(around.error());
  auto channel = channel::Channel::connect(program.paths);
  doctor::Ask ask;
  if (channel) ask = ask_through(std::make_shared<channel::Channel>(std::move(*channel)));
  boost::json::array links;
  std::string broken;
  Waiting const waiting;
  doctor::walk_chain(*around, ask, [&](Link const& link) {
    if (link.state == LinkState::broken) broken += (broken.empty() ? "" : ", ") + link.name;
    if (program.options.json) return links.push_back(doctor::describe(link));
    waiting.clear();
    print_link(link);
    waiting.draw("looking ...");
  });
  waiting.clear();
  if (program.options.json) print_json({{"ok", broken.empty()}, {"links", std::move(links)}});
  if (broken.empty()) return {};
  return base::fail(base::ErrorCode::doctor_broken, broken);
}

}  // namespace

void add_doctor_command(CLI::App& app, Program& program) {
  CLI::App* const command = app.add_subcommand(
      "doctor", "Find the broken link between browser and network, and what mends it");
  command->footer("Example:\n  dotkey doctor");
  command->callback([&program] {
    program.tolerates_bad_config = true;
    program.action = [&program] { return run_doctor(program); };
  });
}

}  // namespace dotkey::host::cli
