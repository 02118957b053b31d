// SPDX-License-Identifier: Apache-2.0
#include "host/dns/query_log.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "core/wire/dns_message.h"

namespace dotkey::host::dns {
namespace {

std::string code_text(unsigned code) {
  constexpr char const* names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                   "NXDOMAIN", "NOTIMP",  "REFUSED"};
  return code < std::size(names) ? names[code] : "RCODE" + std::to_string(code);
}

}  // namespace

base::Result<std::shared_ptr<QueryLog>> QueryLog::open(std::string const& path) {
  int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  std::FILE* const file = fd < 0 ? nullptr : ::fdopen(fd, "a");
  if (file == nullptr) {
    auto error = base::fail(base::ErrorCode::file_unwritable, path + ": " + std::strerror(errno));
    if (fd >= 0) ::close(fd);
    return error;
  }
  // A line is whole when it is in the file.
  std::setvbuf(file, nullptr, _IOLBF, 64 * 1024);
  return std::shared_ptr<QueryLog>(new QueryLog(file));
}

void QueryLog::add(engine::UnixTime now, base::ByteView reply) {
  auto const message = wire::dns::parse_message(reply, wire::dns::rules_for_sockets);
  if (!message || message->questions.empty()) return;
  auto const& question = message->questions.front();
  std::string const line = std::to_string(now.us / 1'000'000) + ' ' + question.name.to_string() +
                           ' ' + wire::dns::encode_record_type(question.type) + ' ' +
                           code_text(static_cast<unsigned>(message->code)) +
                           (message->truncated ? " TC" : "") + '\n';
  std::lock_guard const lock(mutex_);
  static_cast<void>(std::fwrite(line.data(), 1, line.size(), file_.get()));
}

}  // namespace dotkey::host::dns
