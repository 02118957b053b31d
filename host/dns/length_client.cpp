// SPDX-License-Identifier: Apache-2.0
// Queries over TCP and TLS, told apart by their ids (RFC 7766 §6.2.1).
#include "core/base/integers.h"

#include "host/dns/upstream_stream.h"

namespace dotkey::host::dns {
namespace {

class LengthClient final : public ClientFraming {
 public:
  std::optional<std::uint64_t> submit(base::ByteView query, base::Bytes& out) override {
    base::append_be(out, static_cast<std::uint16_t>(query.size()));
    base::append(out, query);
    return base::read_be<std::uint16_t>(query);
  }

  bool on_input(base::ByteView input, Replies& replies) override {
    base::append(kept_, input);
    base::Bytes const all = std::exchange(kept_, {});
    base::ByteView rest = all;
    while (rest.size() >= 2) {
      std::size_t const size = base::read_be<std::uint16_t>(rest);
      if (size < 12) return false;
      if (rest.size() < 2 + size) break;
      base::ByteView const message = rest.subspan(2, size);
      replies.on_reply(base::read_be<std::uint16_t>(message), message);
      rest = rest.subspan(2 + size);
    }
    kept_ = base::to_bytes(rest);
    return true;
  }

 private:
  base::Bytes kept_;
};

}  // namespace

std::unique_ptr<ClientFraming> make_length_client() {
  return std::make_unique<LengthClient>();
}

}  // namespace dotkey::host::dns
