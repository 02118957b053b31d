// SPDX-License-Identifier: Apache-2.0
// Messages of docs/protocol/native-messaging.md: what a frame carries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "core/base/error.h"

namespace dotkey::host::channel {

struct Message {
  std::uint64_t id = 0;  // 0: nobody waits for an answer
  std::string op;
  boost::json::object body;
};

enum class Unfit : std::uint8_t {
  malformed,      // no JSON object with the fields of a message
  other_version,  // of a later protocol
};

inline constexpr int protocol_version = 1;

// `out` is filled on success; the reason otherwise.
std::optional<Unfit> parse_message(std::string_view payload, Message& out);

// JSON without the frame.
std::string encode_message(std::uint64_t id, std::string_view op, boost::json::object body);

// The body of an `error`: slug, advice and detail.
boost::json::object describe_error(base::Error const& error);
// The error that such a body tells of; its slug may be newer than this program.
struct RemoteError {
  std::string slug;
  std::string advice;
  std::string detail;
};
RemoteError parse_error(boost::json::object const& body);

// Fields of a body. Nullopt: absent or of another kind.
std::optional<std::string_view> text_at(boost::json::object const& body, std::string_view name);
std::optional<std::int64_t> integer_at(boost::json::object const& body, std::string_view name);
std::optional<bool> flag_at(boost::json::object const& body, std::string_view name);

}  // namespace dotkey::host::channel
