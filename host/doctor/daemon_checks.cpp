// SPDX-License-Identifier: Apache-2.0
#include "host/doctor/daemon_checks.h"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/crypto/ed25519.h"
#include "core/names/public_key.h"

#include "host/channel/channel.h"
#include "host/channel/message.h"
#include "host/channel/socket_path.h"
#include "host/loop/system_entropy.h"
#include "host/native/start_log.h"
#include "host/trust/local_ca.h"

namespace dotkey::host::doctor {
namespace {

using base::ErrorCode;
using boost::json::object;
using channel::flag_at;
using channel::integer_at;
using channel::text_at;

constexpr std::size_t log_lines_shown = 5;
constexpr int proxy_patience_s = 3;
// Run by those who keep pkarr; anybody may use it.
constexpr char public_relay[] = "https://pkarr.pubky.org";

object const& object_at(object const& from, char const* name) {
  static object const empty;
  auto const* const value = from.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : empty;
}

boost::json::array const& array_at(object const& from, char const* name) {
  static boost::json::array const empty;
  auto const* const value = from.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : empty;
}

std::string text_in(object const& from, char const* name) {
  return std::string(text_at(from, name).value_or(""));
}

std::string number_in(object const& from, char const* name) {
  return std::to_string(integer_at(from, name).value_or(0));
}

class Connection {
 public:
  explicit Connection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval const patience{proxy_patience_s, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    open_ = ::connect(fd_, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
  }
  ~Connection() { ::close(fd_); }
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  // What comes back until the other side ends.
  std::string exchange(std::string_view request) {
    std::string answer;
    if (!open_ || ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0) return answer;
    std::array<char, 2048> piece{};
    ssize_t n = 0;
    while (answer.size() < 64 * 1024 && (n = ::recv(fd_, piece.data(), piece.size(), 0)) > 0) {
      answer.append(piece.data(), static_cast<std::size_t>(n));
    }
    return answer;
  }

 private:
  int fd_;
  bool open_ = false;
};

bool is_our_proxy(std::int64_t port) {
  if (port <= 0 || port > 65'535) return false;
  Connection connection(static_cast<std::uint16_t>(port));
  std::string const answer = connection.exchange(
      "CONNECT dotkey.invalid:443 HTTP/1.1\r\nHost: dotkey.invalid:443\r\n\r\n");
  std::string const refusal =
      "X-Dotkey-Refusal: " + std::string(base::slug_of(ErrorCode::proxy_site_foreign));
  return answer.find(refusal) != std::string::npos;
}

// Nobody has it: made from random bytes this moment.
std::string some_key() {
  loop::SystemEntropy entropy;
  crypto::Seed seed;
  entropy.fill(seed.writable());
  crypto::KeyPair const pair(seed);
  return names::format_public_key(pair.public_key());
}

struct Reach {
  bool reached = false;
  std::string why;  // not
};

// "There is no such record" is an answer, and the only one to be expected.
Reach try_source(Ask const& ask, char const* source) {
  auto const answer = ask("resolve",
                          {{"key", some_key()},
                           {"policy", "newest"},
                           {"source", source},
                           {"timeout_ms", network_patience.count() * 8 / 10}},
                          network_patience);
  if (answer) return {true, ""};
  ErrorCode const code = answer.error().code;
  bool const absent = code == ErrorCode::resolve_not_found || code == ErrorCode::dht_not_found ||
                      code == ErrorCode::relay_not_found;
  return {absent, std::string(base::slug_of(code))};
}

Link probe_link(Surroundings const& around, object const& outcome) {
  std::string const browser = text_in(outcome, "browser");
  Link link{"probe", browser, LinkState::ok,
            "a page of the daemon's own opened in " + number_in(outcome, "took_ms") + " ms"};
  std::string const stage = text_in(outcome, "stage");
  if (stage == "opened") return link;
  link.state = LinkState::broken;
  std::string const detail = text_in(outcome, "detail");
  if (stage == "silent") {
    link.text = "the extension did not answer; close the browser and start it again";
  } else if (!flag_at(outcome, "permitted").value_or(true)) {
    link.text = "the extension may not use .key sites; allow that on its page in the browser";
  } else if (stage == "held") {
    link.text = "the page was asked for, and nobody decided about it in time";
  } else if (stage == "asked") {
    link.text = "the browser does not use the proxy; another extension or a policy sets its own";
  } else if (stage == "refused") {
    link.text = "the page was refused: " + text_in(outcome, "slug");
  } else {
    link.text = "the browser does not trust the local CA";
    link.command = command_for(around, "install --browser " + browser);
  }
  if (!detail.empty()) link.details.push_back(detail);
  return link;
}

}  // namespace

Link report_missing_daemon(Surroundings const& around) {
  return {"daemon",
          "",
          LinkState::broken,
          "none runs; browsers with the extension start one",
          command_for(around, "daemon --background"),
          native::last_log_lines(native::log_path_in(around.install.state_dir), log_lines_shown)};
}

void report_silent_daemon(Surroundings const& around, base::Error const& error, Link& link) {
  link.text = "it does not answer: " + std::string(base::slug_of(error.code));
  int const fd = channel::connect_to_daemon(around.install.sockets);
  if (fd < 0) return;
  auto const daemon = channel::peer_process(fd);
  ::close(fd);
  if (daemon) link.command = "kill -KILL " + std::to_string(*daemon) + "; " + link.command;
}

Link check_daemon(Surroundings const& around, object const& status) {
  std::string const version = text_in(status, "version");
  std::string const pid = number_in(status, "pid");
  Link link{"daemon", "", LinkState::ok, "version " + version + ", process " + pid};
  if (version == around.version) return link;
  link.state = LinkState::warning;
  link.text += "; this program is version " + around.version;
  link.command = "kill " + pid;
  return link;
}

Link check_proxy(Surroundings const& around, object const& status) {
  object const& pages = object_at(status, "pages");
  std::string const slug = text_in(pages, "error");
  if (!slug.empty()) {
    bool const of_ca = slug.starts_with("trust.");
    return {
        "proxy", "", LinkState::broken,
        "the daemon opens no pages: " + slug + " (" + text_in(pages, "detail") + ")",
        of_ca ? command_for(around, "install --new-ca") : "kill -HUP " + number_in(status, "pid")};
  }
  std::int64_t const port = integer_at(pages, "proxy_port").value_or(0);
  std::string const where = "127.0.0.1:" + std::to_string(port);
  if (!is_our_proxy(port)) {
    return {"proxy", "", LinkState::broken, where + " does not answer",
            "kill " + number_in(status, "pid")};
  }
  auto const ca = trust::LocalCa::load(around.install.state_dir);
  bool const agrees = ca && ca->trusted_roots().front().fingerprint == text_in(pages, "ca_sha256");
  if (ca && !agrees) {
    return {"proxy", "", LinkState::broken, "the daemon signs with another CA than the installed",
            "kill -HUP " + number_in(status, "pid")};
  }
  return {"proxy", "", LinkState::ok, where};
}

std::vector<Link> check_extensions(Surroundings const& around, object const& status) {
  std::vector<Link> links;
  for (auto const& value : array_at(object_at(status, "pages"), "sessions")) {
    object const& session = value.as_object();
    std::string const version = text_in(session, "extension");
    Link link{"extension", text_in(session, "browser"), LinkState::ok, "version " + version};
    if (version != around.version) {
      link.state = LinkState::warning;
      link.text += "; this program is version " + around.version + ", update the older one";
    }
    links.push_back(std::move(link));
  }
  if (links.empty()) {
    links.push_back({"extension", "", LinkState::untested,
                     "no browser with the extension is connected; start one and look again"});
  }
  return links;
}

std::vector<Link> check_networks(Surroundings const& around, object const& status, Ask const& ask) {
  object const& dht = object_at(status, "dht");
  boost::json::array const& relays = array_at(status, "relays");
  bool const has_dht = flag_at(dht, "enabled").value_or(false);
  Reach const by_dht = has_dht ? try_source(ask, "dht") : Reach{false, "switched off"};
  Reach const by_relay = relays.empty() ? Reach{} : try_source(ask, "relay");
  Link dht_link{"dht", "", LinkState::ok, "answers; " + number_in(dht, "nodes") + " nodes known"};
  if (!by_dht.reached) {
    dht_link.state = has_dht ? LinkState::warning : LinkState::ok;
    dht_link.text = by_dht.why;
  }
  Link relay_link{"relay", "", LinkState::ok, "answers"};
  if (!by_relay.reached) {
    relay_link.state = relays.empty() ? LinkState::ok : LinkState::warning;
    relay_link.text = relays.empty() ? "none is configured, and none is needed" : by_relay.why;
  }
  if (!by_dht.reached && !by_relay.reached) {
    relay_link.state = LinkState::broken;
    relay_link.text = "neither the DHT nor a relay answers";
    relay_link.command = command_for(around, "use-relay " + std::string(public_relay));
  }
  return {dht_link, relay_link};
}

std::vector<Link> check_probe(Surroundings const& around, Ask const& ask) {
  auto const answer = ask("probe", {}, probe_patience);
  if (!answer) {
    std::string const slug(base::slug_of(answer.error().code));
    return {{"probe", "", LinkState::untested, "could not be tried: " + slug}};
  }
  std::vector<Link> links;
  for (auto const& value : array_at(*answer, "browsers")) {
    links.push_back(probe_link(around, value.as_object()));
  }
  if (links.empty()) links.push_back({"probe", "", LinkState::untested, "no browser is connected"});
  return links;
}

}  // namespace dotkey::host::doctor
