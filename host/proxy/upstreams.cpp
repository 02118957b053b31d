// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/upstreams.h"

#include <algorithm>

#include "host/proxy/search.h"

namespace dotkey::host::proxy {
namespace {

// What the tunnel holds: destroying it cancels the search.
class Held final : public Acquisition {
 public:
  explicit Held(std::shared_ptr<Search> search) : search_(std::move(search)) {}
  ~Held() override { search_->cancel(); }

 private:
  std::shared_ptr<Search> search_;
};

std::string name_of(Site const& site) {
  return std::string(site.host).append(":").append(std::to_string(site.port));
}

}  // namespace

// Watched for its end only: whatever else arrives waits in the kernel for the next user.
struct Upstreams::Idle final : EventSet::Watcher {
  Idle(Upstream upstream_, Clock::time_point until_)
      : upstream(std::move(upstream_)), until(until_) {}
  void on_ready(std::uint32_t events) override { upstream.stream->note_events(events); }
  Upstream upstream;
  Clock::time_point until;
};

bool suits(std::vector<std::string> const& offered, std::string const& chosen,
           std::vector<std::string> const& wanted) {
  if (wanted == offered) return true;
  // A client without ALPN speaks HTTP/1.1.
  if (wanted.empty()) return chosen.empty() || chosen == "http/1.1";
  if (chosen.empty()) return true;  // the server does not do ALPN
  auto const has = [](std::vector<std::string> const& list, std::string const& protocol) {
    return std::find(list.begin(), list.end(), protocol) != list.end();
  };
  // From fewer protocols it would have chosen the same, and only then can we know.
  return has(wanted, chosen) &&
         std::all_of(wanted.begin(), wanted.end(), [&](auto const& p) { return has(offered, p); });
}

Upstreams::Upstreams(boost::asio::io_context& loop, EventSet& events, Scratch& scratch,
                     SSL_CTX* context, Gate& gate)
    : loop_(loop), events_(events), scratch_(scratch), context_(context), gate_(gate) {}

Upstreams::~Upstreams() {
  for (Idle& idle : idle_) events_.remove(idle.upstream.stream->fd(), idle);
}

std::shared_ptr<SiteState> Upstreams::state_of(Site const& site) {
  std::string const name = name_of(site);
  if (auto const found = by_name_.find(name); found != by_name_.end()) {
    sites_.splice(sites_.begin(), sites_, found->second);
    return sites_.front();
  }
  if (sites_.size() == sites_max) {
    by_name_.erase(name_of(sites_.back()->site));
    sites_.pop_back();
  }
  sites_.push_front(std::make_shared<SiteState>(site));
  by_name_.emplace(name, sites_.begin());
  return sites_.front();
}

bool Upstreams::is_warm(Site const& site) const {
  auto const found = by_name_.find(name_of(site));
  if (found == by_name_.end()) return false;
  SiteState const& state = **found->second;
  Clock::time_point const now = Clock::now();
  return now < state.routes_until && std::any_of(
                                         state.allowed.begin(), state.allowed.end(),
                                         [now](auto const& chain) { return now < chain.until; });
}

std::unique_ptr<Acquisition> Upstreams::acquire(Site const& site, std::vector<std::string> alpn,
                                                std::optional<EvidenceHash> allowed,
                                                OnDone on_done) {
  std::shared_ptr<SiteState> state = state_of(site);
  if (std::optional<Upstream> idle = take_idle(*state, alpn)) {
    on_done(std::move(*idle));
    return nullptr;
  }
  auto search = std::make_shared<Search>(*this, std::move(state), std::move(alpn), allowed,
                                         std::move(on_done));
  search->start();
  if (search->is_over()) return nullptr;
  return std::make_unique<Held>(std::move(search));
}

std::optional<Upstream> Upstreams::take_idle(SiteState& state,
                                             std::vector<std::string> const& alpn) {
  for (auto at = idle_.begin(); at != idle_.end(); ++at) {
    Upstream& upstream = at->upstream;
    bool const usable = upstream.state.get() == &state && !upstream.stream->is_hung_up() &&
                        suits(upstream.offered, upstream.alpn, alpn);
    if (!usable) continue;
    Upstream taken = std::move(upstream);
    events_.remove(taken.stream->fd(), *at);
    idle_.erase(at);
    return taken;
  }
  return std::nullopt;
}

void Upstreams::park(Upstream upstream) {
  auto const same = [&upstream](Idle const& i) { return i.upstream.state == upstream.state; };
  auto const count = static_cast<std::size_t>(std::count_if(idle_.begin(), idle_.end(), same));
  // Only while the verdict holds: its owner may take it without asking again.
  bool const wanted = !upstream.state->forgotten && is_warm(upstream.state->site);
  if (count >= idle_upstreams_per_site_max || upstream.stream->is_hung_up() || !wanted) return;
  upstream.stream->release();
  Idle& idle = idle_.emplace_back(std::move(upstream), Clock::now() + idle_upstream_lifetime);
  if (!events_.add(idle.upstream.stream->fd(), idle)) idle_.pop_back();
}

void Upstreams::forget(Site const& site) {
  auto const found = by_name_.find(name_of(site));
  if (found == by_name_.end()) return;
  std::shared_ptr<SiteState> const state = *found->second;
  state->forget();
  sites_.erase(found->second);
  by_name_.erase(found);
  idle_.remove_if([&](Idle& idle) {
    if (idle.upstream.state != state) return false;
    events_.remove(idle.upstream.stream->fd(), idle);
    return true;
  });
}

void Upstreams::forget(crypto::PublicKey const& key) {
  std::vector<Site> sites;
  for (auto const& state : sites_) {
    if (is_of(state->site, key)) sites.push_back(state->site);
  }
  for (Site const& site : sites) forget(site);
}

void Upstreams::on_tick() {
  Clock::time_point const now = Clock::now();
  idle_.remove_if([&](Idle& idle) {
    bool const over = idle.until <= now || idle.upstream.stream->is_hung_up() ||
                      !is_warm(idle.upstream.state->site);
    if (over) events_.remove(idle.upstream.stream->fd(), idle);
    return over;
  });
}

}  // namespace dotkey::host::proxy
