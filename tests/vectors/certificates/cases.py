# SPDX-License-Identifier: Apache-2.0
"""The cases of decisions.json: who asks for what, what is published and sent, and the verdict."""
from generate import CERTS, HOST, KEYS, SITE, record

ZEROS = "00" * 32
CASES = []


def case(name, verdict, chain, records, hosts=(HOST,), keys=("host",), matched=None, anchor=None,
         differs=False):
    if matched is None and verdict.startswith("allow_by_tlsa"):
        matched = 0
    CASES.append({"name": name, "hosts": list(hosts),
                  "keys": [KEYS[k].public.hex() for k in keys], "records": records,
                  "chain": chain.split(), "verdict": "pin." + verdict, "record": matched,
                  "anchor": anchor, "differs": differs})


def chain_case(name, verdict, chain, anchor, **more):
    """Pins `anchor` by 2 1 1 and asks OpenSSL about the same chain."""
    case(name, verdict, chain, [record("2 1 1", anchor)], anchor=anchor, **more)


def end_entity_cases():
    for key in ("rsa", "pss", "pss_key", "p256", "p384", "p521", "ed25519", "ed448"):
        case(f"3 1 1 of a key of kind {key}", "allow_by_tlsa_ee", f"leaf_{key}",
             [record("3 1 1", f"leaf_{key}")])
    for numbers in ("3 0 0", "3 0 1", "3 0 2", "3 1 0", "3 1 2"):
        case(f"{numbers} matches", "allow_by_tlsa_ee", "leaf_p256", [record(numbers, "leaf_p256")])
        case(f"{numbers} of another certificate", "mismatch", "leaf_p384",
             [record(numbers, "leaf_p256")])
    case("3 1 1 of another key", "mismatch", "leaf_p256", [record("3 1 1", "leaf_p384")])
    case("3 1 1 outlives renewal", "allow_by_tlsa_ee", "leaf_p256_renewed",
         [record("3 1 1", "leaf_p256")])
    case("3 0 1 does not outlive renewal", "mismatch", "leaf_p256_renewed",
         [record("3 0 1", "leaf_p256")])
    case("usage 3 ignores expiry", "allow_by_tlsa_ee", "leaf_expired",
         [record("3 1 1", "leaf_p256")])
    for leaf in ("client_eku", "unknown_critical", "generalized_time", "explicit_ca_false"):
        case(f"usage 3 ignores {leaf}", "allow_by_tlsa_ee", f"leaf_{leaf}",
             [record("3 1 1", "leaf_p256")])
    case("usage 3 ignores other certificates", "allow_by_tlsa_ee",
         "leaf_p256 unrelated truncated", [record("3 1 1", "leaf_p256")])
    case("only the first certificate is the leaf", "mismatch", "leaf_p384 leaf_p256",
         [record("3 1 1", "leaf_p256")])
    case("roll-over: the second of two pins", "allow_by_tlsa_ee", "leaf_p384",
         [record("3 1 1", "leaf_p256"), record("3 1 1", "leaf_p384")], matched=1)
    case("no certificate", "no_certificate", "", [record("3 1 1", "leaf_p256")])
    case("malformed leaf", "certificate_malformed", "truncated", [record("3 1 1", "leaf_p256")])
    case("nine certificates", "chain_too_long", "leaf_p256" + " unrelated" * 8,
         [record("3 1 1", "leaf_p256")])


