// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/plain_exchange.h"

#include <algorithm>

#include "core/base/text.h"

#include "host/proxy/search.h"
#include "host/proxy/upstreams.h"

namespace dotkey::host::proxy {
namespace {

// In one go; then the other connections have their turn.
constexpr std::uint64_t turn_size = 512 * 1024;

bool is_for_proxies(std::string_view name) {
  for (std::string_view const one :
       {"connection", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}) {
    if (name == one) return true;
  }
  return false;
}

// Named in the Connection field (RFC 9110 §7.6.1).
bool is_named_in(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    std::size_t const end = std::min(list.find(','), list.size());
    std::string_view word = list.substr(0, end);
    while (word.starts_with(' ') || word.starts_with('\t')) word.remove_prefix(1);
    while (word.ends_with(' ') || word.ends_with('\t')) word.remove_suffix(1);
    if (base::to_lower_ascii(word) == name) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// What would keep the connection, or lead the browser to another server for the same name.
bool is_dropped_from_response(std::string_view line) {
  std::string const name =
      base::to_lower_ascii(line.substr(0, std::min(line.find(':'), line.size())));
  for (std::string_view const one : {"alt-svc", "connection", "keep-alive", "proxy-authenticate",
                                     "proxy-connection", "upgrade"}) {
    if (name == one) return true;
  }
  return false;
}

bool is_interim(std::string_view head) {
  return head.size() > 9 && head[9] == '1';  // "HTTP/1.1 103 ..."
}

}  // namespace

std::string origin_form_of(RequestHead const& head, Site const& site) {
  std::string text = head.method + " " + head.path + " HTTP/1.1\r\nHost: " + site.host;
  if (site.port != 80) text.append(":").append(std::to_string(site.port));
  text.append("\r\n");
  std::string const* const connection = head.field("connection");
  for (RequestField const& field : head.fields) {
    if (is_for_proxies(field.name)) continue;
    if (connection != nullptr && is_named_in(*connection, field.name)) continue;
    text.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return text.append("Connection: close\r\n\r\n");
}

std::string relayed_response_head(std::string_view head) {
  if (!head.starts_with("HTTP/1.")) return "";
  std::string text;
  bool first = true;
  while (!head.empty()) {
    std::size_t const end = head.find('\n');
    if (end == std::string_view::npos) return "";
    std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    if (first || !is_dropped_from_response(line)) text.append(line).append("\r\n");
    first = false;
  }
  return text.append("Connection: close\r\n\r\n");
}

PlainExchange::PlainExchange(boost::asio::io_context& loop, EventSet& events, Scratch& scratch,
                             Stream& browser, RequestHead const& head, Site const& site,
                             base::Bytes body)
    : loop_(loop),
      events_(events),
      scratch_(scratch),
      browser_(browser),
      request_(origin_form_of(head, site)),
      body_(std::move(body)),
      body_left_(head.content_length.value_or(0)),
      timer_(loop) {
  // What comes after the body is another request, and nobody asked whether that may be sent.
  if (body_.size() > body_left_) body_.resize(static_cast<std::size_t>(body_left_));
  body_left_ -= body_.size();
}

PlainExchange::~PlainExchange() {
  end();
}

void PlainExchange::end() {
  timer_.cancel();
  connector_.reset();
  if (server_) events_.remove(server_->fd(), *this);
  server_.reset();
}

void PlainExchange::start(std::vector<Route> routes, OnStep on_step) {
  routes_ = std::move(routes);
  if (routes_.size() > routes_max) routes_.resize(routes_max);
  on_step_ = std::move(on_step);
  try_next_route();
}

void PlainExchange::try_next_route() {
  connector_.reset();
  while (next_route_ < routes_.size()) {
    Route route = routes_[next_route_++];
    std::erase_if(route.addresses, [&](auto const& a) { return !may_connect(route, a); });
    if (route.addresses.empty()) continue;
    timer_.expires_after(route_timeout);
    timer_.async_wait([this, alive = std::weak_ptr(alive_),
                       tried = next_route_](boost::system::error_code const& error) {
      // It may fire once too late.
      if (!error && !alive.expired() && !server_ && tried == next_route_) try_next_route();
    });
    connector_ = std::make_unique<Connector>(loop_, events_);
    return connector_->start(route.addresses, route.port,
                             [this](auto connected) { on_connected(connected); });
  }
  on_step_(Step::unreachable);
}

void PlainExchange::on_connected(std::optional<Connector::Connected> connected) {
  timer_.cancel();
  if (!connected) return try_next_route();
  server_ = std::make_unique<Stream>(connected->fd, scratch_);
  if (!events_.add(connected->fd, *this)) return on_step_(Step::failed);
  server_->send_plain(base::view_of(request_));
  server_->send_plain(body_);
  on_step_(pump());
}

void PlainExchange::on_ready(std::uint32_t events) {
  server_->note_events(events);
  on_step_(pump());
}

PlainExchange::Step PlainExchange::on_browser() {
  return server_ ? pump() : Step::waiting;
}

PlainExchange::Step PlainExchange::pump() {
  send_body();
  return pass_response();
}

void PlainExchange::send_body() {
  auto& scratch = scratch_.input;
  while (body_left_ > 0 && browser_.may_have_input() && !browser_.has_ended() &&
         !server_->has_unsent() && !server_->has_failed()) {
    std::size_t const room =
        static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, scratch.size()));
    std::size_t const n = browser_.receive_plain(std::span(scratch).first(room));
    if (n == 0) continue;  // nothing now, or the end: the conditions tell
    body_left_ -= n;
    moved_ += n;
    server_->send_plain(base::ByteView(scratch).first(n));
  }
}

PlainExchange::Step PlainExchange::pass_response() {
  auto& scratch = scratch_.input;
  std::uint64_t passed = 0;
  while (server_->may_have_input() && !server_->has_ended() && !browser_.has_unsent()) {
    if (passed >= turn_size) return Step::again;
    std::size_t const n = server_->receive_plain(scratch);
    if (server_->has_failed()) return Step::failed;
    passed += n;
    moved_ += n;
    base::ByteView const bytes = base::ByteView(scratch).first(n);
    if (response_begun_) {
      browser_.send_plain(bytes);
    } else if (n > 0 && take_response_head(bytes) == Step::failed) {
      return Step::failed;
    }
    if (browser_.has_failed()) return Step::failed;
  }
  if (!server_->has_ended() || browser_.has_unsent()) return Step::waiting;
  return response_begun_ ? Step::answered : Step::failed;
}

PlainExchange::Step PlainExchange::take_response_head(base::ByteView bytes) {
  response_head_.append(base::text_of(bytes));
  while (!response_begun_) {
    std::size_t const end = response_head_.find("\r\n\r\n");
    if (end == std::string::npos) {
      return response_head_.size() > response_head_size_max ? Step::failed : Step::waiting;
    }
    std::string_view const head = std::string_view(response_head_).substr(0, end + 4);
    // An interim response (RFC 9110 §15.2) has another after it, and no browser needs it.
    if (!is_interim(head)) {
      std::string const relayed = relayed_response_head(head);
      if (relayed.empty()) return Step::failed;
      browser_.send_plain(base::view_of(relayed));
      response_begun_ = true;
    }
    response_head_.erase(0, end + 4);
  }
  if (!response_head_.empty()) browser_.send_plain(base::view_of(response_head_));
  response_head_.clear();
  return Step::waiting;
}

}  // namespace dotkey::host::proxy
