// SPDX-License-Identifier: Apache-2.0
// A pkarr relay (v7, with the compare-and-swap of v3.8 to v6): HTTP requests in, responses out.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/engine/effect_queue.h"
#include "core/relay/commons.h"
#include "core/relay/http.h"
#include "core/relay/types.h"

namespace dotkey::relay {

struct ServerSettings {
  // As in the cache.
  std::uint32_t ttl_min_s = 300;
  std::uint32_t ttl_max_s = 86'400;
  // Requests that wait for the DHT, or for their packet's verification.
  std::uint32_t pending_max = 4096;
  // The driver verifies what is put, on threads of its own: VerifyWanted.
  bool verify_elsewhere = false;
};

// The views live as long as the call. `target` is as in the request line: "/key?policy=CacheOnly".
// A body over payload_size_max may be cut to one byte more.
struct Request {
  std::string_view method;
  std::string_view target;
  std::span<HeaderView const> headers;
  ByteView body;
  base::IpAddress client;  // behind a proxy: as the proxy has it
};

// Reused from one request to the next it needs no allocation.
struct Response {
  std::uint16_t status = 200;
  // Complete header lines, each with its CRLF; without Content-Length, Date and Connection.
  std::string head;
  Bytes body;
  // Of the body, which a response to HEAD does not have; absent where no length may be sent.
  std::optional<std::size_t> content_length;
};

std::string_view reason_of(std::uint16_t status);
// The status line, the header lines, Content-Length and the empty line, in HTTP/1.1.
void append_http1(std::string& out, Response const& response);

// What the server keeps packets in. The driver connects the cache, under a lock where several
// servers share it.
class PacketShelf {
 public:
  struct Entry {
    ByteView canonical;  // good until the shelf is used again
    UnixTime last_seen;
    std::uint32_t ttl_s = 0;  // from last_seen on

    [[nodiscard]] std::uint32_t remaining_ttl_s(UnixTime now) const;
    [[nodiscard]] bool is_fresh(UnixTime now) const { return remaining_ttl_s(now) > 0; }
  };

  virtual ~PacketShelf() = default;
  // Not for what is known not to exist.
  virtual std::optional<Entry> find(PublicKey const& key) = 0;
  virtual void put(Moment now, SignedPacket const& packet) = 0;
};

// Effects, for the driver.
// Ask the network; answer with on_resolved().
struct ResolveWanted {
  TicketId id;
  PublicKey key;
  Policy policy = Policy::cache_first;
};
// Store in the DHT, and wherever the packet must be before it is acknowledged; answer with
// on_published().
struct PublishWanted {
  TicketId id;
  SignedPacket packet;
  std::optional<std::int64_t> cas_us;
};
// Hand the payload to SignedPacket::parse_relay_payload(); answer with on_verified().
struct VerifyWanted {
  TicketId id;
  PublicKey key;
  Bytes payload;
};
// The response to a request that was put off.
struct ResponseReady {
  TicketId id;
  Response response;
};
using ServerEffect = std::variant<ResolveWanted, PublishWanted, VerifyWanted, ResponseReady>;

enum class ResolveVerdict : std::uint8_t {
  found,
  not_found,
  invalid_packet,       // the newest item in the DHT is no signed packet
  no_nodes,             // nobody was asked
  no_responses,         // nobody answered
  no_usable_responses,  // nobody answered sensibly
};

struct ResolveAnswer {
  ResolveVerdict verdict = ResolveVerdict::not_found;
  std::optional<SignedPacket> packet;  // found
  UnixTime last_seen;                  // found
  std::int64_t invalid_timestamp = 0;  // invalid_packet
};

enum class PublishVerdict : std::uint8_t { stored, newer_exists, cas_mismatch, failed };

struct PublishAnswer {
  PublishVerdict verdict = PublishVerdict::failed;
  std::uint32_t dht_nodes = 0;
};

struct ServerCounters {
  std::uint64_t gets = 0;
  std::uint64_t puts = 0;
  std::uint64_t answered_from_cache = 0;
  std::uint64_t not_modified = 0;
  std::uint64_t rate_limited = 0;
  std::uint64_t client_errors = 0;  // 4xx, rate limits included
  std::uint64_t server_errors = 0;  // 5xx
};

// A state machine without socket or clock. Paths of one segment are keys; `/` and pages for people
// are the driver's. Several servers may run side by side, one a thread, with one shelf's packets
// and one commons.
class Server {
 public:
  // `shelf` and `commons` outlive the server.
  Server(ServerSettings const& settings, PacketShelf& shelf, Commons& commons);