def name_cases():
    pin = [record("3 1 1", "leaf_p256")]
    for leaf in ("no_san", "no_extensions", "cn_only", "v1", "ip_san", "wildcard_partial",
                 "wildcard_inner", "wildcard_all_keys", "trailing_dot", "nul", "other_host",
                 "wildcard", "site"):
        case(f"usage 3 with the names of leaf_{leaf}", "name_mismatch", f"leaf_{leaf}", pin,
             matched=0)
    for leaf in ("extra_san", "upper_case", "400_names"):
        case(f"usage 3 with the names of leaf_{leaf}", "allow_by_tlsa_ee", f"leaf_{leaf}", pin)
    case("a host with a trailing dot", "allow_by_tlsa_ee", "leaf_p256", pin, hosts=[HOST + "."])
    case("a host in upper case", "allow_by_tlsa_ee", "leaf_p256", pin, hosts=[HOST.upper()])
    case("a wildcard for one label", "allow_by_tlsa_ee", "leaf_wildcard", pin,
         hosts=["www." + HOST])
    case("a wildcard for two labels", "name_mismatch", "leaf_wildcard", pin,
         hosts=["a.b." + HOST], matched=0)
    case("an ICANN host that the packet led to", "allow_by_tlsa_ee", "leaf_site", pin,
         hosts=[HOST, SITE])
    case("an IP address is no host", "name_mismatch", "leaf_ip_as_dns", pin, hosts=["192.0.2.1"],
         matched=0)
    case("no host at all", "name_mismatch", "leaf_p256", pin, hosts=[], matched=0)


def record_cases():
    good = record("3 1 1", "leaf_p256")
    case("no record", "no_records", "leaf_p256", [])
    for label, text in {"usage 0": "0" + good[1:], "usage 1": "1" + good[1:],
                        "usage 255": "255" + good[1:], "selector 2": "3 2 1" + good[5:],
                        "matching 3": "3 1 3" + good[5:], "a short digest": good[:-2],
                        "a long digest": good + "00", "an empty digest": "3 1 1 ",
                        "sha-512 with 32 bytes": "3 1 2" + good[5:],
                        "3 0 0 that is no certificate": "3 0 0 3000",
                        "3 1 0 that is no key": "3 1 0 3000"}.items():
        case(f"only {label}", "unusable_records", "leaf_p256", [text])
        case(f"{label} beside a good record", "allow_by_tlsa_ee", "leaf_p256", [text, good],
             matched=1)
    case("3 0 0 above 4 KiB", "unusable_records", "leaf_400_names",
         [record("3 0 0", "leaf_400_names")])
    strong = record("3 1 2", "leaf_p256")
    case("agility: a wrong SHA-512 beats a right SHA-256", "mismatch", "leaf_p256",
         [good, record("3 1 2", "leaf_p384")])
    case("agility: a right SHA-512 beats a wrong SHA-256", "allow_by_tlsa_ee", "leaf_p256",
         [record("3 1 1", "leaf_p384"), strong], matched=1)
    case("agility: an unusable SHA-512 does not count", "allow_by_tlsa_ee", "leaf_p256",
         [good, strong[:-2]])
    case("agility: a SHA-512 of usage 1 does not count", "allow_by_tlsa_ee", "leaf_p256",
         [good, "1" + strong[1:]])
    case("agility: selectors are apart", "allow_by_tlsa_ee", "leaf_p256",
         [good, record("3 0 2", "leaf_p384")])
    case("agility: usages are apart", "allow_by_tlsa_ee", "leaf_p256",
         [good, record("2 1 2", "leaf_p384")])
    case("agility: matching type 0 always counts", "allow_by_tlsa_ee", "leaf_p256",
         [record("3 1 0", "leaf_p256"), record("3 1 2", "leaf_p384")])
    case("32 records", "allow_by_tlsa_ee", "leaf_p256", [f"3 1 1 {ZEROS}"] * 31 + [good],
         matched=31)
    case("33 records", "too_many_records", "leaf_p256", [f"3 1 1 {ZEROS}"] * 32 + [good])


def key_cases():
    case("the host's own key needs no record", "allow_by_key", "leaf_host_key", [])
    case("the host's own key whatever is published", "allow_by_key", "leaf_host_key",
         [record("3 1 1", "leaf_p256")])
    case("the host's own key after expiry", "allow_by_key", "leaf_host_key_expired", [])
    case("the key of the endpoint", "allow_by_key", "leaf_host_key", [],
         keys=["stranger", "host"])
    case("a stranger's key", "no_records", "leaf_stranger_key", [])
    case("a stranger's key that is pinned", "allow_by_tlsa_ee", "leaf_stranger_key",
         [record("3 1 1", "leaf_stranger_key")])
    case("no key at all", "no_records", "leaf_host_key", [], keys=[])


