// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/tunnel.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <openssl/crypto.h>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/crypto/hash.h"
#include "core/names/hostname.h"

#include "host/loop/clock.h"
#include "host/proxy/answers.h"
#include "host/proxy/proxy.h"

namespace dotkey::host::proxy {
namespace {

using base::ErrorCode;

// The password of "Basic base64(user:password)".
bool has_token(RequestHead const& head, std::string const& token) {
  std::string const* const field = head.field("proxy-authorization");
  if (token.empty()) return true;
  if (field == nullptr || base::to_lower_ascii(field->substr(0, 6)) != "basic ") return false;
  auto const decoded = base::parse_base64(field->substr(6), base::Base64Alphabet::standard);
  if (!decoded) return false;
  std::string_view const credentials = base::text_of(*decoded);
  std::size_t const colon = credentials.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view const password = credentials.substr(colon + 1);
  return password.size() == token.size() &&
         CRYPTO_memcmp(password.data(), token.data(), token.size()) == 0;
}

// What the proxy can speak for: it does not touch HTTP, so any protocol will do that both ends
// name; but offers that no upstream should see are dropped.
std::vector<std::string> usual_protocols(std::vector<std::string> const& offered) {
  std::vector<std::string> usual;
  for (std::string const& protocol : offered) {
    if (protocol == "h2" || protocol == "http/1.1") usual.push_back(protocol);
  }
  return usual;
}

}  // namespace

Tunnel::Tunnel(Port& port, int fd) : port_(port), browser_(fd, port.proxy_.scratch) {
  set_deadline(request_timeout);
}

Tunnel::~Tunnel() {
  close();
}

bool Tunnel::start() {
  return port_.proxy_.events.add(browser_.fd(), browser_side_);
}

void Tunnel::close() {
  if (state_ == State::over) return;
  state_ = State::over;
  acquisition_.reset();
  if (plain_) plain_->end();
  port_.proxy_.events.remove(browser_.fd(), browser_side_);
  if (upstream_watched_) port_.proxy_.events.remove(upstream_.stream->fd(), upstream_side_);
  if (upstream_.stream) {
    // Never used: it serves the next connection. What it received by now are session tickets.
    bool const untouched = moved_ == 0 && !upstream_done_ && !upstream_.stream->has_failed();
    if (untouched) port_.upstreams_.park(std::move(upstream_));
    upstream_.stream.reset();
  }
  port_.retire_later();
}

void Tunnel::on_tick(Clock::time_point now) {
  if (state_ == State::over) return;
  if (plain_) moved_ = plain_->moved();
  bool const moving = state_ == State::splicing || state_ == State::exchanging;
  if (moving && moved_ != moved_at_tick_) {
    moved_at_tick_ = moved_;
    bool const half_closed = browser_done_ || upstream_done_;
    deadline_ = now + (half_closed ? half_closed_timeout : port_.settings_.idle_timeout);
  }
  if (now < deadline_) return;
  if (state_ == State::searching || state_ == State::searching_plain) {
    return refuse(502, ErrorCode::proxy_no_decision);
  }
  close();
}

void Tunnel::end_for(Site const& site) {
  if (state_ != State::reading_head && site_ == site) close();
}

void Tunnel::end_for(crypto::PublicKey const& key) {
  if (state_ != State::reading_head && is_of(site_, key)) close();
}

void Tunnel::end_plain(crypto::PublicKey const& key) {
  bool const plain = state_ == State::searching_plain || state_ == State::exchanging;
  if (plain && is_of(site_, key)) close();
}

void Tunnel::on_browser(std::uint32_t events) {
  browser_.note_events(events);
  switch (state_) {
    case State::reading_head:
      return read_head();
    case State::reading_hello:
      return read_hello();
    case State::searching:
    case State::searching_again:
    case State::searching_plain:
      if (browser_.is_hung_up()) close();
      return;
    case State::shaking_hands:
      return shake_hands();
    case State::splicing:
      return splice();
    case State::exchanging:
      // Who reads no more wants no more.
      return browser_.is_hung_up() ? close() : on_plain_step(plain_->on_browser());
    case State::saying_goodbye:
      // Discarded, so that closing does not reset the connection before the answer was read.
      while (browser_.may_have_input() && !browser_.has_ended() && !browser_.has_failed()) {
        browser_.receive_plain(port_.proxy_.scratch.input);
      }
      if (browser_.has_ended() || browser_.has_failed()) close();
      return;
    case State::over:
      return;
  }
}

void Tunnel::read_head() {
  auto& scratch = port_.proxy_.scratch.input;
  while (browser_.may_have_input() && !browser_.has_ended()) {
    std::size_t const room = request_head_size_max + 1 - received_.size();
    std::size_t const n = browser_.receive_plain(std::span(scratch).first(room));
    if (browser_.has_failed()) return close();
    base::append(received_, base::ByteView(scratch).first(n));
    std::string_view const text = base::text_of(received_);
    if (auto const end = find_head_end(text)) {
      auto head = parse_request_head(text.substr(0, *end));
      // Nobody speaks TLS before the answer to CONNECT; whoever pipelines smuggles.
      bool const more = head && head->is_connect() && *end != text.size();
      if (!head || more) return refuse(400, ErrorCode::proxy_request_malformed);
      head_ = std::move(*head);
      received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(*end));
      return on_head();
    }
    if (received_.size() > request_head_size_max) {
      return refuse(400, ErrorCode::proxy_request_malformed);
    }
  }
  if (browser_.has_ended()) close();
}

