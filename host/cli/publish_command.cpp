// SPDX-License-Identifier: Apache-2.0
// dotkey publish NAME
#include <algorithm>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/names/public_key.h"
#include "core/record/monotonic_timestamps.h"
#include "core/record/signed_packet.h"

#include "host/cli/dht_session.h"
#include "host/cli/output.h"
#include "host/cli/passphrase.h"
#include "host/cli/program.h"
#include "host/cli/seen_packet.h"
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
  std::optional<std::int64_t> timestamp_us;
  PassphraseOptions passphrase;
};

base::Failure newer_exists(std::int64_t ours_us, std::int64_t theirs_us) {
  return base::fail(ErrorCode::dht_newer_exists, "yours has timestamp " + std::to_string(ours_us) +
                                                     ", the newer one " +
                                                     std::to_string(theirs_us));
}

// The newest packet known of the key, here or in the network.
base::Result<std::optional<SignedPacket>> newest_known(Program const& program, DhtSession& session,
                                                       crypto::PublicKey const& key) {
  std::optional<SignedPacket> newest;
  if (auto seen = load_seen_packet(program.paths, key)) newest = std::move(seen->packet);
  auto const found = session.get(key, {});
  if (!found) {
    if (found.error().code == ErrorCode::dht_not_found) return newest;
    return tl::make_unexpected(found.error());
  }
  if (!found->item) return newest;
  auto packet = SignedPacket::parse_item(key, found->item->signature, found->item->sequence,
                                         found->item->value);
  // Signed by this key but no packet of pkarr's: some other use of BEP 44, whose sequence the put
  // will be refused for if it is higher.
  if (packet && (!newest || packet->is_more_recent_than(*newest))) newest = std::move(*packet);
  return newest;
}

base::Result<SignedPacket> build_packet(crypto::Signer& signer, PublishArguments const& arguments,
                                        std::vector<wire::dns::ResourceRecord> const& records,
                                        std::optional<SignedPacket> const& newest) {
  record::MonotonicTimestamps timestamps(newest ? newest->timestamp_us() : 0);
  auto const next_us = timestamps.next(loop::unix_now().us);
  if (!arguments.timestamp_us && !next_us) return base::fail(ErrorCode::record_timestamp_invalid);
  std::int64_t const timestamp_us = arguments.timestamp_us ? *arguments.timestamp_us : *next_us;
  auto packet = SignedPacket::build(signer, timestamp_us, records);
  // The very same packet may be published again.
  if (packet && newest && timestamp_us <= newest->timestamp_us() && !(*packet == *newest)) {
    return newer_exists(timestamp_us, newest->timestamp_us());
  }
  return packet;
}

boost::json::array describe_errors(dht::Outcome const& outcome) {
  boost::json::array out;
  for (dht::ErrorCount const& error : outcome.errors) {
    out.push_back({{"code", error.code}, {"nodes", error.nodes}});
  }
  return out;
}

void print_published(Program const& program, SignedPacket const& packet,
                     dht::Outcome const& outcome) {
  std::string const key = names::format_public_key(packet.key());
  if (program.options.json) {
    return print_json({{"key", key},
                       {"timestamp_us", packet.timestamp_us()},
                       {"dht_nodes", outcome.stored},
                       {"relays", boost::json::array()},
                       {"errors", describe_errors(outcome)}});
  }
  print_line("https://" + key + ".key/");
  print_line("Stored by " + std::to_string(outcome.stored) + " nodes, " +
             std::to_string(packet.size()) + " bytes, signed " +
             format_time({packet.timestamp_us()}) + ".");
}

base::Result<void> publish_records(Program& program, PublishArguments const& arguments) {
  // What is wrong with the records is said before a passphrase or the network is asked.
  auto const file = program.keys().load(arguments.name);
  if (!file) return tl::make_unexpected(file.error());
  auto const records = read_records(file->public_key, arguments.zone_file, arguments.records);
  if (!records) return tl::make_unexpected(records.error());
  auto const seed = load_seed(program, arguments.name, arguments.passphrase);
  if (!seed) return tl::make_unexpected(seed.error());
  crypto::KeyPair signer(*seed);
  auto const trial = SignedPacket::build(signer, 0, *records);
  if (!trial) return tl::make_unexpected(trial.error());

  auto session = DhtSession::open(program.options, program.paths, program.entropy);
  if (!session) return tl::make_unexpected(session.error());
  auto const newest = newest_known(program, **session, signer.public_key());
  if (!newest) return tl::make_unexpected(newest.error());
  auto const packet = build_packet(signer, arguments, *records, *newest);
  if (!packet) return tl::make_unexpected(packet.error());
  dht::MutableItem const item{
      packet->key(), {}, packet->timestamp_us(), packet->item_value(), packet->signature()};
  auto const stored = (*session)->put(item);
  if (!stored) {
    auto const& theirs = (*session)->last_outcome().item;
    if (stored.error().code == ErrorCode::dht_newer_exists && theirs) {
      return newer_exists(packet->timestamp_us(), theirs->sequence);
    }
    return tl::make_unexpected(stored.error());
  }
  print_published(program, *packet, *stored);
  return save_seen_packet(program.paths, *packet);
}

}  // namespace

void add_publish_command(CLI::App& app, Program& program) {
  CLI::App* const publish = app.add_subcommand("publish", "Sign records and put them on the DHT");
  auto const arguments = std::make_shared<PublishArguments>();
  publish->add_option("NAME", arguments->name, "The stored key to sign with")->required();
  publish->add_option("--zone", arguments->zone_file, "Records from a zone file; - is stdin")
      ->type_name("FILE");
  publish->add_option("--record", arguments->records, "One record, repeatable")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  publish->add_flag("--no-republish", arguments->no_republish,
                    "Publish once, do not keep the record alive");
  publish
      ->add_option("--timestamp-us", arguments->timestamp_us,
                   "Microseconds since 1970, for tests (default: now, or just above the newest)")
      ->type_name("T");
  arguments->passphrase.add_to(*publish, false);
  publish->footer(
      "Examples:\n  dotkey publish alice --zone site.zone\n"
      "  dotkey publish alice --record \"@ 300 A 192.0.2.1\" --record \"www 300 CNAME @\"");
  publish->callback([&program, arguments] {
    if (arguments->zone_file.empty() && arguments->records.empty()) {
      throw CLI::RequiredError("--zone or --record");
    }
    program.action = [&program, arguments] { return publish_records(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
