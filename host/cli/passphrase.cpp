// SPDX-License-Identifier: Apache-2.0
#include "host/cli/passphrase.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <termios.h>
#include <unistd.h>

#include "core/custody/recovery_phrase.h"

#include "host/store/atomic_file.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;

constexpr char const* passphrase_variable = "DOTKEY_PASSPHRASE";
constexpr std::size_t passphrase_size_max = 1024;

extern "C" void on_interrupt(int /*signal*/) {}  // its only work is to end the read() with EINTR

// The terminal without echo, put back on every way out.
class QuietTerminal {
 public:
  QuietTerminal() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    struct sigaction action{};
    action.sa_handler = on_interrupt;  // no SA_RESTART
    ::sigaction(SIGINT, &action, &interrupt_before_);
  }
  ~QuietTerminal() {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    ::sigaction(SIGINT, &interrupt_before_, nullptr);
  }
  QuietTerminal(QuietTerminal const&) = delete;
  QuietTerminal& operator=(QuietTerminal const&) = delete;

 private:
  termios before_{};
  struct sigaction interrupt_before_{};
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Byte by byte: no stdio buffer keeps a copy.
base::Result<SecretText> read_hidden_line(char const* prompt) {
  QuietTerminal const quiet;
  std::fputs(prompt, stderr);
  SecretText out;
  out.writable().reserve(passphrase_size_max);  // never reallocated, so never copied
  char c = 0;
  ssize_t n = 0;
  while ((n = ::read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
    if (out.expose().size() < passphrase_size_max) out.writable().push_back(c);
  }
  std::fputc('\n', stderr);
  if (n < 0) return base::fail(ErrorCode::cancelled);
  return out;
}

base::Result<SecretText> read_passphrase_file(std::string const& path) {
  auto content = store::read_file(path, passphrase_size_max);
  if (!content) return tl::make_unexpected(content.error());
  std::string_view const text = base::text_of(*content);
  SecretText out(std::string(text.substr(0, text.find_first_of("\r\n"))));
  crypto::wipe(content->data(), content->size());
  return out;
}

base::Result<SecretText> ask_passphrase(bool twice) {
  if (::isatty(STDIN_FILENO) != 1) return base::fail(ErrorCode::keystore_passphrase_needed);
  auto first = read_hidden_line("Passphrase: ");
  if (!first || !twice) return first;
  auto const second = read_hidden_line("The same again: ");
  if (!second) return tl::make_unexpected(second.error());
  if (first->expose() != second->expose()) {
    return base::fail(ErrorCode::keystore_passphrase_needed, "the two lines differ");
  }
  return first;
}

}  // namespace

void PassphraseOptions::add_to(CLI::App& command, bool for_new_key) {
  if (for_new_key) {
    command.add_flag("--passphrase", ask, "Lock the key with a passphrase asked for here");
  }
  command
      .add_option("--passphrase-file", file,
                  "Read the passphrase from the first line of FILE (else DOTKEY_PASSPHRASE)")
      ->type_name("FILE");
}

bool PassphraseOptions::is_wanted() const {
  return ask || !file.empty() || std::getenv(passphrase_variable) != nullptr;
}

base::Result<SecretText> read_passphrase(PassphraseOptions const& options, bool twice) {
  char const* const variable = std::getenv(passphrase_variable);
  auto out = !options.file.empty() ? read_passphrase_file(options.file)
             : variable != nullptr ? base::Result<SecretText>(SecretText(variable))
                                   : ask_passphrase(twice);
  if (out && out->expose().empty()) {
    return base::fail(ErrorCode::keystore_passphrase_needed, "the passphrase given is empty");
  }
  return out;
}

SecretText read_recovery_phrase() {
  bool const at_terminal = ::isatty(STDIN_FILENO) == 1;
  if (at_terminal) std::fputs("The 24 words of the recovery phrase:\n", stderr);
  SecretText out;
  out.writable().reserve(custody::recovery_phrase_size_max + 1);
  std::size_t words = 0;
  char before = ' ';
  char c = 0;
  while (out.expose().size() <= custody::recovery_phrase_size_max &&
         ::read(STDIN_FILENO, &c, 1) == 1) {
    out.writable().push_back(c);
    if (is_blank(before) && !is_blank(c)) ++words;
    if (at_terminal && c == '\n' && words >= custody::recovery_words) break;
    before = c;
  }
  return out;
}

bool ask_yes(std::string const& question) {
  if (::isatty(STDIN_FILENO) != 1) return false;
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  int const answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

base::Result<crypto::Seed> load_seed(Program const& program, std::string const& name,
                                     PassphraseOptions const& options) {
  auto const file = program.keys().load(name);
  if (!file) return tl::make_unexpected(file.error());
  if (!file->is_locked()) return *file->seed;
  auto const passphrase = read_passphrase(options, false);
  if (!passphrase) return tl::make_unexpected(passphrase.error());
  return custody::unlock(*file, passphrase->expose());
}

}  // namespace dotkey::host::cli
