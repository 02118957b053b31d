// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/daemon.h"

#include <utility>

#include "host/channel/socket_path.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::daemon {

using base::Result;

Result<std::unique_ptr<Daemon>> Daemon::open(boost::asio::io_context& loop,
                                             engine::Entropy& entropy, store::Paths const& paths,
                                             CoreSettings settings, page::PagesSettings pages) {
  if (auto made = store::create_private_directory(paths.state_dir); !made) {
    return tl::make_unexpected(made.error());
  }
  auto lock = LockFile::acquire(paths.state_dir + "/daemon.lock");
  if (!lock) return tl::make_unexpected(lock.error());
  std::unique_ptr<Daemon> out(new Daemon(loop, entropy, std::move(pages), std::move(*lock)));
  auto core = Core::open(loop, entropy, std::move(settings));
  if (!core) return tl::make_unexpected(core.error());
  out->core_ = std::move(*core);
  out->open_pages();
  Services& services = out->core_->services();
  auto listener = Listener::open(loop, channel::socket_paths(paths).front(),
                                 [&services](Session& session, channel::Message message) {
                                   on_message(services, session, std::move(message));
                                 });
  if (!listener) return tl::make_unexpected(listener.error());
  out->listener_ = std::move(*listener);
  services.listener = out->listener_.get();
  out->doctor_ = std::make_unique<DoctorChild>(loop, out->pages_settings_.program, paths.state_dir);
  services.doctor = out->doctor_.get();
  return out;
}

Daemon::~Daemon() = default;

// A CA that cannot be used stops pages, not the rest.
void Daemon::open_pages() {
  Services& services = core_->services();
  page::GateParts parts{loop_, services.driver, entropy_, services.local_keys, services.http_keys};
  auto pages = page::Pages::open(parts, pages_settings_);
  if (!pages) {
    services.pages_error = pages.error();
    return;
  }
  pages_ = std::move(*pages);
  services.pages = pages_.get();
  services.pages_error.reset();
  prober_ = std::make_unique<Prober>(loop_, *pages_);
  services.prober = prober_.get();
}

void Daemon::reload_trust() {
  if (!pages_) open_pages();
  if (pages_) pages_->refresh_trust([](bool) {});
}

void Daemon::reload_permissions() {
  Services& services = core_->services();
  auto const local = services.local_keys.keys();
  auto const over_http = services.http_keys.keys();
  services.local_keys.reload();
  services.http_keys.reload();
  for (auto const& key : local) {
    if (pages_ && !services.local_keys.contains(key)) pages_->end_local(key);
  }
  for (auto const& key : over_http) {
    if (pages_ && !services.http_keys.contains(key)) pages_->end_plain(key);
  }
  tell_http_keys(services);
}

Result<void> Daemon::reload(Changeable const& settings) {
  Services& services = core_->services();
  services.driver.change_settings(settings.api, settings.packets_max);
  // The same list again would only disturb what is asked of them right now.
  if (settings.relays == services.network.relays) return {};
  auto set = services.driver.set_relays(settings.relays);
  if (set) services.network.relays = settings.relays;
  return set;
}

}  // namespace dotkey::host::daemon
