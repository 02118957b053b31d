// SPDX-License-Identifier: Apache-2.0
// dotkey publish NAME
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/base/text.h"
#include "core/names/public_key.h"
#include "core/record/monotonic_timestamps.h"
#include "core/record/signed_packet.h"

#include "host/channel/message.h"
#include "host/cli/access.h"
#include "host/cli/output.h"
#include "host/cli/passphrase.h"
#include "host/cli/program.h"
#include "host/cli/publish_watch.h"
#include "host/cli/record_output.h"
#include "host/cli/zone_input.h"
#include "host/loop/clock.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;
using record::SignedPacket;

struct PublishArguments {
  std::string name;
  std::string zone_file;
  std::vector<std::string> records;
  bool no_republish = false;
  bool watch = false;
  std::int64_t watch_interval_s = 60;
  std::optional<std::int64_t> timestamp_us;
  std::optional<std::int64_t> cas_us;
  PassphraseOptions passphrase;
};

// The timestamp of the newest packet known of the key, here or in the network; 0: there is none.
base::Result<std::int64_t> newest_known(Access& access, crypto::PublicKey const& key) {
  auto const answer = access.ask(
      "resolve", {{"key", names::format_public_key(key)}, {"policy", "newest"}}, "Looking");
  if (answer) return channel::integer_at(*answer, "timestamp_us").value_or(0);
  // Signed by this key but no packet of pkarr's: some other use of BEP 44, whose sequence the put
  // will be refused for if it is higher.
  bool const nothing = answer.error().code == ErrorCode::resolve_not_found ||
                       answer.error().code == ErrorCode::resolve_invalid_packet;
  if (nothing) return 0;
  return tl::make_unexpected(answer.error());
}

base::Result<SignedPacket> build_packet(crypto::Signer& signer, PublishArguments const& arguments,
                                        std::vector<wire::dns::ResourceRecord> const& records,
                                        std::int64_t newest_us) {
  if (arguments.timestamp_us) return SignedPacket::build(signer, *arguments.timestamp_us, records);
  record::MonotonicTimestamps timestamps(newest_us);
  auto const next_us = timestamps.next(loop::unix_now().us);
  if (!next_us) return base::fail(ErrorCode::record_timestamp_invalid);
  return SignedPacket::build(signer, *next_us, records);
}

void print_published(Program const& program, SignedPacket const& packet,
                     boost::json::object const& outcome) {
  auto const* const warning = outcome.if_contains("warning");
  if (program.options.json) {
    boost::json::object out = {{"key", names::format_public_key(packet.key())},
                               {"timestamp_us", packet.timestamp_us()},
                               {"dht_nodes", outcome.at("dht_nodes")},
                               {"relays", outcome.at("relays")}};
    if (warning != nullptr) out["warning"] = warning->at("error");
    return print_json(out);
  }
  print_line("https://" + names::format_public_key(packet.key()) + ".key/");
  print_line("Stored by " + std::to_string(channel::integer_at(outcome, "dht_nodes").value_or(0)) +
             " nodes, " + std::to_string(packet.size()) + " bytes, signed " +
             format_time({packet.timestamp_us()}) + ".");
  for (auto const& relay : outcome.at("relays").as_array()) {
    boost::json::object const& entry = relay.as_object();
    std::string line(channel::text_at(entry, "url").value_or(""));
    line += ": ";
    line += channel::text_at(entry, "error")
                .value_or(channel::text_at(entry, "verdict").value_or("failed"));
    print_line(line);
  }
  if (warning == nullptr) return;
  auto const error = channel::parse_error(warning->as_object());
  print_line(error.slug + ": " + error.advice);
}

// Both versions, for the user to merge.
void note_versions(Program& program, SignedPacket const& ours, boost::json::object const& failed) {
  auto const text = channel::text_at(failed, "theirs");
  if (!text) return;
  auto const bytes = base::parse_base64(*text, base::Base64Alphabet::standard);
  auto const theirs = bytes ? SignedPacket::parse(*bytes) : tl::make_unexpected(bytes.error());
  if (!theirs || !(theirs->key() == ours.key())) return;
  for (SignedPacket const* const packet : {&ours, &*theirs}) {
    program.error_notes.push_back((packet == &ours ? "; yours, signed " : "; theirs, signed ") +
                                  format_time({packet->timestamp_us()}));
    for (std::string& line : format_records(packet->records(), ours.key())) {
      program.error_notes.push_back(std::move(line));
    }
  }
}

