// SPDX-License-Identifier: Apache-2.0
// dotkey tlsa HOST:PORT | --cert FILE
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/base/text.h"

#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/cli/tlsa_output.h"
#include "host/loop/clock.h"
#include "host/loop/foreground.h"
#include "host/store/atomic_file.h"
#include "host/tls/certificate_fetch.h"

namespace dotkey::host::cli {
namespace {

struct TlsaArguments {
  std::string server;
  std::string certificate_file;
  std::uint16_t port = 443;
};

base::Result<tls::CertificateFacts> certificate_of_file(std::string const& path) {
  constexpr std::size_t certificate_size_max = 256 * 1024;
  auto const file = store::read_file(path, certificate_size_max);
  if (!file) return tl::make_unexpected(file.error());
  auto certificate = tls::read_certificate(*file);
  if (!certificate) certificate.error().detail = path;
  return certificate;
}

base::Result<tls::CertificateFacts> certificate_of_server(Program const& program,
                                                          loop::HostPort const& server) {
  loop::Foreground foreground;
  auto const der =
      tls::fetch_certificate(foreground, server, program.options.deadline_from(loop::now()));
  if (!der) {
    base::Error error = der.error();
    error.detail = server.host + (error.detail.empty() ? "" : ": " + error.detail);
    return tl::make_unexpected(error);
  }
  return tls::read_certificate(*der);
}

base::Result<void> show_tlsa(Program& program, TlsaArguments const& arguments) {
  std::string owner = "_" + std::to_string(arguments.port) + "._tcp";
  if (arguments.server.empty()) {
    auto const certificate = certificate_of_file(arguments.certificate_file);
    if (!certificate) return tl::make_unexpected(certificate.error());
    print_tlsa(program.options.json, owner, *certificate);
    return {};
  }
  auto const server = loop::parse_host_port(arguments.server);
  if (!server) return tl::make_unexpected(server.error());
  owner = "_" + std::to_string(server->port) + "._tcp." + server->host + ".";
  auto const certificate = arguments.certificate_file.empty()
                               ? certificate_of_server(program, *server)
                               : certificate_of_file(arguments.certificate_file);
  if (!certificate) return tl::make_unexpected(certificate.error());
  print_tlsa(program.options.json, owner, *certificate);
  return {};
}

}  // namespace

boost::json::object describe_tlsa(std::string const& owner,
                                  tls::CertificateFacts const& certificate) {
  base::Bytes const data = tls::tlsa_3_1_1(certificate);
  std::string const text = "3 1 1 " + base::encode_hex(base::ByteView(data).subspan(3));
  return {{"name", owner},
          {"ttl", tlsa_ttl_s},
          {"type", "TLSA"},
          {"data", text},
          {"subject", certificate.subject},
          {"not_after", certificate.not_after.us / 1'000'000}};
}

std::string format_tlsa(boost::json::object const& record) {
  return std::string(record.at("name").as_string()) + " " + std::to_string(tlsa_ttl_s) +
         " IN TLSA " + std::string(record.at("data").as_string());
}

void print_tlsa(bool json, std::string const& owner, tls::CertificateFacts const& certificate) {
  auto const record = describe_tlsa(owner, certificate);
  if (json) return print_json({{"records", boost::json::array{record}}});
  print_line(format_tlsa(record));
}

void add_tlsa_command(CLI::App& app, Program& program) {
  CLI::App* const tlsa =
      app.add_subcommand("tlsa", "Print the TLSA record to publish for a TLS server");
  auto const arguments = std::make_shared<TlsaArguments>();
  tlsa->add_option("HOST:PORT", arguments->server,
                   "The server to ask; with --cert only the record's name");
  tlsa->add_option("--cert", arguments->certificate_file,
                   "Read the certificate from FILE (PEM or DER), connect to nobody")
      ->type_name("FILE");
  tlsa->add_option("--port", arguments->port, "The port in the record's name, with --cert alone")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  tlsa->footer("Examples:\n  dotkey tlsa www.example.org:443\n  dotkey tlsa --cert cert.pem");
  tlsa->callback([&program, arguments] {
    if (arguments->server.empty() && arguments->certificate_file.empty()) {
      throw CLI::RequiredError("HOST:PORT or --cert");
    }
    program.action = [&program, arguments] { return show_tlsa(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
