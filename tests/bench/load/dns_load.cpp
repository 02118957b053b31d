// SPDX-License-Identifier: Apache-2.0
// dns_load HOST PORT FILE SECONDS WINDOW [RATE]: DNS queries over UDP by the batch, so that the
// server is the limit and not this. FILE has "name type" lines. Without RATE, WINDOW queries are
// always under way; with it, so many a second, and time counts from when each was due. Prints
// answers a second, those without an error, the share lost, and times in microseconds.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/integers.h"
#include "core/wire/dns_message.h"

namespace {

using namespace dotkey;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t batch_max = 64;
constexpr std::size_t sockets = 8;  // ports: the system spreads them over a server's threads
constexpr double lost_after_s = 1;

std::vector<base::Bytes> read_queries(char const* path) {
  std::vector<base::Bytes> out;
  std::ifstream file(path);
  std::string name;
  std::string type;
  while (file >> name >> type) {
    wire::dns::Message message;
    message.recursion_desired = true;
    message.questions.push_back({wire::dns::Name::parse(name).value(),
                                 wire::dns::parse_record_type(type).value(),
                                 wire::dns::RecordClass::in});
    out.push_back(wire::dns::encode_message(message).value());
  }
  return out;
}

class Load {
 public:
  Load(std::vector<base::Bytes> queries, std::size_t window, double rate)
      : queries_(std::move(queries)), slots_(window), rate_(rate) {}

