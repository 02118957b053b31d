// SPDX-License-Identifier: Apache-2.0
// The closed list of expected failures. Each has a stable slug (`record.signature_invalid`) that
// scripts and the user interface may rely on, and one sentence that says cause and fix.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dotkey::base {

// clang-format off
// X(enumerator, slug, cause and fix)
#define DOTKEY_ERRORS(X)                                                                           \
  X(bencode_malformed,          "bencode.malformed",          "The bytes are not canonical bencode (BEP 3).") \
  X(krpc_malformed,             "krpc.malformed",             "The datagram is not a KRPC message (BEP 5).") \
  X(dns_malformed,              "dns.malformed",              "The bytes are not a DNS message (RFC 1035).") \
  X(dns_name_invalid,           "dns.name_invalid",           "A domain name has labels of 1 to 63 bytes and at most 255 bytes in all; check the name.") \
  X(dns_too_large,              "dns.too_large",              "The DNS message does not fit its size limit; remove records or shorten names.") \
  X(dns_no_upstream,            "dns.no_upstream",            "This name is not under a public key, and no upstream resolver is configured; name one with --forward.") \
  X(dns_upstream_failed,        "dns.upstream_failed",        "No upstream resolver gave a usable answer; check the network and --forward.") \
  X(dns_servers_failed,         "dns.servers_failed",         "None of the name servers that the key's packet names gave a usable answer; its owner must mend its NS records or those servers.") \
  X(dns_certificate_unusable,   "dns.certificate_unusable",   "The DNS server's certificate or key cannot be used; name a PEM file with the chain and one with its key.") \
  X(dns_client_denied,          "dns.client_denied",          "This DNS server does not serve your address; its operator may add it to `allow` in the table [dns].") \
  X(dns_client_limited,         "dns.client_limited",         "Your address asks this DNS server too much; ask more slowly.") \
  X(dns_alias_loop,             "dns.alias_loop",             "The CNAME records lead in a circle or through too many names; their owner must mend them.") \
  X(dns_address_refused,        "dns.address_refused",        "The records lead to this machine or its local network, which is not allowed; `dotkey allow-local KEY` permits that.") \
  X(zone_syntax,                "zone.syntax",                "The zone file has a line that cannot be read; mend the line named.") \
  X(hex_malformed,              "hex.malformed",              "The text is not hexadecimal with two digits a byte.") \
  X(base64_malformed,           "base64.malformed",           "The text is not base64.") \
  X(number_out_of_range,        "number.out_of_range",        "The number is outside the range allowed here.") \
  X(address_malformed,          "address.malformed",          "The text is not an IP address, or not HOST:PORT with a port from 1 to 65535.") \
  X(key_malformed,              "key.malformed",              "A public key is 52 characters of z-base-32, alone or inside a URI; check for missing or changed characters.") \
  X(key_not_on_curve,           "key.not_on_curve",           "The text has the form of a public key but is no point of Ed25519; a character was changed.") \
  X(hostname_malformed,         "hostname.malformed",         "The host name is not of the form [sub.]<52-character key>.key.") \
  X(record_truncated,           "record.truncated",           "A signed packet has at least 104 bytes; this one is cut short.") \
  X(record_too_large,           "record.too_large",           "The records need more than 1,000 bytes; remove records or shorten names.") \
  X(record_signature_invalid,   "record.signature_invalid",   "The signature does not belong to this key and content; the packet was changed on its way.") \
  X(record_timestamp_invalid,   "record.timestamp_invalid",   "The timestamp does not fit a BEP 44 sequence number.") \
  X(record_type_unknown,        "record.type_unknown",        "There is no record type of that name; write A, AAAA, TXT, HTTPS, or TYPE and a number.") \
  X(crypto_unavailable,         "crypto.unavailable",         "The cryptography library did not start; reinstall libsodium.") \
  X(crypto_decryption_failed,   "crypto.decryption_failed",   "The passphrase is wrong or the data was changed.") \
  X(dht_no_nodes,               "dht.no_nodes",               "No DHT node is known; check the network, or name one with --bootstrap HOST:PORT.") \
  X(dht_no_responses,           "dht.no_responses",           "No DHT node answered; check the network or a firewall that blocks UDP.") \
  X(dht_not_found,              "dht.not_found",              "No DHT node has a record for this key; it was never published, or not for some hours.") \
  X(dht_newer_exists,           "dht.newer_exists",           "The network holds a newer record for this key; resolve it first, then publish again.") \
  X(dht_cas_mismatch,           "dht.cas_mismatch",           "Someone published another record for this key meanwhile; resolve it, merge, publish again.") \
  X(dht_not_stored,             "dht.not_stored",             "DHT nodes answered but none stored the record.") \
  X(dht_busy,                   "dht.busy",                   "Too many lookups run at once; wait for some to end.") \
  X(file_unreadable,            "file.unreadable",            "A file cannot be read; check its path and permissions.") \
  X(file_unwritable,            "file.unwritable",            "A file cannot be written; check the path, permissions and free space. What was there is unchanged.") \
  X(file_exists,                "file.exists",                "A file of that name is there already and is never overwritten; move it or choose another name.") \
  X(keystore_name_invalid,      "keystore.name_invalid",      "A key's name is 1 to 64 characters of a-z, 0-9, dot, underscore and hyphen, and starts with a letter or digit.") \
  X(keystore_not_found,         "keystore.not_found",         "No key of that name is stored here; see `dotkey key list`.") \
  X(keystore_exists,            "keystore.exists",            "A key of that name is stored already and is never overwritten; choose another name.") \
  X(keystore_malformed,         "keystore.malformed",         "The key file is damaged or no key file; it was left as it is, restore it from a copy.") \
  X(keystore_passphrase_needed, "keystore.passphrase_needed", "The key is locked; type its passphrase at a terminal, or give --passphrase-file or DOTKEY_PASSPHRASE.") \
  X(keystore_not_confirmed,     "keystore.not_confirmed",     "Removing a key cannot be undone; confirm at the terminal or add --yes.") \
  X(phrase_length_wrong,        "phrase.length_wrong",        "A recovery phrase has 24 words; check for missing or extra ones.") \
  X(phrase_word_unknown,        "phrase.word_unknown",        "A word of the recovery phrase is not in the word list; check the spelling of the word named.") \
  X(phrase_checksum_wrong,      "phrase.checksum_wrong",      "The words do not belong together; check their order and spelling.") \
  X(config_malformed,           "config.malformed",           "The configuration file is not valid TOML or has a value of the wrong kind; mend the line named.") \
  X(config_unknown_key,         "config.unknown_key",         "The configuration file has a key that dotkey does not know; mend or remove the line named.") \
  X(store_unusable,             "store.unusable",             "The database cannot be used; free space on its disk, or move it away to begin with an empty one.") \
  X(network_socket_failed,      "network.socket_failed",      "A network socket could not be opened; check the port and the limits of this system.") \
  X(network_name_unresolved,    "network.name_unresolved",    "A host name does not resolve; check its spelling and the network.") \
  X(network_connection_failed,  "network.connection_failed",  "The connection failed; check that the server runs and listens there.") \
  X(network_timeout,            "network.timeout",            "The operation took longer than --timeout-s allows; check the network or allow more time.") \
  X(network_no_source,          "network.no_source",          "There is nothing to ask: the DHT is switched off and no relay is available.") \
  X(dht_bootstrap_unresolved,   "dht.bootstrap_unresolved",   "No bootstrap name resolves; check the network and the spelling of --bootstrap HOST:PORT.") \
  X(relay_url_malformed,        "relay.url_malformed",        "A relay's address has the form https://HOST[:PORT][/PATH]; mend it.") \
  X(relay_busy,                 "relay.busy",                 "Too many requests to relays run at once; wait for some to end.") \
  X(relay_unreachable,          "relay.unreachable",          "The relay cannot be reached; check the network or name another with --relay URL.") \
  X(relay_timeout,              "relay.timeout",              "The relay did not answer in time; try again or name another with --relay URL.") \
  X(relay_redirected,           "relay.redirected",           "The relay points elsewhere, which is not followed; give its final address with --relay URL.") \
  X(relay_response_too_large,   "relay.response_too_large",   "The relay's answer is larger than any signed packet; name another relay with --relay URL.") \
  X(relay_response_malformed,   "relay.response_malformed",   "The relay's answer breaks the relay protocol; name another relay with --relay URL.") \
  X(relay_payload_invalid,      "relay.payload_invalid",      "The relay sent bytes that are no packet signed by this key; it is faulty or lies, name another with --relay URL.") \
  X(relay_rate_limited,         "relay.rate_limited",         "The relay wants fewer requests; wait, or name another with --relay URL.") \
  X(relay_dht_unavailable,      "relay.dht_unavailable",      "The relay cannot reach the DHT at present; try again later or name another with --relay URL.") \
  X(relay_refused,              "relay.refused",              "The relay refused the request as faulty; it may be too old, name another with --relay URL.") \
  X(relay_not_found,            "relay.not_found",            "No relay has a record for this key; it was never published, or not for some hours.") \
  X(relay_newer_exists,         "relay.newer_exists",         "A relay holds a newer record for this key; resolve it first, then publish again.") \
  X(relay_cas_mismatch,         "relay.cas_mismatch",         "Someone published another record for this key meanwhile; resolve it, merge, publish again.") \
  X(resolve_not_found,          "resolve.not_found",          "No source has a record for this key; it was never published, or not for some hours.") \
  X(resolve_network_failed,     "resolve.network_failed",     "Neither the DHT nor a relay could say; check the network.") \
  X(resolve_timeout,            "resolve.timeout",            "The network did not answer in time; try again, or allow more time.") \
  X(resolve_invalid_packet,     "resolve.invalid_packet",     "What this key published last is no signed packet; its owner must publish again.") \
  X(resolve_busy,               "resolve.busy",               "Too many questions wait for the network; ask again later.") \
  X(resolve_no_endpoint,        "resolve.no_endpoint",        "The key's records lead to no address; its owner must publish an HTTPS, A, AAAA or CNAME record that does. See `dotkey resolve KEY --trace`.") \
  X(publish_conflict,           "publish.conflict",           "The network holds a newer record of this key, or not the one to be replaced; merge the two and publish again.") \
  X(publish_too_few_nodes,      "publish.too_few_nodes",      "Fewer DHT nodes than wanted stored the record, so it may be hard to find; publish again later.") \
  X(publish_failed,             "publish.failed",             "Neither the DHT nor a relay stored the record; check the network.") \
  X(publish_busy,               "publish.busy",               "A record of this key, or too many others, are being published; wait for that to end.") \
  X(publish_row_malformed,      "publish.row_malformed",      "A saved record that was to be republished is damaged; publish it again.") \
  X(cache_miss,                 "cache.miss",                 "No fresh record for this key is stored here; resolve it with --policy newest.") \
  X(evidence_oversized,         "evidence.oversized",         "The dotkey program sent more packets or certificates than a page can need; update dotkey.") \
  X(evidence_packet_missing,    "evidence.packet_missing",    "The dotkey program showed no packet that this key signed; run `dotkey doctor`.") \
  X(evidence_route_unpublished, "evidence.route_unpublished", "The connection does not go where the key's records lead; load the page again, and run `dotkey doctor` if that does not help.") \
  X(doctor_broken,              "doctor.broken",              "A link between the browser and the network is broken; run the command named beside it.") \
  X(daemon_running,             "daemon.running",             "A daemon serves this state directory already; see `dotkey status`.") \
  X(daemon_not_running,         "daemon.not_running",         "No daemon runs for this state directory; start `dotkey daemon`.") \
  X(daemon_gone,                "daemon.gone",                "The daemon closed the connection; see whether it still runs with `dotkey status`.") \
  X(session_body_malformed,     "session.body_malformed",     "The request to the daemon lacks a field or has one of another kind; update both programs.") \
  X(session_op_unknown,         "session.op_unknown",         "The daemon does not know this operation; update it and start it again.") \
  X(session_busy,               "session.busy",               "Too many requests of one program wait for answers; let some end first.") \
  X(tls_failed,                 "tls.failed",                 "The server did not complete a TLS handshake; check that the port speaks TLS.") \
  X(certificate_malformed,      "certificate.malformed",      "The file holds no X.509 certificate in PEM or DER form.") \
  X(trust_ca_exposed,           "trust.ca_exposed",           "The local CA's key file belongs to someone else or others may read it; run `dotkey uninstall`, delete the file, install again.") \
  X(trust_ca_malformed,         "trust.ca_malformed",         "The local CA's file is damaged; run `dotkey uninstall`, delete the file, install again.") \
  X(trust_nss_unavailable,      "trust.nss_unavailable",      "The NSS library is missing, and with it the way into the browsers' trust stores; install libnss3.") \
  X(trust_store_failed,         "trust.store_failed",         "A browser's trust store cannot be read or changed; check the owner and permissions of the directory named.") \
  X(trust_store_locked,         "trust.store_locked",         "A primary password guards this Firefox profile's trust settings; install the CA through Firefox's policies or remove the password.") \
  X(daemon_not_started,         "daemon.not_started",         "The dotkey daemon could not be started; run `dotkey daemon` in a terminal to see why.") \
  X(native_frame_oversized,     "native.frame_oversized",     "A message between browser and daemon is larger than 1 MB; update dotkey and its extension.") \
  X(install_browser_unknown,    "install.browser_unknown",    "dotkey knows the browsers chromium, chrome, edge, brave and firefox; name one of them.") \
  X(install_child_failed,       "install.child_failed",       "A process that was to change the browsers' certificates failed; run `dotkey trust list` to see why.") \
  X(install_firefox_running,    "install.firefox_running",    "Firefox has this profile open and would write its preferences anew; close it and run `dotkey uninstall` again.") \
  X(install_list_malformed,     "install.list_malformed",     "The list of what was installed is damaged; move it away, install again, then uninstall.") \
  X(install_policy_malformed,   "install.policy_malformed",   "Firefox's policy file is not a JSON object; mend it first.") \
  X(proxy_request_malformed,    "proxy.request_malformed",    "The request to the local proxy is not plain HTTP/1.1; browsers do not send such, so look at the program that did.") \
  X(proxy_site_foreign,         "proxy.site_foreign",         "The local proxy opens names that end in .key and nothing else; check the browser's proxy settings.") \
  X(proxy_port_refused,         "proxy.port_refused",         "The local proxy opens ports 80, 443, 8443 and those that the key's packet names; publish the port in an HTTPS record.") \
  X(proxy_address_refused,      "proxy.address_refused",      "The key's packet leads to this machine or its local network; `dotkey allow-local KEY` permits that.") \
  X(proxy_client_unauthorized,  "proxy.client_unauthorized",  "This proxy port belongs to another user or to another browser; use the port that your own browser was given.") \
  X(proxy_busy,                 "proxy.busy",                 "Too many connections are open through this proxy port; close some pages.") \
  X(proxy_tls_expected,         "proxy.tls_expected",         "A .key page is opened over TLS; use https:// or wss://.") \
  X(proxy_no_decision,          "proxy.no_decision",          "Nobody said within the time allowed whether this page may open; check that the extension runs.") \
  X(site_unreachable,           "site.unreachable",           "No server of this site answers; it is down, or its packet names a wrong address.") \
  X(site_tls_failed,            "site.tls_failed",            "The site's server did not complete a TLS handshake; its operator must mend it.") \
  X(cancelled,                  "cancelled",                  "The operation was cancelled.")
// clang-format on

enum class ErrorCode : std::uint16_t {
#define DOTKEY_ENUMERATOR(name, slug, advice) name,
  DOTKEY_ERRORS(DOTKEY_ENUMERATOR)
#undef DOTKEY_ENUMERATOR
};

inline constexpr ErrorCode all_error_codes[] = {
#define DOTKEY_ENUMERATOR(name, slug, advice) ErrorCode::name,
    DOTKEY_ERRORS(DOTKEY_ENUMERATOR)
#undef DOTKEY_ENUMERATOR
};

// "record.signature_invalid": stable over releases.
std::string_view slug_of(ErrorCode code);

// One sentence: cause and fix.
std::string_view advice_for(ErrorCode code);

// An expected failure. `detail` says where and what, for a person: "line 3, column 7: …".
struct Error {
  ErrorCode code;
  std::string detail;

  explicit Error(ErrorCode c) : code(c) {}
  Error(ErrorCode c, std::string d) : code(c), detail(std::move(d)) {}
  friend bool operator==(Error const& a, Error const& b) { return a.code == b.code; }
};

}  // namespace dotkey::base
