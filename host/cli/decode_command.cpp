// SPDX-License-Identifier: Apache-2.0
// dotkey decode: verifies and prints a signed packet without a network.
#include <memory>

#include <boost/json/object.hpp>

#include "core/base/text.h"
#include "core/names/public_key.h"
#include "core/record/signed_packet.h"

#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/record_output.h"
#include "host/cli/zone_input.h"
#include "host/json/records.h"

namespace dotkey::host::cli {
namespace {

struct DecodeArguments {
  std::string file = "-";
  bool hex = false;
  std::string key;
};

base::Result<base::Bytes> read_packet(DecodeArguments const& arguments) {
  constexpr std::size_t packet_text_size_max = 64 * 1024;
  auto content = read_file_or_stdin(arguments.file, packet_text_size_max);
  if (!content || !arguments.hex) return content;
  std::string digits;
  for (char const c : base::text_of(*content)) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') digits.push_back(c);
  }
  return base::parse_hex(digits);
}

base::Result<record::SignedPacket> parse_packet(Program const& program,
                                                DecodeArguments const& arguments,
                                                base::ByteView bytes) {
  if (arguments.key.empty()) return record::SignedPacket::parse(bytes);
  auto const key = parse_key_argument(program, arguments.key);
  if (!key) return tl::make_unexpected(key.error());
  return record::SignedPacket::parse_relay_payload(*key, bytes);
}

base::Result<void> decode_packet(Program& program, DecodeArguments const& arguments) {
  auto const bytes = read_packet(arguments);
  if (!bytes) return tl::make_unexpected(bytes.error());
  auto const packet = parse_packet(program, arguments, *bytes);
  if (!packet) return tl::make_unexpected(packet.error());
  std::string const key = names::format_public_key(packet->key());
  if (program.options.json) {
    print_json({{"key", key},
                {"timestamp_us", packet->timestamp_us()},
                {"signature", base::encode_hex(packet->signature().view())},
                {"size", packet->size()},
                {"records", json::describe_records(packet->records())}});
    return {};
  }
  print_line("; " + key);
  print_line("; signed " + format_time({packet->timestamp_us()}) + ", " +
             std::to_string(packet->size()) + " bytes, signature valid");
  print_records(packet->records(), packet->key());
  return {};
}

}  // namespace

void add_decode_command(CLI::App& app, Program& program) {
  CLI::App* const decode =
      app.add_subcommand("decode", "Verify and print a signed packet without a network");
  auto const arguments = std::make_shared<DecodeArguments>();
  decode->add_option("FILE", arguments->file, "The packet; - is stdin")->capture_default_str();
  decode->add_flag("--hex", arguments->hex, "It is hexadecimal text");
  decode->add_option("--key", arguments->key, "It is a relay's payload for this key")
      ->type_name("KEY");
  decode->footer(
      "Examples:\n  dotkey encode alice --zone site.zone | dotkey decode --hex\n"
      "  dotkey decode payload.bin --key alice --json");
  decode->callback([&program, arguments] {
    program.action = [&program, arguments] { return decode_packet(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
