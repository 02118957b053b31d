// SPDX-License-Identifier: Apache-2.0
// DNS over TCP and TLS: two bytes of length before each message, any number of them under way,
// replies in any order (RFC 7766 §6.2.1.1, §8).
#include "core/base/integers.h"

#include "host/dns/framing.h"

namespace dotkey::host::dns {
namespace {

constexpr std::size_t length_size = 2;

class LengthFraming final : public Framing {
 public:
  bool on_input(base::ByteView input, Queries& queries) override {
    if (kept_.empty()) return keep(take(input, queries));
    base::append(kept_, input);
    base::Bytes const all = std::move(kept_);
    kept_.clear();
    return keep(take(all, queries));
  }

  [[nodiscard]] bool has_kept() const override {
    return kept_.size() >= length_size &&
           kept_.size() >= length_size + base::read_be<std::uint16_t>(kept_);
  }

  void reply(QueryToken, base::ByteView message, base::Bytes& out) override {
    if (message.empty()) return;
    base::append_be(out, static_cast<std::uint16_t>(message.size()));
    base::append(out, message);
  }

 private:
  // Returns what is left.
  base::ByteView take(base::ByteView input, Queries& queries) {
    while (input.size() >= length_size && queries.wants_input()) {
      std::size_t const size = base::read_be<std::uint16_t>(input);
      // Nothing that short is a DNS message: it never will be one.
      if (size < header_size) {
        broken_ = true;
        return {};
      }
      if (input.size() < length_size + size) break;
      queries.on_query(0, input.subspan(length_size, size));
      input = input.subspan(length_size + size);
    }
    return input;
  }

  bool keep(base::ByteView rest) {
    base::append(kept_, rest);
    return !broken_;
  }

  static constexpr std::size_t header_size = 12;
  base::Bytes kept_;
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<Framing> make_length_framing() {
  return std::make_unique<LengthFraming>();
}

}  // namespace dotkey::host::dns
