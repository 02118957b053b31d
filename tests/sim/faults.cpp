// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/faults.h"

#include <cstdio>

#include "tests/support/seeded_entropy.h"

namespace dotkey::sim {

Faults swarm_faults(std::uint64_t seed) {
  test::SeededEntropy random(seed ^ 0x5fa17fa17fa17fa1ULL);
  auto const maybe = [&random](double strength) {
    bool const present = random.unit() < 0.5;
    return present ? strength * (0.5 + random.unit()) : 0.0;
  };
  Faults out;
  out.loss = maybe(0.05);
  out.duplication = maybe(0.05);
  out.reordering = maybe(0.10);
  out.nat = maybe(0.25);
  out.dead = maybe(0.20);
  out.liars = maybe(0.08);
  out.lies = 1 + random.below(lies_all);
  if (random.unit() < 0.5) out.mean_lifetime = engine::Duration::from_s(1800 + random.below(3600));
  return out;
}

std::string describe(Faults const& faults) {
  std::string out;
  auto const add = [&out](char const* name, double share) {
    if (share <= 0) return;
    char text[64];
    std::snprintf(text, sizeof text, "%s%s %.3g %%", out.empty() ? "" : ", ", name, share * 100);
    out += text;
  };
  add("loss", faults.loss);
  add("duplication", faults.duplication);
  add("reordering", faults.reordering);
  add("dead entries", faults.dead);
  add("NAT", faults.nat);
  add("liars", faults.liars);
  if (faults.mean_lifetime.us > 0) {
    char text[64];
    std::snprintf(text, sizeof text, "%smean lifetime %.3g min", out.empty() ? "" : ", ",
                  static_cast<double>(faults.mean_lifetime.us) / 60e6);
    out += text;
  }
  return out.empty() ? "no faults" : out;
}

}  // namespace dotkey::sim
