// SPDX-License-Identifier: Apache-2.0
// A gate that answers from tables: where each host leads, and which leaf certificates may be shown.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/proxy/gate.h"

namespace dotkey::tests {

class StaticGate final : public host::proxy::Gate {
 public:
  void resolve(host::proxy::Site const& site, OnResolved on_resolved) override {
    ++resolve_count;
    if (site.port != 443 && ports.count(site.port) == 0) {
      return on_resolved(base::fail(base::ErrorCode::proxy_port_refused));
    }
    auto const found = routes.find(site.host);
    if (found == routes.end()) return on_resolved(base::fail(base::ErrorCode::dht_not_found));
    auto grounds = std::make_shared<host::proxy::Grounds>();
    grounds_given.push_back(grounds);
    on_resolved(host::proxy::Resolution{found->second, valid_for, std::move(grounds)});
  }

  void decide(host::proxy::Evidence evidence, OnDecided on_decided) override {
    evidences.push_back(evidence);
    if (silent) {
      pending = std::move(on_decided);
    } else if (pins.count(evidence.chain.at(0)) > 0) {
      on_decided(host::proxy::Allow{valid_for});
    } else {
      on_decided(host::proxy::Deny{"pin.mismatch"});
    }
  }

  void on_refused(host::proxy::Site const& site, std::string_view slug) override {
    refusals.emplace_back(site.host, std::string(slug));
  }

  std::map<std::string, std::vector<host::proxy::Route>> routes;
  std::set<base::Bytes> pins;  // DER of allowed server certificates
  std::set<std::uint16_t> ports;
  std::chrono::seconds valid_for{0};
  bool silent = false;

  std::size_t resolve_count = 0;
  std::vector<host::proxy::Evidence> evidences;
  std::vector<std::pair<std::string, std::string>> refusals;
  OnDecided pending;
  std::vector<std::weak_ptr<host::proxy::Grounds>> grounds_given;
};

}  // namespace dotkey::tests
