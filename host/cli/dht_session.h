// SPDX-License-Identifier: Apache-2.0
// A DHT node for the length of one command: starts from the saved routing table or the bootstrap
// nodes, runs operations one at a time while a person waits, saves the table at the end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/dht/types.h"

#include "host/cli/options.h"
#include "host/cli/progress_line.h"
#include "host/loop/foreground.h"
#include "host/loop/node_driver.h"

namespace dotkey::host::cli {

// A read-only node as the options ask for it: its families, its bootstrap nodes, its saved table.
loop::NodeDriverSettings node_settings(Options const& options, std::string const& state_path);

class DhtSession {
 public:
  // `entropy` and `options` outlive the session. Errors: network_socket_failed, network_no_source
  // with --no-dht.
  static base::Result<std::unique_ptr<DhtSession>> open(Options const& options,
                                                        store::Paths const& paths,
                                                        engine::Entropy& entropy);
  ~DhtSession();  // saves the routing table
  DhtSession(DhtSession const&) = delete;
  DhtSession& operator=(DhtSession const&) = delete;

  // An outcome whose `error` is set is a Result with that error; the outcome's other parts stay
  // readable through last_outcome(). Errors also: network_timeout, cancelled,
  // dht_bootstrap_unresolved, dht_no_nodes.
  base::Result<dht::Outcome> get(crypto::PublicKey const& key, dht::GetOptions const& options);
  base::Result<dht::Outcome> put(dht::MutableItem const& item);

  // Of the operation that ended last, with an error or without.
  [[nodiscard]] dht::Outcome const& last_outcome() const { return last_outcome_; }

 private:
  DhtSession(Options const& options, store::Paths const& paths);
  base::Result<void> open_driver(engine::Entropy& entropy);
  base::Result<void> wait_for_nodes();
  base::Result<dht::Outcome> run(std::string const& what, loop::NodeDriver::Command const& command);

  Options const& options_;
  std::string state_path_;
  engine::Instant deadline_;
  loop::Foreground foreground_;
  std::unique_ptr<loop::NodeDriver> driver_;
  dht::Outcome last_outcome_;
};

}  // namespace dotkey::host::cli
