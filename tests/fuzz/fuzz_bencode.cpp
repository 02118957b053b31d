// SPDX-License-Identifier: Apache-2.0
// Bencode: whatever the cursor accepts survives being written again.
#include "core/base/assert.h"
#include "core/wire/bencode.h"

namespace dotkey::wire::bencode {
namespace {

// Copies one value from the cursor to the writer. False when the cursor refuses it.
bool copy(Cursor& cursor, Writer& writer) {
  bool const is_dictionary = cursor.peek() == Kind::dictionary;
  switch (cursor.peek()) {
    case Kind::integer: {
      auto const value = cursor.integer();
      if (value) writer.integer(*value);
      return value.has_value();
    }
    case Kind::string: {
      auto const value = cursor.string();
      if (value) writer.string(*value);
      return value.has_value();
    }
    case Kind::list:
    case Kind::dictionary:
      break;
    default:
      return false;
  }
  if (!(is_dictionary ? cursor.enter_dictionary() : cursor.enter_list())) return false;
  if (is_dictionary) {
    writer.begin_dictionary();
  } else {
    writer.begin_list();
  }
  while (cursor.ok() && cursor.peek() != Kind::end && cursor.peek() != Kind::invalid) {
    if (is_dictionary && (cursor.peek() != Kind::string || !copy(cursor, writer))) return false;
    if (!copy(cursor, writer)) return false;
  }
  writer.end();
  return cursor.leave();
}

void check(base::ByteView input) {
  Cursor skipping(input);
  auto const skipped = skipping.skip();

  base::Bytes copied;
  Cursor copying(input);
  Writer writer(copied);
  bool const is_copied = copy(copying, writer);

  // Both ways of reading agree, and only one spelling of a value is accepted at all.
  DOTKEY_ASSERT(is_copied == skipped.has_value());
  if (is_copied) DOTKEY_ASSERT(base::equal(copied, *skipped));
  if (is_canonical(input)) DOTKEY_ASSERT(is_copied && skipped->size() == input.size());
  if (auto const content = parse_string(input)) {
    DOTKEY_ASSERT(base::equal(encode_string(*content), input) && is_canonical(input));
  }
  // After a refusal nothing more is read.
  if (!skipped) DOTKEY_ASSERT(!skipping.ok() && !skipping.integer() && !skipping.string());
}

}  // namespace
}  // namespace dotkey::wire::bencode

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dotkey::wire::bencode::check({data, size});
  return 0;
}
