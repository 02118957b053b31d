// SPDX-License-Identifier: Apache-2.0
// dotkey resolve KEY [NAME] [TYPE]
#include <memory>

#include <boost/json/object.hpp>

#include "core/base/text.h"
#include "core/names/hostname.h"
#include "core/names/public_key.h"
#include "core/record/signed_packet.h"

#include "host/channel/message.h"
#include "host/cli/access.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/record_output.h"
#include "host/cli/trace_output.h"
#include "host/json/records.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;
using record::SignedPacket;
using wire::dns::ResourceRecord;

struct ResolveArguments {
  std::string key;
  std::string name;
  std::string type;
  std::string policy = "first";  // as browsers resolve
  std::string source = "all";
  bool trace = false;
  std::uint16_t port = 443;
};

boost::json::object request_of(Program const& program, ResolveArguments const& arguments) {
  boost::json::object out = {{"policy", arguments.policy}, {"source", arguments.source}};
  // Before our own patience ends, so that what was found until then is answered.
  if (program.options.timeout_s) out["timeout_ms"] = program.options.timeout().ms() * 9 / 10;
  return out;
}

struct Selection {
  std::optional<wire::dns::Name> name;
  wire::dns::RecordType type = wire::dns::RecordType::any;
};

// `resolve KEY HTTPS` means the type: no one has a name that is a type and no name at all.
base::Result<Selection> parse_selection(ResolveArguments const& arguments) {
  Selection out;
  if (arguments.name.empty()) return out;
  bool const only_type =
      arguments.type.empty() && arguments.name != "@" &&
      arguments.name.find_first_of("abcdefghijklmnopqrstuvwxyz.*") == std::string::npos &&
      wire::dns::parse_record_type(arguments.name).has_value();
  std::string const& type_text = only_type ? arguments.name : arguments.type;
  if (!type_text.empty()) {
    auto const type = wire::dns::parse_record_type(type_text);
    if (!type) return base::fail(ErrorCode::record_type_unknown, type_text);
    out.type = *type;
  }
  auto const name = wire::dns::Name::parse(only_type ? "@" : arguments.name);
  if (!name) return tl::make_unexpected(name.error());
  if (!only_type) out.name = *name;
  return out;
}

std::vector<ResourceRecord> select(SignedPacket const& packet, Selection const& selection) {
  std::vector<ResourceRecord> out;
  if (selection.name) {
    auto found = packet.find(*selection.name, selection.type);
    // An alias answers for every type (RFC 1034 §3.6.2).
    if (found.empty()) found = packet.find(*selection.name, wire::dns::RecordType::cname);
    for (auto const* record : found) out.push_back(*record);
    return out;
  }
  for (ResourceRecord const& record : packet.records()) {
    bool const wanted =
        selection.type == wire::dns::RecordType::any || selection.type == record.type;
    if (wanted) out.push_back(record);
  }
  return out;
}

// The daemon is trusted with much, but not with this: the signature is checked here too.
base::Result<SignedPacket> packet_of(crypto::PublicKey const& key,
                                     boost::json::object const& answer) {
  auto const text = channel::text_at(answer, "packet").value_or("");
  auto const bytes = base::parse_base64(text, base::Base64Alphabet::standard);
  if (!bytes) return tl::make_unexpected(bytes.error());
  auto packet = SignedPacket::parse(*bytes);
  if (packet && !(packet->key() == key)) return base::fail(ErrorCode::record_signature_invalid);
  return packet;
}

