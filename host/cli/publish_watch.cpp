// SPDX-License-Identifier: Apache-2.0
#include "host/cli/publish_watch.h"

#include <string>

#include "core/names/public_key.h"
#include "core/resolve/address_policy.h"

#include "host/channel/message.h"
#include "host/cli/external_addresses.h"
#include "host/cli/output.h"
#include "host/loop/clock.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;

std::optional<base::IpAddress> address_at(boost::json::object const& dht, std::string_view name,
                                          resolve::LocalNetwork local) {
  auto const text = channel::text_at(dht, name);
  auto const endpoint = text ? base::Endpoint::parse(*text) : base::fail(ErrorCode::cancelled);
  if (!endpoint || !resolve::is_address_allowed(endpoint->address, local)) return std::nullopt;
  return endpoint->address;
}

class Watch {
 public:
  Watch(Program& program, Access& access, crypto::PublicKey const& key, RecordTexts const& texts,
        engine::Duration interval, PublishRecords const& publish)
      : program_(program),
        access_(access),
        key_(key),
        texts_(texts),
        publish_(publish),
        watch_(interval) {}

  base::Result<void> run() {
    do {
      auto const seen = look();
      auto done = seen ? publish_if_new(*seen) : tl::make_unexpected(seen.error());
      if (done) continue;
      if (done.error().code == ErrorCode::cancelled) return {};
      bool const is_final = done.error().code == ErrorCode::daemon_gone ||
                            done.error().code == ErrorCode::network_no_source;
      if (is_final) return done;
      print_error(done.error());
    } while (access_.wait(watch_.pause()));
    return {};
  }

 private:
  // A lookup asks some twenty nodes, and each that answers says what address it sees. What it finds
  // does not matter.
  base::Result<ExternalAddresses> look() {
    auto const looked =
        access_.ask("resolve", {{"key", names::format_public_key(key_)}, {"policy", "newest"}});
    if (!looked && looked.error().code == ErrorCode::cancelled) {
      return tl::make_unexpected(looked.error());
    }
    auto const status = access_.ask("status", {});
    if (!status) return tl::make_unexpected(status.error());
    auto const* const dht = status->if_contains("dht");
    if (dht == nullptr || !dht->is_object() ||
        !channel::flag_at(dht->get_object(), "enabled").value_or(false)) {
      return base::fail(ErrorCode::network_no_source, "--watch needs the DHT");
    }
    auto const local = program_.options.allow_local_network ? resolve::LocalNetwork::allowed
                                                            : resolve::LocalNetwork::refused;
    return ExternalAddresses{address_at(dht->get_object(), "external_v4", local),
                             address_at(dht->get_object(), "external_v6", local)};
  }

  base::Result<void> publish_if_new(ExternalAddresses const& seen) {
    if (!watch_.on_look(loop::now(), seen)) return {};
    ExternalAddresses const& addresses = watch_.confirmed();
    auto const records = records_at(addresses, key_, texts_);
    if (!records) return tl::make_unexpected(records.error());
    if (!program_.options.json) {
      std::string line = "External addresses:";
      if (addresses.v4) line += ' ' + addresses.v4->to_string();
      if (addresses.v6) line += ' ' + addresses.v6->to_string();
      print_line(line);
    }
    if (auto published = publish_(*records); !published) return published;
    watch_.on_published(loop::now());
    return {};
  }

  Program& program_;
  Access& access_;
  crypto::PublicKey const& key_;
  RecordTexts const& texts_;
  PublishRecords const& publish_;
  AddressWatch watch_;
};

}  // namespace

base::Result<void> watch_addresses(Program& program, Access& access, crypto::PublicKey const& key,
                                   RecordTexts const& texts, engine::Duration interval,
                                   PublishRecords const& publish) {
  return Watch(program, access, key, texts, interval, publish).run();
}

}  // namespace dotkey::host::cli
