// SPDX-License-Identifier: Apache-2.0
// One request over plain http and its response, for a site whose user wants that. Nothing of it is
// verified and nothing is encrypted; the browser says so. The connection ends with the response, so
// that every request is asked about anew.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "host/proxy/connector.h"
#include "host/proxy/gate.h"
#include "host/proxy/request_head.h"
#include "host/proxy/stream.h"

namespace dotkey::host::proxy {

inline constexpr std::size_t response_head_size_max = 64 * 1024;

// The request as its server gets it (RFC 9112 §3.2.1): in origin form, without the fields that are
// for the proxy alone (RFC 9110 §7.6.1), and the last one of its connection.
std::string origin_form_of(RequestHead const& head, Site const& site);

// The head of a response as the browser gets it: likewise. `head` is all up to and with the empty
// line. Empty: it is none.
std::string relayed_response_head(std::string_view head);

class PlainExchange final : private EventSet::Watcher {
 public:
  enum class Step : std::uint8_t {
    waiting,
    again,     // stopped for the others' sake: call on_browser() soon
    answered,  // all of the response was passed on
    failed,    // it was cut, or was none
    unreachable,
  };
  // Runs when something happened at the server's side.
  using OnStep = std::function<void(Step)>;

  // All outlive it. `browser` may hold parts of the request's body; `body` is what was read of it.
  PlainExchange(boost::asio::io_context& loop, EventSet& events, Scratch& scratch, Stream& browser,
                RequestHead const& head, Site const& site, base::Bytes body);
  ~PlainExchange();
  PlainExchange(PlainExchange const&) = delete;
  PlainExchange& operator=(PlainExchange const&) = delete;

  void start(std::vector<Route> routes, OnStep on_step);
  // The browser can be read from or written to.
  Step on_browser();
  // Nothing more is passed on. Safe inside OnStep, which the destructor is not.
  void end();
  // Bytes moved since the beginning.
  [[nodiscard]] std::uint64_t moved() const { return moved_; }

 private:
  void try_next_route();
  void on_connected(std::optional<Connector::Connected> connected);
  void on_ready(std::uint32_t events) override;
  Step pump();
  void send_body();
  Step pass_response();
  Step take_response_head(base::ByteView bytes);

  boost::asio::io_context& loop_;
  EventSet& events_;
  Scratch& scratch_;
  Stream& browser_;
  std::string request_;
  base::Bytes body_;
  std::uint64_t body_left_ = 0;  // to be read of the browser
  OnStep on_step_;
  std::vector<Route> routes_;
  std::size_t next_route_ = 0;
  std::unique_ptr<Connector> connector_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<Stream> server_;
  std::string response_head_;
  bool response_begun_ = false;  // its final head was passed on
  std::uint64_t moved_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dotkey::host::proxy
