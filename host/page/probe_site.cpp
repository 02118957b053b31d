// SPDX-License-Identifier: Apache-2.0
#include "host/page/probe_site.h"

#include <array>

#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/crypto/secret.h"
#include "core/names/public_key.h"
#include "core/wire/zone_text.h"

#include "host/loop/clock.h"
#include "host/tls/certificate.h"

namespace dotkey::host::page {
namespace {

using base::ErrorCode;
using base::Result;
using boost::asio::ip::tcp;

constexpr std::size_t request_size_max = 16 * 1024;
constexpr std::chrono::seconds visit_patience{20};
constexpr int certificate_days = 2;

std::string random_hex(engine::Entropy& entropy) {
  std::array<std::uint8_t, 16> bytes{};
  entropy.fill(bytes);
  return base::encode_hex(bytes);
}

}  // namespace

// One request, one answer, the end.
struct ProbeSite::Visit : std::enable_shared_from_this<Visit> {
  Visit(tcp::socket socket, boost::asio::ssl::context& tls, std::shared_ptr<std::size_t> open,
        std::string answer_)
      : stream(std::move(socket), tls),
        timer(stream.get_executor()),
        count(std::move(open)),
        answer(std::move(answer_)) {
    ++*count;
  }
  ~Visit() { --*count; }
  Visit(Visit const&) = delete;
  Visit& operator=(Visit const&) = delete;

  void start() {
    timer.expires_after(visit_patience);
    timer.async_wait([self = shared_from_this()](boost::system::error_code const& error) {
      boost::system::error_code ignored;
      if (!error) self->stream.next_layer().close(ignored);
    });
    stream.async_handshake(boost::asio::ssl::stream_base::server,
                           [self = shared_from_this()](boost::system::error_code const& error) {
                             error ? self->end() : self->read();
                           });
  }

  void read() {
    boost::asio::async_read_until(
        stream, request, "\r\n\r\n",
        [self = shared_from_this()](boost::system::error_code const& error, std::size_t) {
          error ? self->end() : self->write();
        });
  }

  void write() {
    boost::asio::async_write(
        stream, boost::asio::buffer(answer),
        [self = shared_from_this()](boost::system::error_code const&, std::size_t) {
          self->stream.async_shutdown([self](boost::system::error_code const&) { self->end(); });
        });
  }

  void end() {
    timer.cancel();
    boost::system::error_code ignored;
    stream.next_layer().close(ignored);
  }

  boost::asio::ssl::stream<tcp::socket> stream;
  boost::asio::steady_timer timer;
  std::shared_ptr<std::size_t> count;
  std::string answer;
  boost::asio::streambuf request{request_size_max};
};

ProbeSite::ProbeSite(boost::asio::io_context& loop)
    : tls_(boost::asio::ssl::context::tls_server), acceptor_(loop) {}

ProbeSite::~ProbeSite() {
  *alive_ = false;
}

Result<std::unique_ptr<ProbeSite>> ProbeSite::open(boost::asio::io_context& loop,
                                                   engine::Entropy& entropy) {
  std::unique_ptr<ProbeSite> site(new ProbeSite(loop));
  site->token_ = random_hex(entropy);
  if (auto listening = site->listen(); !listening) return base::Failure(listening.error());
  if (auto made = site->make_packet(entropy); !made) return base::Failure(made.error());
  site->accept();
  return site;
}

Result<void> ProbeSite::listen() {
  tcp::endpoint const loopback(boost::asio::ip::address_v4::loopback(), 0);
  boost::system::error_code error;
  acceptor_.open(loopback.protocol(), error);
  if (!error) acceptor_.bind(loopback, error);
  if (!error) acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) return base::fail(ErrorCode::network_socket_failed, error.message());
  return {};
}

Result<void> ProbeSite::make_certificate(engine::Entropy& entropy) {
  auto minted = tls::mint_self_signed(host_, loop::unix_now(), certificate_days, entropy);
  if (!minted) return base::Failure(minted.error());
  auto const facts = tls::read_certificate(base::view_of(minted->certificate_pem));
  if (!facts) return base::Failure(facts.error());
  pin_ = "3 1 1 " + base::encode_hex(base::ByteView(tls::tlsa_3_1_1(*facts)).subspan(3));
  boost::system::error_code error;
  tls_.use_certificate(boost::asio::buffer(minted->certificate_pem), boost::asio::ssl::context::pem,
                       error);
  if (!error) {
    tls_.use_private_key(boost::asio::buffer(minted->private_key_pem),
                         boost::asio::ssl::context::pem, error);
  }
  crypto::wipe(minted->private_key_pem.data(), minted->private_key_pem.size());
  if (error) return base::fail(ErrorCode::crypto_unavailable, error.message());
  return {};
}

Result<void> ProbeSite::make_packet(engine::Entropy& entropy) {
  crypto::Seed seed;
  entropy.fill(seed.writable());
  crypto::KeyPair pair(seed);
  host_ = names::format_public_key(pair.public_key()) + ".key";
  if (auto made = make_certificate(entropy); !made) return made;
  std::string const port = std::to_string(acceptor_.local_endpoint().port());
  std::vector<wire::dns::ResourceRecord> records;
  for (std::string const& text : {std::string("@ 60 A 127.0.0.1"), "@ 60 HTTPS 1 . port=" + port,
                                  "_" + port + "._tcp 60 TLSA " + pin_}) {
    auto record = wire::dns::parse_record_text(text, record::origin_of(pair.public_key()));
    if (!record) return base::Failure(record.error());
    records.push_back(std::move(*record));
  }
  auto packet = record::SignedPacket::build(pair, loop::unix_now().us, records);
  if (!packet) return base::Failure(packet.error());
  packet_ = std::move(*packet);
  return {};
}

void ProbeSite::accept() {
  acceptor_.async_accept(
      [this, alive = alive_](boost::system::error_code const& error, tcp::socket socket) {
        if (!*alive || error == boost::asio::error::operation_aborted) return;
        if (!error && *open_ < probe_connections_max) {
          std::string const answer =
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n"
              "Content-Length: " +
              std::to_string(token_.size()) + "\r\nConnection: close\r\n\r\n" + token_;
          std::make_shared<Visit>(std::move(socket), tls_, open_, answer)->start();
        }
        accept();
      });
}

}  // namespace dotkey::host::page
