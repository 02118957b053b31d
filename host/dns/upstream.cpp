// SPDX-License-Identifier: Apache-2.0
#include "host/dns/upstream.h"

namespace dotkey::host::dns {
namespace {

struct Scheme {
  std::string_view prefix;
  bridge::Transport transport;
  std::uint16_t port;
};
constexpr Scheme schemes[] = {{"udp://", bridge::Transport::udp, 53},
                              {"tcp://", bridge::Transport::tcp, 53},
                              {"tls://", bridge::Transport::tls, 853},
                              {"https://", bridge::Transport::https, 443}};

base::Result<base::Endpoint> parse_authority(std::string_view text, std::uint16_t port) {
  if (auto const address = base::IpAddress::parse(text)) return base::Endpoint{*address, port};
  bool const is_bare_v6 = text.starts_with('[') && text.ends_with(']');
  if (is_bare_v6) {
    auto const address = base::IpAddress::parse(text.substr(1, text.size() - 2));
    if (address) return base::Endpoint{*address, port};
  }
  return base::Endpoint::parse(text);
}

}  // namespace

base::Result<Upstream> Upstream::parse(std::string_view text) {
  Upstream out;
  std::string_view rest = text;
  std::uint16_t port = 53;
  for (Scheme const& scheme : schemes) {
    if (!text.starts_with(scheme.prefix)) continue;
    rest.remove_prefix(scheme.prefix.size());
    out.transport = scheme.transport;
    port = scheme.port;
  }
  if (std::size_t const mark = rest.find('#'); mark != std::string_view::npos) {
    out.name = std::string(rest.substr(mark + 1));
    rest = rest.substr(0, mark);
  }
  if (out.transport == bridge::Transport::https) {
    std::size_t const slash = rest.find('/');
    out.path = slash == std::string_view::npos ? "/dns-query" : std::string(rest.substr(slash));
    rest = rest.substr(0, slash);
  }
  bool const has_tls =
      out.transport == bridge::Transport::tls || out.transport == bridge::Transport::https;
  auto const endpoint = parse_authority(rest, port);
  if (!endpoint || (!out.name.empty() && !has_tls)) {
    return base::fail(base::ErrorCode::address_malformed, std::string(text));
  }
  out.endpoint = *endpoint;
  return out;
}

}  // namespace dotkey::host::dns
