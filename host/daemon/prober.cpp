// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/prober.h"

#include <algorithm>
#include <utility>

#include "host/daemon/browser_part.h"
#include "host/daemon/listener.h"
#include "host/daemon/operations.h"

namespace dotkey::host::daemon {
namespace {

constexpr std::size_t detail_size_max = 200;

BrowserPart* part_of(Peer const& peer) {
  return dynamic_cast<BrowserPart*>(peer.part.get());
}

// What the browser did not get, the proxy knows why.
std::string stage_of(page::PageGate::ProbeTrace const& trace, bool answered) {
  if (!trace.refused.empty()) return "refused";
  if (trace.allowed) return "allowed";
  if (trace.asked) return "held";
  return answered ? "asked" : "silent";
}

}  // namespace

Prober::Prober(boost::asio::io_context& loop, page::Pages& pages) : pages_(pages), timer_(loop) {}

void Prober::run(std::vector<std::shared_ptr<Peer>> const& peers, OnDone on_done) {
  waiting_.push_back(std::move(on_done));
  if (waiting_.size() > 1) return;
  auto const site = pages_.begin_probe();
  if (!site) return tell(base::Failure(site.error()));
  token_ = (*site)->token();
  started_ = std::chrono::steady_clock::now();
  for (auto const& peer : peers) {
    if (part_of(*peer) != nullptr) entries_.push_back({peer, {}, false});
  }
  if (entries_.empty()) return finish();
  timer_.expires_after(probe_timeout);
  timer_.async_wait([this](boost::system::error_code const& error) {
    if (!error) finish();
  });
  std::string const url = "https://" + (*site)->host() + "/";
  for (std::size_t i = 0; i < entries_.size(); ++i) start(entries_[i], i, url);
}

void Prober::start(Entry& entry, std::size_t index, std::string const& url) {
  auto const peer = entry.peer.lock();
  BrowserPart& part = *part_of(*peer);
  entry.outcome = {{"browser", part.extension().browser}, {"extension", part.extension().version}};
  // The peer owns the part, and the part the function.
  part.probe(url, [this, index](boost::json::object const& body) { on_probed(index, body); });
}

void Prober::on_probed(std::size_t index, boost::json::object const& body) {
  if (index >= entries_.size() || entries_[index].done) return;
  Entry& entry = entries_[index];
  auto const peer = entry.peer.lock();
  if (!peer) return;
  entry.done = true;
  auto const took = std::chrono::steady_clock::now() - started_;
  entry.outcome["took_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  bool const opened = channel::integer_at(body, "status") == 200 &&
                      channel::text_at(body, "text") == std::string_view(token_);
  auto const& trace = part_of(*peer)->session().probe_trace();
  entry.outcome["stage"] = opened ? "opened" : stage_of(trace, true);
  if (!opened && !trace.refused.empty()) entry.outcome["slug"] = trace.refused;
  if (auto const detail = channel::text_at(body, "error")) {
    entry.outcome["detail"] = detail->substr(0, detail_size_max);
  }
  if (auto const permitted = channel::flag_at(body, "permitted")) {
    entry.outcome["permitted"] = *permitted;
  }
  if (std::all_of(entries_.begin(), entries_.end(), [](Entry const& e) { return e.done; })) {
    finish();
  }
}

void Prober::finish() {
  timer_.cancel();
  boost::json::array browsers;
  for (Entry& entry : entries_) {
    auto const peer = entry.peer.lock();
    BrowserPart const* const part = peer ? part_of(*peer) : nullptr;
    if (!entry.done) {
      entry.outcome["stage"] =
          part == nullptr ? std::string("silent") : stage_of(part->session().probe_trace(), false);
    }
    browsers.push_back(std::move(entry.outcome));
  }
  entries_.clear();
  pages_.end_probe();
  tell(browsers);
}

void Prober::tell(base::Result<boost::json::array> const& result) {
  for (OnDone const& on_done : std::exchange(waiting_, {})) on_done(result);
}

void on_probe(Services& services, Peer& peer, channel::Message request) {
  if (services.prober == nullptr || services.listener == nullptr) {
    return peer.fail(
        request, services.pages_error.value_or(base::Error(base::ErrorCode::daemon_not_running)));
  }
  std::vector<std::shared_ptr<Peer>> peers;
  services.listener->for_each_session(
      [&](Session& session) { peers.push_back(session.shared_from_this()); });
  services.prober->run(peers, [weak = peer.weak_from_this(),
                               request](base::Result<boost::json::array> const& browsers) {
    auto const asker = weak.lock();
    if (!asker) return;
    if (!browsers) return asker->fail(request, browsers.error());
    asker->answer(request, {{"browsers", *browsers}});
  });
}

void on_probed(Services&, Peer& peer, channel::Message message) {
  if (auto* const browser = part_of(peer)) browser->on_probed(message.body);
}

}  // namespace dotkey::host::daemon
