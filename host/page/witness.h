// SPDX-License-Identifier: Apache-2.0
// Who looks at a site besides the daemon: the extension of one browser session.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/endpoint.h"
#include "core/resolve/types.h"

#include "host/proxy/gate.h"

namespace dotkey::host::page {

// What the daemon found, as it is shown.
struct ShownEvidence {
  proxy::Site site;
  std::vector<base::Bytes> packets;  // canonical signed packets
  std::vector<base::Bytes> chain;    // DER, the server's own certificate first
  std::string route_host;            // for SNI
  std::uint16_t route_port = 0;
  base::IpAddress address;
  resolve::Source source = resolve::Source::cache;
  std::uint32_t age_s = 0;
};

struct WitnessVerdict {
  bool allow = false;
  std::string slug;
};

class Witness {
 public:
  virtual ~Witness() = default;

  // `on_verdict` runs at most once, later; a witness that goes away never gives one, and the
  // proxy's patience ends.
  using OnVerdict = std::function<void(WitnessVerdict)>;
  virtual void examine(ShownEvidence const& evidence, OnVerdict on_verdict) = 0;

  // `pinless`: the packets were found, and none of them has a pin.
  virtual void on_refused(proxy::Site const& site, std::string_view slug, bool pinless) = 0;

  // From now on leaves are signed by the root of this fingerprint.
  virtual void on_ca_changed(std::string const& /*sha256*/) {}
};

}  // namespace dotkey::host::page
