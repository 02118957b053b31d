// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/session.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "core/crypto/secret.h"

namespace dotkey::host::daemon {

using base::ErrorCode;

Session::Session(Socket socket, OnMessage on_message, OnClosed on_closed)
    : socket_(std::move(socket)),
      on_message_(std::move(on_message)),
      on_closed_(std::move(on_closed)) {}

void Session::start() {
  read();
}

void Session::close() {
  if (!std::exchange(open_, false)) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
  // Whoever calls us may stand in the part, or in the listener's list.
  boost::asio::post(socket_.get_executor(), [self = self()] {
    self->part.reset();
    self->on_closed_(*self);
  });
}

void Session::read() {
  socket_.async_read_some(
      boost::asio::buffer(piece_),
      [self = self()](boost::system::error_code const& error, std::size_t size) {
        if (!self->open_) return;
        if (error) return self->close();
        self->on_read(size);
      });
}

void Session::on_read(std::size_t size) {
  reader_.append(base::ByteView(piece_).first(size));
  crypto::wipe(piece_.data(), size);
  while (open_) {
    auto const payload = reader_.next();
    if (!payload) break;
    channel::Message message;
    auto const unfit = channel::parse_message(*payload, message);
    if (unfit == channel::Unfit::other_version) continue;
    // Whoever sends this does not speak our language.
    if (unfit) return close();
    on_message(std::move(message));
  }
  if (!open_) return;
  if (reader_.is_broken()) return close();
  read();
}

void Session::on_message(channel::Message message) {
  if (message.id != 0) {
    if (!unanswered_.insert(message.id).second)
      return close();  // which one would the answer be to?
    if (unanswered_.size() > requests_max) {
      return fail(message, base::Error(ErrorCode::session_busy));
    }
  }
  on_message_(*this, std::move(message));
}

void Session::answer(channel::Message const& request, boost::json::object body) {
  if (!open_ || unanswered_.erase(request.id) == 0) return;
  send_frame(channel::encode_message(request.id, request.op, std::move(body)));
}

void Session::fail(channel::Message const& request, base::Error const& error,
                   boost::json::object further) {
  if (!open_ || unanswered_.erase(request.id) == 0) return;
  for (auto const& [name, value] : channel::describe_error(error)) further[name] = value;
  send_frame(channel::encode_message(request.id, "error", std::move(further)));
}

void Session::send(std::string_view op, boost::json::object body) {
  if (open_) send_frame(channel::encode_message(0, op, std::move(body)));
}

void Session::send_frame(std::string_view payload) {
  bool const fits = payload.size() <= channel::frame_size_max;
  if (!fits || waiting_.size() + payload.size() > outbound_size_max) return close();
  waiting_ += channel::encode_frame(payload);
  if (writing_.empty()) write();
}

void Session::write() {
  writing_ = std::exchange(waiting_, {});
  // Most answers fit into the socket's buffer: no need to go round the loop.
  boost::system::error_code error;
  std::size_t const sent = socket_.write_some(boost::asio::buffer(writing_), error);
  if (error && error != boost::asio::error::would_block) return close();
  writing_.erase(0, sent);
  if (writing_.empty()) return;
  boost::asio::async_write(socket_, boost::asio::buffer(writing_),
                           [self = self()](boost::system::error_code const& failed, std::size_t) {
                             if (!self->open_) return;
                             if (failed) return self->close();
                             self->writing_.clear();
                             if (!self->waiting_.empty()) self->write();
                           });
}

}  // namespace dotkey::host::daemon