def chain_cases():
    chain_case("2 1 1", "allow_by_tlsa_ta", "issued ca", "ca")
    for numbers in ("2 0 1", "2 0 2", "2 1 2"):
        case(numbers, "allow_by_tlsa_ta", "issued ca", [record(numbers, "ca")], anchor="ca")
    case("2 0 0 with the authority not sent", "allow_by_tlsa_ta", "issued", [record("2 0 0", "ca")],
         anchor="ca")
    case("2 1 0 with the authority not sent", "allow_by_tlsa_ta", "issued",
         [record("2 1 0", "ca")], anchor="ca")
    case("2 1 0 of another key", "chain_signature_invalid", "issued", [record("2 1 0", "mid")])
    for key in ("rsa", "pss", "p384", "p521", "ed25519"):
        chain_case(f"an authority of kind {key}", "allow_by_tlsa_ta", f"issued_{key} ca_{key}",
                   f"ca_{key}")
    chain_case("an authority of kind pss_key", "allow_by_tlsa_ta", "issued_pss_key ca_pss_key",
               "ca_pss_key")
    chain_case("an Ed448 authority", "algorithm_unsupported", "issued_ed448 ca_ed448", "ca_ed448",
               differs=True)
    chain_case("an RSA authority of 1,024 bits", "algorithm_unsupported", "issued_small ca_small",
               "ca_small")
    chain_case("SHA-1", "algorithm_unsupported", "issued_sha1 ca", "ca")
    chain_case("a forged signature", "chain_signature_invalid", "issued_forged ca", "ca")
    chain_case("a forged Ed25519 signature", "chain_signature_invalid",
               "issued_ed25519_forged ca_ed25519", "ca_ed25519")
    chain_case("an authority of the same name with another key", "chain_signature_invalid",
               "issued ca_other_key", "ca_other_key")
    chain_case("one intermediate", "allow_by_tlsa_ta", "issued_by_mid mid ca", "ca")
    chain_case("two intermediates", "allow_by_tlsa_ta", "issued_by_mid2 mid2 mid ca", "ca")
    chain_case("the wrong order", "allow_by_tlsa_ta", "issued_by_mid2 ca mid mid2", "ca")
    chain_case("certificates that nobody needs", "allow_by_tlsa_ta",
               "issued_by_mid unrelated mid mid2 ca", "ca")
    case("a malformed certificate that nobody needs", "allow_by_tlsa_ta",
         "issued_by_mid truncated mid ca", [record("2 1 1", "ca")])
    case("a malformed certificate in the authority's place", "certificate_malformed",
         "issued_by_mid mid truncated", [record("2 1 1", "ca")])
    case("a malformed certificate in the intermediate's place", "certificate_malformed",
         "issued_by_mid truncated ca", [record("2 1 1", "ca")])
    chain_case("an intermediate as the authority", "allow_by_tlsa_ta", "issued_by_mid mid", "mid")
    chain_case("a missing intermediate", "chain_incomplete", "issued_by_mid ca", "ca")
    case("the authority was not sent", "chain_incomplete", "issued_by_mid mid",
         [record("2 1 1", "ca")])
    case("another authority is pinned", "mismatch", "issued ca", [record("2 1 1", "unrelated")])
    case("a pinned bystander", "chain_incomplete", "issued ca unrelated",
         [record("2 1 1", "unrelated")])
    case("usage 2 names the leaf", "anchor_is_leaf", "leaf_p256", [record("2 1 1", "leaf_p256")])
    chain_case("six deep", "allow_by_tlsa_ta", "issued_deep3 deep3 deep2 deep1 deep0 ca", "ca")
    chain_case("seven deep", "chain_too_long", "issued_deep4 deep4 deep3 deep2 deep1 deep0 ca",
               "ca", differs=True)
    case("a loop", "chain_incomplete", "issued_by_loop loop_a loop_b ca", [record("2 1 1", "ca")])
    case("usage 3 beside usage 2", "allow_by_tlsa_ta", "issued ca",
         [record("3 1 1", "leaf_p384"), record("2 1 1", "ca")], matched=1)
    case("usage 3 of the leaf beside a wrong usage 2", "allow_by_tlsa_ee", "issued ca",
         [record("2 1 1", "unrelated"), record("3 1 1", "leaf_p256")], matched=1)


