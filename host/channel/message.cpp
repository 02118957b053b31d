// SPDX-License-Identifier: Apache-2.0
#include "host/channel/message.h"

#include <limits>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace dotkey::host::channel {

namespace json = boost::json;

namespace {

json::value const* find(json::object const& body, std::string_view name) {
  return body.if_contains(json::string_view(name.data(), name.size()));
}

}  // namespace

std::optional<std::string_view> text_at(json::object const& body, std::string_view name) {
  json::value const* const value = find(body, name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  json::string const& text = value->get_string();
  return std::string_view(text.data(), text.size());
}

std::optional<std::int64_t> integer_at(json::object const& body, std::string_view name) {
  json::value const* const value = find(body, name);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  constexpr std::uint64_t int64_max = std::numeric_limits<std::int64_t>::max();
  if (value->is_uint64() && value->get_uint64() <= int64_max) {
    return static_cast<std::int64_t>(value->get_uint64());
  }
  return std::nullopt;
}

std::optional<bool> flag_at(json::object const& body, std::string_view name) {
  json::value const* const value = find(body, name);
  if (value == nullptr || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

std::optional<Unfit> parse_message(std::string_view payload, Message& out) {
  boost::system::error_code failed;
  json::value value = json::parse(json::string_view(payload.data(), payload.size()), failed);
  if (failed || !value.is_object()) return Unfit::malformed;
  json::object& object = value.get_object();
  auto const version = integer_at(object, "v");
  if (!version) return Unfit::malformed;
  if (*version != protocol_version) return Unfit::other_version;
  auto const id = integer_at(object, "id");
  auto const op = text_at(object, "op");
  json::value* const body = object.if_contains("body");
  if (!id || *id < 0 || !op || (body != nullptr && !body->is_object())) return Unfit::malformed;
  out.id = static_cast<std::uint64_t>(*id);
  out.op = *op;
  out.body = body != nullptr ? std::move(body->get_object()) : json::object();
  return std::nullopt;
}

std::string encode_message(std::uint64_t id, std::string_view op, json::object body) {
  json::object message;
  message["v"] = protocol_version;
  message["id"] = id;
  message["op"] = json::string_view(op.data(), op.size());
  message["body"] = std::move(body);
  return json::serialize(message);
}

json::object describe_error(base::Error const& error) {
  return {{"error", base::slug_of(error.code)},
          {"advice", base::advice_for(error.code)},
          {"detail", error.detail}};
}

RemoteError parse_error(json::object const& body) {
  RemoteError out;
  out.slug = text_at(body, "error").value_or("");
  out.advice = text_at(body, "advice").value_or("");
  out.detail = text_at(body, "detail").value_or("");
  return out;
}

}  // namespace dotkey::host::channel
