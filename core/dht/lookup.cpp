// SPDX-License-Identifier: Apache-2.0
#include "core/dht/lookup.h"

#include <algorithm>

#include "core/dht/node_id.h"

namespace dotkey::dht {

bool Lookup::is_before(Candidate const& a, Candidate const& b) const {
  if (a.has_id != b.has_id) return a.has_id;
  if (a.secure != b.secure) return a.secure;
  return is_closer(target_, a.node.id, b.node.id);
}

Candidate* Lookup::find(Endpoint const& endpoint) {
  for (auto& candidate : candidates_) {
    if (candidate.node.endpoint == endpoint) return &candidate;
  }
  return nullptr;
}

bool Lookup::address_is_exhausted(Candidate const& candidate) const {
  IpAddress const& address = candidate.node.endpoint.address;
  if (address.is_local_network()) return false;
  auto const is_same = [&](Candidate const& c) { return c.node.endpoint.address == address; };
  auto const same =
      static_cast<std::size_t>(std::count_if(candidates_.begin(), candidates_.end(), is_same));
  return same >= (candidate.secure ? secure_ids_per_address_max : 1);
}

Candidate* Lookup::insert(Candidate candidate) {
  auto const place =
      std::lower_bound(candidates_.begin(), candidates_.end(), candidate,
                       [&](Candidate const& a, Candidate const& b) { return is_before(a, b); });
  auto const inserted = candidates_.insert(place, std::move(candidate));
  auto const index = inserted - candidates_.begin();
  if (candidates_.size() > candidates_max) {
    // The farthest that was never asked gives way; the others are needed for late answers.
    auto const last =
        std::find_if(candidates_.rbegin(), candidates_.rend(),
                     [](Candidate const& c) { return c.state == CandidateState::fresh; });
    if (last == candidates_.rend()) return &candidates_[static_cast<std::size_t>(index)];
    bool const is_new = &*last == &candidates_[static_cast<std::size_t>(index)];
    auto const position = std::prev(last.base()) - candidates_.begin();
    candidates_.erase(candidates_.begin() + position);
    if (is_new) return nullptr;
    return &candidates_[static_cast<std::size_t>(index - (position < index ? 1 : 0))];
  }
  return &candidates_[static_cast<std::size_t>(index)];
}

void Lookup::add(NodeInfo const& node, std::uint8_t hops) {
  for (auto const& known : candidates_) {
    if (known.node.endpoint == node.endpoint || (known.has_id && known.node.id == node.id)) return;
  }
  Candidate candidate;
  candidate.node = node;
  candidate.hops = hops;
  candidate.secure = is_secure_id(node.id, node.endpoint.address);
  if (!address_is_exhausted(candidate)) insert(std::move(candidate));
}

void Lookup::add_unknown(Endpoint const& endpoint) {
  if (find(endpoint) != nullptr) return;
  Candidate candidate;
  candidate.node.endpoint = endpoint;
  candidate.has_id = false;
  insert(std::move(candidate));
}

void Lookup::add_answered(NodeInfo const& node, Bytes token) {
  if (find(node.endpoint) != nullptr) return;
  Candidate candidate;
  candidate.node = node;
  candidate.secure = is_secure_id(node.id, node.endpoint.address);
  candidate.state = CandidateState::answered;
  candidate.token = std::move(token);
  insert(std::move(candidate));
}

std::optional<Candidate> Lookup::next(std::size_t width) {
  std::size_t live = 0;
  bool ahead_of_all_waiting = true;
  for (auto& candidate : candidates_) {
    if (live >= width) return std::nullopt;
    switch (candidate.state) {
      case CandidateState::lost:
        continue;
      case CandidateState::waiting:
        ahead_of_all_waiting = false;
        break;
      case CandidateState::overdue:
      case CandidateState::answered:
        break;
      case CandidateState::fresh: {
        if (!may_visit(candidate)) continue;
        // A node closer than all we wait for is worth a request beyond the usual number.
        std::uint32_t const allowed = ahead_of_all_waiting ? 2 * parallel_ : parallel_;
        if (waiting_ >= allowed) return std::nullopt;
        ++waiting_;
        ++visits_;
        if (!candidate.secure && candidate.has_id) ++insecure_visits_;
        candidate.state = CandidateState::waiting;
        return candidate;
      }
    }
    ++live;
  }
  return std::nullopt;
}

Candidate* Lookup::on_answer(NodeInfo const& node, ByteView token) {
  Candidate* const found = find(node.endpoint);
  if (found == nullptr || found->state == CandidateState::fresh ||
      found->state == CandidateState::answered) {
    return nullptr;
  }
  if (found->state == CandidateState::waiting) --waiting_;
  if (!found->has_id) {
    // A bootstrap node told its id: it takes its place in the order.
    Candidate known = *found;
    candidates_.erase(candidates_.begin() + (found - candidates_.data()));
    known.has_id = true;
    known.node.id = node.id;
    known.secure = is_secure_id(node.id, node.endpoint.address);
    known.state = CandidateState::answered;
    known.token = base::to_bytes(token);
    return insert(std::move(known));
  }
  found->state = CandidateState::answered;
  found->token = base::to_bytes(token);
  return found;
}

void Lookup::on_overdue(Endpoint const& endpoint) {
  Candidate* const found = find(endpoint);
  if (found == nullptr || found->state != CandidateState::waiting) return;
  --waiting_;
  found->state = CandidateState::overdue;
}

void Lookup::on_lost(Endpoint const& endpoint) {
  Candidate* const found = find(endpoint);
  if (found == nullptr) return;
  if (found->state == CandidateState::waiting) --waiting_;
  if (found->state == CandidateState::waiting || found->state == CandidateState::overdue) {
    found->state = CandidateState::lost;
  }
}

bool Lookup::is_done(std::size_t width) const {
  std::size_t live = 0;
  for (auto const& candidate : candidates_) {
    if (live >= width) break;
    if (candidate.state == CandidateState::lost) continue;
    if (candidate.state == CandidateState::fresh && !may_visit(candidate)) continue;
    if (candidate.state != CandidateState::answered) return false;
    ++live;
  }
  return true;
}

std::vector<Candidate const*> Lookup::answered(std::size_t count) const {
  std::vector<Candidate const*> out;
  for (auto const& candidate : candidates_) {
    if (out.size() >= count) break;
    if (candidate.state == CandidateState::answered && candidate.has_id) out.push_back(&candidate);
  }
  return out;
}

}  // namespace dotkey::dht
