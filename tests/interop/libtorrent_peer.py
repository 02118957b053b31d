#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""libtorrent (python3-libtorrent) as a DHT peer on loopback. Prints one JSON line per command.

  serve N BASE_PORT [--ipv6] [--dead K]    N sessions that know each other, until stdin closes; the
                                           last K leave before it says that it is ready
  run BOOTSTRAP [--ipv6] < commands    one session; each input line is a JSON list:
       ["put", seed_hex, value_hex, salt_hex]    signs "highest sequence found + 1"
       ["get", key_hex, salt_hex]
       ["put_immutable", value_hex]     ["get_immutable", target_hex]
Answers to put and get hold their time in ms; get also first_ms, when the first value came.
"""
import hashlib
import json
import random
import sys
import time

import libtorrent as lt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# Generous: the machine may be busy with other tests.
TIMEOUT_S = 120


def settings(port, ipv6, bootstrap=""):
    host = "[::1]" if ipv6 else "127.0.0.1"
    return {
        "listen_interfaces": f"{host}:{port}",
        "enable_dht": True, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        "dht_bootstrap_nodes": bootstrap,
        "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False,
        "dht_enforce_node_id": False, "dht_prefer_verified_node_ids": False,
        "dht_ignore_dark_internet": False,
        "dht_upload_rate_limit": 100_000_000, "dht_block_ratelimit": 1_000_000,
        "alert_mask": lt.alert.category_t.dht_notification | lt.alert.category_t.error_notification
        | lt.alert.category_t.status_notification,
    }


NODES_METRIC = lt.find_metric_idx("dht.dht_nodes")


def known_nodes(session):
    session.post_session_stats()
    end = time.monotonic() + 1
    while time.monotonic() < end:
        session.wait_for_alert(50)
        for alert in session.pop_alerts():
            if isinstance(alert, lt.session_stats_alert):
                return alert.values["dht.dht_nodes"]
    return 0


def serve(count, base_port, ipv6, dead):
    sessions = [lt.session(settings(base_port + i, ipv6)) for i in range(count)]
    time.sleep(0.5)
    host = "::1" if ipv6 else "127.0.0.1"
    for i, session in enumerate(sessions):
        for j in random.Random(i).sample([x for x in range(count) if x != i], count - 1):
            session.add_dht_node((host, base_port + j))
    end = time.monotonic() + TIMEOUT_S
    while min(known := [known_nodes(s) for s in sessions]) < min(count - 1, 8):
        if time.monotonic() > end:
            sys.exit(f"the libtorrent network did not form: {sorted(known)} nodes known")
        time.sleep(0.1)
    del sessions[count - dead:]
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.read()


def as_bytes(value):
    """libtorrent hands out text, bytes or a tuple of signed characters."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("latin-1")
    return bytes(c & 255 for c in value)


def ms_since(started):
    return round((time.monotonic() - started) * 1000, 2)


def wait_for(session, select):
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end:
        session.wait_for_alert(50)
        for alert in session.pop_alerts():
            result = select(alert)
            if result is not None:
                return result
    return {"error": "timeout"}


def put(session, seed_hex, value_hex, salt_hex=""):
    seed, value = bytes.fromhex(seed_hex), bytes.fromhex(value_hex)
    expanded = bytearray(hashlib.sha512(seed).digest())
    expanded[0] &= 248
    expanded[31] = expanded[31] & 63 | 64
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(
        Encoding.Raw, PublicFormat.Raw)
    started = time.monotonic()
    session.dht_put_mutable_item(bytes(expanded), key, value, bytes.fromhex(salt_hex))

    def select(alert):
        if isinstance(alert, lt.dht_put_alert) and as_bytes(alert.public_key) == key:
            return {"stored": alert.num_success, "seq": alert.seq, "key": key.hex(),
                    "ms": ms_since(started)}
    return wait_for(session, select)


def get(session, key_hex, salt_hex=""):
    key = bytes.fromhex(key_hex)
    started = time.monotonic()
    session.dht_get_mutable_item(key, bytes.fromhex(salt_hex))
    best = {}

    def select(alert):
        if not isinstance(alert, lt.dht_mutable_item_alert) or as_bytes(alert.key) != key:
            return None
        try:
            item = alert.item
        except RuntimeError:  # an empty entry: nothing found
            item = None
        if item:
            value, seq = item["value"], item["seq"]
            if value and seq >= best.get("seq", -1):
                best.setdefault("first_ms", ms_since(started))
                best.update(seq=seq, value=as_bytes(value).hex())
        if not alert.authoritative:
            return None
        return dict(best, found=bool(best), ms=ms_since(started))
    return wait_for(session, select)


def put_immutable(session, value_hex):
    target = as_bytes(session.dht_put_immutable_item(bytes.fromhex(value_hex)).to_bytes())

    def select(alert):
        if isinstance(alert, lt.dht_put_alert):
            return {"stored": alert.num_success, "target": target.hex()}
    return wait_for(session, select)


def get_immutable(session, target_hex):
    session.dht_get_immutable_item(lt.sha1_hash(bytes.fromhex(target_hex)))

    def select(alert):
        if isinstance(alert, lt.dht_immutable_item_alert):
            try:
                return {"found": True, "value": as_bytes(alert.item["value"]).hex()}
            except (RuntimeError, TypeError, KeyError):
                return {"found": False}
    return wait_for(session, select)


def run(bootstrap, ipv6):
    session = lt.session(settings(0, ipv6, bootstrap))
    end = time.monotonic() + TIMEOUT_S
    while (known := known_nodes(session)) < 8:
        if time.monotonic() > end:
            sys.exit(f"only {known} nodes known after {TIMEOUT_S} s")
        time.sleep(0.1)
    commands = {"put": put, "get": get, "put_immutable": put_immutable,
                "get_immutable": get_immutable}
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(commands[name](session, *arguments)), flush=True)


if __name__ == "__main__":
    over_ipv6 = "--ipv6" in sys.argv
    if sys.argv[1] == "serve":
        leaving = int(sys.argv[sys.argv.index("--dead") + 1]) if "--dead" in sys.argv else 0
        serve(int(sys.argv[2]), int(sys.argv[3]), over_ipv6, leaving)
    else:
        run(sys.argv[2], over_ipv6)
