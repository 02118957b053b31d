// SPDX-License-Identifier: Apache-2.0
#include "host/loop/name_lookup.h"

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/assert.h"
#include "core/base/integers.h"

#include "host/loop/socket_address.h"

namespace dotkey::host::loop {

// What the thread and the owner share. The thread posts only while `open`, under the mutex: the
// io_context cannot go away under it.
struct NameLookup::Shared {
  explicit Shared(boost::asio::io_context& loop) : executor(loop.get_executor()) {}

  std::mutex mutex;
  bool open = true;
  boost::asio::io_context::executor_type executor;
  // The rest belongs to the loop's thread.
  bool running = false;
  OnDone on_done;
};

namespace {

using base::ErrorCode;

base::Result<std::vector<base::Endpoint>> look_up_name(std::string const& text) {
  if (auto literal = base::Endpoint::parse(text)) return std::vector{*literal};
  auto const name = parse_host_port(text);
  if (!name) return tl::make_unexpected(name.error());
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  int const status = ::getaddrinfo(name->host.c_str(), nullptr, &hints, &found);
  if (status != 0) {
    return base::fail(ErrorCode::network_name_unresolved,
                      name->host + ": " + ::gai_strerror(status));
  }
  std::vector<base::Endpoint> out;
  for (addrinfo const* entry = found; entry != nullptr; entry = entry->ai_next) {
    auto endpoint = endpoint_of(entry->ai_addr);
    if (!endpoint) continue;
    endpoint->port = name->port;
    if (std::find(out.begin(), out.end(), *endpoint) == out.end()) out.push_back(*endpoint);
  }
  ::freeaddrinfo(found);
  return out;
}

NameLookup::Outcomes look_up_names(std::vector<std::string> const& names) {
  NameLookup::Outcomes out;
  for (std::string const& name : names) out.push_back(look_up_name(name));
  return out;
}

}  // namespace

base::Result<HostPort> parse_host_port(std::string_view text) {
  std::size_t const colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return base::fail(ErrorCode::address_malformed, std::string(text));
  }
  auto const port = base::parse_decimal<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  bool const bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  bool const ambiguous = !bracketed && host.find(':') != std::string_view::npos;
  if (!port || *port == 0 || host.empty() || host.size() > 253 || ambiguous) {
    return base::fail(ErrorCode::address_malformed, std::string(text));
  }
  return HostPort{std::string(host), *port};
}

NameLookup::NameLookup(boost::asio::io_context& loop) : shared_(std::make_shared<Shared>(loop)) {}

NameLookup::~NameLookup() {
  std::lock_guard const lock(shared_->mutex);
  shared_->open = false;
  shared_->on_done = nullptr;
}

bool NameLookup::is_running() const {
  return shared_->running;
}

void NameLookup::start(std::vector<std::string> names, OnDone on_done) {
  DOTKEY_ASSERT(!shared_->running);
  shared_->running = true;
  shared_->on_done = std::move(on_done);
  auto const deliver = [](std::shared_ptr<Shared> const& shared, Outcomes outcomes) {
    std::lock_guard const lock(shared->mutex);
    if (!shared->open) return;
    boost::asio::post(shared->executor, [shared, outcomes = std::move(outcomes)]() mutable {
      if (!shared->on_done) return;  // the owner went away meanwhile
      shared->running = false;
      auto const done = std::exchange(shared->on_done, nullptr);
      done(std::move(outcomes));
    });
  };
  bool const literal = std::all_of(names.begin(), names.end(), [](std::string const& name) {
    return base::Endpoint::parse(name).has_value();
  });
  if (literal) return deliver(shared_, look_up_names(names));
  try {
    std::thread([shared = shared_, names = std::move(names), deliver] {
      deliver(shared, look_up_names(names));
    }).detach();
  } catch (std::system_error const& error) {  // no thread to be had
    deliver(shared_, {base::fail(ErrorCode::network_name_unresolved, error.what())});
  }
}

}  // namespace dotkey::host::loop
