// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/search.h"

#include <algorithm>

#include "core/base/assert.h"

namespace dotkey::host::proxy {
namespace {

// Where a stream's new sessions go, once the gate has allowed it.
struct SessionSink {
  std::weak_ptr<SiteState> state;
  Route route;
};

void free_session_sink(void*, void* sink, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<SessionSink*>(sink);
}

int sink_index() {
  static int const index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_session_sink);
  return index;
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* const sink = static_cast<SessionSink*>(SSL_get_ex_data(ssl, sink_index()));
  auto const state = sink == nullptr ? nullptr : sink->state.lock();
  if (!state) return 0;
  state->keep_session(session, sink->route);
  return 1;  // the reference is ours now
}

// The gate judges the chain: OpenSSL would look for a path of its own, only to be ignored.
int judge_nothing(X509_STORE_CTX*, void*) {
  return 1;
}

base::Bytes encode_alpn(std::vector<std::string> const& protocols) {
  base::Bytes wire;
  for (std::string const& protocol : protocols) {
    wire.push_back(static_cast<std::uint8_t>(protocol.size()));
    base::append(wire, protocol);
  }
  return wire;
}

}  // namespace

bool may_connect(Route const& route, base::IpAddress const& address) {
  if (address.is_global()) return true;
  bool const usable = !address.is_unspecified() && !address.is_multicast();
  return route.local_network_allowed && usable && address.is_local_network();
}

SslContextPtr Upstreams::make_context() {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  DOTKEY_ASSERT(context && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), &judge_nothing, nullptr);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context.get(), 64L * 1024);
  // AES-128 first: this machine pays for every byte twice.
  DOTKEY_ASSERT(SSL_CTX_set_ciphersuites(context.get(),
                                         "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                         "TLS_CHACHA20_POLY1305_SHA256") == 1);
  DOTKEY_ASSERT(SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384:P-521") == 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), &on_new_session);
  return context;
}

std::vector<base::Bytes> chain_of(SSL const* ssl) {
  std::vector<base::Bytes> chain;
  STACK_OF(X509) const* const stack = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; stack != nullptr && i < sk_X509_num(stack); ++i) {
    chain.push_back(trust::encode_der(sk_X509_value(stack, i)));
  }
  return chain;
}

std::string alpn_of(SSL const* ssl) {
  unsigned char const* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &data, &size);
  return {reinterpret_cast<char const*>(data), size};
}

Search::Search(Upstreams& owner, std::shared_ptr<SiteState> state, std::vector<std::string> alpn,
               std::optional<EvidenceHash> allowed, Upstreams::OnDone on_done)
    : owner_(owner),
      state_(std::move(state)),
      alpn_(std::move(alpn)),
      allowed_(allowed),
      on_done_(std::move(on_done)),
      timer_(owner.loop_) {}

Search::~Search() {
  close();
}

void Search::close() {
  timer_.cancel();
  connector_.reset();
  if (stream_) owner_.events_.remove(stream_->fd(), *this);
  stream_.reset();
}

void Search::cancel() {
  on_done_ = nullptr;
  close();
}

void Search::start() {
  if (Clock::now() < state_->routes_until) {
    routes_ = state_->routes;
    grounds_ = state_->grounds;
    return try_next_route();
  }
  owner_.gate_.resolve(state_->site,
                       [weak = weak_from_this()](base::Result<Resolution> resolution) {
                         if (auto const self = weak.lock(); self && !self->is_over()) {
                           self->on_resolved(std::move(resolution));
                         }
                       });
}

void Search::on_resolved(base::Result<Resolution> resolution) {
  if (!resolution) return refuse(std::string(base::slug_of(resolution.error().code)));
  routes_ = std::move(resolution->routes);
  if (routes_.size() > routes_max) routes_.resize(routes_max);
  grounds_ = std::move(resolution->grounds);
  state_->routes = routes_;
  state_->grounds = grounds_;
  state_->routes_until = Clock::now() + resolution->valid_for;
  try_next_route();
}

void Search::try_next_route() {
  close();
  while (next_route_ < routes_.size()) {
    route_ = routes_[next_route_++];
    std::size_t const published = route_.addresses.size();
    std::erase_if(route_.addresses, [this](auto const& a) { return !may_connect(route_, a); });
    if (route_.addresses.empty()) {
      if (published > 0) reason_ = base::ErrorCode::proxy_address_refused;
      continue;
    }
    timer_.expires_after(route_timeout);
    timer_.async_wait([weak = weak_from_this(), route = next_route_](boost::system::error_code e) {
      auto const self = weak.lock();
      bool const current = !e && self && !self->is_over() && self->next_route_ == route;
      if (current) self->give_up_route(base::ErrorCode::site_unreachable);
    });
    connector_ = std::make_unique<Connector>(owner_.loop_, owner_.events_);
    return connector_->start(route_.addresses, route_.port,
                             [this](auto connected) { on_connected(connected); });
  }
  refuse(std::string(base::slug_of(reason_)));
}

