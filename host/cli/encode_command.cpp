// SPDX-License-Identifier: Apache-2.0
// dotkey encode: a signed packet without a network.
#include <memory>

#include <boost/json/object.hpp>

#include "core/base/text.h"
#include "core/names/public_key.h"
#include "core/record/signed_packet.h"

#include "host/cli/output.h"
#include "host/cli/passphrase.h"
#include "host/cli/program.h"
#include "host/cli/zone_input.h"
#include "host/loop/clock.h"

namespace dotkey::host::cli {
namespace {

struct EncodeArguments {
  std::string name;
  std::string seed_hex;
  std::optional<std::int64_t> timestamp_us;
  std::string zone_file;
  std::vector<std::string> records;
  PassphraseOptions passphrase;
};

base::Result<crypto::Seed> seed_for_encode(Program const& program,
                                           EncodeArguments const& arguments) {
  if (!arguments.name.empty()) return load_seed(program, arguments.name, arguments.passphrase);
  auto const file = custody::parse_key_file(arguments.seed_hex);
  if (file && file->seed) return *file->seed;
  return base::fail(base::ErrorCode::keystore_malformed,
                    "--seed-hex wants 64 hexadecimal characters");
}

base::Result<void> encode_packet(Program& program, EncodeArguments const& arguments) {
  auto const seed = seed_for_encode(program, arguments);
  if (!seed) return tl::make_unexpected(seed.error());
  crypto::KeyPair signer(*seed);
  auto const records = read_records(signer.public_key(), arguments.zone_file, arguments.records);
  if (!records) return tl::make_unexpected(records.error());
  auto const packet = record::SignedPacket::build(
      signer, arguments.timestamp_us.value_or(loop::unix_now().us), *records);
  if (!packet) return tl::make_unexpected(packet.error());
  std::string const hex = base::encode_hex(packet->canonical());
  if (program.options.json) {
    print_json({{"key", names::format_public_key(packet->key())},
                {"timestamp_us", packet->timestamp_us()},
                {"size", packet->size()},
                {"packet", hex}});
  } else {
    print_line(hex);
  }
  return {};
}

}  // namespace

void add_encode_command(CLI::App& app, Program& program) {
  CLI::App* const encode = app.add_subcommand(
      "encode", "Sign records without a network; prints the canonical packet as hex");
  auto const arguments = std::make_shared<EncodeArguments>();
  encode->add_option("NAME", arguments->name, "The stored key to sign with");
  encode->add_option("--seed-hex", arguments->seed_hex, "The key's seed, instead of NAME")
      ->type_name("HEX");
  encode
      ->add_option("--timestamp-us", arguments->timestamp_us,
                   "Microseconds since 1970 (default: now)")
      ->type_name("T");
  encode->add_option("--zone", arguments->zone_file, "Records from a zone file; - is stdin")
      ->type_name("FILE");
  encode->add_option("--record", arguments->records, "One record, repeatable")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  arguments->passphrase.add_to(*encode, false);
  encode->footer(
      "Examples:\n  dotkey encode alice --zone site.zone\n"
      "  dotkey encode alice --record \"www 300 A 192.0.2.1\" | dotkey decode --hex");
  encode->callback([&program, arguments] {
    if (arguments->name.empty() == arguments->seed_hex.empty()) {
      throw CLI::RequiredError("Either NAME or --seed-hex");
    }
    program.action = [&program, arguments] { return encode_packet(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