  bool connect(char const* host, std::uint32_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, host, &address.sin_addr) != 1) return false;
    for (int& fd : sockets_) {
      fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
      int const size = 4 << 20;
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
      if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return false;
    }
    return true;
  }

  void run(double seconds) {
    auto const start = Clock::now();
    for (std::size_t i = 0; i < slots_.size(); ++i) free_.push_back(i);
    double due = 0;
    while (Seconds(Clock::now() - start).count() < seconds) {
      double const now = Seconds(Clock::now() - start).count();
      std::size_t wanted = free_.size();
      if (rate_ > 0) {
        wanted = std::min(wanted, static_cast<std::size_t>(std::max(0.0, (now - due) * rate_ + 1)));
      }
      // Batches of some size keep the cost of each query low on both sides.
      for (std::size_t i = 0; i < sockets && wanted > 0; ++i) {
        std::size_t const size = std::min(wanted, batch_max);
        send(next_socket_, size, rate_ > 0 ? due : now);
        next_socket_ = (next_socket_ + 1) % sockets;
        wanted -= size;
        if (rate_ > 0) due += static_cast<double>(size) / rate_;
      }
      receive(start);
      if (now - swept_ > lost_after_s / 4) sweep(now);
    }
    seconds_ = Seconds(Clock::now() - start).count();
  }

  void print() {
    std::sort(times_.begin(), times_.end());
    auto const at = [&](double share) {
      auto const i = static_cast<std::size_t>(share * static_cast<double>(times_.size()));
      return times_.empty() ? 0.0 : static_cast<double>(times_[std::min(i, times_.size() - 1)]);
    };
    double const all = static_cast<double>(answered_ + lost_);
    std::printf(
        "qps %.0f good %.2f lost_pct %.2f p50 %.0f p99 %.0f p999 %.0f\n",
        static_cast<double>(answered_) / seconds_,
        answered_ > 0 ? 100.0 * static_cast<double>(good_) / static_cast<double>(answered_) : 0.0,
        all > 0 ? 100.0 * static_cast<double>(lost_) / all : 0.0, at(0.5), at(0.99), at(0.999));
  }

 private:
  struct Slot {
    bool open = false;
    double sent = 0;
  };

  void send(std::size_t socket, std::size_t count, double when) {
    mmsghdr messages[batch_max]{};
    iovec vectors[batch_max];
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t const slot = free_.back();
      free_.pop_back();
      slots_[slot] = {true, when};
      if (rate_ > 0) when += 1 / rate_;
      base::Bytes& query = queries_[next_];
      next_ = (next_ + 1) % queries_.size();
      // Its own copy: several of a batch may ask the same.
      std::copy(query.begin(), query.end(), out_[i].begin());
      base::write_be(out_[i].data(), static_cast<std::uint16_t>(slot));
      vectors[i] = {out_[i].data(), query.size()};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    ::sendmmsg(sockets_[socket], messages, static_cast<unsigned>(count), 0);
  }

  void receive(Clock::time_point start) {
    pollfd polls[sockets];
    for (std::size_t i = 0; i < sockets; ++i) polls[i] = {sockets_[i], POLLIN, 0};
    // It sleeps between queries: the other half of a test may need this processor.
    timespec const wait{0, rate_ > 0 ? 50'000 : 1'000'000};
    if (::ppoll(polls, sockets, &wait, nullptr) <= 0) return;
    mmsghdr messages[batch_max]{};
    iovec vectors[batch_max];
    for (std::size_t i = 0; i < sockets; ++i) {
      if ((polls[i].revents & POLLIN) == 0) continue;
      for (std::size_t k = 0; k < batch_max; ++k) {
        vectors[k] = {in_[k].data(), in_[k].size()};
        messages[k].msg_hdr.msg_iov = &vectors[k];
        messages[k].msg_hdr.msg_iovlen = 1;
      }
      int const count = ::recvmmsg(sockets_[i], messages, batch_max, MSG_DONTWAIT, nullptr);
      double const now = Seconds(Clock::now() - start).count();
      for (int k = 0; k < count; ++k) take(in_[static_cast<std::size_t>(k)], now);
    }
  }

  void take(std::array<std::uint8_t, 2048> const& reply, double now) {
    std::size_t const slot = base::read_be<std::uint16_t>(reply);
    if (slot >= slots_.size() || !slots_[slot].open) return;
    slots_[slot].open = false;
    free_.push_back(slot);
    ++answered_;
    if ((reply[3] & 15) == 0 && base::read_be<std::uint16_t>(reply, 6) > 0) ++good_;
    if (times_.size() < times_max) {
      times_.push_back(static_cast<std::uint32_t>((now - slots_[slot].sent) * 1e6));
    }
  }

  void sweep(double now) {
    swept_ = now;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (!slots_[i].open || now - slots_[i].sent < lost_after_s) continue;
      slots_[i].open = false;
      free_.push_back(i);
      ++lost_;
    }
  }

  static constexpr std::size_t times_max = 8'000'000;
  std::vector<base::Bytes> queries_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> free_;
  double rate_;
  int sockets_[sockets] = {};
  std::size_t next_ = 0;
  std::size_t next_socket_ = 0;
  double swept_ = 0;
  double seconds_ = 1;
  std::uint64_t answered_ = 0;
  std::uint64_t good_ = 0;
  std::uint64_t lost_ = 0;
  std::vector<std::uint32_t> times_;
  std::array<std::array<std::uint8_t, 512>, batch_max> out_{};
  std::array<std::array<std::uint8_t, 2048>, batch_max> in_{};
};

}  // namespace

int main(int argc, char** argv) {
  auto const number = [&](int i) {
    return argc > i ? base::parse_decimal<std::uint32_t>(argv[i]).value_or(0) : 0;
  };
  std::uint32_t const window = number(5);
  if (number(2) == 0 || number(4) == 0 || window == 0 || window > 65'536) {
    std::fprintf(stderr, "dns_load HOST PORT FILE SECONDS WINDOW [RATE]\n");
    return 2;
  }
  // Else the kernel may let it sleep 50 us longer than it asks for.
  ::prctl(PR_SET_TIMERSLACK, 1);
  Load load(read_queries(argv[3]), window, number(6));
  if (!load.connect(argv[1], number(2))) return 1;
  load.run(number(4));
  load.print();
  return 0;
}
