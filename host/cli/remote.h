// SPDX-License-Identifier: Apache-2.0
// Commands that the daemon carries out.
#pragma once

#include <string_view>

#include <boost/json/object.hpp>

#include "core/base/result.h"

#include "host/channel/channel.h"
#include "host/cli/options.h"

namespace dotkey::host::cli {

// The answer's body. Errors: those of Channel::ask, and what the daemon answers.
base::Result<boost::json::object> ask_daemon(
    channel::Channel& channel, Options const& options, std::string_view op,
    boost::json::object body,
    std::function<void(channel::Message const&)> const& on_event = nullptr);

// The error of an answer as one of our own.
base::Error error_of(channel::RemoteError const& error);

}  // namespace dotkey::host::cli
