// SPDX-License-Identifier: Apache-2.0
// Where a passphrase comes from: a file, the environment, or the terminal without echo.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/crypto/secret.h"

#include "host/cli/program.h"

namespace dotkey::host::cli {

// Text that is wiped when it goes out of scope.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  ~SecretText() { crypto::wipe(text_.data(), text_.size()); }
  SecretText(SecretText const&) = delete;
  SecretText& operator=(SecretText const&) = delete;
  SecretText(SecretText&& other) noexcept : text_(other.text_) {
    crypto::wipe(other.text_.data(), other.text_.size());
    other.text_.clear();
  }
  SecretText& operator=(SecretText&&) = delete;

  [[nodiscard]] std::string_view expose() const { return text_; }
  [[nodiscard]] std::string& writable() { return text_; }

 private:
  std::string text_;
};

// How a new key is to be locked.
struct PassphraseOptions {
  bool ask = false;  // --passphrase
  std::string file;  // --passphrase-file

  void add_to(CLI::App& command, bool for_new_key);
  // True when one was given or asked for, also by DOTKEY_PASSPHRASE.
  [[nodiscard]] bool is_wanted() const;
};

// From the file, else DOTKEY_PASSPHRASE, else the terminal (`twice` to catch a slip). Errors:
// keystore_passphrase_needed when none of them has one, file_unreadable, cancelled.
base::Result<SecretText> read_passphrase(PassphraseOptions const& options, bool twice);

// A recovery phrase from stdin: to its end, at a terminal to the line that completes it.
SecretText read_recovery_phrase();

// A yes or no at the terminal; no terminal is a no.
bool ask_yes(std::string const& question);

// Loads a stored key, asking for its passphrase where it is locked. Errors: those of
// KeyStore::load, read_passphrase and custody::unlock.
base::Result<crypto::Seed> load_seed(Program const& program, std::string const& name,
                                     PassphraseOptions const& options);

}  // namespace dotkey::host::cli
