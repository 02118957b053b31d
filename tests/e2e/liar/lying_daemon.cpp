// SPDX-License-Identifier: Apache-2.0
// A daemon for tests that opens every page, whatever it found and whatever the extension says:
//
//   lying_daemon STATE_DIR SOCKET BOOTSTRAP
//
// It finds and connects as the real one does. What it then shows to the extension is what the file
// STATE_DIR/lie names: `truth`; `forged`, a packet with one bit changed; `foreign`, a packet of
// another key that says the same. Prints one line of JSON when it is ready.
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "host/cli/node_settings.h"
#include "host/daemon/browser_part.h"
#include "host/daemon/core.h"
#include "host/daemon/listener.h"
#include "host/loop/clock.h"
#include "host/loop/foreground.h"
#include "host/page/page_gate.h"
#include "host/proxy/proxy.h"
#include "host/store/atomic_file.h"

namespace dotkey::tests {
namespace {

using namespace host;  // NOLINT(google-build-using-namespace): all of it is what this file is about

// What all its sessions share.
struct Liar {
  Liar(loop::Foreground& foreground, daemon::Services& services, engine::Entropy& entropy,
       std::string const& state_dir)
      : parts{foreground.loop(), services.driver, entropy, services.local_keys, services.http_keys},
        ca(trust::LocalCa::load_or_create(state_dir, loop::unix_now()).value()),
        mint(ca),
        proxy(foreground.loop(), mint),
        lie_path(state_dir + "/lie") {}

  [[nodiscard]] std::string lie() const {
    auto const text = store::read_file(lie_path, 64);
    return text ? std::string(base::text_of(*text)) : "truth";
  }

  page::GateParts parts;
  trust::LocalCa ca;
  trust::LeafMint mint;
  proxy::Proxy proxy;
  std::string lie_path;
};

base::Bytes packet_of_another_key(base::Bytes const& canonical) {
  auto const packet = record::SignedPacket::parse(canonical).value();
  crypto::KeyPair signer(*crypto::Seed::from(base::Bytes(32, 0x77)));
  auto const other =
      record::SignedPacket::build(signer, packet.timestamp_us(), packet.records()).value();
  return base::to_bytes(other.canonical());
}

class LyingSession final : public daemon::PeerPart, private page::Witness, private proxy::Gate {
 public:
  LyingSession(Liar& liar, daemon::Peer& peer)
      : liar_(liar), peer_(peer), honest_(liar.parts, this) {
    proxy::PortSettings settings;
    settings.listen = {base::IpAddress::v4({127, 0, 0, 1}), 0};
    port_ = liar.proxy.open_port(std::move(settings), *this).value();
  }

  [[nodiscard]] std::uint16_t port() const { return port_->endpoint().port; }

  // Allowed, whatever the verdict.
  void on_verdict(boost::json::object const& body) {
    auto const request = channel::integer_at(body, "request_id");
    auto entry = waiting_.extract(static_cast<std::uint64_t>(request.value_or(0)));
    if (!entry.empty()) entry.mapped()(proxy::Allow{});
  }

 private:
  void resolve(proxy::Site const& site, OnResolved on_resolved) override {
    honest_.resolve(site, std::move(on_resolved));
  }
  void decide(proxy::Evidence evidence, OnDecided on_decided) override {
    deciding_ = std::move(on_decided);
    honest_.decide(std::move(evidence), [](proxy::Decision const&) {});
  }
  void examine(page::ShownEvidence const& found, OnVerdict) override {
    page::ShownEvidence shown = found;
    std::string const lie = liar_.lie();
    if (lie == "forged") shown.packets[0].back() ^= 1U;
    if (lie == "foreign") shown.packets[0] = packet_of_another_key(shown.packets[0]);
    waiting_.emplace(++last_request_, std::move(deciding_));
    peer_.send("evidence", daemon::describe_evidence(last_request_, shown));
  }
  void on_refused(proxy::Site const&, std::string_view) override {}
  void on_refused(proxy::Site const&, std::string_view, bool) override {}

  Liar& liar_;
  daemon::Peer& peer_;
  OnDecided deciding_;
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, OnDecided> waiting_;
  page::PageGate honest_;
  std::unique_ptr<proxy::Port> port_;
};

void on_hello(Liar& liar, daemon::Peer& peer, channel::Message const& request) {
  auto session = std::make_unique<LyingSession>(liar, peer);
  auto const root = trust::describe_root(liar.ca.signer().certificate.get());
  peer.answer(request, {{"version", "0.0.0-liar"},
                        {"proxy_port", session->port()},
                        {"ca_sha256", root.fingerprint}});
  peer.part = std::move(session);
}

// Commands are served honestly.
void on_message(Liar& liar, daemon::Services& services, daemon::Peer& peer,
                channel::Message message) {
  bool const browser = channel::text_at(message.body, "extension").has_value();
  auto* const session = dynamic_cast<LyingSession*>(peer.part.get());
  if (message.op == "hello" && browser) return on_hello(liar, peer, message);
  if (message.op == "verdict" && session != nullptr) return session->on_verdict(message.body);
  daemon::on_message(services, peer, std::move(message));
}

int run(std::string const& state_dir, std::string const& socket, std::string const& bootstrap) {
  cli::Program program;
  program.paths.state_dir = state_dir;
  program.options.bootstrap = {bootstrap};
  program.options.allow_local_network = true;
  loop::Foreground foreground;
  auto const core = daemon::Core::open(foreground.loop(), program.entropy,
                                       cli::core_settings(program, cli::Purpose::daemon))
                        .value();
  Liar liar(foreground, core->services(), program.entropy, state_dir);
  auto const listener = daemon::Listener::open(
      foreground.loop(), socket, [&](daemon::Session& session, channel::Message message) {
        on_message(liar, core->services(), session, std::move(message));
      });
  if (!listener) return 1;
  core->services().listener = listener->get();
  std::puts("{}");
  std::fflush(stdout);
  foreground.run_until_interrupted();
  // Sessions rest on the liar: they go first.
  (*listener)->for_each_session([](daemon::Session& session) { session.part.reset(); });
  return 0;
}

}  // namespace
}  // namespace dotkey::tests

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return dotkey::tests::run(argv[1], argv[2], argv[3]);
}
