// SPDX-License-Identifier: Apache-2.0
// Asks other servers, for one shard: upstreams for names that are not ours, and the name servers
// that a key's packet delegates to. The quickest healthy one is asked first; when it is slow or
// fails, the next one races it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/bridge/bridge.h"

#include "host/dns/upstream.h"
#include "host/dns/upstream_message.h"
#include "host/dns/upstream_stream.h"
#include "host/dns/upstream_udp.h"

namespace dotkey::host::dns {

struct ForwarderSettings {
  std::vector<Upstream> upstreams;
  engine::Duration timeout = engine::Duration::from_s(5);
  // How long one server alone may take: three times what it takes usually, within these.
  engine::Duration race_after_min = engine::Duration::from_ms(50);
  engine::Duration race_after_max = engine::Duration::from_ms(400);
  // A server that failed so often in a row is left alone for a while.
  std::uint32_t failures_max = 3;
  engine::Duration rest = engine::Duration::from_s(5);
  // Further lookups share sockets, and wait for nobody.
  std::uint32_t sockets_max = 512;
  engine::Duration stream_idle = engine::Duration::from_s(20);
};

struct ForwarderCounters {
  std::uint64_t asked = 0;      // questions
  std::uint64_t sent = 0;       // queries
  std::uint64_t foreign = 0;    // messages that answer no query of ours
  std::uint64_t raced = 0;      // a second server was asked
  std::uint64_t truncated = 0;  // went on over TCP, as did what came in fragments
  std::uint64_t failed = 0;     // questions
};

class Forwarder final : UpstreamUdp::Service, UpstreamStream::Service {
 public:
  class Service {
   public:
    // Perhaps before ask() returns.
    virtual void on_upstream_message(bridge::TaskId task,
                                     base::Result<wire::dns::Message> const& message) = 0;

   protected:
    ~Service() = default;
  };

  // All of these outlive the forwarder. Without `tls` there are no upstreams that need it.
  Forwarder(ForwarderSettings const& settings, TlsClient const* tls, Poller& poller,
            engine::Entropy& entropy, Service& service);
  ~Forwarder();
  Forwarder(Forwarder const&) = delete;
  Forwarder& operator=(Forwarder const&) = delete;

  // Before anything else each time that the loop wakes up.
  void set_now(engine::Instant now) { now_ = now; }
  void ask(bridge::AskUpstream const& question);
  void ask(bridge::AskServers const& question);
  // Some of what is due; next_deadline() says whether there is more.
  void on_deadline();
  [[nodiscard]] std::optional<engine::Instant> next_deadline() const;
  // Sends what was asked over connections. False: there was nothing to send.
  bool flush();
  // Frees sockets that have ended, never below one of their own calls, and closes idle ones.
  void tidy();

  [[nodiscard]] ForwarderCounters const& counters() const { return counters_; }
  [[nodiscard]] std::size_t lookups() const { return lookups_.size(); }

 private:
  using LookupNumber = std::uint64_t;
  using StreamKey = std::pair<base::Endpoint, bridge::Transport>;
  struct Lookup {
    bridge::TaskId task{};
    UpstreamQuery query;
    std::vector<Upstream> servers;  // in the order in which they are asked
    std::size_t next = 0;
    std::size_t open = 0;  // servers that have not answered yet
    engine::Instant ends;
    engine::Instant due;  // the next deadline
    std::map<base::Endpoint, engine::Instant> sent_at;
    // Where its queries wait, and under which id or token.
    std::vector<std::pair<UpstreamUdp*, std::uint16_t>> sockets;
    std::vector<std::pair<StreamKey, std::uint64_t>> streams;
    bool has_retried = false;                   // on a new connection
    std::optional<wire::dns::Message> refusal;  // SERVFAIL and the like, for want of better
  };
  struct Health {
    engine::Duration round_trip = engine::Duration::from_ms(50);
    std::uint32_t failures = 0;
    engine::Instant rests_until;
  };
  void on_udp_message(UpstreamUdp& socket, base::ByteView message, bool in_fragments) override;
  void on_udp_refused(UpstreamUdp& socket) override;
  void on_stream_message(UpstreamStream& stream, std::uint64_t lookup,
                         base::ByteView message) override;
  void on_stream_closed(UpstreamStream& stream) override;

  void start(Lookup lookup);
  std::vector<Upstream> in_order();
  void send_next(LookupNumber number);
  bool send(LookupNumber number, Lookup& lookup, Upstream const& server);
  bool send_udp(LookupNumber number, Lookup& lookup, Upstream const& server);
  bool send_stream(LookupNumber number, Lookup& lookup, Upstream const& server);
  UpstreamUdp* socket_for(base::Endpoint const& server);
  UpstreamStream* stream_for(Upstream const& server);
  void ask_over_tcp(LookupNumber number, UpstreamUdp& socket, std::uint16_t id);
  void on_reply(LookupNumber number, base::Endpoint const& server, wire::dns::Message message);
  void on_failure(LookupNumber number, base::Endpoint const& server);
  void note_failure(base::Endpoint const& server);
  void retry(LookupNumber number, Upstream const& server);
  void finish(LookupNumber number, base::Result<wire::dns::Message> const& message);
  void leave(UpstreamUdp& socket, std::uint16_t id);
  void release(LookupNumber number, Lookup const& lookup);
  void remove(UpstreamUdp& socket);
  void schedule(LookupNumber number, Lookup& lookup, engine::Instant due);

  ForwarderSettings const& settings_;
  TlsClient const* tls_;
  Poller& poller_;
  engine::Entropy& entropy_;
  Service& service_;
  engine::Instant now_;
  std::unordered_map<LookupNumber, Lookup> lookups_;
  std::set<std::pair<engine::Instant, LookupNumber>> deadlines_;
  std::map<base::Endpoint, Health> health_;
  std::vector<std::unique_ptr<UpstreamUdp>> sockets_;
  std::map<StreamKey, std::unique_ptr<UpstreamStream>> streams_;
  std::set<StreamKey> unsent_;
  std::vector<std::unique_ptr<UpstreamUdp>> old_sockets_;
  std::vector<std::unique_ptr<UpstreamStream>> old_streams_;
  LookupNumber last_number_ = 0;
  ForwarderCounters counters_;
};

}  // namespace dotkey::host::dns
