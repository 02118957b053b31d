// SPDX-License-Identifier: Apache-2.0
#include "host/dns/connection.h"

#include <algorithm>

namespace dotkey::host::dns {
namespace {

constexpr std::size_t output_kept_max = 16 * 1024;

}  // namespace

Connection::Connection(std::uint64_t number, Stream stream, bridge::Sender const& sender,
                       ConnectionLimits const& limits, Poller& poller, Service& service)
    : number_(number),
      stream_(std::move(stream)),
      sender_(sender),
      limits_(limits),
      poller_(poller),
      service_(service),
      deadline_(service.now() + limits.start_timeout) {}

Connection::~Connection() {
  if (is_open()) poller_.remove(stream_.fd(), *this);
}

bool Connection::start() {
  events_ = EPOLLIN;
  return poller_.add(stream_.fd(), events_, *this);
}

void Connection::close() {
  if (!is_open()) return;
  poller_.remove(stream_.fd(), *this);
  stream_.close();
  service_.on_closed(*this);
}

void Connection::on_ready(std::uint32_t events) {
  if ((events & EPOLLERR) != 0) return close();
  bool const may_read = (events & (EPOLLIN | EPOLLHUP)) != 0 || stream_.wants_write();
  if (may_read && !ended_) read();
  if (is_open()) flush();
}

// Until the kernel's buffer is empty, or the client has to wait for its replies.
void Connection::read() {
  std::span<std::uint8_t> const buffer = service_.read_buffer();
  do {
    StreamResult const got = stream_.read(buffer);
    if (got.state == StreamState::blocked) return;
    // A client that has said all still gets its replies.
    if (got.state == StreamState::closed || !choose_framing() ||
        !framing_->on_input(buffer.first(got.size), *this)) {
      ended_ = true;
      return;
    }
  } while (stream_.has_pending() && wants_input());
}

// With the first bytes it is known what the client speaks.
bool Connection::choose_framing() {
  if (framing_) return true;
  if (sender_.transport != bridge::Transport::https) {
    framing_ = make_length_framing();
  } else if (stream_.protocol() == "h2") {
    framing_ = make_http2_framing();
  } else {
    framing_ = make_http1_framing();
  }
  return framing_ != nullptr;
}

bool Connection::wants_input() const {
  return queries_ < limits_.queries_max && out_.size() - sent_ < limits_.output_max;
}

void Connection::on_query(QueryToken token, base::ByteView query) {
  std::span<std::uint8_t> const buffer = service_.message_buffer();
  std::copy(query.begin(), query.end(), buffer.begin());
  stay();
  ++queries_;
  auto const size = service_.on_stream_query(*this, token, buffer, query.size());
  if (!size) return;
  --queries_;
  framing_->reply(token, buffer.first(*size), out_);
}

void Connection::reply(QueryToken token, base::ByteView message) {
  if (!is_open()) return;
  --queries_;
  framing_->reply(token, message, out_);
  stay();
}

void Connection::flush() {
  if (framing_) {
    go_on();
    framing_->collect(out_);
  }
  send();
  if (!is_open()) return;
  if (ended_ && queries_ == 0 && sent_ == out_.size()) return close();
  watch();
}

// With what had to wait until there was room, or a reply.
void Connection::go_on() {
  while (!ended_ && wants_input()) {
    if (framing_->has_kept()) {
      ended_ = !framing_->on_input({}, *this);
    } else if (stream_.has_pending()) {
      read();
      return;
    } else {
      return;
    }
  }
}

void Connection::send() {
  while (sent_ < out_.size()) {
    StreamResult const done = stream_.write(base::ByteView(out_).subspan(sent_));
    if (done.state == StreamState::closed) return close();
    if (done.state == StreamState::blocked) return;
    sent_ += done.size;
    stay();
  }
  // An idle connection keeps no memory for its busiest moment.
  if (out_.capacity() > output_kept_max) out_ = base::Bytes();
  out_.clear();
  sent_ = 0;
}

void Connection::watch() {
  std::uint32_t wanted = 0;
  if (!ended_ && wants_input()) wanted |= EPOLLIN;
  if (sent_ < out_.size() || stream_.wants_write()) wanted |= EPOLLOUT;
  if (wanted == events_) return;
  events_ = wanted;
  if (!poller_.change(stream_.fd(), events_, *this)) close();
}

// A whole query or some of a reply went through: what a slow client trickles in does not count.
void Connection::stay() {
  deadline_ = service_.now() +
              (service_.is_crowded() ? limits_.idle_timeout_crowded : limits_.idle_timeout);
}

void Connection::on_tick(engine::Instant now) {
  if (now >= deadline_) close();
}

}  // namespace dotkey::host::dns
