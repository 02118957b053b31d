// SPDX-License-Identifier: Apache-2.0
#include "host/proxy/client_hello.h"

#include <optional>

#include "core/base/integers.h"
#include "core/base/text.h"

namespace dotkey::host::proxy {
namespace {

using base::ByteView;

constexpr std::size_t record_header_size = 5;
constexpr std::size_t record_size_max = 1 << 14;  // RFC 8446 §5.1
constexpr std::size_t message_header_size = 4;
constexpr std::uint8_t content_handshake = 22;
constexpr std::uint8_t message_client_hello = 1;
constexpr std::uint16_t extension_server_name = 0;
constexpr std::uint16_t extension_alpn = 16;
constexpr std::size_t alpn_protocols_max = 32;
constexpr std::size_t host_name_size_max = 255;

// Takes fields off the front; after one that is not there, everything fails.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  ByteView take(std::size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    ByteView const taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  template <class T>
  T number() {
    ByteView const bytes = take(sizeof(T));
    return failed_ ? T{0} : base::read_be<T>(bytes);
  }
  // A vector with its length in front.
  template <class Length>
  ByteView vector() {
    return take(number<Length>());
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  ByteView rest_;
  bool failed_ = false;
};

// RFC 6066 §3. Names of other types are skipped by their length.
bool parse_server_name(ByteView bytes, std::string& name) {
  Reader outer(bytes);
  Reader list(outer.vector<std::uint16_t>());
  while (!list.at_end()) {
    std::uint8_t const type = list.number<std::uint8_t>();
    ByteView const value = list.vector<std::uint16_t>();
    if (type != 0) continue;
    if (value.empty() || value.size() > host_name_size_max || !name.empty()) return false;
    name = base::to_lower_ascii(base::text_of(value));
    if (name.ends_with('.')) name.pop_back();
  }
  return !outer.failed() && !list.failed() && outer.at_end();
}

// RFC 7301 §3.1.
bool parse_alpn(ByteView bytes, std::vector<std::string>& protocols) {
  Reader outer(bytes);
  Reader list(outer.vector<std::uint16_t>());
  while (!list.at_end()) {
    ByteView const protocol = list.vector<std::uint8_t>();
    if (protocol.empty() || protocols.size() == alpn_protocols_max) return false;
    protocols.emplace_back(base::text_of(protocol));
  }
  return !outer.failed() && !list.failed() && outer.at_end() && !protocols.empty();
}

bool parse_extensions(ByteView bytes, ClientHello& hello) {
  Reader list(bytes);
  bool seen_name = false;
  bool seen_alpn = false;
  while (!list.at_end()) {
    std::uint16_t const type = list.number<std::uint16_t>();
    ByteView const value = list.vector<std::uint16_t>();
    if (list.failed()) return false;
    // Two of one kind (RFC 8446 §4.2) would let us and the TLS library read different ones.
    if (type == extension_server_name) {
      if (std::exchange(seen_name, true) || !parse_server_name(value, hello.server_name)) {
        return false;
      }
    } else if (type == extension_alpn) {
      if (std::exchange(seen_alpn, true) || !parse_alpn(value, hello.alpn)) return false;
    }
  }
  return !list.failed();
}

// RFC 8446 §4.1.2, the same shape since TLS 1.0.
bool parse_body(ByteView body, ClientHello& hello) {
  Reader reader(body);
  reader.take(2 + 32);                                   // legacy_version, random
  reader.vector<std::uint8_t>();                         // legacy_session_id
  reader.vector<std::uint16_t>();                        // cipher_suites
  reader.vector<std::uint8_t>();                         // legacy_compression_methods
  if (!reader.failed() && reader.at_end()) return true;  // TLS 1.2 without extensions
  ByteView const extensions = reader.vector<std::uint16_t>();
  return !reader.failed() && reader.at_end() && parse_extensions(extensions, hello);
}

// The handshake bytes of the records in `bytes`, up to the end of the first message. Absent: not a
// row of handshake records.
struct Gathered {
  base::Bytes message;
  std::size_t wire_size = 0;
  bool complete = false;
};
std::optional<Gathered> gather_message(ByteView bytes) {
  Gathered gathered;
  base::Bytes& message = gathered.message;
  while (!bytes.empty()) {
    if (bytes[0] != content_handshake) return std::nullopt;
    if (bytes.size() >= 2 && bytes[1] != 3) return std::nullopt;  // the major version, ever since
    if (bytes.size() < record_header_size) return gathered;
    std::size_t const size = base::read_be<std::uint16_t>(bytes, 3);
    if (size == 0 || size > record_size_max) return std::nullopt;
    std::size_t const here = std::min(size, bytes.size() - record_header_size);
    base::append(message, bytes.subspan(record_header_size, here));
    gathered.wire_size += record_header_size + here;
    if (!message.empty() && message[0] != message_client_hello) return std::nullopt;
    if (message.size() >= message_header_size) {
      std::size_t const wanted =
          message_header_size + (base::read_be<std::uint32_t>(message) & 0xffffff);
      if (wanted > client_hello_size_max) return std::nullopt;
      // The hello ends its record: what follows a ClientHello waits for the server.
      if (message.size() > wanted) return std::nullopt;
      gathered.complete = message.size() == wanted && here == size;
      if (gathered.complete) return gathered;
    }
    if (here < size) return gathered;
    bytes = bytes.subspan(record_header_size + size);
  }
  return gathered;
}

}  // namespace

HelloOutcome parse_client_hello(ByteView bytes) {
  HelloOutcome const malformed{HelloStatus::malformed, {}};
  // Room for the headers of records as small as a sane client may cut them.
  if (bytes.size() > 2 * client_hello_size_max) return malformed;
  std::optional<Gathered> const gathered = gather_message(bytes);
  if (!gathered) return malformed;
  if (!gathered->complete) return {};
  HelloOutcome outcome{HelloStatus::complete, {}};
  outcome.hello.wire_size = gathered->wire_size;
  if (!parse_body(ByteView(gathered->message).subspan(message_header_size), outcome.hello)) {
    return malformed;
  }
  return outcome;
}

}  // namespace dotkey::host::proxy
