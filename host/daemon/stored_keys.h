// SPDX-License-Identifier: Apache-2.0
// The user's stored keys for programs at the socket. Secrets stay here: a program names a key, and
// for a locked one gives its passphrase.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "core/base/result.h"
#include "core/crypto/secret.h"
#include "core/engine/entropy.h"

#include "host/store/key_store.h"

namespace dotkey::host::daemon {

// A passphrase on its way; wiped when it goes.
class Passphrase {
 public:
  Passphrase() = default;
  explicit Passphrase(std::string_view text) : text_(text.begin(), text.end()) {}
  ~Passphrase() { crypto::wipe(text_.data(), text_.size()); }
  Passphrase(Passphrase const&) = delete;
  Passphrase& operator=(Passphrase const&) = delete;
  Passphrase(Passphrase&&) noexcept = default;  // a vector's bytes stay where they are
  Passphrase& operator=(Passphrase&&) = delete;

  [[nodiscard]] bool is_empty() const { return text_.empty(); }
  [[nodiscard]] std::string_view expose() const { return {text_.data(), text_.size()}; }

 private:
  std::vector<char> text_;
};

class StoredKeys {
 public:
  // Derivations of a key from a passphrase that wait for their turn.
  static constexpr std::size_t waiting_max = 8;

  // `loop` and `entropy` outlive this object. Errors everywhere: those of store::KeyStore.
  StoredKeys(boost::asio::io_context& loop, engine::Entropy& entropy, std::string directory);
  ~StoredKeys();  // waits for a derivation under way; its callback does not run
  StoredKeys(StoredKeys const&) = delete;
  StoredKeys& operator=(StoredKeys const&) = delete;

  struct Entry {
    std::string name;
    base::Result<custody::KeyFile> file;
  };
  [[nodiscard]] base::Result<std::vector<Entry>> list() const;

  // The callbacks run on the loop, perhaps before these return. A passphrase costs about a second
  // of another thread. Errors also: session_busy; keystore_passphrase_needed.
  using OnSeed = std::function<void(base::Result<crypto::Seed>)>;
  void unlock(std::string const& name, Passphrase passphrase, OnSeed on_seed);
  // A new key; locked where there is a passphrase. Errors also: keystore_name_invalid,
  // keystore_exists.
  using OnMade = std::function<void(base::Result<custody::KeyFile>)>;
  void make(std::string const& name, Passphrase passphrase, OnMade on_made);
  // A key made elsewhere: a key file or a recovery phrase. A locked file stays as it is, and must
  // open with the passphrase; anything else is locked where there is a passphrase. Errors also:
  // those of custody::unlock and custody::parse_recovery_phrase.
  void import(std::string const& name, std::string_view secret, Passphrase passphrase,
              OnMade on_made);
  // A locked key file: that of a locked key as it is, else one locked under the passphrase. Errors
  // also: keystore_passphrase_needed.
  using OnText = std::function<void(base::Result<std::string>)>;
  void export_locked(std::string const& name, Passphrase passphrase, OnText on_text);

  [[nodiscard]] base::Result<void> rename(std::string const& name, std::string const& new_name) {
    return store_.rename(name, new_name);
  }
  [[nodiscard]] base::Result<void> remove(std::string const& name) { return store_.remove(name); }

 private:
  [[nodiscard]] base::Result<void> check_new(std::string const& name) const;
  void lock(crypto::Seed const& seed, Passphrase passphrase, OnText on_text);
  void store(std::string const& name, crypto::Seed const& seed, Passphrase passphrase,
             OnMade on_made);
  // Runs `work()` on the other thread and `done(its result)` on the loop.
  template <class Work, class Done>
  void run(Work work, Done done);
  [[nodiscard]] base::Result<custody::KeyFile> add(std::string const& name,
                                                   std::string_view text) const;

  boost::asio::io_context& loop_;
  engine::Entropy& entropy_;
  store::KeyStore store_;
  std::size_t waiting_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  boost::asio::thread_pool thread_{1};
};

}  // namespace dotkey::host::daemon
