#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes facts.json and decisions.json beside itself; the same bytes on every run.

The verdicts below are written by hand from docs/protocol/pins.md. Hashes of keys and the fate of
every chain are OpenSSL's answer, so two programs that share no code agree on these files.
Needs python3-cryptography (for Ed25519 and Ed448) and openssl.
"""
import hashlib
import json
import pathlib
import subprocess
import tempfile

from minting import (CERT_SIGN, DIGITAL_SIGNATURE, NULL, Ec, Ed, Rsa, basic, bits, certificate,
                     constraints, dns, eku, extension, integer, ip, oid, san, seq, tlv, usage)

HERE = pathlib.Path(__file__).parent
NOW = 1767225600  # 2026-01-01
PAST = {"not_before": "200101000000Z", "not_after": "250101000000Z"}
FUTURE = {"not_before": "270101000000Z", "not_after": "340101000000Z"}


def zbase32(data):
    text, number = "", int.from_bytes(data + b"\0\0\0", "big")
    for shift in range(len(data) * 8 + 19, 18, -5):
        text += "ybndrfg8ejkmcpqxot1uwisza345h769"[number >> shift & 31]
    return text


KEYS = {"rsa": Rsa("rsa"), "pss": Rsa("pss", 3072, pss=True), "small": Rsa("small", 1024),
        "pss_key": Rsa("pss key", pss=True, pss_key=True),
        "p256": Ec("p256"), "p384": Ec("p384", 384), "p521": Ec("p521", 521),
        "ed25519": Ed("ed25519"), "ed448": Ed("ed448", 448), "other": Ec("other"),
        "ca": Ec("ca"), "mid": Ec("mid"), "mid2": Ec("mid2"), "host": Ed("host"),
        "stranger": Ed("stranger")}
HOST = zbase32(KEYS["host"].public)[:52] + ".key"
SITE = "www.example.com"
CERTS, MALFORMED = {}, {}


def leaf(key, host=HOST, **more):
    more.setdefault("extensions", [san(host)])
    return certificate("site", KEYS[key], **more)


def issued(issuer, key="p256", signer="ca", **more):
    return leaf(key, issuer=issuer, issuer_key=KEYS[signer], **more)


def ca(subject, key="ca", issuer=None, signer=None, **more):
    more.setdefault("extensions", [basic(), usage(CERT_SIGN)])
    return certificate(subject, KEYS[key], issuer, KEYS[signer or key], **more)


def make_leaves():
    for key in ("rsa", "pss", "pss_key", "p256", "p384", "p521", "ed25519", "ed448"):
        CERTS["leaf_" + key] = leaf(key)
    CERTS["leaf_p256_renewed"] = leaf("p256", not_before="250601000000Z")
    CERTS["leaf_expired"] = leaf("p256", **PAST)
    CERTS["leaf_no_san"] = leaf("p256", extensions=[basic(False)])
    CERTS["leaf_no_extensions"] = leaf("p256", extensions=[])
    CERTS["leaf_cn_only"] = certificate(HOST, KEYS["p256"])
    CERTS["leaf_v1"] = leaf("p256", extensions=[], version=1)
    CERTS["leaf_extra_san"] = leaf("p256", extensions=[san("a.example", ip(192, 0, 2, 1), HOST)])
    CERTS["leaf_ip_san"] = leaf("p256", extensions=[san(ip(192, 0, 2, 1))])
    CERTS["leaf_ip_as_dns"] = leaf("p256", "192.0.2.1")
    CERTS["leaf_wildcard"] = leaf("p256", "*." + HOST)
    CERTS["leaf_wildcard_all_keys"] = leaf("p256", "*.key")
    CERTS["leaf_wildcard_partial"] = leaf("p256", "w*." + HOST)
    CERTS["leaf_wildcard_inner"] = leaf("p256", "a.*." + HOST)
    CERTS["leaf_upper_case"] = leaf("p256", HOST.upper())
    CERTS["leaf_trailing_dot"] = leaf("p256", HOST + ".")
    CERTS["leaf_nul"] = leaf("p256", HOST + "\0.evil.example")
    CERTS["leaf_other_host"] = leaf("p256", "b." + HOST)
    CERTS["leaf_site"] = leaf("p256", SITE)
    CERTS["leaf_host_key"] = leaf("host", extensions=[])
    CERTS["leaf_host_key_expired"] = leaf("host", extensions=[], **PAST)
    CERTS["leaf_stranger_key"] = leaf("stranger")
    CERTS["leaf_client_eku"] = leaf("p256", extensions=[san(HOST), eku("02")])
    CERTS["leaf_unknown_critical"] = leaf("p256", extensions=[
        san(HOST), extension("2a030405", NULL, critical=True)])
    CERTS["leaf_generalized_time"] = leaf("p256", time_tag=0x18, not_before="20240229235959Z",
                                          not_after="99991231235959Z")
    CERTS["leaf_explicit_ca_false"] = leaf("p256", extensions=[
        san(HOST), extension("551d13", seq(tlv(0x01, b"\0")))])
    CERTS["leaf_400_names"] = leaf("p256", extensions=[
        san(*(f"host{i}.example.com" for i in range(400)), HOST)])


def make_chains():
    CERTS["ca"] = ca("CA")
    CERTS["issued"] = issued("CA", extensions=[san(HOST), usage(DIGITAL_SIGNATURE), eku("01")])
    CERTS["issued_other_host"] = issued("CA", extensions=[san("b." + HOST)])
    CERTS["issued_expired"] = issued("CA", **PAST)
    CERTS["issued_future"] = issued("CA", **FUTURE)
    CERTS["issued_client_eku"] = issued("CA", extensions=[san(HOST), eku("02")])
    CERTS["issued_any_eku"] = issued("CA", extensions=[
        san(HOST), extension("551d25", seq(oid("551d2500")))])
    CERTS["issued_unknown_critical"] = issued("CA", extensions=[
        san(HOST), extension("2a030405", NULL, critical=True)])
    CERTS["issued_forged"] = issued("CA", signer="other")
    CERTS["issued_sha1"] = issued("CA", hash_name="sha1")
    CERTS["ca_expired"] = ca("CA", **PAST)
    CERTS["ca_false"] = ca("CA", extensions=[basic(False), usage(CERT_SIGN)])
    CERTS["ca_v1"] = ca("CA", version=1, extensions=[])
    CERTS["ca_no_basic"] = ca("CA", extensions=[usage(CERT_SIGN)])
    CERTS["ca_no_usage"] = ca("CA", extensions=[basic()])
    CERTS["ca_usage_without_sign"] = ca("CA", extensions=[basic(), usage(DIGITAL_SIGNATURE)])
    CERTS["ca_other_key"] = ca("CA", "other")
    CERTS["ca_client_eku"] = ca("CA", extensions=[basic(), usage(CERT_SIGN), eku("02")])
    CERTS["ca_unknown_critical"] = ca("CA", extensions=[
        basic(), usage(CERT_SIGN), extension("2a030405", NULL, critical=True)])
    CERTS["ca_path_0"] = ca("CA", extensions=[basic(path_length=0), usage(CERT_SIGN)])
    for key in ("rsa", "pss", "pss_key", "p384", "p521", "ed25519", "ed448", "small"):
        CERTS["ca_" + key] = ca("CA " + key, key)
        CERTS["issued_" + key] = issued("CA " + key, signer=key)
    CERTS["issued_ed25519_forged"] = issued(
        "CA ed25519", signer="ed25519", signature=KEYS["ed25519"].sign(b"another", None))
    limits = {"permitted": [HOST], "permitted_key": ["key"], "permitted_dot": [".key"],
              "permitted_else": ["example.com"]}
    for label, names in limits.items():
        CERTS["ca_" + label] = ca("CA", extensions=[basic(), usage(CERT_SIGN), constraints(names)])
    CERTS["ca_excluded"] = ca("CA", extensions=[basic(), usage(CERT_SIGN),
                                                constraints(excluded=[HOST])])
    CERTS["ca_excluded_below"] = ca("CA", extensions=[basic(), usage(CERT_SIGN),
                                                      constraints(excluded=["www." + HOST])])
    CERTS["ca_excluded_ips"] = ca("CA", extensions=[basic(), usage(CERT_SIGN), constraints(
        ["key"], [tlv(0x87, bytes(8)), tlv(0x87, bytes(32))])])
    CERTS["ca_permitted_mail"] = ca("CA", extensions=[basic(), usage(CERT_SIGN), constraints(
        [tlv(0x81, b"example.com")])])
    CERTS["ca_permitted_directory"] = ca("CA", extensions=[
        basic(), usage(CERT_SIGN), constraints([tlv(0xa4, seq())])])
    CERTS["issued_wildcard"] = issued("CA", extensions=[san("*." + HOST)])
    CERTS["issued_with_ip"] = issued("CA", extensions=[san(HOST, ip(192, 0, 2, 1))])
    CERTS["issued_two_names"] = issued("CA", extensions=[san(HOST, SITE)])
    CERTS["mid"] = ca("Mid", "mid", "CA", "ca")
    CERTS["mid_false"] = ca("Mid", "mid", "CA", "ca", extensions=[basic(False)])
    CERTS["mid_expired"] = ca("Mid", "mid", "CA", "ca", **PAST)
    CERTS["mid_path_0"] = ca("Mid", "mid", "CA", "ca", extensions=[
        basic(path_length=0), usage(CERT_SIGN)])
    CERTS["mid_permitted_else"] = ca("Mid", "mid", "CA", "ca", extensions=[
        basic(), usage(CERT_SIGN), constraints(["example.com"])])
    CERTS["mid2"] = ca("Mid2", "mid2", "Mid", "mid")
    CERTS["issued_by_mid"] = issued("Mid", signer="mid")
    CERTS["issued_by_mid2"] = issued("Mid2", signer="mid2")
    chain = ["mid", "mid2", "other", "p256", "mid", "mid2"]
    for i, key in enumerate(chain):
        CERTS[f"deep{i}"] = ca(f"Deep {i}", key, f"Deep {i - 1}" if i else "CA",
                               chain[i - 1] if i else "ca")
    for i in (3, 4):
        CERTS[f"issued_deep{i}"] = issued(f"Deep {i}", signer=chain[i])
    CERTS["unrelated"] = ca("Unrelated", "stranger")
    CERTS["loop_a"] = ca("Loop A", "mid", "Loop B", "mid2")
    CERTS["loop_b"] = ca("Loop B", "mid2", "Loop A", "mid")
    CERTS["issued_by_loop"] = issued("Loop A", signer="mid")


def make_malformed():
    good = CERTS["leaf_p256"]
    MALFORMED.update({
        "empty": b"", "truncated": good[:-1], "truncated_early": good[:40],
        "byte_after": good + b"\0",
        "length_not_shortest": good[:1] + b"\x83\0" + good[2:],
        "indefinite_length": b"\x30\x80" + good[4:] + b"\0\0",
        "not_a_sequence": b"\x31" + good[1:],
        "extension_twice": leaf("p256", extensions=[san(HOST), san("b." + HOST)]),
        "critical_false": leaf("p256", extensions=[
            extension("551d11", seq(dns(HOST)), explicit_false=True)]),
        "boolean_01": leaf("p256", extensions=[san(HOST), extension("551d13",
                                                                    seq(tlv(0x01, b"\1")))]),
        "san_empty": leaf("p256", extensions=[extension("551d11", seq())]),
        "san_byte_after": leaf("p256", extensions=[extension("551d11", seq(dns(HOST)) + b"\0")]),
        "san_unknown_kind": leaf("p256", extensions=[san(tlv(0x89, b"x"))]),
        "san_ip_of_5": leaf("p256", extensions=[san(ip(1, 2, 3, 4, 5))]),
        "version_cut": good[:9] + b"\x84" + good[10:],
        "version_4": leaf("p256", version=4),
        "version_1_with_extensions": leaf("p256", version=1),
        "serial_padded": leaf("p256", raw_serial=tlv(0x02, b"\0\1")),
        "serial_empty": leaf("p256", raw_serial=tlv(0x02)),
        "serial_of_40": leaf("p256", serial=1 << 312),
        "algorithms_differ": good.replace(bytes.fromhex("2a8648ce3d040302"),
                                          bytes.fromhex("2a8648ce3d040303"), 1),
        "signature_unused_bits": good.replace(tlv(0x03, b"\0" + KEYS["p256"].sign(
            tbs_of(good), "sha256")), tlv(0x03, b"\1" + KEYS["p256"].sign(tbs_of(good), "sha256"))),
        "key_usage_trailing_zeros": leaf("p256", extensions=[
            extension("551d0f", bits(b"\x80", 0))]),
        "eku_empty": leaf("p256", extensions=[extension("551d25", seq())]),
        "path_length_without_ca": leaf("p256", extensions=[extension("551d13", seq(integer(0)))]),
        "constraints_empty": leaf("p256", extensions=[extension("551d1e", seq())]),
        "constraints_minimum": leaf("p256", extensions=[extension("551d1e", seq(
            tlv(0xa0, seq(dns("key"), tlv(0x80, b"\1")))))]),
        "extensions_empty": leaf("p256", extensions=[], tail=tlv(0xa3, seq())),
        "extensions_65": leaf("p256", extensions=[extension(f"2a03{i:02x}", NULL)
                                                  for i in range(1, 66)]),
    })
    for label, time in {"no_seconds": "2401010000Z", "offset": "240101000000+0000",
                        "month_13": "241301000000Z", "february_30": "240230000000Z",
                        "not_leap": "230229000000Z", "second_60": "240101000060Z",
                        "letters": "2401010000zzZ"}.items():
        MALFORMED["time_" + label] = leaf("p256", not_before=time)
    MALFORMED["time_fraction"] = leaf("p256", time_tag=0x18, not_before="20240101000000.5Z",
                                      not_after="20340101000000Z")


def tbs_of(der):
    size = int.from_bytes(der[6:8], "big") + 4
    return der[4:4 + size]


def spki_of(der):
    """By OpenSSL, not by us."""
    pem = run("x509", "-inform", "DER", "-noout", "-pubkey", stdin=der).stdout
    return run("pkey", "-pubin", "-outform", "DER", stdin=pem).stdout


def run(*words, stdin=b""):
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True)


def openssl_accepts(case, anchor):
    """What `openssl verify` says of the same leaf, anchor and other certificates."""
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for part, names in {"leaf": case["chain"][:1], "others": case["chain"][1:],
                            "anchor": [anchor]}.items():
            files[part] = f"{folder}/{part}.pem"
            with open(files[part], "wb") as file:
                for der in names:
                    file.write(run("x509", "-inform", "DER", stdin=CERTS[der]).stdout)
        untrusted = ["-untrusted", files["others"]] if case["chain"][1:] else []
        return run("verify", "-partial_chain", "-auth_level", "2", "-no-CApath", "-no-CAstore",
                   "-trusted", files["anchor"], *untrusted, "-attime", str(NOW), "-purpose",
                   "sslserver", "-verify_hostname", case["hosts"][0],
                   files["leaf"]).returncode == 0


def record(numbers, certificate_name, digest_name=None):
    usage_number, selector, matching = map(int, numbers.split())
    der = CERTS[certificate_name]
    data = der if selector == 0 else spki_of(der)
    hashes = {0: bytes, 1: lambda d: hashlib.sha256(d).digest(),
              2: lambda d: hashlib.sha512(d).digest()}
    return f"{usage_number} {selector} {matching} " + hashes[matching](data).hex()


def main():
    from cases import all_cases
    make_leaves()
    make_chains()
    make_malformed()
    facts = {"host": HOST, "certificates": [], "malformed": []}
    for label, der in CERTS.items():
        spki = spki_of(der)
        facts["certificates"].append({
            "name": label, "der": der.hex(), "spki_size": len(spki),
            "spki_sha256": hashlib.sha256(spki).hexdigest()})
    facts["malformed"] = [{"name": k, "der": v.hex()} for k, v in MALFORMED.items()]
    decisions = all_cases()
    known = set(CERTS) | set(MALFORMED)
    surprises = []
    for case in decisions:
        assert set(case["chain"]) <= known, case["name"]
        anchor, differs = case.pop("anchor"), case.pop("differs")
        if anchor:
            allows = case["verdict"].startswith("pin.allow")
            if (openssl_accepts(case, anchor) == allows) == differs:
                surprises.append(case["name"])
    assert not surprises, ("OpenSSL sees it otherwise", surprises)
    write("facts.json", facts)
    write("decisions.json", {"now_s": NOW, "cases": decisions})


def write(path, value):
    (HERE / path).write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    import sys
    sys.modules["generate"] = sys.modules["__main__"]
    main()
