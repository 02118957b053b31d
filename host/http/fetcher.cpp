// SPDX-License-Identifier: Apache-2.0
#include "host/http/fetcher.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>

#include "core/base/integers.h"
#include "core/names/hostname.h"

#include "host/http/fetch_connection.h"
#include "host/loop/clock.h"

namespace dotkey::host::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace relay = dotkey::relay;
using relay::FetchFailure;

std::string Origin::host_port() const {
  std::string const name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return name + ":" + std::to_string(port);
}

std::optional<Location> parse_location(std::string_view url) {
  Location out;
  out.origin.tls = url.starts_with("https://");
  if (!out.origin.tls && !url.starts_with("http://")) return std::nullopt;
  url.remove_prefix(out.origin.tls ? 8 : 7);
  std::size_t const slash = std::min(url.find('/'), url.size());
  std::string_view authority = url.substr(0, slash);
  out.target = slash < url.size() ? std::string(url.substr(slash)) : "/";
  out.origin.port = out.origin.tls ? 443 : 80;
  std::size_t const bracket = authority.rfind(']');
  std::size_t const colon = authority.rfind(':');
  if (colon != authority.npos && (bracket == authority.npos || colon > bracket)) {
    auto const port = base::parse_decimal<std::uint16_t>(authority.substr(colon + 1));
    if (!port || *port == 0) return std::nullopt;
    out.origin.port = *port;
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty() || names::classify(authority) != names::Ownership::not_ours) {
    return std::nullopt;
  }
  out.origin.host = authority;
  return out;
}

// One request and its response.
class Fetch : public std::enable_shared_from_this<Fetch> {
 public:
  Fetch(Fetcher& owner, relay::FetchUrl request, Location location)
      : owner_(owner),
        request_(std::move(request)),
        location_(std::move(location)),
        timer_(owner.loop_) {}

  void start() {
    timer_.expires_after(std::chrono::microseconds(request_.timeout.us));
    timer_.async_wait([self = shared_from_this()](auto const& error) {
      if (!error) self->end(tl::make_unexpected(FetchFailure::timed_out));
    });
    connection_ = owner_.take_idle(location_.origin);
    reused_ = connection_ != nullptr;
    reused_ ? send() : look_up();
  }

  void close() {
    ended_ = true;
    timer_.cancel();
    if (connection_) connection_->close();
  }

 private:
  using Body = beast::http::vector_body<std::uint8_t>;

  void look_up() {
    owner_.names_.look_up(location_.origin.host_port(),
                          [weak = weak_from_this()](std::vector<base::Endpoint> const& addresses) {
                            auto const self = weak.lock();
                            if (self && !self->ended_) self->open(addresses);
                          });
  }

  void open(std::vector<base::Endpoint> const& addresses) {
    connection_ = std::make_shared<FetchConnection>(owner_.loop_, owner_.tls_, location_.origin);
    connection_->open(addresses, [self = shared_from_this()](bool opened) {
      if (self->ended_) return;
      if (!opened) return self->end(tl::make_unexpected(FetchFailure::unreachable));
      self->send();
    });
  }

  void send() {
    message_.method(request_.method == relay::Method::get ? beast::http::verb::get
                                                          : beast::http::verb::put);
    message_.target(location_.target);
    message_.version(11);
    bool const standard = location_.origin.port == (location_.origin.tls ? 443 : 80);
    std::string host = location_.origin.host_port();
    if (standard) host.erase(host.rfind(':'));
    message_.set(beast::http::field::host, host);
    message_.set(beast::http::field::user_agent, "dotkey");
    for (relay::Header const& header : request_.headers) message_.set(header.name, header.value);
    message_.body() = request_.body;
    message_.prepare_payload();
    connection_->with_stream([this](auto& stream) {
      beast::http::async_write(stream, message_,
                               [self = shared_from_this()](auto const& error, std::size_t) {
                                 if (self->ended_) return;
                                 // A server may refuse a body before it has read it all.
                                 static_cast<void>(error);
                                 self->receive_head();
                               });
    });
  }

  void receive_head() {
    parser_.emplace();
    parser_->header_limit(response_head_size_max);
    parser_->body_limit(request_.response_size_max);
    connection_->with_stream([this](auto& stream) {
      beast::http::async_read_header(stream, connection_->buffer, *parser_,
                                     [self = shared_from_this()](auto const& error, std::size_t) {
                                       if (!self->ended_) self->on_head(error);
                                     });
    });
  }

