// SPDX-License-Identifier: Apache-2.0
// Answers other nodes' queries: the server side of BEP 5 and BEP 44.
#pragma once

#include "core/dht/storage.h"
#include "core/dht/write_tokens.h"
#include "core/engine/entropy.h"

namespace dotkey::dht {

// What a query is answered with. The node adds ids, transaction and nodes, which it alone knows.
// The views in `message` point into `token` and into the storage: encode before the next input.
struct Reply {
  Reply() = default;
  Reply(Reply const&) = delete;
  Reply& operator=(Reply const&) = delete;

  wire::krpc::Message message;
  bool wants_nodes = false;
  NodeId nodes_target;
  WriteTokens::Token token{};
};

class Server {
 public:
  Server(Settings const& settings, NodeId const& self, engine::Entropy& entropy, Instant now);

  void answer(Instant now, Endpoint const& from, wire::krpc::Message const& query, Reply& reply);
  void on_tick(Instant now);
  [[nodiscard]] Storage const& storage() const { return storage_; }

 private:
  void answer_get(Instant now, wire::krpc::Message const& query, Reply& reply);
  void answer_get_peers(Instant now, Endpoint const& from, wire::krpc::Message const& query,
                        Reply& reply);
  void answer_put(Instant now, Endpoint const& from, wire::krpc::Message const& query,
                  Reply& reply);
  void answer_put_mutable(Instant now, wire::krpc::Message const& query, Reply& reply);
  void answer_announce(Instant now, Endpoint const& from, wire::krpc::Message const& query,
                       Reply& reply);

  engine::Entropy* entropy_;
  Storage storage_;
  WriteTokens tokens_;
  Instant swept_at_;
};

}  // namespace dotkey::dht
