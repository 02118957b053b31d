// SPDX-License-Identifier: Apache-2.0
#include "host/cli/remote.h"

#include <utility>

#include "host/loop/clock.h"

namespace dotkey::host::cli {

base::Error error_of(channel::RemoteError const& error) {
  for (base::ErrorCode const code : base::all_error_codes) {
    if (base::slug_of(code) == error.slug) return {code, error.detail};
  }
  return {base::ErrorCode::daemon_gone, error.slug + ": " + error.advice};
}

base::Result<boost::json::object> ask_daemon(
    channel::Channel& channel, Options const& options, std::string_view op,
    boost::json::object body, std::function<void(channel::Message const&)> const& on_event) {
  auto answer = channel.ask(op, std::move(body), options.deadline_from(loop::now()), on_event);
  if (!answer) return tl::make_unexpected(answer.error());
  if (answer->error) return tl::make_unexpected(error_of(*answer->error));
  return std::move(answer->body);
}

}  // namespace dotkey::host::cli
