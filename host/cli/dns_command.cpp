// SPDX-License-Identifier: Apache-2.0
// dotkey dns: the DNS bridge alone, in the foreground.
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "host/cli/node_settings.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/daemon/core.h"
#include "host/dns/server.h"
#include "host/loop/foreground.h"

namespace dotkey::host::cli {
namespace {

struct DnsArguments {
  std::vector<std::string> listen = {"127.0.0.1:5300"};
  std::vector<std::string> listen_tls;
  std::vector<std::string> listen_https;
  std::string certificate;
  std::string key;
  std::vector<std::string> allow;
  std::uint32_t threads = 1;
};

// "ADDRESS:PORT" with port 0 allowed.
base::Result<base::Endpoint> parse_listen(std::string const& text) {
  if (!text.ends_with(":0")) return base::Endpoint::parse(text);
  auto out = base::Endpoint::parse(text.substr(0, text.size() - 1) + "1");
  if (out) out->port = 0;
  return out;
}

base::Result<dns::ServerSettings> dns_settings(Program const& program,
                                               DnsArguments const& arguments) {
  dns::ServerSettings out;
  std::pair<std::vector<std::string> const&, std::vector<base::Endpoint>&> const all[] = {
      {arguments.listen, out.listen},
      {arguments.listen_tls, out.listen_tls},
      {arguments.listen_https, out.listen_https}};
  for (auto const& [texts, endpoints] : all) {
    for (std::string const& text : texts) {
      auto const endpoint = parse_listen(text);
      if (!endpoint) return tl::make_unexpected(endpoint.error());
      endpoints.push_back(*endpoint);
    }
  }
  for (std::string const& text : arguments.allow) {
    auto const prefix = base::IpPrefix::parse(text);
    if (!prefix) return tl::make_unexpected(prefix.error());
    out.bridge.admission.allowed.push_back(*prefix);
  }
  out.certificate = arguments.certificate;
  out.key = arguments.key;
  out.shards = arguments.threads;
  if (program.options.allow_local_network) {
    out.bridge.rules.local_network = resolve::LocalNetwork::allowed;
  }
  return out;
}

void print_start(Program const& program, dns::Server const& server) {
  dns::ServerAddresses const& addresses = server.addresses();
  boost::json::object out;
  std::string text;
  auto const add = [&](char const* name, char const* title, auto const& list) {
    boost::json::array texts;
    for (base::Endpoint const& address : list) {
      texts.emplace_back(address.to_string());
      text += (text.empty() ? "" : ", ") + std::string(title) + " on " + address.to_string();
    }
    out[name] = std::move(texts);
  };
  add("dns", "DNS", addresses.dns);
  add("tls", "DNS over TLS", addresses.tls);
  add("https", "DNS over HTTPS", addresses.https);
  if (program.options.json) return print_json(out);
  print_line(text + "; Ctrl-C ends it.");
}

daemon::CoreSettings dns_core_settings(Program const& program, bridge::ChaseRules const& rules) {
  daemon::CoreSettings out = core_settings(program, Purpose::daemon);
  // A daemon may run beside.
  out.driver.packets = out.state_dir + "/dns.sqlite";
  out.driver.rows = out.state_dir + "/dns-published.sqlite";
  if (out.driver.dht) out.driver.dht->node.mode = dht::Mode::client;
  // A packet and the answers made from it grow old together.
  out.driver.api.cache.ttl_min_s = rules.ttl_min_s;
  out.driver.api.cache.ttl_max_s = rules.ttl_max_s;
  return out;
}

base::Result<void> run_dns(Program& program, DnsArguments const& arguments) {
  auto settings = dns_settings(program, arguments);
  if (!settings) return tl::make_unexpected(settings.error());
  loop::Foreground foreground;
  auto const core = daemon::Core::open(foreground.loop(), program.entropy,
                                       dns_core_settings(program, settings->bridge.rules));
  if (!core) return tl::make_unexpected(core.error());
  daemon::Services& services = (*core)->services();
  settings->bridge.rules.local_keys = services.local_keys.keys();
  auto const find_key = [&driver = services.driver](crypto::PublicKey const& key,
                                                    dns::OnOutcome const& on_outcome) {
    auto const started = driver.resolve(key, {}, on_outcome);
    if (started) return;
    resolve::Outcome outcome;
    outcome.error = started.error();
    on_outcome(outcome);
  };
  auto const server = dns::Server::open(foreground.loop(), find_key, std::move(*settings));
  if (!server) return tl::make_unexpected(server.error());
  print_start(program, **server);
  foreground.run_until_interrupted();
  return {};
}

}  // namespace

void add_dns_command(CLI::App& app, Program& program) {
  CLI::App* const dns =
      app.add_subcommand("dns", "Answer DNS queries for names under keys, for any program");
  auto const arguments = std::make_shared<DnsArguments>();
  dns->add_option("--listen", arguments->listen,
                  "Where to answer, repeatable (default 127.0.0.1:5300)")
      ->type_name("ADDRESS:PORT")
      ->allow_extra_args(false);
  dns->add_option("--listen-tls", arguments->listen_tls, "Where to answer DNS over TLS, repeatable")
      ->type_name("ADDRESS:PORT")
      ->allow_extra_args(false);
  dns->add_option("--listen-https", arguments->listen_https,
                  "Where to answer DNS over HTTPS at /dns-query, repeatable")
      ->type_name("ADDRESS:PORT")
      ->allow_extra_args(false);
  dns->add_option("--cert", arguments->certificate, "Certificate with its chain, PEM")
      ->type_name("FILE");
  dns->add_option("--key", arguments->key, "The certificate's key, PEM")->type_name("FILE");
  dns->add_option("--allow", arguments->allow,
                  "Whom to serve, repeatable (default: this machine and its local network)")
      ->type_name("PREFIX")
      ->allow_extra_args(false);
  dns->add_option("--threads", arguments->threads, "Threads that answer")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  dns->footer("Example:\n  dotkey dns --listen 127.0.0.1:5300\n  kdig @127.0.0.1 -p 5300 KEY.key");
  dns->callback([&program, arguments] {
    program.action = [&program, arguments] { return run_dns(program, *arguments); };
  });
}

}  // namespace dotkey::host::cli
