// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/stored_keys.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "core/custody/recovery_phrase.h"

#include "host/loop/system_entropy.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::daemon {

using base::ErrorCode;
using base::Result;

StoredKeys::StoredKeys(boost::asio::io_context& loop, engine::Entropy& entropy,
                       std::string directory)
    : loop_(loop), entropy_(entropy), store_(std::move(directory)) {}

StoredKeys::~StoredKeys() {
  *alive_ = false;
  thread_.join();
}

Result<std::vector<StoredKeys::Entry>> StoredKeys::list() const {
  auto const names = store_.names();
  if (!names) return tl::make_unexpected(names.error());
  std::vector<Entry> out;
  for (std::string const& name : *names) out.push_back({name, store_.load(name)});
  return out;
}

template <class Work, class Done>
void StoredKeys::run(Work work, Done done) {
  ++waiting_;
  boost::asio::post(
      thread_, [this, alive = alive_, work = std::move(work), done = std::move(done)]() mutable {
        auto result = std::make_shared<decltype(work())>(work());
        boost::asio::post(loop_, [this, alive, result, done = std::move(done)]() mutable {
          if (!*alive) return;
          --waiting_;
          done(std::move(*result));
        });
      });
}

void StoredKeys::unlock(std::string const& name, Passphrase passphrase, OnSeed on_seed) {
  auto file = store_.load(name);
  if (!file) return on_seed(tl::make_unexpected(file.error()));
  if (!file->is_locked()) return on_seed(custody::unlock(*file, ""));
  if (passphrase.is_empty()) return on_seed(base::fail(ErrorCode::keystore_passphrase_needed));
  if (waiting_ >= waiting_max) return on_seed(base::fail(ErrorCode::session_busy));
  run([file = std::move(*file),
       passphrase = std::move(passphrase)] { return custody::unlock(file, passphrase.expose()); },
      std::move(on_seed));
}

Result<custody::KeyFile> StoredKeys::add(std::string const& name, std::string_view text) const {
  auto file = custody::parse_key_file(text);
  if (!file) return file;
  if (auto added = store_.add(name, text); !added) return tl::make_unexpected(added.error());
  return file;
}

// Said before a second of work; add() checks again, atomically.
Result<void> StoredKeys::check_new(std::string const& name) const {
  if (!store::KeyStore::is_name(name)) {
    return base::fail(ErrorCode::keystore_name_invalid, name.substr(0, 64));
  }
  if (store::exists(store_.path_of(name))) return base::fail(ErrorCode::keystore_exists, name);
  return {};
}

void StoredKeys::lock(crypto::Seed const& seed, Passphrase passphrase, OnText on_text) {
  if (waiting_ >= waiting_max) return on_text(base::fail(ErrorCode::session_busy));
  run(
      [seed, passphrase = std::move(passphrase)] {
        loop::SystemEntropy entropy;  // ours is for one thread
        return custody::encode_key_file(seed, passphrase.expose(), crypto::KdfCost{}, entropy);
      },
      std::move(on_text));
}

void StoredKeys::store(std::string const& name, crypto::Seed const& seed, Passphrase passphrase,
                       OnMade on_made) {
  if (passphrase.is_empty()) {
    std::string text = custody::encode_key_file(seed);
    auto made = add(name, text);
    crypto::wipe(text.data(), text.size());
    return on_made(std::move(made));
  }
  lock(seed, std::move(passphrase),
       [this, name, on_made = std::move(on_made)](Result<std::string> const& text) {
         if (!text) return on_made(tl::make_unexpected(text.error()));
         on_made(add(name, *text));
       });
}

void StoredKeys::make(std::string const& name, Passphrase passphrase, OnMade on_made) {
  if (auto const checked = check_new(name); !checked) {
    return on_made(tl::make_unexpected(checked.error()));
  }
  crypto::Seed seed;
  entropy_.fill(seed.writable());
  store(name, seed, std::move(passphrase), std::move(on_made));
}

void StoredKeys::import(std::string const& name, std::string_view secret, Passphrase passphrase,
                        OnMade on_made) {
  if (auto const checked = check_new(name); !checked) {
    return on_made(tl::make_unexpected(checked.error()));
  }
  auto file = custody::parse_key_file(secret);
  if (!file) {
    auto const seed = custody::parse_recovery_phrase(secret);
    // What is one word was meant as a file.
    bool const words = secret.find_first_of(" \n") < secret.find_last_not_of(" \n");
    if (!seed) return on_made(tl::make_unexpected(words ? seed.error() : file.error()));
    return store(name, *seed, std::move(passphrase), std::move(on_made));
  }
  if (!file->is_locked()) {
    return store(name, *file->seed, std::move(passphrase), std::move(on_made));
  }
  if (passphrase.is_empty()) {
    return on_made(base::fail(ErrorCode::keystore_passphrase_needed));
  }
  if (waiting_ >= waiting_max) return on_made(base::fail(ErrorCode::session_busy));
  run([file = std::move(*file),
       passphrase = std::move(passphrase)] { return custody::unlock(file, passphrase.expose()); },
      [this, name, text = std::string(secret),
       on_made = std::move(on_made)](Result<crypto::Seed> const& seed) {
        if (!seed) return on_made(tl::make_unexpected(seed.error()));
        on_made(add(name, text));
      });
}

void StoredKeys::export_locked(std::string const& name, Passphrase passphrase, OnText on_text) {
  auto const file = store_.load(name);
  if (!file) return on_text(tl::make_unexpected(file.error()));
  if (file->is_locked()) return on_text(store_.text_of(name));
  if (passphrase.is_empty()) return on_text(base::fail(ErrorCode::keystore_passphrase_needed));
  lock(*file->seed, std::move(passphrase), std::move(on_text));
}

}  // namespace dotkey::host::daemon
