#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""BEP 44 on loopback: our node beside libtorrent's and npm's bittorrent-dht, in one run.

One node puts a new 950-byte item, another gets it, REPEAT times; medians in milliseconds. `churn`
is a network where 6 of the 30 nodes have just left. A fresh network for every row: whoever left
stays in the others' tables and slows the next one down. Usage: bench_dht.py [REPEAT]
"""
import json
import os
import secrets
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
INTEROP = os.path.join(HERE, "..", "interop")
sys.path.insert(0, INTEROP)
import dht_interop_test as interop  # noqa: E402

DHT_PEER = os.path.join(HERE, "..", "..", "build", "release", "tests", "interop", "dht_peer")
NODES = interop.NODES = 30
GONE = 6
VALUE_SIZE = 950


def network(kind, base, gone):
    if kind == "dotkey":
        return interop.Program(DHT_PEER, "serve", "--nodes", str(NODES), "--base-port", str(base),
                               "--dead", str(gone))
    return interop.Program(interop.PYTHON, "libtorrent_peer.py", "serve", str(NODES), str(base),
                           "--dead", str(gone))


def peer(kind, bootstrap):
    if kind == "libtorrent":
        return interop.Program(interop.PYTHON, "libtorrent_peer.py", "run", bootstrap)
    return interop.Program("node", "bittorrent_dht_peer.mjs", bootstrap)


def measure_peers(kind, bootstrap, repeat):
    publisher, reader = peer(kind, bootstrap), peer(kind, bootstrap)
    sequence = [] if kind == "libtorrent" else [1]  # libtorrent signs "the highest found + 1"
    stored, put_ms, first_ms, final_ms = [], [], [], []
    for _ in range(repeat):
        value = secrets.token_hex(VALUE_SIZE)
        put = publisher.ask("put", secrets.token_hex(32), value, "", *sequence)
        got = reader.ask("get", put["key"], "")
        if got.get("value") != value:
            continue
        stored.append(put["stored"])
        put_ms.append(put["ms"])
        first_ms.append(got["first_ms"])
        final_ms.append(got["ms"])
    publisher.close()
    reader.close()
    return [statistics.median(v) for v in (stored, put_ms, first_ms, final_ms)], len(stored)


def measure_ours(bootstrap, repeat):
    out = json.loads(subprocess.run(
        [DHT_PEER, "bench", "--bootstrap", bootstrap, "--repeat", str(repeat)],
        capture_output=True, text=True, timeout=300, check=False).stdout)
    names = ("stored_at", "put_ms", "get_first_ms", "get_final_ms")
    return [out[name]["median"] for name in names], repeat - out["bad"]


def main(repeat):
    print(f"{'network':12} {'client':16} {'right':>7} {'nodes':>6} {'put ms':>9} {'first ms':>9} "
          f"{'end ms':>9}")
    for label, kind, gone in (("libtorrent", "libtorrent", 0), ("dotkey", "dotkey", 0),
                              ("lt, churn", "libtorrent", GONE)):
        for client in ("libtorrent", "bittorrent-dht", "dotkey"):
            base = interop.free_base_port()
            serving = network(kind, base, gone)
            bootstrap = f"127.0.0.1:{base}"
            try:
                times, right = (measure_ours(bootstrap, repeat) if client == "dotkey"
                                else measure_peers(client, bootstrap, repeat))
            finally:
                serving.close()
            stored, put_ms, first_ms, final_ms = times
            print(f"{label:12} {client:16} {right:4}/{repeat:<2} {stored:6.0f} {put_ms:9.2f} "
                  f"{first_ms:9.2f} {final_ms:9.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
