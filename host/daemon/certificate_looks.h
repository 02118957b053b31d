// SPDX-License-Identifier: Apache-2.0
// Servers' certificates for a person who is about to pin one: fetched on another thread, one at a
// time.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "core/base/result.h"

#include "host/loop/name_lookup.h"

namespace dotkey::host::daemon {

class CertificateLooks {
 public:
  static constexpr std::size_t waiting_max = 4;

  explicit CertificateLooks(boost::asio::io_context& loop) : loop_(loop) {}
  ~CertificateLooks();  // waits for one under way, at most its time; its callback does not run
  CertificateLooks(CertificateLooks const&) = delete;
  CertificateLooks& operator=(CertificateLooks const&) = delete;

  // The certificate in DER, unverified. Errors: those of tls::fetch_certificate, session_busy.
  using OnCertificate = std::function<void(base::Result<base::Bytes>)>;
  void fetch(loop::HostPort const& server, OnCertificate on_certificate);

 private:
  boost::asio::io_context& loop_;
  std::size_t waiting_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  boost::asio::thread_pool thread_{1};
};

}  // namespace dotkey::host::daemon