base::Result<void> publish_once(Program& program, Access& access, crypto::Signer& signer,
                                PublishArguments const& arguments,
                                std::vector<wire::dns::ResourceRecord> const& records) {
  // With a condition, what it names is the newest, or nothing is published.
  base::Result<std::int64_t> const newest_us =
      arguments.cas_us ? *arguments.cas_us : newest_known(access, signer.public_key());
  if (!newest_us) return tl::make_unexpected(newest_us.error());
  auto const packet = build_packet(signer, arguments, records, *newest_us);
  if (!packet) return tl::make_unexpected(packet.error());
  boost::json::object request = {
      {"packet", base::encode_base64(packet->canonical(), base::Base64Alphabet::standard)},
      {"keep_alive", !arguments.no_republish}};
  if (arguments.cas_us) request["cas_us"] = *arguments.cas_us;
  auto const outcome = access.ask("publish", std::move(request), "Publishing");
  if (outcome) {
    print_published(program, *packet, *outcome);
    return {};
  }
  if (!program.options.json) note_versions(program, *packet, access.failed_body());
  return tl::make_unexpected(outcome.error());
}

// Errors: file_unreadable; zone_syntax where placeholders and --watch do not go together.
base::Result<RecordTexts> texts_of(PublishArguments const& arguments) {
  auto texts = read_texts(arguments.zone_file, arguments.records);
  if (!texts || has_placeholder(*texts) == arguments.watch) return texts;
  return base::fail(ErrorCode::zone_syntax,
                    arguments.watch ? "--watch is for records with {external_ipv4} or "
                                      "{external_ipv6} in place of an address"
                                    : "{external_ipv4} and {external_ipv6} need --watch");
}

base::Result<void> publish_records(Program& program, PublishArguments const& arguments) {
  // What is wrong with the records is said before a passphrase or the network is asked.
  auto const file = program.keys().load(arguments.name);
  if (!file) return tl::make_unexpected(file.error());
  auto const texts = texts_of(arguments);
  if (!texts) return tl::make_unexpected(texts.error());
  // What is not known yet takes as much room as any address.
  ExternalAddresses const samples{base::IpAddress::v4({192, 0, 2, 1}),
                                  *base::IpAddress::parse("2001:db8::1")};
  auto const records = records_at(samples, file->public_key, *texts);
  if (!records) return tl::make_unexpected(records.error());
  auto const seed = load_seed(program, arguments.name, arguments.passphrase);
  if (!seed) return tl::make_unexpected(seed.error());
  crypto::KeyPair signer(*seed);
  auto const trial = SignedPacket::build(signer, 0, *records);
  if (!trial) return tl::make_unexpected(trial.error());

  auto const access = Access::open(program);
  if (!access) return tl::make_unexpected(access.error());
  auto const publish = [&](std::vector<wire::dns::ResourceRecord> const& current) {
    program.error_notes.clear();
    return publish_once(program, **access, signer, arguments, current);
  };
  if (arguments.watch) {
    return watch_addresses(program, **access, file->public_key, *texts,
                           engine::Duration::from_s(arguments.watch_interval_s), publish);
  }
  return publish(*records);
}

}  // namespace

void add_publish_command(CLI::App& app, Program& program) {
  CLI::App* const publish =
      app.add_subcommand("publish", "Sign records and put them on the DHT and the relays");
  auto const arguments = std::make_shared<PublishArguments>();
  publish->add_option("NAME", arguments->name, "The stored key to sign with")->required();
  publish->add_option("--zone", arguments->zone_file, "Records from a zone file; - is stdin")
      ->type_name("FILE");
  publish->add_option("--record", arguments->records, "One record, repeatable")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  publish->add_flag("--no-republish", arguments->no_republish,
                    "Publish once, do not keep the record alive");
  CLI::Option* const watch =
      publish->add_flag("--watch", arguments->watch,
                        "Stay, and publish again when this machine's address changes: records with "
                        "{external_ipv4} or {external_ipv6} have the one that the DHT's nodes see");
  publish
      ->add_option("--watch-interval", arguments->watch_interval_s,
                   "Seconds between two looks at the address (default 60)")
      ->type_name("S")
      ->check(CLI::Range(1, 3600))
      ->needs(watch);
  publish
      ->add_option("--timestamp-us", arguments->timestamp_us,
                   "Microseconds since 1970, for tests (default: now, or just above the newest)")
      ->type_name("T")
      ->excludes(watch);
  publish
      ->add_option("--replace", arguments->cas_us,
                   "Publish only in place of the record with this timestamp")
      ->type_name("T")
      ->excludes(watch);
  arguments->passphrase.add_to(*publish, false);
  publish->footer(
      "A publication is the whole: records that are not named here are gone.\n"
      "Examples:\n  dotkey publish alice --zone site.zone\n"
      "  dotkey publish alice --record \"@ 300 A 192.0.2.1\" --record \"www 300 CNAME @\"\n"
      "  dotkey publish alice --watch --record \"@ 300 A {external_ipv4}\"");
  publish->callback([&program, arguments] {
    if (arguments->zone_file.empty() && arguments->records.empty()) {
      throw CLI::RequiredError("--zone or --record");
    }
    program.action = [&program, arguments] { return publish_records(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
