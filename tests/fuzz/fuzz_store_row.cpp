// SPDX-License-Identifier: Apache-2.0
// Rows of the packet store that a disk or a person damaged: the packet that was written comes back,
// or none.
#include <cstdlib>
#include <filesystem>
#include <future>

#include "core/base/assert.h"
#include "core/crypto/ed25519.h"

#include "host/store/packet_store.h"

namespace dotkey::host::store {
namespace {

class Rows {
 public:
  Rows() : packet_(make_packet()) {
    std::string name = (std::filesystem::temp_directory_path() / "dotkey-fuzz-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    std::string const path = directory_ + "/packets.sqlite";
    {
      auto const store = PacketStore::open(path).value();
      std::promise<bool> durable;
      store->put(packet_, {1}, [&](bool good) { durable.set_value(good); });
      DOTKEY_ASSERT(durable.get_future().get());
    }
    database_ = Database::open(path, SQLITE_OPEN_READWRITE).value();
    DOTKEY_ASSERT(database_.execute("PRAGMA synchronous = OFF").has_value());
    update_ = database_.prepare("UPDATE packets SET packet = ?").value();
    reader_ = PacketReader::open(path).value();
  }
  ~Rows() { std::filesystem::remove_all(directory_); }

  void check(base::ByteView row) {
    DOTKEY_ASSERT(update_.bind(1, row).run());
    auto const found = reader_->find(packet_.key());
    bool const is_whole = base::equal(row, packet_.canonical());
    DOTKEY_ASSERT(!is_whole || found);
    if (found) DOTKEY_ASSERT(found->packet.key() == packet_.key());
  }

 private:
  static record::SignedPacket make_packet() {
    crypto::KeyPair signer(crypto::Seed{});
    return record::SignedPacket::build(signer, 1000, {}).value();
  }

  record::SignedPacket packet_;
  std::string directory_;
  Database database_;
  Statement update_;
  std::unique_ptr<PacketReader> reader_;
};

}  // namespace
}  // namespace dotkey::host::store

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static dotkey::host::store::Rows rows;
  rows.check({data, size});
  return 0;
}