def chain_fault_cases():
    chain_case("usage 2 with a wrong name", "name_mismatch", "issued_other_host ca", "ca")
    chain_case("an expired leaf", "expired", "issued_expired ca", "ca")
    chain_case("a leaf of the future", "not_yet_valid", "issued_future ca", "ca")
    chain_case("an expired authority", "expired", "issued ca_expired", "ca_expired")
    chain_case("an expired intermediate", "expired", "issued_by_mid mid_expired ca", "ca")
    chain_case("a leaf for clients", "not_for_servers", "issued_client_eku ca", "ca")
    chain_case("a leaf for any purpose", "allow_by_tlsa_ta", "issued_any_eku ca", "ca",
               differs=True)
    chain_case("an authority for clients", "not_for_servers", "issued ca_client_eku",
               "ca_client_eku")
    chain_case("a critical extension in the leaf", "critical_extension",
               "issued_unknown_critical ca", "ca")
    chain_case("a critical extension in the authority", "critical_extension",
               "issued ca_unknown_critical", "ca_unknown_critical")
    for label in ("false", "no_basic", "v1", "usage_without_sign"):
        chain_case(f"authority ca_{label}", "issuer_not_ca", f"issued ca_{label}", f"ca_{label}",
                   differs=label in ("no_basic", "v1"))
    chain_case("an authority without keyUsage", "allow_by_tlsa_ta", "issued ca_no_usage",
               "ca_no_usage")
    chain_case("an intermediate that is no CA", "issuer_not_ca", "issued_by_mid mid_false ca",
               "ca")
    chain_case("pathLen 0 with a leaf below", "allow_by_tlsa_ta", "issued ca_path_0", "ca_path_0")
    chain_case("pathLen 0 with an intermediate below", "issuer_not_ca",
               "issued_by_mid mid ca_path_0", "ca_path_0")
    chain_case("pathLen 0 in the intermediate", "allow_by_tlsa_ta", "issued_by_mid mid_path_0 ca",
               "ca")
    for label in ("permitted", "permitted_key", "permitted_dot", "excluded_below"):
        chain_case(f"constraint {label} permits", "allow_by_tlsa_ta", f"issued ca_{label}",
                   f"ca_{label}")
    for label in ("permitted_else", "excluded"):
        chain_case(f"constraint {label} refuses", "name_constrained", f"issued ca_{label}",
                   f"ca_{label}")
    chain_case("a constraint in the intermediate", "name_constrained",
               "issued_by_mid mid_permitted_else ca", "ca")
    chain_case("an excluded name below a wildcard", "name_constrained",
               "issued_wildcard ca_excluded_below", "ca_excluded_below",
               hosts=["blog." + HOST], differs=True)
    chain_case("excluded addresses and no address", "allow_by_tlsa_ta", "issued ca_excluded_ips",
               "ca_excluded_ips")
    chain_case("excluded addresses and an address", "name_constrained",
               "issued_with_ip ca_excluded_ips", "ca_excluded_ips")
    chain_case("one permitted name and one other", "name_constrained",
               "issued_two_names ca_permitted", "ca_permitted")
    chain_case("permitted mail addresses and none", "allow_by_tlsa_ta",
               "issued ca_permitted_mail", "ca_permitted_mail")
    chain_case("permitted directory names are not compared", "name_constrained",
               "issued ca_permitted_directory", "ca_permitted_directory", differs=True)


def all_cases():
    for build in (end_entity_cases, name_cases, record_cases, key_cases, chain_cases,
                  chain_fault_cases):
        build()
    names = [c["name"] for c in CASES]
    assert len(names) == len(set(names)) and CERTS
    return CASES
