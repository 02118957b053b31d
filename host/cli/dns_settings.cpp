// SPDX-License-Identifier: Apache-2.0
#include "host/cli/dns_settings.h"

#include <algorithm>
#include <functional>

#include "core/wire/zone_text.h"

#include "host/store/atomic_file.h"

namespace dotkey::host::cli {
namespace {

using base::Result;
using wire::dns::Name;

constexpr std::size_t names_size_max = 64U << 20;

Result<void> parse_listens(std::vector<std::string> const& texts,
                           std::vector<base::Endpoint>& out) {
  for (std::string const& text : texts) {
    auto const endpoint = parse_listen(text);
    if (!endpoint) return tl::make_unexpected(endpoint.error());
    out.push_back(*endpoint);
  }
  return {};
}

Result<void> read_zone(std::string const& text, bridge::LocalNames& out) {
  std::size_t const equals = text.find('=');
  if (equals == std::string::npos) {
    return base::fail(base::ErrorCode::zone_syntax, "\"" + text + "\" is not APEX=FILE");
  }
  auto const apex = Name::parse(text.substr(0, equals));
  if (!apex) return tl::make_unexpected(apex.error());
  std::string const file = text.substr(equals + 1);
  auto const bytes = store::read_file(file, wire::dns::zone_text_size_max);
  if (!bytes) return tl::make_unexpected(bytes.error());
  auto records = wire::dns::parse_zone_text(base::text_of(*bytes), *apex);
  if (!records) return base::fail(records.error().code, file + ": " + records.error().detail);
  out.add_zone(*apex, std::move(*records));
  return {};
}

// Names one a line, or hosts files: the last word of a line counts. "#" begins a comment.
Result<void> read_names(std::string const& file, std::function<void(Name const&)> const& add) {
  auto const bytes = store::read_file(file, names_size_max);
  if (!bytes) return tl::make_unexpected(bytes.error());
  std::string_view rest = base::text_of(*bytes);
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::size_t const end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    line = line.substr(0, line.find('#'));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
      line.remove_suffix(1);
    }
    std::size_t const space = line.find_last_of(" \t");
    if (space != std::string_view::npos) line = line.substr(space + 1);
    if (line.empty()) continue;
    auto const name = Name::parse(line);
    if (!name) {
      return base::fail(base::ErrorCode::dns_name_invalid,
                        file + ", line " + std::to_string(number));
    }
    add(*name);
  }
  return {};
}

Result<std::shared_ptr<bridge::LocalNames const>> read_local(DnsOptions const& options) {
  auto out = std::make_shared<bridge::LocalNames>();
  for (std::string const& zone : options.zones) {
    if (auto read = read_zone(zone, *out); !read) return tl::make_unexpected(read.error());
  }
  for (std::string const& file : options.deny_files) {
    auto read = read_names(file, [&](Name const& name) { out->deny(name); });
    if (!read) return tl::make_unexpected(read.error());
  }
  for (std::string const& file : options.except_files) {
    auto read = read_names(file, [&](Name const& name) { out->allow(name); });
    if (!read) return tl::make_unexpected(read.error());
  }
  return out;
}

}  // namespace

Result<base::Endpoint> parse_listen(std::string const& text) {
  if (!text.ends_with(":0")) return base::Endpoint::parse(text);
  auto out = base::Endpoint::parse(text.substr(0, text.size() - 1) + "1");
  if (out) out->port = 0;
  return out;
}

Result<dns::ServerSettings> dns_server_settings(DnsOptions const& options,
                                                bool allow_local_network) {
  dns::ServerSettings out;
  auto parsed = parse_listens(options.listen, out.listen);
  if (parsed) parsed = parse_listens(options.listen_tls, out.listen_tls);
  if (parsed) parsed = parse_listens(options.listen_https, out.listen_https);
  if (!parsed) return tl::make_unexpected(parsed.error());
  for (std::string const& text : options.allow) {
    auto const prefix = base::IpPrefix::parse(text);
    if (!prefix) return tl::make_unexpected(prefix.error());
    out.bridge.admission.allowed.push_back(*prefix);
  }
  for (std::string const& text : options.forward) {
    auto upstream = dns::Upstream::parse(text);
    if (!upstream) return tl::make_unexpected(upstream.error());
    out.forwarder.upstreams.push_back(std::move(*upstream));
  }
  auto local = read_local(options);
  if (!local) return tl::make_unexpected(local.error());
  out.bridge.rules.local = std::move(*local);
  out.certificate = options.certificate;
  out.key = options.key;
  out.upstream_authorities = options.forward_authorities;
  out.query_log = options.query_log;
  out.shards = std::max(options.threads, 1U);
  if (allow_local_network) out.bridge.rules.local_network = resolve::LocalNetwork::allowed;
  return out;
}

}  // namespace dotkey::host::cli
