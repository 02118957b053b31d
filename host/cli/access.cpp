// SPDX-License-Identifier: Apache-2.0
#include "host/cli/access.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>

#include "host/channel/channel.h"
#include "host/cli/node_settings.h"
#include "host/cli/progress_line.h"
#include "host/loop/clock.h"
#include "host/loop/foreground.h"

namespace dotkey::host::cli {

using base::ErrorCode;
using base::Result;
using boost::json::object;

namespace {

// Through the socket.
class DaemonAccess final : public Access {
 public:
  DaemonAccess(Program& program, channel::Channel channel)
      : Access(program), channel_(std::move(channel)) {}

  bool wait(engine::Duration duration) override {
    if (!foreground_) foreground_.emplace();
    auto const never = [] { return false; };
    return foreground_->run_until(never, loop::now() + duration) !=
           loop::Foreground::End::interrupted;
  }

 private:
  Result<channel::Message> exchange(std::string_view op, object body, engine::Instant deadline,
                                    OnProgress const& on_progress) override {
    if (on_progress && !std::exchange(subscribed_, true)) {
      auto const done = channel_.ask("subscribe", {}, deadline, nullptr);
      if (!done) return tl::make_unexpected(done.error());
    }
    return channel_.ask(op, std::move(body), deadline, [&](channel::Message const& event) {
      if (on_progress && event.op == "progress") on_progress(event.body);
    });
  }

  channel::Channel channel_;
  bool subscribed_ = false;
  std::optional<loop::Foreground> foreground_;
};

// Asks the operations as a program at the socket does.
class LocalPeer final : public daemon::Peer {
 public:
  void answer(channel::Message const& request, object body) override {
    answered = channel::Message{request.id, request.op, std::move(body)};
  }
  void fail(channel::Message const& request, base::Error const& error, object further) override {
    for (auto const& [name, value] : channel::describe_error(error)) further[name] = value;
    answered = channel::Message{request.id, "error", std::move(further)};
  }
  void send(std::string_view op, object body) override {
    if (op == "progress" && on_progress) on_progress(body);
  }

  std::optional<channel::Message> answered;
  std::function<void(object const&)> on_progress;
};

// In this process.
class LocalAccess final : public Access {
 public:
  explicit LocalAccess(Program& program) : Access(program) {}

  Result<void> start() {
    auto core = daemon::Core::open(foreground_.loop(), program_.entropy,
                                   core_settings(program_, Purpose::command));
    if (!core) return tl::make_unexpected(core.error());
    core_ = std::move(*core);
    core_->services().events.subscribe(*peer_);
    return {};
  }

  bool wait(engine::Duration duration) override {
    auto const never = [] { return false; };
    return foreground_.run_until(never, loop::now() + duration) !=
           loop::Foreground::End::interrupted;
  }

 private:
  Result<channel::Message> exchange(std::string_view op, object body, engine::Instant deadline,
                                    OnProgress const& on_progress) override {
    peer_->answered.reset();
    peer_->on_progress = on_progress;
    on_message(core_->services(), *peer_, {1, std::string(op), std::move(body)});
    auto const end =
        foreground_.run_until([this] { return peer_->answered.has_value(); }, deadline);
    peer_->on_progress = nullptr;
    if (end == loop::Foreground::End::interrupted) return base::fail(ErrorCode::cancelled);
    if (end == loop::Foreground::End::timed_out) return base::fail(ErrorCode::network_timeout);
    return *std::exchange(peer_->answered, std::nullopt);
  }

  loop::Foreground foreground_;
  std::unique_ptr<daemon::Core> core_;
  std::shared_ptr<LocalPeer> peer_ = std::make_shared<LocalPeer>();
};

bool is_list(object const& network, std::string_view name, std::vector<std::string> wanted) {
  auto const* const value = network.if_contains(boost::json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_array()) return false;
  std::vector<std::string> has;
  for (auto const& element : value->get_array()) {
    if (element.is_string()) has.emplace_back(element.get_string().c_str());
  }
  std::sort(has.begin(), has.end());
  std::sort(wanted.begin(), wanted.end());
  return has == wanted;
}

// Does the daemon work on the network that the command line names?
bool suits(Options const& options, object const& hello) {
  auto const* const value = hello.if_contains("network");
  if (value == nullptr || !value->is_object()) return false;
  object const& network = value->get_object();
  NamedNetwork const& named = options.named;
  if (named.bootstrap && !is_list(network, "bootstrap", options.bootstrap)) return false;
  if (named.relays && !is_list(network, "relays", options.relays)) return false;
  return !named.no_dht || !channel::flag_at(network, "dht").value_or(true);
}

base::Error error_of(object const& body) {
  channel::RemoteError const error = channel::parse_error(body);
  for (ErrorCode const code : base::all_error_codes) {
    if (base::slug_of(code) == error.slug) return {code, error.detail};
  }
  return {ErrorCode::daemon_gone, error.slug + ": " + error.advice};
}

}  // namespace

Result<std::unique_ptr<Access>> Access::open_daemon(Program& program) {
  auto channel = channel::Channel::connect(program.paths);
  if (!channel) return tl::make_unexpected(channel.error());
  return std::make_unique<DaemonAccess>(program, std::move(*channel));
}

Result<std::unique_ptr<Access>> Access::open(Program& program) {
  if (auto daemon = open_daemon(program)) {
    auto const hello = (*daemon)->ask("hello", {});
    if (!hello) return tl::make_unexpected(hello.error());
    if (suits(program.options, *hello)) return daemon;
  }
  auto local = std::make_unique<LocalAccess>(program);
  if (auto started = local->start(); !started) return tl::make_unexpected(started.error());
  return local;
}

Result<object> Access::ask(std::string_view op, object body, std::string const& label) {
  std::optional<ProgressLine> line;
  if (!label.empty()) line.emplace(label);
  OnProgress on_progress;
  if (line && line->is_visible()) {
    on_progress = [&](object const& progress) { line->show(loop::now(), progress); };
  }
  auto const deadline = program_.options.deadline_from(loop::now());
  auto answer = exchange(op, std::move(body), deadline, on_progress);
  if (!answer) return tl::make_unexpected(answer.error());
  if (answer->op != "error") return std::move(answer->body);
  failed_body_ = std::move(answer->body);
  return tl::make_unexpected(error_of(failed_body_));
}

}  // namespace dotkey::host::cli