base::Result<void> resolve_key(Program& program, ResolveArguments const& arguments) {
  auto const key = parse_key_argument(program, arguments.key);
  if (!key) return tl::make_unexpected(key.error());
  auto const selection = parse_selection(arguments);
  if (!selection) return tl::make_unexpected(selection.error());
  auto const access = Access::open(program);
  if (!access) return tl::make_unexpected(access.error());
  std::string const key_text = names::format_public_key(*key);
  boost::json::object request = request_of(program, arguments);
  request["key"] = key_text;
  auto const answer = (*access)->ask("resolve", std::move(request), "Looking");
  if (!answer) return tl::make_unexpected(answer.error());
  auto const packet = packet_of(*key, *answer);
  if (!packet) return tl::make_unexpected(packet.error());
  auto const records = select(*packet, *selection);
  std::string const source(channel::text_at(*answer, "source").value_or("cache"));
  if (program.options.json) {
    print_json({{"key", key_text},
                {"timestamp_us", packet->timestamp_us()},
                {"source", source},
                {"age_s", channel::integer_at(*answer, "age_s").value_or(0)},
                {"records", json::describe_records(records)}});
    return {};
  }
  print_line("; " + key_text);
  print_line("; signed " + format_time({packet->timestamp_us()}) + ", from the " + source);
  print_records(records, *key);
  return {};
}

// The host that is meant: KEY may hold one already, NAME goes before it.
base::Result<names::Hostname> host_of(Program const& program, ResolveArguments const& arguments) {
  names::Hostname out;
  auto const key = parse_key_argument(program, arguments.key);
  if (!key) return tl::make_unexpected(key.error());
  out.key = *key;
  if (arguments.name.empty() || arguments.name == "@") return out;
  return names::parse_hostname(arguments.name + "." + out.to_string());
}

base::Result<void> trace_host(Program& program, ResolveArguments const& arguments) {
  auto const host = host_of(program, arguments);
  if (!host) return tl::make_unexpected(host.error());
  auto const access = Access::open(program);
  if (!access) return tl::make_unexpected(access.error());
  boost::json::object request = request_of(program, arguments);
  request["host"] = host->to_string();
  request["port"] = arguments.port;
  auto const answer = (*access)->ask("endpoints", std::move(request), "Looking");
  // Where there is no endpoint, the way until there is what was asked for.
  boost::json::object const& shown = answer ? *answer : (*access)->failed_body();
  if (!shown.contains("trace")) return tl::make_unexpected(answer.error());
  if (program.options.json) {
    print_json(shown);
  } else {
    print_trace(shown);
  }
  if (!answer) return tl::make_unexpected(answer.error());
  return {};
}

}  // namespace

void add_resolve_command(CLI::App& app, Program& program) {
  CLI::App* const resolve = app.add_subcommand("resolve", "Find and verify what a key publishes");
  auto const arguments = std::make_shared<ResolveArguments>();
  resolve->add_option("KEY", arguments->key, "A public key in any spelling, or a stored key's name")
      ->required();
  resolve->add_option("NAME", arguments->name, "Only this name, relative to the key; @ is the key");
  resolve->add_option("TYPE", arguments->type, "Only this record type, such as A or HTTPS");
  resolve
      ->add_option("--policy", arguments->policy,
                   "Only what is stored here; that while it is fresh, else the first verified "
                   "record, as browsers do; or the newest of everybody asked")
      ->check(CLI::IsMember({"cache", "first", "newest"}))
      ->capture_default_str();
  resolve->add_option("--source", arguments->source, "Whom to ask")
      ->check(CLI::IsMember({"dht", "relay", "all"}))
      ->capture_default_str();
  resolve->add_flag("--trace", arguments->trace,
                    "Follow NAME to its servers and print the way instead of the records");
  resolve->add_option("--port", arguments->port, "With --trace: the port to connect to")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  resolve->footer(
      "Examples:\n  dotkey resolve alice\n  dotkey resolve KEY www A\n"
      "  dotkey resolve https://www.KEY.key/ --json --policy newest\n"
      "  dotkey resolve KEY www --trace");
  resolve->callback([&program, arguments] {
    program.action = [&program, arguments] {
      return arguments->trace ? trace_host(program, *arguments) : resolve_key(program, *arguments);
    };
  });
}

}  // namespace dotkey::host::cli
