// SPDX-License-Identifier: Apache-2.0
// The user's stored keys: made, imported, exported, named and removed by a program that never sees
// a bare secret of them.
#include <utility>

#include <boost/json/array.hpp>

#include "core/names/public_key.h"

#include "host/daemon/operations.h"
#include "host/daemon/request_fields.h"
#include "host/daemon/stored_keys.h"

namespace dotkey::host::daemon {

using base::Result;

namespace {

boost::json::object describe(std::string const& name, Result<custody::KeyFile> const& file) {
  if (!file) return {{"name", name}, {"error", base::slug_of(file.error().code)}};
  return {{"name", name},
          {"key", names::format_public_key(file->public_key)},
          {"locked", file->is_locked()}};
}

// Answers a request that asked for a key of this name to be stored.
StoredKeys::OnMade answer_made(Peer& peer, channel::Message const& request, std::string_view name) {
  return [weak = peer.weak_from_this(), request,
          name = std::string(name)](Result<custody::KeyFile> const& made) {
    auto const asker = weak.lock();
    if (!asker) return;
    if (!made) return asker->fail(request, made.error());
    asker->answer(request, describe(name, made));
  };
}

}  // namespace

void on_stored_keys(Services& services, Peer& peer, channel::Message request) {
  auto const keys = services.stored_keys.list();
  if (!keys) return peer.fail(request, keys.error());
  boost::json::array out;
  for (StoredKeys::Entry const& entry : *keys) {
    if (out.size() == kept_keys_shown_max) break;
    out.push_back(describe(entry.name, entry.file));
  }
  peer.answer(request, {{"keys", std::move(out)}});
}

void on_make_key(Services& services, Peer& peer, channel::Message request) {
  auto passphrase = take_secret(request.body, "passphrase");
  if (!passphrase) return peer.fail(request, passphrase.error());
  auto const name = channel::text_at(request.body, "name");
  if (!name) return peer.fail(request, malformed("name").value());
  services.stored_keys.make(std::string(*name), std::move(*passphrase),
                            answer_made(peer, request, *name));
}

void on_import_key(Services& services, Peer& peer, channel::Message request) {
  auto passphrase = take_secret(request.body, "passphrase");
  auto const secret = take_secret(request.body, "secret");
  if (!passphrase) return peer.fail(request, passphrase.error());
  if (!secret) return peer.fail(request, secret.error());
  if (secret->is_empty()) return peer.fail(request, malformed("secret").value());
  auto const name = channel::text_at(request.body, "name");
  if (!name) return peer.fail(request, malformed("name").value());
  services.stored_keys.import(std::string(*name), secret->expose(), std::move(*passphrase),
                              answer_made(peer, request, *name));
}

void on_export_key(Services& services, Peer& peer, channel::Message request) {
  auto passphrase = take_secret(request.body, "passphrase");
  if (!passphrase) return peer.fail(request, passphrase.error());
  auto const name = channel::text_at(request.body, "name");
  if (!name) return peer.fail(request, malformed("name").value());
  services.stored_keys.export_locked(
      std::string(*name), std::move(*passphrase),
      [weak = peer.weak_from_this(), request](Result<std::string> const& text) {
        auto const asker = weak.lock();
        if (!asker) return;
        if (!text) return asker->fail(request, text.error());
        asker->answer(request, {{"file", *text}});
      });
}

void on_rename_key(Services& services, Peer& peer, channel::Message request) {
  auto const name = channel::text_at(request.body, "name");
  auto const new_name = channel::text_at(request.body, "new_name");
  if (!name || !new_name) {
    return peer.fail(request, malformed(name ? "new_name" : "name").value());
  }
  auto const renamed = services.stored_keys.rename(std::string(*name), std::string(*new_name));
  if (!renamed) return peer.fail(request, renamed.error());
  peer.answer(request, {{"name", *new_name}});
}

void on_remove_key(Services& services, Peer& peer, channel::Message request) {
  auto const name = channel::text_at(request.body, "name");
  if (!name) return peer.fail(request, malformed("name").value());
  auto const removed = services.stored_keys.remove(std::string(*name));
  if (!removed) return peer.fail(request, removed.error());
  peer.answer(request, {{"name", *name}});
}

}  // namespace dotkey::host::daemon