void Tunnel::on_head() {
  site_ = {head_.host, head_.port};
  if (!has_token(head_, port_.settings_.token)) {
    ++port_.counters_.strangers;
    port_.gate_.on_refused(site_, base::slug_of(ErrorCode::proxy_client_unauthorized));
    return say_goodbye(credentials_wanted());
  }
  // A site that was allowed just now is ours, and the wait for its upstream would gain nothing: the
  // browser's hello tells what to ask the server for. To ask again whether its key is a point on
  // the curve costs as much as opening a socket.
  if (head_.is_connect() && port_.upstreams_.is_warm(site_)) return establish();
  switch (names::classify(site_.host)) {
    case names::Ownership::ours:
      break;
    case names::Ownership::malformed_ours:
      return refuse(403, ErrorCode::hostname_malformed);
    case names::Ownership::not_ours:
      return refuse(403, ErrorCode::proxy_site_foreign);
  }
  head_.is_connect() ? on_connect() : on_plain_request();
}

void Tunnel::on_plain_request() {
  // No browser sends that here, and where its body ends would have to be read first.
  if (head_.chunked) return refuse(400, ErrorCode::proxy_request_malformed);
  state_ = State::searching_plain;
  set_deadline(decision_timeout);
  port_.gate_.resolve_plain(
      site_, [this, alive = std::weak_ptr(alive_)](base::Result<Resolution> const& resolution) {
        bool const wanted = !alive.expired() && state_ == State::searching_plain;
        if (wanted) on_plain_resolved(resolution);
      });
}

void Tunnel::on_plain_resolved(base::Result<Resolution> const& resolution) {
  if (!resolution) {
    ErrorCode const code = resolution.error().code;
    if (code != ErrorCode::proxy_tls_expected) return refuse(502, code);
    if (site_.port == 80) return say_goodbye(redirect_to_https(site_.host, head_.path));
    return refuse(403, code);
  }
  Proxy& proxy = port_.proxy_;
  state_ = State::exchanging;
  plain_ = std::make_unique<PlainExchange>(proxy.loop, proxy.events, proxy.scratch, browser_, head_,
                                           site_, std::move(received_));
  received_ = {};
  plain_->start(resolution->routes, [this](PlainExchange::Step step) { on_plain_step(step); });
}