void Search::give_up_route(base::ErrorCode reason) {
  reason_ = reason;
  try_next_route();
}

void Search::on_connected(std::optional<Connector::Connected> connected) {
  if (!connected) return give_up_route(base::ErrorCode::site_unreachable);
  endpoint_ = connected->endpoint;
  stream_ = std::make_unique<Stream>(connected->fd, owner_.scratch_);
  if (!owner_.events_.add(connected->fd, *this)) {
    return give_up_route(base::ErrorCode::site_unreachable);
  }
  begin_tls();
}

void Search::begin_tls() {
  SslPtr ssl(SSL_new(owner_.context_));
  DOTKEY_ASSERT(ssl);
  SSL_set_connect_state(ssl.get());
  SSL_set_tlsext_host_name(ssl.get(), route_.host.c_str());
  base::Bytes const protocols = encode_alpn(alpn_);
  if (!protocols.empty()) {
    SSL_set_alpn_protos(ssl.get(), protocols.data(), static_cast<unsigned>(protocols.size()));
  }
  if (SslSessionPtr const session = may_resume_ ? state_->take_session(route_) : nullptr) {
    SSL_set_session(ssl.get(), session.get());
  }
  stream_->start_tls(std::move(ssl), {});
  shake_hands();
}

void Search::on_ready(std::uint32_t events) {
  stream_->note_events(events);
  if (stream_->has_failed()) return give_up_route(base::ErrorCode::site_unreachable);
  if (SSL_is_init_finished(stream_->ssl()) != 1) shake_hands();
}

void Search::shake_hands() {
  switch (stream_->shake_hands()) {
    case HandshakeStatus::wants_more:
      return;
    case HandshakeStatus::failed:
      return give_up_route(base::ErrorCode::site_tls_failed);
    case HandshakeStatus::done:
      timer_.cancel();
      return on_shown();
  }
}

void Search::on_shown() {
  Evidence evidence{
      state_->site, route_, endpoint_, chain_of(stream_->ssl()), alpn_of(stream_->ssl()), grounds_};
  if (evidence.chain.empty()) return give_up_route(base::ErrorCode::site_tls_failed);
  hash_ = hash_evidence(route_, evidence.chain);
  if (hash_ == allowed_) return succeed();
  if (auto const* const known = state_->find_allowed(hash_, Clock::now())) {
    grounds_ = known->grounds;
    return succeed();
  }
  owner_.gate_.decide(std::move(evidence), [weak = weak_from_this()](Decision const& decision) {
    if (auto const self = weak.lock(); self && !self->is_over()) self->on_decided(decision);
  });
}

// A refusal is final: another route must not paper over a server that shows the wrong key. But a
// resumed session shows what the server had when it began; what it has now, a full handshake tells.
void Search::on_decided(Decision const& decision) {
  if (auto const* const deny = std::get_if<Deny>(&decision)) {
    if (!stream_ || SSL_session_reused(stream_->ssl()) == 0) return refuse(deny->slug);
    state_->sessions.clear();
    may_resume_ = false;
    --next_route_;
    return try_next_route();
  }
  if (!stream_ || stream_->has_failed()) {
    return give_up_route(base::ErrorCode::site_unreachable);
  }
  auto const now = Clock::now();
  state_->allow({hash_, now + std::get<Allow>(decision).valid_for, grounds_}, now);
  succeed();
}

void Search::succeed() {
  auto const self = shared_from_this();
  SSL* const ssl = stream_->ssl();
  SSL_set_ex_data(ssl, sink_index(), new SessionSink{state_, route_});
  // TLS 1.2 gave its session within the handshake, before the verdict.
  bool const fresh = SSL_session_reused(ssl) == 0;
  if (fresh && SSL_version(ssl) == TLS1_2_VERSION) {
    state_->keep_session(SSL_get1_session(ssl), route_);
  }
  owner_.events_.remove(stream_->fd(), *this);
  std::string chosen = alpn_of(ssl);
  Upstream upstream{std::move(stream_), state_, alpn_, std::move(chosen), hash_, grounds_};
  std::exchange(on_done_, nullptr)(std::move(upstream));
}

void Search::refuse(std::string slug) {
  auto const self = shared_from_this();
  close();
  if (reason_ == base::ErrorCode::site_unreachable) state_->routes_until = {};
  std::exchange(on_done_, nullptr)(tl::unexpected(Refusal{std::move(slug)}));
}

}  // namespace dotkey::host::proxy
