// SPDX-License-Identifier: Apache-2.0
#include "host/relay/service.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "host/loop/clock.h"

namespace dotkey::host::relay {

namespace asio = boost::asio;
namespace protocol = dotkey::relay;

std::optional<Shelf::Entry> Shelf::find_cached(crypto::PublicKey const& key, bool& known_missing) {
  return cache_.with(key, [&](cache::PacketCache& cache) -> std::optional<Entry> {
    auto const entry = cache.find(key);
    if (!entry) return std::nullopt;
    if (!entry->is_packet()) {
      known_missing = true;
      return std::nullopt;
    }
    // Other threads may replace the entry as soon as the lock is gone.
    std::copy(entry->canonical.begin(), entry->canonical.end(), bytes_.begin());
    return Entry{base::ByteView(bytes_).first(entry->canonical.size()), entry->last_seen,
                 entry->ttl_s};
  });
}

std::optional<Shelf::Entry> Shelf::find(crypto::PublicKey const& key) {
  bool known_missing = false;
  if (auto cached = find_cached(key, known_missing)) return cached;
  if (known_missing) return std::nullopt;
  auto const stored = reader_->find(key);
  if (!stored) return std::nullopt;
  engine::UnixTime const now = loop::unix_now();
  cache_.with(key, [&](cache::PacketCache& cache) {
    return cache.put(stored->packet, now, std::min(stored->last_seen, now));
  });
  return find_cached(key, known_missing);
}

void Shelf::put(engine::Moment now, record::SignedPacket const& packet) {
  cache_.with(packet.key(),
              [&](cache::PacketCache& cache) { return cache.put(packet, now.unix_time); });
}

void Inbox::send(Message message) {
  std::lock_guard const lock(mutex_);
  if (service_ == nullptr) return;
  waiting_.push_back(std::move(message));
  if (waiting_.size() == 1) asio::post(loop_, [self = shared_from_this()] { self->deliver(); });
}

void Inbox::close() {
  std::lock_guard const lock(mutex_);
  service_ = nullptr;
  waiting_.clear();
}

void Inbox::deliver() {
  std::vector<Message> messages;
  {
    std::lock_guard const lock(mutex_);
    messages.swap(waiting_);
  }
  // Nobody but this thread ends the service.
  for (Message const& message : messages) message(*service_);
}

Service::Service(ServiceWorld const& world, http::Worker& worker,
                 std::unique_ptr<store::PacketReader> reader)
    : world_(world),
      worker_(worker),
      shelf_(world.cache, std::move(reader)),
      server_(world.server, shelf_, world.commons),
      inbox_(std::make_shared<Inbox>(worker.loop(), *this)) {}

Service::~Service() {
  inbox_->close();
}

// The right-most address that is not one of our proxies: what is left of it the client may have
// made up.
base::IpAddress Service::client_of(protocol::Request const& request) const {
  auto const is_proxy = [this](base::IpAddress const& address) {
    return std::find(world_.proxies.begin(), world_.proxies.end(), address) != world_.proxies.end();
  };
  base::IpAddress client = request.client;
  for (auto field = request.headers.rbegin(); field != request.headers.rend(); ++field) {
    if (!is_proxy(client)) return client;
    protocol::HeaderView const view[] = {*field};
    auto list = protocol::find_header(view, "x-forwarded-for");
    while (list && !list->empty() && is_proxy(client)) {
      std::size_t const comma = list->rfind(',');
      std::string_view text = comma == std::string_view::npos ? *list : list->substr(comma + 1);
      while (text.starts_with(' ')) text.remove_prefix(1);
      while (text.ends_with(' ')) text.remove_suffix(1);
      auto const address = base::IpAddress::parse(text);
      if (!address) return client;
      client = *address;
      list = comma == std::string_view::npos ? std::string_view{} : list->substr(0, comma);
    }
  }
  return client;
}

bool Service::on_request(engine::Moment now, protocol::Request const& request, http::RequestId id,
                         protocol::Response& out) {
  protocol::Request seen = request;
  if (!world_.proxies.empty()) seen.client = client_of(request);
  if (answer_page(now, seen, out)) return true;
  auto const ticket = server_.on_request(now, seen, out);
  publish_totals();
  if (!ticket) return true;
  tickets_.emplace(static_cast<std::uint64_t>(id), *ticket);
  requests_.emplace(static_cast<std::uint32_t>(*ticket), id);
  drain();
  return false;
}

void Service::on_abandoned(http::RequestId id) {
  auto const ticket = tickets_.extract(static_cast<std::uint64_t>(id));
  if (ticket.empty()) return;
  requests_.erase(static_cast<std::uint32_t>(ticket.mapped()));
  server_.abandon(ticket.mapped());
}

void Service::drain() {
  while (auto effect = server_.poll_effect()) {
    if (auto* const wanted = std::get_if<protocol::ResolveWanted>(&*effect)) {
      resolve(*wanted);
    } else if (auto* const put = std::get_if<protocol::PublishWanted>(&*effect)) {
      publish(std::move(*put));
    } else if (auto* const check = std::get_if<protocol::VerifyWanted>(&*effect)) {
      verify(std::move(*check));
    } else {
      respond(std::get<protocol::ResponseReady>(*effect));
    }
  }
}

void Service::resolve(protocol::ResolveWanted const& wanted) {
  auto answer = [inbox = inbox_, id = wanted.id](protocol::ResolveAnswer const& given) {
    inbox->send([id, given](Service& self) {
      self.server_.on_resolved({loop::now(), loop::unix_now()}, id, given);
      self.drain();
    });
  };
  asio::post(world_.main_loop, [network = &world_.network, wanted, answer] {
    network->resolve(wanted.key, wanted.policy, answer);
  });
}

// A signature takes as long to check as several requests to serve: whoever puts makes nobody else
// wait.
void Service::verify(protocol::VerifyWanted wanted) {
  asio::post(world_.verifiers, [inbox = inbox_, wanted = std::move(wanted)] {
    auto packet = record::SignedPacket::parse_relay_payload(wanted.key, wanted.payload);
    inbox->send([id = wanted.id, packet = std::move(packet)](Service& self) {
      self.server_.on_verified({loop::now(), loop::unix_now()}, id, packet);
      self.drain();
    });
  });
}

// The DHT first: what it refuses is not kept.
void Service::publish(protocol::PublishWanted wanted) {
  if (!world_.network.has_dht()) return keep(wanted, {protocol::PublishVerdict::stored, 0});
  asio::post(world_.main_loop, [network = &world_.network, inbox = inbox_, wanted] {
    auto answer = [inbox, wanted](protocol::PublishAnswer const& given) {
      inbox->send([wanted, given](Service& self) {
        if (given.verdict == protocol::PublishVerdict::stored) return self.keep(wanted, given);
        self.on_published(wanted.id, given);
      });
    };
    network->publish(wanted.packet, wanted.cas_us, answer);
  });
}

// The cache takes it when the server has its answer; the disk must have it before.
void Service::keep(protocol::PublishWanted const& wanted, protocol::PublishAnswer answer) {
  auto on_durable = [inbox = inbox_, id = wanted.id, answer](bool durable) {
    inbox->send([id, answer, durable](Service& self) {
      self.on_published(id, durable ? answer : protocol::PublishAnswer{});
    });
  };
  if (!world_.store.put(wanted.packet, loop::unix_now(), std::move(on_durable))) {
    on_published(wanted.id, {});
  }
}

void Service::on_published(protocol::TicketId id, protocol::PublishAnswer const& answer) {
  server_.on_published({loop::now(), loop::unix_now()}, id, answer);
  drain();
}

void Service::respond(protocol::ResponseReady& ready) {
  auto const request = requests_.extract(static_cast<std::uint32_t>(ready.id));
  if (request.empty()) return;
  tickets_.erase(static_cast<std::uint64_t>(request.mapped()));
  publish_totals();
  worker_.respond(request.mapped(), ready.response);
}

bool Service::answer_page(engine::Moment now, protocol::Request const& request,
                          protocol::Response& out) {
  std::string_view const path = request.target.substr(0, request.target.find('?'));
  if (path.size() > 12 || (request.method != "GET" && request.method != "HEAD")) return false;
  auto page = world_.board.page(path);
  if (!page) return false;
  // Health is asked for by machines that must not be turned away.
  if (path != "/health" && !server_.admit(now, request, out)) return true;
  out.status = page->status;
  out.head = page->head;
  out.content_length = page->body.size();
  out.body.clear();
  if (request.method != "HEAD") base::append(out.body, page->body);
  return true;
}

void Service::publish_totals() {
  protocol::ServerCounters const& from = server_.counters();
  constexpr auto relaxed = std::memory_order_relaxed;
  totals_->gets.store(from.gets, relaxed);
  totals_->puts.store(from.puts, relaxed);
  totals_->answered_from_cache.store(from.answered_from_cache, relaxed);
  totals_->rate_limited.store(from.rate_limited, relaxed);
  totals_->client_errors.store(from.client_errors, relaxed);
  totals_->server_errors.store(from.server_errors, relaxed);
  totals_->corrupt_rows.store(shelf_.corrupt(), relaxed);
}

}  // namespace dotkey::host::relay
