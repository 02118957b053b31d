// SPDX-License-Identifier: Apache-2.0
// One connection of a browser to the proxy, from the request's first byte to the last of the page.
#pragma once

#include <memory>
#include <string>

#include "host/proxy/client_hello.h"
#include "host/proxy/plain_exchange.h"
#include "host/proxy/request_head.h"
#include "host/proxy/upstreams.h"

namespace dotkey::host::proxy {

class Port;

// No browser takes longer for what it has ready to send.
inline constexpr std::chrono::seconds request_timeout{10};
inline constexpr std::chrono::seconds hello_timeout{10};
// For all of it: resolving, connecting, and a person or an extension deciding.
inline constexpr std::chrono::seconds decision_timeout{90};
inline constexpr std::chrono::seconds half_closed_timeout{60};
inline constexpr std::chrono::seconds farewell_timeout{5};

class Tunnel {
 public:
  // `fd`: accepted, non-blocking, not yet watched.
  Tunnel(Port& port, int fd);
  ~Tunnel();
  Tunnel(Tunnel const&) = delete;
  Tunnel& operator=(Tunnel const&) = delete;

  // False when the kernel has no room to watch it.
  bool start();
  void on_tick(Clock::time_point now);
  // Ends at once if it leads to this site, or is about to.
  void end_for(Site const& site);
  // Likewise for all sites of a key.
  void end_for(crypto::PublicKey const& key);
  // Ends at once if it carries a page of this key over plain http, or is about to.
  void end_plain(crypto::PublicKey const& key);
  [[nodiscard]] bool is_over() const { return state_ == State::over; }

  // For the ALPN callback of the server context.
  [[nodiscard]] std::string const& alpn() const { return upstream_.alpn; }

 private:
  enum class State : std::uint8_t {
    reading_head,
    searching,        // CONNECT is held: no answer before the gate's word
    reading_hello,    // 200 was sent
    searching_again,  // the hello is here, the upstream that suits it is not
    shaking_hands,
    splicing,
    searching_plain,  // for a way to an http page
    exchanging,       // that page
    saying_goodbye,   // a refusal is on its way
    over,
  };
  struct Side final : EventSet::Watcher {
    Side(Tunnel& tunnel_, void (Tunnel::*on_ready_)(std::uint32_t))
        : tunnel(tunnel_), method(on_ready_) {}
    void on_ready(std::uint32_t events) override { (tunnel.*method)(events); }
    Tunnel& tunnel;
    void (Tunnel::*method)(std::uint32_t);
  };

  void on_browser(std::uint32_t events);
  void on_upstream(std::uint32_t events);

  void read_head();
  void on_head();
  void on_connect();
  void on_plain_request();
  void on_plain_resolved(base::Result<Resolution> const& resolution);
  void on_plain_step(PlainExchange::Step step);
  void establish();
  void read_hello();
  void on_hello();
  void search(std::vector<std::string> alpn);
  void on_upstream_found(Upstream upstream);
  void on_refused(std::string const& slug);
  void start_browser_tls();
  void shake_hands();
  void splice();
  void finish_direction(SpliceStatus status, Stream& sink, bool& done, bool may_truncate);
  void refuse(int status, base::ErrorCode code);
  void say_goodbye(std::string const& answer);
  void watch_upstream();
  void close();
  void set_deadline(std::chrono::seconds after) { deadline_ = Clock::now() + after; }

  Port& port_;
  State state_ = State::reading_head;
  Stream browser_;
  Side browser_side_{*this, &Tunnel::on_browser};
  Side upstream_side_{*this, &Tunnel::on_upstream};
  Upstream upstream_;
  bool upstream_watched_ = false;
  std::unique_ptr<Acquisition> acquisition_;
  std::unique_ptr<PlainExchange> plain_;
  std::optional<EvidenceHash> allowed_;
  std::shared_ptr<Grounds> grounds_;  // of that
  base::Bytes received_;              // the request's head, then the ClientHello
  RequestHead head_;
  Site site_;
  ClientHello hello_;
  bool browser_done_ = false;  // it said that it ends
  bool upstream_done_ = false;
  bool continuation_posted_ = false;
  std::uint64_t moved_ = 0;
  std::uint64_t moved_at_tick_ = 0;
  Clock::time_point deadline_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dotkey::host::proxy
