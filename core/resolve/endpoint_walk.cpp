// SPDX-License-Identifier: Apache-2.0
#include "core/resolve/endpoint_walk.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "core/names/public_key.h"

namespace dotkey::resolve {

namespace dns = wire::dns;
using base::IpAddress;
using dns::Name;
using dns::RecordType;
using dns::ResourceRecord;
using dns::Svcb;

namespace {

// What a client must understand when a record declares it mandatory (RFC 9460 §8). ECH is not among
// them: a record that insists on it is left alone.
constexpr std::uint16_t understood_keys[] = {dns::svc_key::alpn, dns::svc_key::no_default_alpn,
                                             dns::svc_key::port, dns::svc_key::ipv4hint,
                                             dns::svc_key::ipv6hint};

// A fixed random number for each record of one search (SplitMix64).
std::uint64_t rank_of(std::uint64_t seed, std::size_t index) {
  std::uint64_t x = seed + (index + 1) * 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// AliasMode has no parameters (RFC 9460 §2.4.2). Pkarr's homeservers write priority 0 with a port
// and mean a service.
bool is_alias(Svcb const& record) {
  return record.priority == 0 && !(record.target.is_root() && !record.params.empty());
}

std::vector<IpAddress> addresses_at(SignedPacket const& packet, Name const& name) {
  std::vector<IpAddress> out;
  for (auto const* const record : packet.find(name)) {
    if (auto const* const v4 = std::get_if<dns::A>(&record->data)) out.push_back(v4->address());
    if (auto const* const v6 = std::get_if<dns::Aaaa>(&record->data)) out.push_back(v6->address());
  }
  return out;
}

std::string list_of(std::vector<IpAddress> const& addresses) {
  std::string out;
  for (IpAddress const& address : addresses) {
    if (!out.empty()) out += ", ";
    out += address.to_string();
  }
  return out;
}

// Without the final dot, in lower case; escapes stay and make it no host name.
std::string host_text_of(Name const& name) {
  std::string out = base::to_lower_ascii(name.to_string());
  if (out.ends_with('.')) out.pop_back();
  return out;
}

// The key that the name lies under, `.key` or bare.
std::optional<names::Hostname> hostname_of(std::string const& text) {
  auto named = names::parse_hostname(text);
  if (!named) named = names::parse_bare_hostname(text);
  if (!named) return std::nullopt;
  return std::move(*named);
}

std::optional<Name> name_under_key(names::Hostname const& host) {
  std::string text = host.subdomain;
  if (!text.empty()) text += '.';
  auto name = Name::parse(text + names::format_public_key(host.key));
  if (!name) return std::nullopt;
  return std::move(*name);
}

}  // namespace

std::string text_of_record(ResourceRecord const& record) {
  std::string out = dns::encode_record_type(record.type);
  if (auto const* const data = std::get_if<Svcb>(&record.data)) {
    out += " " + std::to_string(data->priority) + " " + data->target.to_string();
    for (dns::SvcParam const& param : data->params) {
      out += ' ';
      out += data->is_well_formed() ? dns::encode_svc_param(param) : dns::encode_svc_key(param.key);
    }
  } else if (auto const* const v4 = std::get_if<dns::A>(&record.data)) {
    out += " " + v4->address().to_string();
  } else if (auto const* const v6 = std::get_if<dns::Aaaa>(&record.data)) {
    out += " " + v6->address().to_string();
  } else if (auto const* const alias = std::get_if<dns::Cname>(&record.data)) {
    out += " " + alias->target.to_string();
  }
  constexpr std::size_t size_max = 200;
  if (out.size() > size_max) out = out.substr(0, size_max) + "...";
  return out;
}

void EndpointWalk::run() {
  Place start;
  start.key = query_.host.key;
  start.port = query_.port;
  auto const name = name_under_key(query_.host);
  if (!name) return note(start, "", "the host name is too long");
  start.name = *name;
  visit(start);
  if (!blocked_) settled = endpoints.size();
}

void EndpointWalk::note(Place const& place, std::string record, std::string text) {
  if (trace.size() >= trace_steps_max) return;
  TraceStep step;
  step.depth = place.depth;
  step.key = place.key;
  step.name = place.name.to_string_relative(record::origin_of(place.key));
  step.record = std::move(record);
  step.note = std::move(text);
  trace.push_back(std::move(step));
}

void EndpointWalk::visit(Place const& place) {
  if (place.depth >= endpoint_depth_max) {
    return note(place, "", "skipped: it is more than 7 keys away");
  }
  bool const been_here = std::any_of(path_.begin(), path_.end(), [&](Place const& before) {
    return before.key == place.key && before.name == place.name;
  });
  if (been_here) return note(place, "", "skipped: the way leads in a circle");
  if (visits_ >= endpoint_visits_max) return note(place, "", "skipped: too many names in all");
  ++visits_;
  auto const outcome = outcomes_.find(place.key);
  if (outcome == outcomes_.end()) {
    if (std::find(missing.begin(), missing.end(), place.key) == missing.end()) {
      if (outcomes_.size() + missing.size() >= endpoint_keys_max) {
        return note(place, "", "skipped: too many keys in all");
      }
      missing.push_back(place.key);
    }
    if (!blocked_) settled = endpoints.size();
    blocked_ = true;
    return note(place, "", "waiting for the packet of this key");
  }
  if (!outcome->second.packet) {
    return note(place, "", "skipped: " + std::string(base::slug_of(outcome->second.error->code)));
  }
  path_.push_back(place);
  visit_packet(place, *outcome->second.packet);
  path_.pop_back();
}

void EndpointWalk::visit_packet(Place const& place, SignedPacket const& packet) {
  std::size_t const before = endpoints.size() + missing.size();
  if (!visit_services(place, packet)) return;
  bool const any_plain = visit_plain(place, packet);
  if (!any_plain && endpoints.size() + missing.size() == before && place.hints.empty()) {
    note(place, "", "no HTTPS, SVCB, A, AAAA or CNAME record led anywhere");
  }
}

// Where service records stand: beside the host for the scheme's own port, else below it.
Name EndpointWalk::service_name_of(Place const& place) const {
  bool const is_start = path_.size() == 1;
  std::vector<std::string> labels;
  if (query_.scheme != "https" && query_.scheme != "http") {
    if (is_start) labels = {"_" + query_.scheme};
  } else if (is_start && query_.port != 443 && !(query_.scheme == "http" && query_.port == 80)) {
    labels = {"_" + std::to_string(query_.port), "_https"};
  }
  if (labels.empty()) return place.name;
  std::vector<std::string_view> const views(labels.begin(), labels.end());
  auto const prefix = Name::from_labels(views);
  auto const name = prefix ? prefix->append(place.name) : prefix;
  return name ? *name : place.name;
}

EndpointWalk::Services EndpointWalk::services_at(Place const& place, SignedPacket const& packet) {
  Services out;
  Name const name = service_name_of(place);
  out.records = packet.find(name, RecordType::https);
  if (out.records.empty()) out.records = packet.find(name, RecordType::svcb);
  std::erase_if(out.records, [](ResourceRecord const* record) {
    return !std::holds_alternative<Svcb>(record->data);
  });
  for (ResourceRecord const* const record : out.records) {
    if (std::get<Svcb>(record->data).is_well_formed()) continue;
    // RFC 9460 §2.2: one malformed record spoils the set.
    note(place, text_of_record(*record), "malformed, so its whole record set is ignored");
    return {};
  }
  out.aliases = std::any_of(out.records.begin(), out.records.end(), [](auto const* record) {
    return is_alias(std::get<Svcb>(record->data));
  });
  ResourceRecord const* const first = packet.records().data();
  std::sort(out.records.begin(), out.records.end(), [&](auto const* a, auto const* b) {
    auto const priority_a = std::get<Svcb>(a->data).priority;
    auto const priority_b = std::get<Svcb>(b->data).priority;
    if (priority_a != priority_b) return priority_a < priority_b;
    return rank_of(seed_, static_cast<std::size_t>(a - first)) <
           rank_of(seed_, static_cast<std::size_t>(b - first));
  });
  return out;
}

bool EndpointWalk::visit_services(Place const& place, SignedPacket const& packet) {
  Services const services = services_at(place, packet);
  bool available = true;
  for (ResourceRecord const* const record : services.records) {
    Svcb const& data = std::get<Svcb>(record->data);
    std::string const text = text_of_record(*record);
    if (!services.aliases) {
      visit_service(place, packet, *record);
    } else if (!is_alias(data)) {
      note(place, text, "ignored beside an alias (RFC 9460 §2.4.1)");
    } else if (data.target.is_root()) {
      note(place, text, "the owner says that there is no such service");
      available = false;
    } else {
      Place settings;
      settings.port = place.port;
      visit_target(place, data.target, settings, text);
    }
  }
  return available;
}

std::vector<std::string> EndpointWalk::alpn_of(Svcb const& record) const {
  std::vector<std::string> out;
  for (std::string_view const protocol : record.alpn()) out.emplace_back(protocol);
  bool const has_default = record.find(dns::svc_key::no_default_alpn) == nullptr;
  bool const http = query_.scheme == "https" || query_.scheme == "http";
  if (http && has_default && std::find(out.begin(), out.end(), "http/1.1") == out.end()) {
    out.emplace_back("http/1.1");
  }
  return out;
}

// Empty: the record can be used.
std::string EndpointWalk::reason_to_skip(Svcb const& record) const {
  for (std::uint16_t const key : record.mandatory()) {
    if (std::find(std::begin(understood_keys), std::end(understood_keys), key) ==
        std::end(understood_keys)) {
      return "skipped: " + dns::encode_svc_key(key) + " is mandatory and not understood";
    }
  }
  if (query_.alpn.empty()) return "";
  auto const offered = alpn_of(record);
  if (offered.empty()) return "";
  for (std::string const& protocol : offered) {
    if (std::find(query_.alpn.begin(), query_.alpn.end(), protocol) != query_.alpn.end()) return "";
  }
  return "skipped: it speaks none of our protocols";
}

void EndpointWalk::visit_service(Place const& place, SignedPacket const& packet,
                                 ResourceRecord const& record) {
  Svcb const& data = std::get<Svcb>(record.data);
  std::string const text = text_of_record(record);
  if (std::string const reason = reason_to_skip(data); !reason.empty()) {
    return note(place, text, reason);
  }
  Place settings;
  // Port 0 is pkarr's way of leaving it out.
  settings.port = data.port().value_or(0) != 0 ? *data.port() : place.port;
  settings.alpn = alpn_of(data);
  settings.hints = data.ipv4hints();
  for (IpAddress const& hint : data.ipv6hints()) settings.hints.push_back(hint);
  Name const own = service_name_of(place);
  if (data.target.is_root() || data.target == own || data.target == place.name) {
    Place here = place;
    here.port = settings.port;
    here.alpn = settings.alpn;
    here.hints = settings.hints;
    return visit_own_addresses(here, packet, text);
  }
  visit_target(place, data.target, settings, text);
}

// A target of "." means the owner's name (RFC 9460 §2.5.2); pkarr reads it as the key's own.
void EndpointWalk::visit_own_addresses(Place const& place, SignedPacket const& packet,
                                       std::string const& record) {
  std::vector<IpAddress> found = addresses_at(packet, place.name);
  if (found.empty()) found = addresses_at(packet, record::origin_of(place.key));
  found = allowed(place, found, record);
  std::vector<IpAddress> const hints =
      found.empty() ? allowed(place, place.hints, record) : std::vector<IpAddress>{};
  if (found.empty() && hints.empty()) return note(place, record, "skipped: it has no address");
  Endpoint endpoint;
  endpoint.addresses = found.empty() ? hints : found;
  note(place, record,
       (found.empty() ? "hints: " : "addresses: ") + list_of(endpoint.addresses) + " port " +
           std::to_string(place.port));
  add(std::move(endpoint), place);
}

std::vector<IpAddress> EndpointWalk::allowed(Place const& place,
                                             std::vector<IpAddress> const& addresses,
                                             std::string const& record) {
  std::vector<IpAddress> out;
  for (IpAddress const& address : addresses) {
    if (is_address_allowed(address, query_.local_network)) {
      if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
    } else {
      note(place, record,
           "refused: " + address.to_string() +
               " is not on the public network; `dotkey allow-local KEY` lets it through");
    }
  }
  return out;
}

// A and AAAA, else CNAME. True when there was one of them.
bool EndpointWalk::visit_plain(Place const& place, SignedPacket const& packet) {
  auto const all = addresses_at(packet, place.name);
  if (!all.empty()) {
    auto const found = allowed(place, all, "A/AAAA");
    if (found.empty()) return true;
    Endpoint endpoint;
    endpoint.addresses = found;
    note(place, "A/AAAA", "addresses: " + list_of(found) + " port " + std::to_string(place.port));
    add(std::move(endpoint), place);
    return true;
  }
  auto const aliases = packet.find(place.name, RecordType::cname);
  for (ResourceRecord const* const record : aliases) {
    auto const* const data = std::get_if<dns::Cname>(&record->data);
    if (data == nullptr) continue;
    visit_target(place, data->target, place, text_of_record(*record));
  }
  if (!aliases.empty()) return true;
  if (place.hints.empty()) return false;
  auto const hints = allowed(place, place.hints, "hints");
  if (hints.empty()) return true;
  Endpoint endpoint;
  endpoint.addresses = hints;
  note(place, "", "hints: " + list_of(hints) + " port " + std::to_string(place.port));
  add(std::move(endpoint), place);
  return true;
}

void EndpointWalk::visit_target(Place const& from, Name const& target, Place const& settings,
                                std::string const& record) {
  std::string const text = host_text_of(target);
  auto const host = hostname_of(text);
  if (!host) return visit_icann_host(from, text, settings, record);
  auto const name = name_under_key(*host);
  if (!name) return note(from, record, "skipped: the target is too long");
  note(from, record, "leads to a key");
  Place next = settings;
  next.key = host->key;
  next.name = *name;
  next.depth = from.depth + (host->key == from.key ? 0 : 1);
  visit(next);
}

void EndpointWalk::visit_icann_host(Place const& from, std::string const& host,
                                    Place const& settings, std::string const& record) {
  if (!is_icann_host_allowed(host, query_.local_network)) {
    return note(from, record, "refused: the target is neither a key nor a public host name");
  }
  Endpoint endpoint;
  endpoint.icann_host = host;
  endpoint.hints = allowed(from, settings.hints, record);
  note(from, record, "leads to the host " + host + " port " + std::to_string(settings.port));
  Place place = from;
  place.port = settings.port;
  place.alpn = settings.alpn;
  add(std::move(endpoint), place);
}

void EndpointWalk::add(Endpoint endpoint, Place const& place) {
  endpoint.port = place.port;
  endpoint.alpn = place.alpn;
  endpoint.key = place.key;
  endpoint.server_name =
      endpoint.icann_host.empty() ? query_.host.to_string() : endpoint.icann_host;
  auto const same = [&](Endpoint const& other) {
    return other.addresses == endpoint.addresses && other.icann_host == endpoint.icann_host &&
           other.port == endpoint.port && other.key == endpoint.key;
  };
  if (endpoints.size() >= endpoints_max || std::any_of(endpoints.begin(), endpoints.end(), same)) {
    return;
  }
  for (Place const& step : path_) {
    if (endpoint.path.empty() || !(endpoint.path.back() == step.key)) {
      endpoint.path.push_back(step.key);
    }
  }
  add_pins(endpoint);
  endpoints.push_back(std::move(endpoint));
}

// From the end of the way back to the host asked for: the first name with TLSA records counts, and
// where none has any, the end.
void EndpointWalk::add_pins(Endpoint& endpoint) const {
  for (auto step = path_.rbegin(); step != path_.rend(); ++step) {
    auto const name = tlsa_name_of(step->name, endpoint.port);
    if (!name) continue;
    auto records = tlsa_records_at(*outcomes_.at(step->key).packet, *name);
    if (step != path_.rbegin() && records.empty()) continue;
    endpoint.tlsa_key = step->key;
    endpoint.tlsa_name = *name;
    endpoint.tlsa = std::move(records);
    if (!endpoint.tlsa.empty()) return;
  }
}

}  // namespace dotkey::resolve
