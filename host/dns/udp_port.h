// SPDX-License-Identifier: Apache-2.0
// One UDP socket of one shard: datagrams in and out by the batch, replies written over the queries.
#pragma once

#include <array>
#include <memory>

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/bridge/answer.h"

#include "host/dns/poller.h"

namespace dotkey::host::dns {

// Where a datagram came from, and to which of our addresses: the reply goes the same way back.
struct UdpPeer {
  sockaddr_storage address{};
  socklen_t address_size = 0;
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
  std::size_t control_size = 0;

  [[nodiscard]] base::IpAddress ip() const;
};

class UdpPort final : public Poller::Watcher {
 public:
  // What answers: the size of the reply written over the query, or 0.
  class Service {
   public:
    virtual std::size_t on_datagram(UdpPort& port, UdpPeer const& peer,
                                    std::span<std::uint8_t> buffer, std::size_t size) = 0;

   protected:
    ~Service() = default;
  };

  // Port 0 lets the system choose. Sockets of several shards share an address. Errors:
  // network_socket_failed.
  static base::Result<std::unique_ptr<UdpPort>> open(base::Endpoint const& local, Poller& poller,
                                                     Service& service);
  ~UdpPort();
  UdpPort(UdpPort const&) = delete;
  UdpPort& operator=(UdpPort const&) = delete;

  void on_ready(std::uint32_t events) override;
  // One reply that came later. Lost when the system takes nothing.
  void send(UdpPeer const& peer, base::ByteView message);

  [[nodiscard]] base::Endpoint const& local() const { return local_; }
  [[nodiscard]] std::uint64_t unsent() const { return unsent_; }

 private:
  static constexpr std::size_t batch_max = 64;
  static constexpr std::size_t buffer_size = 2048;

  UdpPort(int fd, base::Endpoint const& local, Poller& poller, Service& service);
  void prepare(std::size_t slot);
  void send_batch(std::size_t count);

  int fd_;
  base::Endpoint local_;
  Poller& poller_;
  Service& service_;
  bool wants_control_;
  std::uint64_t unsent_ = 0;
  std::array<std::array<std::uint8_t, buffer_size>, batch_max> buffers_;
  std::array<UdpPeer, batch_max> peers_;
  std::array<iovec, batch_max> in_vectors_;
  std::array<mmsghdr, batch_max> in_;
  std::array<iovec, batch_max> out_vectors_;
  std::array<mmsghdr, batch_max> out_;
};

}  // namespace dotkey::host::dns
