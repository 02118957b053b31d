// SPDX-License-Identifier: Apache-2.0
// dotkey key new|list|show|export|import|remove
#include <memory>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/custody/recovery_phrase.h"
#include "core/names/public_key.h"

#include "host/cli/output.h"
#include "host/cli/passphrase.h"
#include "host/cli/program.h"
#include "host/store/atomic_file.h"

namespace dotkey::host::cli {
namespace {

using base::ErrorCode;

struct KeyArguments {
  std::string name;
  PassphraseOptions passphrase;
  std::string seed_hex;
  std::string file;
  std::string out;
  bool words = false;
  bool yes = false;
};
using KeyArgumentsPtr = std::shared_ptr<KeyArguments>;

boost::json::object describe_key(Program const& program, std::string const& name,
                                 crypto::PublicKey const& key, bool locked) {
  std::string const text = names::format_public_key(key);
  return {{"name", name},
          {"key", text},
          {"uri", names::format_public_key_uri(key)},
          {"url", "https://" + text + ".key/"},
          {"path", program.keys().path_of(name)},
          {"locked", locked}};
}

void print_key(Program const& program, std::string const& name, crypto::PublicKey const& key,
               bool locked) {
  auto const description = describe_key(program, name, key, locked);
  if (program.options.json) return print_json(description);
  print_line("key   " + names::format_public_key(key));
  print_line("url   " + std::string(description.at("url").as_string()));
  print_line("file  " + program.keys().path_of(name) + (locked ? " (passphrase)" : ""));
}

// The text to store for a seed, locked where the user wants it.
base::Result<SecretText> encode_for_store(Program& program, crypto::Seed const& seed,
                                          PassphraseOptions const& options) {
  if (!options.is_wanted()) return SecretText(custody::encode_key_file(seed));
  auto const passphrase = read_passphrase(options, true);
  if (!passphrase) return tl::make_unexpected(passphrase.error());
  auto text =
      custody::encode_key_file(seed, passphrase->expose(), crypto::KdfCost{}, program.entropy);
  if (!text) return tl::make_unexpected(text.error());
  return SecretText(std::move(*text));
}

base::Result<void> store_key(Program& program, std::string const& name, std::string_view text) {
  auto const file = custody::parse_key_file(text);
  if (!file) return tl::make_unexpected(file.error());
  if (auto added = program.keys().add(name, text); !added) return added;
  print_key(program, name, file->public_key, file->is_locked());
  return {};
}

base::Result<void> store_seed(Program& program, KeyArguments const& arguments,
                              crypto::Seed const& seed) {
  // Said before a passphrase is asked for; add() checks again, atomically.
  if (!store::KeyStore::is_name(arguments.name)) {
    return base::fail(ErrorCode::keystore_name_invalid, arguments.name);
  }
  if (store::exists(program.keys().path_of(arguments.name))) {
    return base::fail(ErrorCode::keystore_exists, arguments.name);
  }
  auto const text = encode_for_store(program, seed, arguments.passphrase);
  if (!text) return tl::make_unexpected(text.error());
  return store_key(program, arguments.name, text->expose());
}

base::Result<void> new_key(Program& program, KeyArguments const& arguments) {
  crypto::Seed seed;
  program.entropy.fill(seed.writable());
  return store_seed(program, arguments, seed);
}

base::Result<void> import_words(Program& program, KeyArguments const& arguments) {
  SecretText const text = read_recovery_phrase();
  auto const seed = custody::parse_recovery_phrase(text.expose());
  if (!seed) return tl::make_unexpected(seed.error());
  return store_seed(program, arguments, *seed);
}

base::Result<void> import_key(Program& program, KeyArguments const& arguments) {
  if (arguments.words) return import_words(program, arguments);
  SecretText text(arguments.seed_hex);
  if (!arguments.file.empty()) {
    auto content = store::read_file(arguments.file, custody::key_file_size_max);
    if (!content) return tl::make_unexpected(content.error());
    text.writable() = base::text_of(*content);
    crypto::wipe(content->data(), content->size());
  }
  auto file = custody::parse_key_file(text.expose());
  if (!file) {
    file.error().detail =
        (arguments.file.empty() ? "--seed-hex" : arguments.file) + ": " + file.error().detail;
    return tl::make_unexpected(file.error());
  }
  // A locked file stays locked under the passphrase it has.
  if (file->is_locked()) return store_key(program, arguments.name, text.expose());
  return store_seed(program, arguments, *file->seed);
}

base::Result<void> list_keys(Program& program) {
  auto const stored = program.keys().names();
  if (!stored) return tl::make_unexpected(stored.error());
  boost::json::array keys;
  std::optional<base::Error> damaged;
  for (std::string const& name : *stored) {
    auto const file = program.keys().load(name);
    if (!file) {
      damaged = file.error();
      keys.push_back({{"name", name}, {"error", base::slug_of(file.error().code)}});
      if (!program.options.json) print_line(name + "  (damaged)");
      continue;
    }
    keys.push_back(describe_key(program, name, file->public_key, file->is_locked()));
    if (!program.options.json) {
      print_line(name + "  " + names::format_public_key(file->public_key) +
                 (file->is_locked() ? "  (passphrase)" : ""));
    }
  }
  if (program.options.json) print_json({{"keys", keys}});
  if (!program.options.json && stored->empty()) {
    print_line("No keys are stored yet; make one with `dotkey key new NAME`.");
  }
  if (damaged) return tl::make_unexpected(*damaged);
  return {};
}

base::Result<void> show_key(Program& program, KeyArguments const& arguments) {
  auto const file = program.keys().load(arguments.name);
  if (!file) return tl::make_unexpected(file.error());
  print_key(program, arguments.name, file->public_key, file->is_locked());
  return {};
}

base::Result<void> export_key(Program& program, KeyArguments const& arguments) {
  auto const seed = load_seed(program, arguments.name, arguments.passphrase);
  if (!seed) return tl::make_unexpected(seed.error());
  SecretText const text(arguments.words ? custody::encode_recovery_phrase(*seed)
                                        : custody::encode_key_file(*seed));
  std::string const key = names::format_public_key(crypto::KeyPair(*seed).public_key());
  if (!arguments.out.empty()) {
    auto written = store::write_file(arguments.out, base::view_of(text.expose()), 0600,
                                     store::Existing::refuse);
    if (!written) return written;
    if (program.options.json) {
      print_json({{"name", arguments.name}, {"key", key}, {"path", arguments.out}});
    }
    return {};
  }
  if (program.options.json) {
    std::string_view const member = arguments.words ? "words" : "seed";
    print_json({{"name", arguments.name}, {"key", key}, {member, text.expose()}});
  } else {
    print_line(text.expose());
  }
  return {};
}

base::Result<void> remove_key(Program& program, KeyArguments const& arguments) {
  store::KeyStore const keys = program.keys();
  if (!store::KeyStore::is_name(arguments.name) || !store::exists(keys.path_of(arguments.name))) {
    return keys.remove(arguments.name);  // says which of the two it is
  }
  if (!arguments.yes && !ask_yes("Remove the key '" + arguments.name + "' for good?")) {
    return base::fail(ErrorCode::keystore_not_confirmed);
  }
  if (auto removed = keys.remove(arguments.name); !removed) return removed;
  if (program.options.json) print_json({{"name", arguments.name}, {"removed", true}});
  return {};
}

CLI::App* add_named(CLI::App& key, char const* command, char const* what,
                    KeyArgumentsPtr const& arguments) {
  CLI::App* const out = key.add_subcommand(command, what);
  out->add_option("NAME", arguments->name, "The name the key is stored under")->required();
  return out;
}

void add_writing_commands(CLI::App& key, Program& program, KeyArgumentsPtr const& arguments) {
  CLI::App* const create = add_named(key, "new", "Make a key and store it", arguments);
  arguments->passphrase.add_to(*create, true);
  create->footer("Examples:\n  dotkey key new alice\n  dotkey key new alice --passphrase");
  create->callback([&program, arguments] {
    program.action = [&program, arguments] { return new_key(program, *arguments); };
  });

  CLI::App* const import = add_named(
      key, "import", "Store a key made elsewhere, such as pkarr's secret file", arguments);
  auto* const seed = import->add_option("--seed-hex", arguments->seed_hex,
                                        "The 32-byte seed as 64 hexadecimal characters");
  auto* const file = import->add_option("--file", arguments->file, "A key file");
  auto* const words = import->add_flag("--words", arguments->words,
                                       "A recovery phrase of 24 words, read from standard input");
  seed->excludes(file)->excludes(words);
  file->excludes(words);
  arguments->passphrase.add_to(*import, true);
  import->footer(
      "Example:\n  dotkey key import alice --file ~/.pkarr/secret\n  dotkey key import alice "
      "--words");
  import->callback([&program, arguments] {
    if (arguments->seed_hex.empty() && arguments->file.empty() && !arguments->words) {
      throw CLI::RequiredError("--seed-hex, --file or --words");
    }
    program.action = [&program, arguments] { return import_key(program, *arguments); };
  });

  CLI::App* const remove = add_named(key, "remove", "Delete a stored key", arguments);
  remove->add_flag("--yes", arguments->yes, "Do not ask");
  remove->footer("Example:\n  dotkey key remove alice");
  remove->callback([&program, arguments] {
    program.action = [&program, arguments] { return remove_key(program, *arguments); };
  });
}

void add_reading_commands(CLI::App& key, Program& program, KeyArgumentsPtr const& arguments) {
  CLI::App* const list = key.add_subcommand("list", "Name the stored keys");
  list->footer("Example:\n  dotkey key list --json");
  list->callback([&program] { program.action = [&program] { return list_keys(program); }; });

  CLI::App* const show = add_named(key, "show", "Print a stored key's public half", arguments);
  show->footer("Example:\n  dotkey key show alice");
  show->callback([&program, arguments] {
    program.action = [&program, arguments] { return show_key(program, *arguments); };
  });

  CLI::App* const export_ = add_named(
      key, "export", "Print a stored key's SECRET seed, in pkarr's form or as words", arguments);
  export_->add_option("--out", arguments->out, "Write it to FILE (mode 0600) instead")
      ->type_name("FILE");
  export_->add_flag("--words", arguments->words,
                    "As a recovery phrase of 24 words, to write on paper");
  arguments->passphrase.add_to(*export_, false);
  export_->footer(
      "Example:\n  dotkey key export alice --out alice.secret\n  dotkey key export alice --words");
  export_->callback([&program, arguments] {
    program.action = [&program, arguments] { return export_key(program, *arguments); };
  });
}

}  // namespace

void add_key_command(CLI::App& app, Program& program) {
  CLI::App* const key = app.add_subcommand("key", "Make, list, import and export keys");
  key->require_subcommand(1);
  key->footer("Examples:\n  dotkey key new alice\n  dotkey key list\n  dotkey key show alice");
  auto const arguments = std::make_shared<KeyArguments>();
  add_writing_commands(*key, program, arguments);
  add_reading_commands(*key, program, arguments);
}

}  // namespace dotkey::host::cli