  void on_head(boost::system::error_code const& error) {
    if (error && reused_ && !parser_->got_some()) return start_anew();
    if (error) return fail(error);
    unsigned const status = parser_->get().result_int();
    bool const redirect = status / 100 == 3 && status != 304;
    if (redirect) return end(tl::make_unexpected(FetchFailure::redirected));
    connection_->with_stream([this](auto& stream) {
      beast::http::async_read(stream, connection_->buffer, *parser_,
                              [self = shared_from_this()](auto const& failed, std::size_t) {
                                if (!self->ended_) self->on_body(failed);
                              });
    });
  }

  // The server had closed the connection that was kept; that says nothing about the server.
  void start_anew() {
    reused_ = false;
    connection_->close();
    look_up();
  }

  void on_body(boost::system::error_code const& error) {
    if (error) return fail(error);
    Fetcher::Response response;
    response.status = static_cast<std::uint16_t>(parser_->get().result_int());
    for (auto const& field : parser_->get()) {
      response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    response.body = std::move(parser_->get().body());
    if (parser_->keep_alive()) owner_.park(std::exchange(connection_, nullptr));
    end(std::move(response));
  }

  void fail(boost::system::error_code const& error) {
    FetchFailure failure = FetchFailure::unreachable;
    bool const cut_short =
        error == beast::http::error::end_of_stream || error == beast::http::error::partial_message;
    if (error.category() ==
        beast::http::make_error_code(beast::http::error::body_limit).category()) {
      failure = cut_short ? FetchFailure::unreachable : FetchFailure::malformed;
    }
    bool const too_large =
        error == beast::http::error::body_limit || error == beast::http::error::header_limit;
    end(tl::make_unexpected(too_large ? FetchFailure::too_large : failure));
  }

  void end(Fetcher::Result result) {
    if (ended_) return;
    auto const self = shared_from_this();
    close();
    owner_.end(request_.id, std::move(result));
  }

  Fetcher& owner_;
  relay::FetchUrl request_;
  Location location_;
  asio::steady_timer timer_;
  std::shared_ptr<FetchConnection> connection_;
  bool reused_ = false;
  bool ended_ = false;
  beast::http::request<Body> message_;
  std::optional<beast::http::response_parser<Body>> parser_;
};

Fetcher::Fetcher(asio::io_context& loop)
    : loop_(loop), tls_(asio::ssl::context::tls_client), names_(loop) {
  SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
  boost::system::error_code ignored;  // without authorities every certificate is refused
  tls_.set_default_verify_paths(ignored);
}

Fetcher::~Fetcher() {
  for (auto const& [id, fetch] : fetches_) fetch->close();
  for (auto const& connection : idle_) connection->close();
}

void Fetcher::start(relay::FetchUrl request, OnDone on_done) {
  relay::FetchId const id = request.id;
  auto location = parse_location(request.url);
  waiting_.emplace(id, std::move(on_done));
  std::shared_ptr<Fetch> fetch;
  if (location && fetches_.size() < fetches_max) {
    fetch = std::make_shared<Fetch>(*this, std::move(request), std::move(*location));
    fetches_.emplace(id, fetch);
    return fetch->start();
  }
  // The answer may not come before start() has returned; a Fetch without a connection waits.
  fetch = std::make_shared<Fetch>(*this, std::move(request), Location{});
  fetches_.emplace(id, fetch);
  asio::post(loop_, [weak = std::weak_ptr(fetch), this, id] {
    if (weak.lock()) end(id, tl::make_unexpected(FetchFailure::unreachable));
  });
}

void Fetcher::cancel(relay::FetchId id) {
  waiting_.erase(id);
  auto const fetch = fetches_.extract(id);
  if (!fetch.empty()) fetch.mapped()->close();
}

void Fetcher::end(relay::FetchId id, Result result) {
  fetches_.erase(id);
  auto const on_done = waiting_.extract(id);
  if (!on_done.empty()) on_done.mapped()(std::move(result));
}

std::shared_ptr<FetchConnection> Fetcher::take_idle(Origin const& origin) {
  engine::Instant const now = loop::now();
  while (!idle_.empty() && now - idle_.front()->idle_since > idle_connection_lifetime) {
    idle_.front()->close();
    idle_.pop_front();
  }
  auto const found = std::find_if(idle_.rbegin(), idle_.rend(), [&](auto const& connection) {
    return connection->origin() == origin;
  });
  if (found == idle_.rend()) return nullptr;
  auto out = *found;
  idle_.erase(std::next(found).base());
  return out;
}

void Fetcher::park(std::shared_ptr<FetchConnection> connection) {
  // Bytes that nobody asked for: the server's next answer could not be told from them.
  if (connection->buffer.size() > 0) return connection->close();
  connection->idle_since = loop::now();
  idle_.push_back(std::move(connection));
  if (idle_.size() <= idle_connections_max) return;
  idle_.front()->close();
  idle_.pop_front();
}

}  // namespace dotkey::host::http