void Tunnel::on_plain_step(PlainExchange::Step step) {
  if (state_ != State::exchanging) return;
  switch (step) {
    case PlainExchange::Step::waiting:
      return;
    case PlainExchange::Step::answered:
      return say_goodbye("");
    case PlainExchange::Step::failed:
      return close();
    case PlainExchange::Step::unreachable:
      return refuse(502, ErrorCode::site_unreachable);
    case PlainExchange::Step::again:
      break;
  }
  if (std::exchange(continuation_posted_, true)) return;
  boost::asio::post(port_.proxy_.loop, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    continuation_posted_ = false;
    if (state_ == State::exchanging) on_plain_step(plain_->on_browser());
  });
}

void Tunnel::on_connect() {
  state_ = State::searching;
  search({"h2", "http/1.1"});
}

void Tunnel::search(std::vector<std::string> alpn) {
  set_deadline(decision_timeout);
  auto acquisition = port_.upstreams_.acquire(
      site_, std::move(alpn), allowed_, [this](tl::expected<Upstream, Refusal> found) {
        found ? on_upstream_found(std::move(*found)) : on_refused(found.error().slug);
      });
  if (acquisition) acquisition_ = std::move(acquisition);
}

void Tunnel::on_upstream_found(Upstream upstream) {
  upstream_ = std::move(upstream);
  if (state_ == State::searching) return establish();
  DOTKEY_ASSERT(state_ == State::searching_again);
  start_browser_tls();
}

void Tunnel::on_refused(std::string const& slug) {
  ++port_.counters_.refused;
  port_.gate_.on_refused(site_, slug);
  if (state_ == State::searching) return say_goodbye(refusal_of_connect(502, slug));
  close();  // 200 was said already; the browser sees the connection end
}

void Tunnel::establish() {
  ++port_.counters_.established;
  state_ = State::reading_hello;
  set_deadline(hello_timeout);
  browser_.send_plain(base::view_of(connection_established));
  if (browser_.may_have_input()) read_hello();
}

void Tunnel::read_hello() {
  auto& scratch = port_.proxy_.scratch.input;
  while (browser_.may_have_input() && !browser_.has_ended()) {
    std::size_t const n = browser_.receive_plain(std::span(scratch).first(client_hello_size_max));
    if (browser_.has_failed()) return close();
    base::append(received_, base::ByteView(scratch).first(n));
    HelloOutcome outcome = parse_client_hello(received_);
    if (outcome.status == HelloStatus::malformed) {
      port_.gate_.on_refused(site_, base::slug_of(ErrorCode::proxy_tls_expected));
      return close();
    }
    if (outcome.status == HelloStatus::complete) {
      hello_ = std::move(outcome.hello);
      return on_hello();
    }
  }
  if (browser_.has_ended()) close();
}

void Tunnel::on_hello() {
  // The leaf is for the host of the CONNECT; another name in the hello gains nothing but confusion.
  if (!hello_.server_name.empty() && hello_.server_name != site_.host) {
    port_.gate_.on_refused(site_, base::slug_of(ErrorCode::proxy_site_foreign));
    return close();
  }
  std::vector<std::string> wanted = usual_protocols(hello_.alpn);
  if (upstream_.stream && suits(upstream_.offered, upstream_.alpn, wanted)) {
    return start_browser_tls();
  }
  if (upstream_.stream) {
    allowed_ = upstream_.evidence;
    grounds_ = upstream_.grounds;
    port_.upstreams_.park(std::move(upstream_));
    upstream_ = {};
  }
  state_ = State::searching_again;
  search(std::move(wanted));
}

