// SPDX-License-Identifier: Apache-2.0
// dotkey resolve KEY [NAME] [TYPE]
#include <algorithm>
#include <memory>

#include <boost/json/object.hpp>

#include "core/names/public_key.h"
#include "core/record/signed_packet.h"

#include "host/cli/dht_session.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/record_output.h"
#include "host/cli/seen_packet.h"
#include "host/loop/clock.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;
using record::SignedPacket;
using wire::dns::ResourceRecord;

struct ResolveArguments {
  std::string key;
  std::string name;
  std::string type;
  std::string policy = "newest";
  std::string source = "all";
};

struct Answer {
  SignedPacket packet;
  std::string source;
  std::int64_t age_s = 0;
};

// How long a record without a usable TTL stays fresh, and the longest a TTL is believed: pkarr's
// bounds.
constexpr std::uint32_t ttl_min_s = 300;
constexpr std::uint32_t ttl_max_s = 24 * 3600;

base::Result<Answer> answer_from_cache(Program const& program, crypto::PublicKey const& key) {
  auto seen = load_seen_packet(program.paths, key);
  std::int64_t const now_us = loop::unix_now().us;
  if (!seen || seen->packet.expires_us(seen->at.us, ttl_min_s, ttl_max_s) <= now_us) {
    return base::fail(ErrorCode::cache_miss);
  }
  std::int64_t const age_us = std::max<std::int64_t>(now_us - seen->at.us, 0);
  return Answer{std::move(seen->packet), "cache", age_us / 1'000'000};
}

base::Result<Answer> answer_from_dht(Program& program, crypto::PublicKey const& key, bool first) {
  auto session = DhtSession::open(program.options, program.paths, program.entropy);
  if (!session) return tl::make_unexpected(session.error());
  dht::GetOptions options;
  options.stop_at_first = first;
  auto const outcome = (*session)->get(key, options);
  // At a deadline a verified record that did arrive is better than none.
  bool const late = !outcome && outcome.error().code == ErrorCode::network_timeout;
  if (!outcome && !(late && (*session)->last_outcome().item)) {
    return tl::make_unexpected(outcome.error());
  }
  auto const& item = (*session)->last_outcome().item;
  if (!item) return base::fail(ErrorCode::dht_not_found);
  auto packet = SignedPacket::parse_item(key, item->signature, item->sequence, item->value);
  if (!packet) return tl::make_unexpected(packet.error());
  return Answer{std::move(*packet), "dht", 0};
}

base::Result<Answer> find_answer(Program& program, ResolveArguments const& arguments,
                                 crypto::PublicKey const& key) {
  if (arguments.policy == "cache") return answer_from_cache(program, key);
  if (arguments.source == "relay") return base::fail(ErrorCode::network_no_source);
  auto answer = answer_from_dht(program, key, arguments.policy == "first");
  if (!answer) return answer;
  // Nodes that missed an update must not take us back to what it replaced.
  auto seen = load_seen_packet(program.paths, key);
  if (seen && seen->packet.is_more_recent_than(answer->packet)) {
    std::int64_t const age_us = std::max<std::int64_t>(loop::unix_now().us - seen->at.us, 0);
    return Answer{std::move(seen->packet), "cache", age_us / 1'000'000};
  }
  // The cache is a short cut: a full disk does not spoil the answer.
  static_cast<void>(save_seen_packet(program.paths, answer->packet));
  return answer;
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

base::Result<void> resolve_key(Program& program, ResolveArguments const& arguments) {
  auto const key = parse_key_argument(program, arguments.key);
  if (!key) return tl::make_unexpected(key.error());
  auto const selection = parse_selection(arguments);
  if (!selection) return tl::make_unexpected(selection.error());
  auto const answer = find_answer(program, arguments, *key);
  if (!answer) return tl::make_unexpected(answer.error());
  auto const records = select(answer->packet, *selection);
  std::string const key_text = names::format_public_key(*key);
  if (program.options.json) {
    print_json({{"key", key_text},
                {"timestamp_us", answer->packet.timestamp_us()},
                {"source", answer->source},
                {"age_s", answer->age_s},
                {"records", describe_records(records)}});
    return {};
  }
  print_line("; " + key_text);
  print_line("; signed " + format_time({answer->packet.timestamp_us()}) + ", from the " +
             answer->source);
  print_records(records, *key);
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
                   "Only what is stored here, the first verified "
                   "record, or the newest of all nodes asked")
      ->check(CLI::IsMember({"cache", "first", "newest"}))
      ->capture_default_str();
  resolve->add_option("--source", arguments->source, "Whom to ask")
      ->check(CLI::IsMember({"dht", "relay", "all"}))
      ->capture_default_str();
  resolve->footer(
      "Examples:\n  dotkey resolve alice\n  dotkey resolve KEY www A\n"
      "  dotkey resolve https://www.KEY.key/ --json --policy first");
  resolve->callback([&program, arguments] {
    program.action = [&program, arguments] { return resolve_key(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