  // Fills `out` and returns nullopt; or returns a ticket, and a ResponseReady effect follows.
  std::optional<TicketId> on_request(Moment now, Request const& request, Response& out);
  // A page of the driver's own counts as a request of the client's. False: `out` is the refusal.
  bool admit(Moment now, Request const& request, Response& out);

  // What SignedPacket::parse_relay_payload() gave.
  void on_verified(Moment now, TicketId id, base::Result<SignedPacket> packet);
  // Each ticket is answered once; others are ignored.
  void on_resolved(Moment now, TicketId id, ResolveAnswer const& answer);
  void on_published(Moment now, TicketId id, PublishAnswer const& answer);
  // The client went away: no ResponseReady will come. A put goes on if it has been verified.
  void abandon(TicketId id);

  [[nodiscard]] std::optional<ServerEffect> poll_effect() { return effects_.poll(); }
  [[nodiscard]] ServerCounters const& counters() const { return counters_; }
  [[nodiscard]] std::size_t pending() const {
    return gets_.size() + put_clients_.size() + checks_.size();
  }

 private:
  // What of a request shapes its response.
  struct Context {
    std::string origin;
    std::optional<Allowance> allowance;
    bool head_only = false;
  };
  struct Conditions {
    std::optional<std::string> if_none_match;
    std::optional<UnixTime> if_modified_since;
  };
  struct PendingGet {
    Context context;
    Conditions conditions;
  };
  // What of a put is needed once its packet is verified.
  struct PutTerms {
    Context context;
    PublicKey key;
    base::IpAddress client;
    std::optional<std::string> if_match = std::nullopt;
    std::optional<std::int64_t> cas_us = std::nullopt;  // what that comes to
    std::optional<TicketId> id = std::nullopt;          // given already
    bool abandoned = false;
  };
  // Equal packets share one store.
  struct PendingPut {
    SignedPacket packet;
    std::vector<TicketId> clients;
  };

  // server.cpp
  Context context_of(Request const& request) const;
  std::optional<TicketId> on_get(Moment now, Request const& request, Context context,
                                 std::string_view segment, std::string_view query, Response& out);
  bool write_shelved(Moment now, PublicKey const& key, Policy policy, Context const& context,
                     Conditions const& conditions, Response& out);
  bool is_refused_by_dht_quota(Moment now, base::IpAddress const& client, Context const& context,
                               Response& out);
  bool is_full(Context const& context, Response& out);
  TicketId next_ticket();

  // server_puts.cpp
  std::optional<TicketId> on_put(Moment now, Request const& request, Context context,
                                 std::string_view segment, Response& out);
  std::optional<TicketId> accept_put(Moment now, PutTerms terms, base::Result<SignedPacket> packet,
                                     Response& out);
  std::optional<TicketId> judge_put(Moment now, PutTerms terms, SignedPacket const& packet,
                                    Commons::Puts& under_way, Response& out);
  bool meets_condition(PutTerms& terms, std::optional<PacketShelf::Entry> const& held,
                       Response& out);
  bool may_follow(PutTerms const& terms, SignedPacket const& packet, SignedPacket const& under_way,
                  Response& out);
  std::optional<TicketId> join_put(PutTerms& terms, PutUnderWay const& put);

  // server_responses.cpp
  void begin(Response& out, Context const& context, std::uint16_t status);
  void write_text(Response& out, Context const& context, std::uint16_t status,
                  std::string_view text);
  void write_empty(Response& out, Context const& context, std::uint16_t status);
  void write_preflight(Response& out, Context const& context, Request const& request);
  void write_rate_limit(Response& out, Context const& context, Allowance const& allowance,
                        std::string_view text);
  void write_packet(Moment now, Response& out, Context const& context, Conditions const& conditions,
                    PacketShelf::Entry const& entry);
  void write_resolve_answer(Moment now, Response& out, PendingGet const& get,
                            ResolveAnswer const& answer);
  void write_publish_answer(Response& out, Context const& context, PublishAnswer const& answer);

  ServerSettings settings_;
  PacketShelf* shelf_;
  Commons* commons_;
  std::map<TicketId, PendingGet> gets_;
  std::map<TicketId, PutTerms> checks_;      // puts being verified, their clients gone or not
  std::map<TicketId, PendingPut> puts_;      // by the ticket of the store
  std::map<TicketId, Context> put_clients_;  // by the ticket of the client
  engine::EffectQueue<ServerEffect> effects_{65'536};
  ServerCounters counters_;
  std::uint32_t last_ticket_ = 0;
};

// A strong validator of a packet (RFC 9110 §8.8.3), with its quotes: timestamp and the beginning of
// the signature.
void append_etag(std::string& out, ByteView canonical);

}  // namespace dotkey::relay
