// SPDX-License-Identifier: Apache-2.0
// The node of a browser without the program: relays alone, fetched by the driver.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/api/node.h"

#include "wasm/json_writer.h"

namespace dotkey::wasm {

// Numbers drawn from a secret that the driver gave: back-off and the order of equals hang on them,
// and no key is ever made of them.
class DrawnEntropy final : public engine::Entropy {
 public:
  explicit DrawnEntropy(base::ByteView secret) : secret_(base::to_bytes(secret)) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  base::Bytes secret_;
  std::uint64_t drawn_ = 0;
};

class BrowserNode {
 public:
  explicit BrowserNode(base::ByteView secret);

  [[nodiscard]] api::Node& node() { return node_; }

  // All effects that wait, and when to come back: the members `effects` and `next_ms` (null for
  // never) of the object that is open in `json`.
  void write_effects(JsonWriter& json, engine::Instant now);

 private:
  DrawnEntropy entropy_;
  api::Node node_;
};

// {url, verdict, error} each
void write_relay_results(JsonWriter& json, std::vector<relay::RelayResult> const& relays);

}  // namespace dotkey::wasm
