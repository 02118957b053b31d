// SPDX-License-Identifier: Apache-2.0
#include "host/json/endpoints.h"

#include <string>

#include <boost/json/object.hpp>

#include "core/names/public_key.h"
#include "core/wire/zone_rdata.h"

namespace dotkey::host::json {

namespace {

template <class Range, class Describe>
boost::json::array array_of(Range const& range, Describe describe) {
  boost::json::array out;
  for (auto const& element : range) out.emplace_back(describe(element));
  return out;
}

// A stranger's record may be a thousand bytes of escapes, 256 times over: the trace has to fit into
// a message.
std::string shortened(std::string text) {
  constexpr std::size_t text_size_max = 300;
  if (text.size() > text_size_max) {
    text.resize(text_size_max);
    text += "...";
  }
  return text;
}

boost::json::object describe(resolve::Endpoint const& endpoint) {
  auto const address = [](base::IpAddress const& one) { return one.to_string(); };
  auto const text = [](std::string const& one) { return one; };
  auto const tlsa = [](wire::dns::Tlsa const& one) {
    return wire::dns::encode_record_data_text(one);
  };
  boost::json::object out = {{"addresses", array_of(endpoint.addresses, address)},
                             {"port", endpoint.port},
                             {"server_name", endpoint.server_name},
                             {"alpn", array_of(endpoint.alpn, text)},
                             {"key", names::format_public_key(endpoint.key)},
                             {"path", array_of(endpoint.path, &names::format_public_key)},
                             {"tlsa", array_of(endpoint.tlsa, tlsa)}};
  if (endpoint.icann_host.empty()) return out;
  out["icann_host"] = endpoint.icann_host;
  out["hints"] = array_of(endpoint.hints, address);
  return out;
}

}  // namespace

boost::json::array describe_endpoints(resolve::EndpointSearch const& search) {
  return array_of(search.endpoints(), &describe);
}

boost::json::array describe_trace(resolve::EndpointSearch const& search) {
  return array_of(search.trace(), [](resolve::TraceStep const& step) {
    return boost::json::object{{"depth", step.depth},
                               {"key", names::format_public_key(step.key)},
                               {"name", shortened(step.name)},
                               {"record", shortened(step.record)},
                               {"note", shortened(step.note)}};
  });
}

}  // namespace dotkey::host::json