void Tunnel::start_browser_tls() {
  state_ = State::shaking_hands;
  acquisition_.reset();
  set_deadline(hello_timeout);
  Proxy& proxy = port_.proxy_;
  SslPtr ssl(SSL_new(proxy.server_context.get()));
  DOTKEY_ASSERT(ssl);
  SSL_set_accept_state(ssl.get());
  SSL_set_app_data(ssl.get(), this);
  // A ticket for one host opens no other.
  auto const context = crypto::sha256({base::view_of(site_.host)});
  SSL_set_session_id_context(ssl.get(), context.data(), context.size());
  X509* const leaf = proxy.mint.leaf_for(site_.host, loop::unix_now());
  DOTKEY_ASSERT(SSL_use_certificate(ssl.get(), leaf) == 1 &&
                SSL_use_PrivateKey(ssl.get(), proxy.mint.key()) == 1);
  browser_.start_tls(std::move(ssl), std::move(received_));
  received_ = {};
  watch_upstream();
  if (state_ == State::shaking_hands) shake_hands();
}

void Tunnel::watch_upstream() {
  upstream_watched_ = port_.proxy_.events.add(upstream_.stream->fd(), upstream_side_);
  if (!upstream_watched_) close();
}

void Tunnel::shake_hands() {
  switch (browser_.shake_hands()) {
    case HandshakeStatus::wants_more:
      return;
    case HandshakeStatus::failed:
      return close();
    case HandshakeStatus::done:
      state_ = State::splicing;
      deadline_ = Clock::now() + port_.settings_.idle_timeout;
      return splice();
  }
}

void Tunnel::on_upstream(std::uint32_t events) {
  upstream_.stream->note_events(events);
  if (state_ == State::splicing) splice();
}

void Tunnel::splice() {
  Stream& upstream = *upstream_.stream;
  bool more = false;
  if (!browser_done_) {
    SpliceStatus const status = Splice::run(browser_, upstream, moved_);
    // A server that speaks first waits for our Finished.
    upstream.release();
    // A browser that is cut off reads no answer either.
    finish_direction(status, upstream, browser_done_, false);
    if (state_ == State::over) return;
    more = status == SpliceStatus::more;
  }
  if (!upstream_done_) {
    SpliceStatus const status = Splice::run(upstream, browser_, moved_);
    finish_direction(status, browser_, upstream_done_, true);
    if (state_ == State::over) return;
    more = more || status == SpliceStatus::more;
  }
  bool const failed = browser_.has_failed() || upstream.has_failed();
  bool const through = browser_done_ && upstream_done_ && !browser_.has_unsent();
  // A server that ended, and a browser that is gone: nobody is left to read.
  bool const deserted = upstream_done_ && browser_.is_hung_up() && !browser_.has_unsent();
  if (failed || through || deserted) return close();
  if (!more || std::exchange(continuation_posted_, true)) return;
  boost::asio::post(port_.proxy_.loop, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    continuation_posted_ = false;
    if (state_ == State::splicing) splice();
  });
}

void Tunnel::finish_direction(SpliceStatus status, Stream& sink, bool& done, bool may_truncate) {
  switch (status) {
    case SpliceStatus::idle:
    case SpliceStatus::blocked:
    case SpliceStatus::more:
      return;
    case SpliceStatus::failed:
      return close();
    case SpliceStatus::truncated:
      // What came is passed on, and without a close_notify: the browser sees that it was cut.
      if (!may_truncate) return close();
      break;
    case SpliceStatus::ended:
      break;
  }
  done = true;
  sink.end_sending(status == SpliceStatus::ended);
  set_deadline(half_closed_timeout);
}

void Tunnel::refuse(int status, ErrorCode code) {
  ++port_.counters_.refused;
  std::string_view const slug = base::slug_of(code);
  port_.gate_.on_refused(site_, slug);
  acquisition_.reset();
  if (head_.is_connect() || head_.method.empty()) {
    return say_goodbye(refusal_of_connect(status, slug));
  }
  say_goodbye(refusal_page(status, site_.host, slug, base::advice_for(code)));
}

void Tunnel::say_goodbye(std::string const& answer) {
  state_ = State::saying_goodbye;
  set_deadline(farewell_timeout);
  browser_.send_plain(base::view_of(answer));
  browser_.end_sending(false);
  if (browser_.has_failed()) close();
}

}  // namespace dotkey::host::proxy
