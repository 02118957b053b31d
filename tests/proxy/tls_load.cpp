// SPDX-License-Identifier: Apache-2.0
// tls_load MODE PORT HOST ORIGIN_PORT THREADS SECONDS PATH: loads a server with HTTPS requests over
// loopback, each thread one at a time, and prints what came back as JSON. PORT 0: without a proxy.
//   keep  on kept connections      new  on a new connection each
//   idle  opens THREADS connections, prints a line, and holds them until stdin ends
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/integers.h"

namespace {

using dotkey::base::parse_decimal;
using Clock = std::chrono::steady_clock;

struct Load {
  std::string mode;
  std::uint16_t port = 0;
  std::string host;
  std::uint16_t origin_port = 0;
  int threads = 0;
  int seconds = 0;
  std::string path;
  SSL_CTX* context = nullptr;
  std::atomic<std::uint64_t> done = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> failed = 0;
};

std::string site_of(Load const& load) {
  return load.host + ":" + std::to_string(load.origin_port);
}

class Connection {
 public:
  ~Connection() {
    SSL_free(ssl_);
    if (fd_ >= 0) ::close(fd_);
  }

  bool open(Load const& load) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    int const on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(load.port != 0 ? load.port : load.origin_port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr const*>(&to), sizeof to) != 0) return false;
    if (load.port != 0 && !ask_for_tunnel(load)) return false;
    ssl_ = SSL_new(load.context);
    SSL_set_tlsext_host_name(ssl_, load.host.c_str());
    return SSL_set_fd(ssl_, fd_) == 1 && SSL_connect(ssl_) == 1;
  }

  // The size of the answer's body; -1 when it is not whole or not 200.
  long long get(Load const& load) {
    std::string const request =
        "GET " + load.path + " HTTP/1.1\r\nHost: " + site_of(load) + "\r\n\r\n";
    if (SSL_write(ssl_, request.data(), static_cast<int>(request.size())) <= 0) return -1;
    std::string head;
    std::size_t end = std::string::npos;
    while (end == std::string::npos) {
      int const n = SSL_read(ssl_, buffer_.data(), static_cast<int>(buffer_.size()));
      if (n <= 0) return -1;
      head.append(buffer_.data(), static_cast<std::size_t>(n));
      end = head.find("\r\n\r\n");
    }
    std::size_t const length = head.find("Content-Length: ");
    if (head.compare(0, 12, "HTTP/1.1 200") != 0 || length == std::string::npos) return -1;
    std::string const digits = head.substr(length + 16, head.find('\r', length) - length - 16);
    auto const size = static_cast<long long>(parse_decimal<std::uint64_t>(digits).value_or(0));
    for (long long left = size - static_cast<long long>(head.size() - end - 4); left > 0;) {
      int const n = SSL_read(ssl_, buffer_.data(), static_cast<int>(buffer_.size()));
      if (n <= 0) return -1;
      left -= n;
    }
    return size;
  }

 private:
  bool ask_for_tunnel(Load const& load) const {
    std::string const site = site_of(load);
    std::string const request = "CONNECT " + site + " HTTP/1.1\r\nHost: " + site + "\r\n\r\n";
    if (::write(fd_, request.data(), request.size()) < 0) return false;
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      char byte = 0;
      if (::read(fd_, &byte, 1) != 1) return false;
      head.push_back(byte);
    }
    return head.compare(8, 4, " 200") == 0;
  }

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);
};

void work(Load& load, Clock::time_point until) {
  std::unique_ptr<Connection> connection;
  while (Clock::now() < until) {
    if (!connection || load.mode == "new") {
      connection = std::make_unique<Connection>();
      if (!connection->open(load)) {
        ++load.failed;
        connection.reset();
        continue;
      }
    }
    long long const size = connection->get(load);
    if (size < 0) {
      ++load.failed;
      connection.reset();
      continue;
    }
    ++load.done;
    load.bytes += static_cast<std::uint64_t>(size);
  }
}

int hold(Load& load) {
  std::vector<std::unique_ptr<Connection>> open;
  open.reserve(static_cast<std::size_t>(load.threads));
  for (int i = 0; i < load.threads; ++i) {
    open.push_back(std::make_unique<Connection>());
    if (!open.back()->open(load) || open.back()->get(load) < 0) return 1;
  }
  std::puts("open");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

int run(Load& load) {
  load.context = SSL_CTX_new(TLS_client_method());
  if (load.mode == "idle") return hold(load);
  auto const begin = Clock::now();
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(load.threads));
  for (int i = 0; i < load.threads; ++i) {
    threads.emplace_back([&] { work(load, begin + std::chrono::seconds(load.seconds)); });
  }
  for (std::thread& thread : threads) thread.join();
  double const seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("{\"per_s\": %.1f, \"mb_per_s\": %.1f, \"failed\": %llu}\n",
              static_cast<double>(load.done) / seconds,
              static_cast<double>(load.bytes) / seconds / 1e6,
              static_cast<unsigned long long>(load.failed));
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 8) return 2;
  Load load;
  load.mode = arguments[1];
  load.port = parse_decimal<std::uint16_t>(arguments[2]).value_or(0);
  load.host = arguments[3];
  load.origin_port = parse_decimal<std::uint16_t>(arguments[4]).value_or(0);
  load.threads = parse_decimal<std::uint16_t>(arguments[5]).value_or(0);
  load.seconds = parse_decimal<std::uint16_t>(arguments[6]).value_or(0);
  load.path = arguments[7];
  return run(load);
}
