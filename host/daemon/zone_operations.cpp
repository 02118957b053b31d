// SPDX-License-Identifier: Apache-2.0
// publish_zone and sign_zone: for a program that edits records but never sees a secret.
#include <utility>

#include "core/crypto/ed25519.h"
#include "core/names/public_key.h"
#include "core/record/monotonic_timestamps.h"
#include "core/wire/zone_text.h"

#include "host/daemon/operations.h"
#include "host/daemon/request_fields.h"
#include "host/daemon/stored_keys.h"
#include "host/loop/clock.h"

namespace dotkey::host::daemon {

using base::ErrorCode;
using base::Result;

namespace {

// A zone that is to be signed and published: unlock the key, see what is there, sign, publish. Each
// step holds the next; the peer may go at any time.
class ZonePublication : public std::enable_shared_from_this<ZonePublication> {
 public:
  ZonePublication(Services& services, Peer& peer, channel::Message request)
      : services_(services), peer_(peer.weak_from_this()), request_(std::move(request)) {}

  void start() {
    auto passphrase = take_secret(request_.body, "passphrase");
    if (!passphrase) return fail(passphrase.error());
    auto const name = channel::text_at(request_.body, "name");
    auto const zone = channel::text_at(request_.body, "zone");
    if (!name || !zone) return fail(malformed(name ? "zone" : "name").value());
    auto options = read_publish_options(request_.body);
    if (!options) return fail(options.error());
    options_ = *options;
    zone_ = *zone;
    services_.stored_keys.unlock(std::string(*name), std::move(*passphrase),
                                 [self = shared_from_this()](Result<crypto::Seed> seed) {
                                   if (!seed) return self->fail(seed.error());
                                   self->on_seed(*seed);
                                 });
  }

 private:
  void on_seed(crypto::Seed const& seed) {
    signer_.emplace(seed);
    auto records = wire::dns::parse_zone_text(zone_, record::origin_of(signer_->public_key()));
    if (!records) return fail(records.error());
    // What is wrong with the records is said before the network is asked.
    auto const trial = record::SignedPacket::build(*signer_, 0, *records);
    if (!trial) return fail(trial.error());
    records_ = std::move(*records);
    // With a condition, what it names is the newest, or nothing is published.
    if (options_.cas_us) return publish_after(*options_.cas_us);
    resolve::Options options;
    options.policy = resolve::Policy::newest;
    auto const asked = services_.driver.resolve(
        signer_->public_key(), options,
        [self = shared_from_this()](resolve::Outcome const& outcome) { self->on_known(outcome); });
    if (!asked) fail(asked.error());
  }

  void on_known(resolve::Outcome const& known) {
    // An item that is no packet has a sequence too; the put will tell.
    if (known.verdict == resolve::Verdict::network_failed) return fail(*known.error);
    publish_after(known.packet ? known.packet->timestamp_us() : 0);
  }

  void publish_after(std::int64_t newest_us) {
    record::MonotonicTimestamps timestamps(newest_us);
    auto const next_us = timestamps.next(loop::unix_now().us);
    if (!next_us) return fail(base::Error(ErrorCode::record_timestamp_invalid));
    auto const packet = record::SignedPacket::build(*signer_, *next_us, records_);
    signer_.reset();
    if (!packet) return fail(packet.error());
    if (auto const peer = peer_.lock()) {
      publish_packet(services_, *peer, request_, *packet, options_);
    }
  }

  void fail(base::Error const& error) {
    if (auto const peer = peer_.lock()) peer->fail(request_, error);
  }

  Services& services_;
  std::weak_ptr<Peer> peer_;
  channel::Message request_;
  publish::Options options_;
  std::string zone_;
  std::vector<wire::dns::ResourceRecord> records_;
  std::optional<crypto::KeyPair> signer_;
};

// A zone that is signed as the peer says, and published by whoever has the packet.
void answer_signed(Peer& peer, channel::Message const& request, crypto::Seed const& seed) {
  auto const timestamp_us = channel::integer_at(request.body, "timestamp_us");
  if (!timestamp_us || *timestamp_us < 0) {
    return peer.fail(request, malformed("timestamp_us").value());
  }
  crypto::KeyPair signer(seed);
  auto const records = wire::dns::parse_zone_text(
      channel::text_at(request.body, "zone").value_or(""), record::origin_of(signer.public_key()));
  if (!records) return peer.fail(request, records.error());
  auto const packet = record::SignedPacket::build(signer, *timestamp_us, *records);
  if (!packet) return peer.fail(request, packet.error());
  peer.answer(request, {{"key", names::format_public_key(packet->key())},
                        {"timestamp_us", packet->timestamp_us()},
                        {"packet", encode_packet(*packet)}});
}

}  // namespace

void on_sign_zone(Services& services, Peer& peer, channel::Message request) {
  auto passphrase = take_secret(request.body, "passphrase");
  if (!passphrase) return peer.fail(request, passphrase.error());
  auto const name = channel::text_at(request.body, "name");
  if (!name || !channel::text_at(request.body, "zone")) {
    return peer.fail(request, malformed(name ? "zone" : "name").value());
  }
  services.stored_keys.unlock(
      std::string(*name), std::move(*passphrase),
      [weak = peer.weak_from_this(), request](Result<crypto::Seed> const& seed) {
        auto const asker = weak.lock();
        if (!asker) return;
        if (!seed) return asker->fail(request, seed.error());
        answer_signed(*asker, request, *seed);
      });
}

void on_publish_zone(Services& services, Peer& peer, channel::Message request) {
  std::make_shared<ZonePublication>(services, peer, std::move(request))->start();
}

}  // namespace dotkey::host::daemon
