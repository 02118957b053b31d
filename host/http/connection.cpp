// SPDX-License-Identifier: Apache-2.0
#include "host/http/connection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <boost/asio/write.hpp>

#include "host/loop/clock.h"

namespace dotkey::host::http {

namespace asio = boost::asio;
using boost::system::error_code;
using engine::Duration;

namespace {

constexpr std::size_t in_size_first = 2048;
// Responses to pipelined requests are collected up to this before they are sent.
constexpr std::size_t out_size_enough = 64 * 1024;
// What a client may still send to a server that has said goodbye (RFC 9112 §9.6).
constexpr std::size_t drop_size_max = 1 << 20;
constexpr Duration linger_timeout = Duration::from_s(2);
constexpr Duration answer_timeout = Duration::from_s(60);

}  // namespace

Connection::Connection(Worker& worker, asio::ip::tcp::socket socket, base::IpAddress const& peer,
                       bool is_counted)
    : worker_(worker),
      socket_(std::move(socket)),
      peer_(peer),
      is_counted_(is_counted),
      in_(in_size_first) {
  ++worker_.counters_.open;
}

Connection::~Connection() {
  if (is_counted_) worker_.clients_.remove(peer_);
  --worker_.counters_.open;
}

void Connection::start() {
  deadline_ = loop::now() + worker_.settings_.request_timeout;
  read();
}

void Connection::end() {
  if (state_ == State::ended) return;
  if (state_ == State::waiting) {
    worker_.waiting_.erase(waiting_id_);
    worker_.service_->on_abandoned(RequestId{waiting_id_});
  }
  state_ = State::ended;
  error_code ignored;
  socket_.close(ignored);
  worker_.forget(*this);
}

// A request that dawdles is told so, if its client still listens; an idle connection is just
// closed.
void Connection::on_overdue() {
  if (state_ != State::reading || !request_began_ || !out_.empty()) return end();
  ++worker_.counters_.timed_out;
  refuse(worker_.moment(), 408, "The request took too long");
  advance();
}

void Connection::read() {
  if (!make_room()) {
    refuse(worker_.moment(), 431, "The request's head is too large");
    return advance();
  }
  socket_.async_read_some(asio::buffer(in_.data() + end_, in_.size() - end_),
                          [self = shared_from_this()](error_code const& error, std::size_t size) {
                            if (self->state_ != State::reading) return;
                            if (error) return self->end();
                            self->end_ += size;
                            self->advance();
                          });
}

// False when a request fills the largest buffer and is still not whole.
bool Connection::make_room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ < in_.size()) return true;
  if (begin_ > 0) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return true;
  }
  std::size_t const size_max = worker_.settings_.head_size_max + worker_.settings_.body_size_max;
  if (in_.size() >= size_max) return false;
  in_.resize(std::min(in_.size() * 2, size_max));
  return true;
}

// Answers what has arrived, sends, and waits for more.
void Connection::advance() {
  for (;;) {
    answer_received();
    if (state_ == State::ended || !send_waiting()) return;
    if (state_ == State::lingering) return linger();
    if (state_ == State::waiting) return;
    std::size_t const before = begin_;
    if (begin_ == end_) return read();
    answer_received();
    if (begin_ == before && out_.empty() && state_ == State::reading) return read();
  }
}

void Connection::answer_received() {
  if (state_ != State::reading || begin_ == end_) return;
  dotkey::relay::Moment const now = worker_.moment();
  while (state_ == State::reading && begin_ < end_ && out_.size() < out_size_enough) {
    if (!answer_next(now)) break;
  }
  if (state_ != State::reading) return;
  if (begin_ == end_) {
    request_began_ = false;
    deadline_ = now.instant + worker_.settings_.idle_timeout;
  } else if (!request_began_) {
    request_began_ = true;
    deadline_ = now.instant + worker_.settings_.request_timeout;
  }
}

