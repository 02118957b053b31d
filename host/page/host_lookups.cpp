// SPDX-License-Identifier: Apache-2.0
#include "host/page/host_lookups.h"

#include <list>
#include <utility>

namespace dotkey::host::page {

// The lookups that run go with this object, as they have to go before the loop does.
HostLookups::HostLookups(boost::asio::io_context& loop)
    : look_up_([&loop, running = std::make_shared<std::list<loop::NameLookup>>()](
                   std::string const& name, OnDone const& on_done) {
        auto const at = running->emplace(running->end(), loop);
        at->start({name}, [&list = *running, at, on_done](Outcomes const& outcomes) {
          list.erase(at);
          on_done(outcomes);
        });
      }) {}

bool HostLookups::start(std::vector<std::string> const& names, OnDone on_done) {
  if (callers_ == lookups_awaited_max) return false;
  ++callers_;
  auto const caller = std::make_shared<Caller>();
  caller->outcomes.resize(names.size());
  caller->missing = names.size();
  caller->on_done = std::move(on_done);
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto const [entry, is_new] = awaited_.try_emplace(names[i]);
    entry->second.push_back({caller, i});
    if (is_new) queue_.push_back(names[i]);
  }
  run_next();
  return true;
}

void HostLookups::run_next() {
  while (running_ < lookups_running_max && !queue_.empty()) {
    std::string const name = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    look_up_(name, [this, alive = std::weak_ptr(alive_), name](Outcomes const& outcomes) {
      if (!alive.expired()) on_outcome(name, outcomes);
    });
  }
}

void HostLookups::on_outcome(std::string const& name, Outcomes const& outcomes) {
  --running_;
  auto const places = awaited_.extract(name);
  run_next();
  for (Place const& place : places.mapped()) {
    place.caller->outcomes[place.index] = outcomes.at(0);
    if (--place.caller->missing > 0) continue;
    --callers_;
    place.caller->on_done(place.caller->outcomes);
  }
}

}  // namespace dotkey::host::page
