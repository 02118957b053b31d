// SPDX-License-Identifier: Apache-2.0
// What a program may write to the daemon's socket: frames, JSON, operations. The core behind it is
// real and has no network, so that every request is answered at once.
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "core/base/assert.h"

#include "host/channel/frame.h"
#include "host/daemon/core.h"
#include "host/loop/system_entropy.h"

namespace {

namespace base = dotkey::base;
namespace host = dotkey::host;
namespace channel = host::channel;
namespace daemon = host::daemon;

class World {
 public:
  World() {
    std::string name = (std::filesystem::temp_directory_path() / "dotkey-fuzz-XXXXXX").string();
    DOTKEY_ASSERT(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
    daemon::CoreSettings settings;
    settings.state_dir = name;
    settings.keys_dir = name + "/keys";
    settings.driver.packets = name + "/packets.sqlite";
    settings.driver.rows = name + "/rows.sqlite";
    core_ = std::move(*daemon::Core::open(loop_, entropy_, std::move(settings)));
  }
  ~World() {
    core_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  daemon::Services& services() { return core_->services(); }
  void drain() {
    loop_.restart();
    loop_.poll();
  }

 private:
  std::string directory_;
  boost::asio::io_context loop_{1};
  host::loop::SystemEntropy entropy_;
  std::unique_ptr<daemon::Core> core_;
};

class CountingPeer final : public daemon::Peer {
 public:
  void answer(channel::Message const& request, boost::json::object body) override {
    ++answers;
    channel::Message again;
    // What we write can be read, and is no longer than a frame.
    std::string const text = channel::encode_message(request.id, request.op, std::move(body));
    DOTKEY_ASSERT(text.size() <= channel::frame_size_max);
    DOTKEY_ASSERT(!channel::parse_message(text, again) && again.op == request.op);
  }
  void fail(channel::Message const&, base::Error const& error, boost::json::object) override {
    ++answers;
    DOTKEY_ASSERT(!base::slug_of(error.code).empty());
  }
  void send(std::string_view, boost::json::object) override {}

  std::uint32_t answers = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static World world;
  base::ByteView rest(data, size);
  channel::FrameReader reader;
  auto const peer = std::make_shared<CountingPeer>();
  while (!rest.empty()) {
    std::size_t const piece = std::min<std::size_t>(rest.size(), 1 + rest[0] % 64);
    reader.append(rest.first(piece));
    rest = rest.subspan(piece);
    while (auto const payload = reader.next()) {
      channel::Message message;
      if (channel::parse_message(*payload, message)) continue;
      // A passphrase costs a second of another thread.
      if (message.op == "make_key" && message.body.contains("passphrase")) continue;
      std::uint32_t const expected = peer->answers + (message.op == "verdict" ? 0 : 1);
      daemon::on_message(world.services(), *peer, std::move(message));
      world.drain();
      DOTKEY_ASSERT(peer->answers == expected);
    }
    DOTKEY_ASSERT(reader.is_broken() || reader.pending() < channel::frame_size_max + 4 + 64);
    if (reader.is_broken()) break;
  }
  return 0;
}