bool Connection::answer_next(dotkey::relay::Moment now) {
  // Empty lines before a request are ignored (RFC 9112 §2.2).
  while (end_ - begin_ >= 2 && in_[begin_] == '\r' && in_[begin_ + 1] == '\n') begin_ += 2;
  RequestHead head;
  std::string_view const data(in_.data() + begin_, end_ - begin_);
  switch (parse_request_head(data, head)) {
    case HeadVerdict::complete:
      break;
    case HeadVerdict::incomplete:
      if (data.size() < worker_.settings_.head_size_max) return false;
      refuse(now, 431, "The request's head is too large");
      return false;
    case HeadVerdict::malformed:
      refuse(now, 400, "The request is malformed");
      return false;
    case HeadVerdict::too_many_fields:
      refuse(now, 431, "The request has too many header fields");
      return false;
    case HeadVerdict::length_required:
      refuse(now, 411, "The request's body needs a Content-Length");
      return false;
    case HeadVerdict::version_unsupported:
      refuse(now, 505, "This server speaks HTTP/1.1");
      return false;
  }
  if (head.size > worker_.settings_.head_size_max) {
    refuse(now, 431, "The request's head is too large");
    return false;
  }
  std::size_t const body_size_max = worker_.settings_.body_size_max;
  if (head.content_length > body_size_max) {
    // It need not arrive to be refused, and what follows is not read.
    static std::array<std::uint8_t, 64 * 1024> const too_much{};
    keep_alive_ = head.keep_alive = false;
    begin_ = end_;
    dispatch(now, head,
             base::ByteView(too_much).first(std::min(body_size_max + 1, too_much.size())));
    return true;
  }
  auto const body_size = static_cast<std::size_t>(head.content_length);
  if (data.size() < head.size + body_size) {
    if (head.expects_continue && data.size() == head.size && !said_continue_) {
      said_continue_ = true;
      out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    return false;
  }
  begin_ += head.size + body_size;
  keep_alive_ = head.keep_alive;
  said_continue_ = false;
  request_began_ = false;
  auto const* const body = reinterpret_cast<std::uint8_t const*>(data.data()) + head.size;
  dispatch(now, head, {body, body_size});
  return true;
}

void Connection::dispatch(dotkey::relay::Moment now, RequestHead const& head, base::ByteView body) {
  worker_.counters_.requests.fetch_add(1, std::memory_order_relaxed);
  dotkey::relay::Request const request{head.method, head.target, head.fields(), body, peer_};
  std::uint64_t const id = ++worker_.last_id_;
  if (worker_.service_->on_request(now, request, RequestId{id}, worker_.response_)) {
    return append(now, worker_.response_);
  }
  state_ = State::waiting;
  waiting_id_ = id;
  deadline_ = now.instant + answer_timeout;
  worker_.waiting_.emplace(id, this);
}

void Connection::respond(dotkey::relay::Moment now, dotkey::relay::Response& response) {
  state_ = State::reading;
  deadline_ = now.instant + worker_.settings_.idle_timeout;
  append(now, response);
  advance();
}

void Connection::refuse(dotkey::relay::Moment now, std::uint16_t status, std::string_view text) {
  ++worker_.counters_.malformed;
  keep_alive_ = false;
  begin_ = end_;
  dotkey::relay::Response response;
  response.status = status;
  response.head = "content-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\n";
  base::append(response.body, text);
  response.content_length = text.size();
  append(now, response);
}

void Connection::append(dotkey::relay::Moment now, dotkey::relay::Response& response) {
  response.head += worker_.date_line(now.unix_time);
  if (!keep_alive_) {
    response.head += "connection: close\r\n";
    state_ = State::lingering;
  }
  dotkey::relay::append_http1(out_, response);
  out_.append(base::text_of(response.body));
}

bool Connection::send_waiting() {
  if (out_.empty()) return true;
  error_code error;
  std::size_t const sent = socket_.send(asio::buffer(out_), 0, error);
  if (error && error != asio::error::would_block) {
    end();
    return false;
  }
  if (sent == out_.size()) {
    out_.clear();
    return true;
  }
  out_.erase(0, sent);
  deadline_ = loop::now() + worker_.settings_.write_timeout;
  asio::async_write(socket_, asio::buffer(out_),
                    [self = shared_from_this()](error_code const& failed, std::size_t) {
                      if (self->state_ == State::ended) return;
                      if (failed) return self->end();
                      self->out_.clear();
                      self->deadline_ = loop::now() + self->worker_.settings_.idle_timeout;
                      self->advance();
                    });
  return false;
}

// Closing while the client still sends would reset the connection and take our answer with it.
void Connection::linger() {
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  deadline_ = loop::now() + linger_timeout;
  read_and_drop();
}

void Connection::read_and_drop() {
  socket_.async_read_some(asio::buffer(in_),
                          [self = shared_from_this()](error_code const& error, std::size_t size) {
                            if (self->state_ == State::ended) return;
                            self->dropped_ += size;
                            if (error || self->dropped_ > drop_size_max) return self->end();
                            self->read_and_drop();
                          });
}

}  // namespace dotkey::host::http
