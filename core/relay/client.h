// SPDX-License-Identifier: Apache-2.0
// Gets packets from HTTP relays and puts them there: pkarr v7, and v3.8 to v6 with their faults.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/engine/entropy.h"
#include "core/relay/health.h"
#include "core/relay/http.h"
#include "core/relay/types.h"

namespace dotkey::relay {

enum class OperationId : std::uint32_t {};
enum class FetchId : std::uint32_t {};

struct ClientSettings {
  Duration request_timeout = Duration::from_s(10);
  // Once one relay has answered, the others have this long, or twice what that one took if that is
  // longer.
  Duration straggler_patience = Duration::from_ms(500);
  BackOff back_off;
  std::uint32_t relays_max = 16;
  std::uint32_t operations_max = 4096;
};

struct GetOptions {
  Policy policy = Policy::cache_first;
  // Packets older than this are not wanted, and relays need not send this one again. Microseconds
  // since 1970.
  std::optional<std::int64_t> newer_than_us;
};

struct PutOptions {
  // Store only where the packet held has this timestamp, or is the very one to put (`If-Match`;
  // relays v3.8 to v6 and ours).
  std::optional<std::int64_t> cas_us = std::nullopt;
  // Get what each relay holds first, and put only where nothing stands in the way. Relays since
  // v7 ignore `If-Match`. A relay that does not answer the get is not put to.
  bool compare_first = false;
};

enum class Method : std::uint8_t { get, put };

// What one relay answered, its last word where it was asked twice.
enum class RelayVerdict : std::uint8_t {
  waiting,         // nobody waited for this one, which had failed before
  found,           // get: a verified packet
  not_newer,       // get: nothing newer than asked for
  not_found,       // get
  invalid_packet,  // get: the DHT has a newer item that is no signed packet
  stored,          // put
  newer_exists,    // put: 409, or 428
  cas_mismatch,    // put: 412
  failed,          // see `error`
};

struct RelayResult {
  std::string url;
  RelayVerdict verdict = RelayVerdict::waiting;
  std::optional<base::ErrorCode> error;
  std::uint32_t dht_nodes = 0;  // put: where the relay stored it in turn
};

// How an operation ended over all relays. `error` is empty when a get found a packet or nothing
// newer, and when a put was stored somewhere and nothing stood in its way.
struct Outcome {
  std::optional<base::ErrorCode> error;
  // get: the newest found; put: the newer one in the way, when a relay could show it.
  std::optional<SignedPacket> packet;
  UnixTime last_seen;                             // of that packet, by the relay's word
  std::optional<std::int64_t> invalid_timestamp;  // the greatest reported by invalid_packet
  std::uint32_t stored = 0;                       // put: relays
  std::uint32_t dht_nodes = 0;                    // put: the most that any relay reported
  std::vector<RelayResult> relays;

  [[nodiscard]] std::uint32_t count(RelayVerdict verdict) const;
};

// Effects, for the driver.
// Fetch without cookies or credentials. Redirects are not followed. A body over the limit ends the
// fetch as FetchFailure::too_large, as soon as that is known.
struct FetchUrl {
  FetchId id;
  Method method = Method::get;
  std::string url;
  std::vector<Header> headers;
  Bytes body;
  std::size_t response_size_max = payload_size_max;
  Duration timeout;
};
struct CancelFetch {
  FetchId id;
};
// A verified packet, newer than any this operation reported before.
struct PacketFound {
  OperationId id;
  SignedPacket packet;
  UnixTime last_seen;
};
struct Finished {
  OperationId id;
  Outcome outcome;
};
using ClientEffect = std::variant<FetchUrl, CancelFetch, PacketFound, Finished>;

enum class FetchFailure : std::uint8_t {
  unreachable,
  timed_out,
  malformed,  // no HTTP
  too_large,
  redirected,
};

struct FetchResult {
  std::uint16_t status = 0;
  std::span<HeaderView const> headers;
  ByteView body;
};

struct RelayStatus {
  std::string url;
  Health health;
  std::optional<base::ErrorCode> last_error;
};

// "https://host[:port][/path]" or http, without user, query and fragment; a final slash is dropped.
// Errors: relay_url_malformed.
base::Result<std::string> parse_relay_url(std::string_view text);

// A state machine: no socket or clock of its own. After each command or input the driver drains
// poll_effect(), then arms one timer at next_deadline(). An operation asks all relays at once that
// are not resting after failures, and ends in exactly one Finished effect: when all of those have
// answered that did well so far, when the stragglers' time is up, or in the end all.
class Client {
 public:
  // `entropy` outlives the client.
  Client(ClientSettings const& settings, engine::Entropy& entropy);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Commands. Errors: relay_url_malformed; number_out_of_range beyond relays_max.
  base::Result<void> set_relays(std::vector<std::string> const& urls);
  // Errors: network_no_source without relays; relay_busy when operations_max run already.
  base::Result<OperationId> get(Moment now, PublicKey const& key, GetOptions const& options);
  base::Result<OperationId> put(Moment now, SignedPacket const& packet, PutOptions const& options);
  // The operation ends with the error `cancelled`.
  void cancel(OperationId id);

  // Inputs. An id that is no longer waited for is ignored.
  void on_fetched(Moment now, FetchId id, FetchResult const& result);
  void on_fetch_failed(Moment now, FetchId id, FetchFailure failure);
  void on_deadline(Moment now);

  // Outputs.
  [[nodiscard]] std::optional<ClientEffect> poll_effect();
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] std::vector<RelayStatus> status() const;
  [[nodiscard]] bool has_relays() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace dotkey::relay
