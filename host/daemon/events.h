// SPDX-License-Identifier: Apache-2.0
// Tells subscribed peers what goes on.
#pragma once

#include <memory>
#include <vector>

#include "host/daemon/peer.h"
#include "host/driver/api_driver.h"

namespace dotkey::host::daemon {

class Events final : public driver::ApiDriver::Observer {
 public:
  // `driver` outlives this object.
  explicit Events(driver::ApiDriver& driver) : driver_(driver) { driver_.add_observer(*this); }
  ~Events() override { driver_.remove_observer(*this); }
  Events(Events const&) = delete;
  Events& operator=(Events const&) = delete;

  void subscribe(Peer& peer);

  void on_progress(api::Progress const& progress) override;
  void on_learned(record::SignedPacket const& packet) override;
  void on_adopted(record::SignedPacket const& packet) override;

 private:
  void tell(std::string_view op, boost::json::object const& body);

  driver::ApiDriver& driver_;
  std::vector<std::weak_ptr<Peer>> subscribers_;
};

}  // namespace dotkey::host::daemon
