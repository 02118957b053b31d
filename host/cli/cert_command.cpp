// SPDX-License-Identifier: Apache-2.0
// dotkey cert new KEY
#include <memory>

#include <boost/json/object.hpp>

#include "core/crypto/secret.h"
#include "core/names/public_key.h"

#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/tlsa_output.h"
#include "host/loop/clock.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::cli {
namespace {

struct CertArguments {
  std::string key;
  std::string out = ".";
  int days = 3650;
};

base::Result<void> write_pair(std::string const& certificate_path, std::string const& key_path,
                              tls::MintedCertificate const& minted) {
  // Both names are looked at first: a key without its certificate helps nobody.
  if (store::exists(certificate_path)) {
    return base::fail(base::ErrorCode::file_exists, certificate_path);
  }
  auto written = store::write_file(key_path, base::view_of(minted.private_key_pem), 0600,
                                   store::Existing::refuse);
  if (!written) return written;
  return store::write_file(certificate_path, base::view_of(minted.certificate_pem), 0644,
                           store::Existing::refuse);
}

base::Result<void> new_certificate(Program& program, CertArguments const& arguments) {
  auto const key = parse_key_argument(program, arguments.key);
  if (!key) return tl::make_unexpected(key.error());
  std::string const host = names::format_public_key(*key) + ".key";
  auto minted = tls::mint_self_signed(host, loop::unix_now(), arguments.days, program.entropy);
  if (!minted) return tl::make_unexpected(minted.error());
  if (auto made = store::create_private_directory(arguments.out); !made) return made;
  std::string const certificate_path = arguments.out + "/" + host + ".cert.pem";
  std::string const key_path = arguments.out + "/" + host + ".private.pem";
  auto const written = write_pair(certificate_path, key_path, *minted);
  crypto::wipe(minted->private_key_pem.data(), minted->private_key_pem.size());
  if (!written) return written;

  auto const certificate = tls::read_certificate(base::view_of(minted->certificate_pem));
  if (!certificate) return tl::make_unexpected(certificate.error());
  auto const record = describe_tlsa("_443._tcp", *certificate);
  if (program.options.json) {
    print_json({{"host", host},
                {"certificate", certificate_path},
                {"private_key", key_path},
                {"tlsa", record}});
    return {};
  }
  print_line("certificate  " + certificate_path);
  print_line("private key  " + key_path);
  print_line("Put this record into the zone you publish:");
  print_line(format_tlsa(record));
  return {};
}

}  // namespace

void add_cert_command(CLI::App& app, Program& program) {
  CLI::App* const cert = app.add_subcommand("cert", "Make certificates");
  cert->require_subcommand(1);
  cert->footer("Example:\n  dotkey cert new alice --out /etc/mysite");
  CLI::App* const create =
      cert->add_subcommand("new", "Make a self-signed certificate for <KEY>.key and *.<KEY>.key");
  auto const arguments = std::make_shared<CertArguments>();
  create->add_option("KEY", arguments->key, "A public key, or the name of a stored one")
      ->required();
  create->add_option("--out", arguments->out, "Where to write the two files")
      ->type_name("DIR")
      ->capture_default_str();
  create->add_option("--days", arguments->days, "How long it is valid")
      ->check(CLI::Range(1, 36500))
      ->capture_default_str();
  create->footer("Examples:\n  dotkey cert new alice\n  dotkey cert new alice --out /etc/mysite");
  create->callback([&program, arguments] {
    program.action = [&program, arguments] { return new_certificate(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
