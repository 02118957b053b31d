// SPDX-License-Identifier: Apache-2.0
// The HTTP server over real connections: whatever a client sends, what comes back is a sequence of
// whole responses and then the end of the connection.
#include <array>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/integers.h"

#include "host/http/server.h"

namespace dotkey::host::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Answers each request with the size of its body, one in two a turn of the loop later.
class Echo final : public Service {
 public:
  explicit Echo(Worker& worker) : worker_(worker) {}

  bool on_request(engine::Moment, relay::Request const& request, RequestId id,
                  relay::Response& out) override {
    DOTKEY_ASSERT(!request.method.empty() && !request.target.empty());
    DOTKEY_ASSERT(request.body.size() <= relay::payload_size_max + 1);
    fill(out, request);
    if (request.target.size() % 2 == 0) return true;
    waiting_ = out;
    asio::post(worker_.loop(), [this, id] {
      // Answering may bring the next request.
      if (auto answer = std::exchange(waiting_, std::nullopt)) worker_.respond(id, *answer);
    });
    return false;
  }
  void on_abandoned(RequestId) override { waiting_.reset(); }

 private:
  static void fill(relay::Response& out, relay::Request const& request) {
    std::string const size = std::to_string(request.body.size());
    out.status = 200;
    out.head = "x-method: " + std::string(request.method) + "\r\n";
    out.body.assign(size.begin(), size.end());
    out.content_length = size.size();
  }

  Worker& worker_;
  std::optional<relay::Response> waiting_;  // one connection, one request at a time
};

// One worker and its client on one thread.
class Conversation {
 public:
  Conversation()
      : acceptor_(mine_, {asio::ip::address_v4::loopback(), 0}),
        worker_(settings_, counters_, clients_) {
    worker_.serve_with(std::make_unique<Echo>(worker_));
  }

  // What the server says until it closes.
  std::string talk(base::ByteView input) {
    asio::ip::tcp::socket socket(mine_);
    socket.open(asio::ip::tcp::v4());
    // libFuzzer's timer interrupts calls that wait. None of these has to.
    socket.non_blocking(true);
    error_code connecting;
    socket.connect(acceptor_.local_endpoint(), connecting);
    DOTKEY_ASSERT(!connecting || connecting == asio::error::in_progress);
    worker_.adopt(acceptor_.accept().release(), base::IpAddress::parse("127.0.0.1").value());
    asio::write(socket, asio::buffer(input.data(), input.size()));
    socket.shutdown(asio::ip::tcp::socket::shutdown_send);
    std::string out;
    error_code error;
    while (!error || error == asio::error::would_block) {
      worker_.loop().run_one_for(std::chrono::milliseconds(10));
      worker_.loop().poll();
      asio::read(socket, asio::dynamic_buffer(out), error);
    }
    // A reset leaves no port waiting: there are thousands of these connections a second.
    socket.set_option(asio::socket_base::linger(true, 0), error);
    socket.close();
    while (counters_.open > 0) worker_.loop().run_one_for(std::chrono::milliseconds(10));
    return out;
  }

 private:
  asio::io_context mine_{1};
  asio::ip::tcp::acceptor acceptor_;
  ServerSettings settings_;
  ServerCounters counters_;
  ClientCounts clients_{7};
  Worker worker_;
};

// Takes one response from the front.
void take_response(std::string_view& rest) {
  DOTKEY_ASSERT(rest.starts_with("HTTP/1.1 "));
  std::string_view const status = rest.substr(9, 3);
  DOTKEY_ASSERT(base::parse_decimal<std::uint16_t>(status).value_or(0) >= 100);
  std::size_t const end = rest.find("\r\n\r\n");
  DOTKEY_ASSERT(end != std::string_view::npos);
  std::string_view const head = rest.substr(0, end + 2);
  rest.remove_prefix(end + 4);
  if (status == "100") return;
  constexpr std::string_view name = "\r\ncontent-length: ";
  std::size_t const at = head.find(name);
  DOTKEY_ASSERT(at != std::string_view::npos);
  std::string_view const value = head.substr(at + name.size());
  auto const size = base::parse_decimal<std::size_t>(value.substr(0, value.find('\r')));
  DOTKEY_ASSERT(size && *size <= rest.size());
  rest.remove_prefix(*size);
}

}  // namespace
}  // namespace dotkey::host::http

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static dotkey::host::http::Conversation conversation;
  std::string const answer = conversation.talk({data, size});
  std::string_view rest = answer;
  while (!rest.empty()) dotkey::host::http::take_response(rest);
  return 0;
}
