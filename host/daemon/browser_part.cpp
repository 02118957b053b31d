// SPDX-License-Identifier: Apache-2.0
#include "host/daemon/browser_part.h"

#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>

#include "core/base/text.h"

#include "host/daemon/operations.h"

namespace dotkey::host::daemon {
namespace {

constexpr std::size_t slug_size_max = 81;

boost::json::array encode_list(std::vector<base::Bytes> const& list) {
  boost::json::array out;
  for (base::Bytes const& bytes : list) {
    out.emplace_back(base::encode_base64(bytes, base::Base64Alphabet::standard));
  }
  return out;
}

bool is_slug(std::string_view text) {
  return !text.empty() && text.size() <= slug_size_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
         });
}

}  // namespace

boost::json::object describe_evidence(std::uint64_t request, page::ShownEvidence const& evidence) {
  return {{"request_id", request},
          {"host", evidence.site.host},
          {"port", evidence.site.port},
          {"packets", encode_list(evidence.packets)},
          {"chain", encode_list(evidence.chain)},
          {"route",
           {{"host", evidence.route_host},
            {"port", evidence.route_port},
            {"address", evidence.address.to_string()}}},
          {"source", resolve::name_of(evidence.source)},
          {"age_s", evidence.age_s}};
}

base::Result<std::unique_ptr<BrowserPart>> BrowserPart::open(Peer& peer, page::Pages& pages,
                                                             Extension extension) {
  std::unique_ptr<BrowserPart> part(new BrowserPart(peer, std::move(extension)));
  auto session = pages.open_session(*part);
  if (!session) return base::Failure(session.error());
  part->session_ = std::move(*session);
  return part;
}

void BrowserPart::examine(page::ShownEvidence const& evidence, OnVerdict on_verdict) {
  if (waiting_.size() >= verdicts_waiting_max) {
    return on_verdict({false, std::string(base::slug_of(base::ErrorCode::session_busy))});
  }
  std::uint64_t const request = ++last_request_;
  waiting_.emplace(request, std::move(on_verdict));
  peer_.send("evidence", describe_evidence(request, evidence));
}

void BrowserPart::on_refused(proxy::Site const& site, std::string_view slug, bool pinless) {
  boost::json::object body{{"host", site.host}, {"port", site.port}, {"slug", slug}};
  if (pinless) body["pinless"] = true;
  peer_.send("refused", std::move(body));
}

void BrowserPart::on_ca_changed(std::string const& sha256) {
  peer_.send("ca", {{"ca_sha256", sha256}});
}

void BrowserPart::probe(std::string const& url, OnProbed on_probed) {
  on_probed_ = std::move(on_probed);
  peer_.send("probe", {{"request_id", ++last_probe_}, {"url", url}});
}

void BrowserPart::on_probed(boost::json::object const& body) {
  auto const request = channel::integer_at(body, "request_id");
  if (!request || static_cast<std::uint64_t>(*request) != last_probe_ || !on_probed_) return;
  std::exchange(on_probed_, nullptr)(body);
}

void BrowserPart::on_verdict(boost::json::object const& body) {
  auto const request = channel::integer_at(body, "request_id");
  auto const allow = channel::flag_at(body, "allow");
  auto const slug = channel::text_at(body, "slug");
  if (!request || !allow || *request < 0) return;
  auto entry = waiting_.extract(static_cast<std::uint64_t>(*request));
  if (entry.empty()) return;
  std::string_view const unexplained = base::slug_of(base::ErrorCode::proxy_no_decision);
  entry.mapped()({*allow, std::string(slug && is_slug(*slug) ? *slug : unexplained)});
}

}  // namespace dotkey::host::daemon
