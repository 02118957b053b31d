// SPDX-License-Identifier: Apache-2.0
// The local proxy alone, with one site in its table, for run_proxy.sh:
//   contestant PORT HOST ORIGIN_PORT ORIGIN_CERT.pem STATE_DIR
#include <cstdio>

#include <openssl/pem.h>

#include "core/base/integers.h"

#include "host/loop/clock.h"
#include "host/proxy/proxy.h"
#include "tests/proxy/static_gate.h"

namespace dotkey {
namespace {

int run(std::uint16_t port, std::string const& host, std::uint16_t origin_port, char const* cert,
        std::string const& state) {
  std::FILE* const file = std::fopen(cert, "r");
  if (file == nullptr) return 1;
  host::trust::X509Ptr const pinned(PEM_read_X509(file, nullptr, nullptr, nullptr));
  std::fclose(file);
  auto const loopback = base::IpAddress::v4({127, 0, 0, 1});
  tests::StaticGate gate;
  gate.valid_for = std::chrono::seconds(60);
  gate.routes[host] = {{host, origin_port, {loopback}, true}};
  gate.ports = {origin_port};
  gate.pins = {host::trust::encode_der(pinned.get())};

  auto ca = host::trust::LocalCa::load_or_create(state, host::loop::unix_now());
  if (!ca) return 1;
  host::trust::LeafMint mint(*ca);
  boost::asio::io_context loop(1);
  host::proxy::Proxy proxy(loop, mint);
  auto const opened = proxy.open_port({.listen = {loopback, port}}, gate);
  if (!opened) return 1;
  loop.run();
  return 0;
}

}  // namespace
}  // namespace dotkey

int main(int count, char** arguments) {
  if (count != 6) return 2;
  auto const port = dotkey::base::parse_decimal<std::uint16_t>(arguments[1]);
  auto const origin_port = dotkey::base::parse_decimal<std::uint16_t>(arguments[3]);
  if (!port || !origin_port) return 2;
  return dotkey::run(*port, arguments[2], *origin_port, arguments[4], arguments[5]);
}
