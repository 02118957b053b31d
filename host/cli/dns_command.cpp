// SPDX-License-Identifier: Apache-2.0
// dotkey dns: the DNS bridge alone, in the foreground.
#include <memory>

#include <boost/json/object.hpp>

#include "host/cli/dns_serving.h"
#include "host/cli/node_settings.h"
#include "host/cli/output.h"
#include "host/cli/program.h"
#include "host/daemon/core.h"
#include "host/loop/file_limit.h"
#include "host/loop/foreground.h"

namespace dotkey::host::cli {
namespace {

void print_start(Program const& program, DnsServing const& serving) {
  if (program.options.json) {
    boost::json::object out;
    add_addresses(out, serving);
    return print_json(out);
  }
  dns::ServerAddresses const& addresses = serving.server->addresses();
  std::string text;
  auto const add = [&text](char const* title, std::vector<base::Endpoint> const& list) {
    for (base::Endpoint const& address : list) {
      text += (text.empty() ? "" : ", ") + std::string(title) + " on " + address.to_string();
    }
  };
  add("DNS", addresses.dns);
  add("DNS over TLS", addresses.tls);
  add("DNS over HTTPS", addresses.https);
  if (serving.metrics) text += ", metrics on port " + std::to_string(serving.metrics->port());
  print_line(text + "; Ctrl-C ends it.");
}

daemon::CoreSettings dns_core_settings(Program const& program) {
  daemon::CoreSettings out = core_settings(program, Purpose::daemon);
  // A daemon may run beside.
  out.driver.packets = out.state_dir + "/dns.sqlite";
  out.driver.rows = out.state_dir + "/dns-published.sqlite";
  if (out.driver.dht) out.driver.dht->node.mode = dht::Mode::client;
  // What is asked by its name is to change when its owner changes it.
  out.driver.api.cache.ttl_min_s = bridge::ChaseRules{}.ttl_min_s;
  return out;
}

base::Result<void> run_dns(Program& program) {
  loop::raise_file_limit();
  DnsOptions& options = program.options.dns;
  if (!options.has_listen()) options.listen = {"127.0.0.1:5300"};
  loop::Foreground foreground;
  daemon::CoreSettings const settings = dns_core_settings(program);
  cache::Settings const cache = settings.driver.api.cache;
  auto const core = daemon::Core::open(foreground.loop(), program.entropy, settings);
  if (!core) return tl::make_unexpected(core.error());
  auto const serving = serve_dns(foreground.loop(), (*core)->services(), program.options, cache);
  if (!serving) return tl::make_unexpected(serving.error());
  print_start(program, *serving);
  foreground.run_until_interrupted();
  return {};
}

}  // namespace

void add_dns_command(CLI::App& app, Program& program) {
  CLI::App* const dns =
      app.add_subcommand("dns", "Answer DNS queries for names under keys, for any program");
  DnsOptions* const options = &program.options.dns;
  auto const several = [dns](char const* name, std::vector<std::string>& out, char const* meaning,
                             char const* kind) {
    dns->add_option(name, out, meaning)->type_name(kind)->allow_extra_args(false);
  };
  auto const file = [dns](char const* name, std::string& out, char const* meaning) {
    dns->add_option(name, out, meaning)->type_name("FILE");
  };
  several("--listen", options->listen, "Where to answer, repeatable (default 127.0.0.1:5300)",
          "ADDRESS:PORT");
  several("--listen-tls", options->listen_tls, "Where to answer DNS over TLS", "ADDRESS:PORT");
  several("--listen-https", options->listen_https, "Where to answer DNS over HTTPS, at /dns-query",
          "ADDRESS:PORT");
  file("--cert", options->certificate, "Certificate with its chain, PEM");
  file("--key", options->key, "The certificate's key, PEM");
  several("--allow", options->allow, "Whom to serve (default: this machine and its local network)",
          "PREFIX");
  several("--forward", options->forward,
          "Resolver for all other names: 192.0.2.1, tcp://…, tls://192.0.2.1#name, https://…",
          "UPSTREAM");
  file("--forward-ca", options->forward_authorities, "Who vouches for upstreams, PEM");
  several("--zone", options->zones, "Answer a zone of your own from a zone file", "APEX=FILE");
  several("--deny", options->deny_files, "Names that are not to be found, one a line", "FILE");
  several("--except", options->except_files, "Names that are found all the same", "FILE");
  file("--query-log", options->query_log, "Write down what is asked, not by whom");
  dns->add_option("--metrics", options->metrics, "Where to serve Prometheus metrics")
      ->type_name("ADDRESS:PORT");
  dns->add_option("--threads", options->threads, "Threads that answer (default 1)")
      ->check(CLI::Range(1, 64));
  dns->footer("Example:\n  dotkey dns --listen 127.0.0.1:5300\n  kdig @127.0.0.1 -p 5300 KEY.key");
  dns->callback([&program] { program.action = [&program] { return run_dns(program); }; });
}

}  // namespace dotkey::host::cli
