#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the daemon costs: a cached answer through its socket, its memory, its start with a million
packets on disk, and a dead relay beside a healthy one.

DOTKEY names the binary; everything happens in a temporary home and on loopback.
"""
import hashlib
import os
import shutil
import socket
import sqlite3
import statistics
import struct
import sys
import tempfile
import time

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "..", "e2e"), os.path.join(here, "..", "relay")]
from daemon_support import Running, Socket
from relay_support import Key
from scripted_relay import ScriptedRelay, late, payload, silent

PACKETS = 1_000_000
ALICE = Key(1)


class Home:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="dotkey-bench-")
        self.env = {"HOME": self.path, "PATH": os.environ["PATH"]}
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def daemon(self, *arguments):
        return Running(self.env, "daemon", *arguments)


def percentiles(seconds, unit=1e6):
    ordered = sorted(second * unit for second in seconds)
    return {p: ordered[min(len(ordered) - 1, len(ordered) * p // 100)] for p in (50, 90, 99)}


def memory_of(pid):
    """Resident, and what of it is the process's own (without shared library pages), in MiB."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        sizes = {line.split()[0]: int(line.split()[1]) for line in rollup if line.endswith("kB\n")}
    own = sizes["Private_Clean:"] + sizes["Private_Dirty:"]
    return sizes["Rss:"] / 1024, own / 1024


def cached_answer():
    relay = ScriptedRelay(payload(ALICE.packet(1_000_000, b"x" * 900)))
    with Home() as home:
        daemon = home.daemon("--no-dht", "--relay", relay.url)
        connection = Socket(daemon.ready["socket"])
        connection.ok("resolve", {"key": ALICE.text})
        times = []
        for _ in range(20_000):
            start = time.perf_counter()
            body = connection.ok("resolve", {"key": ALICE.text})
            times.append(time.perf_counter() - start)
        assert body["source"] == "cache"
        connection.close()
        daemon.close()
    relay.close()
    of = percentiles(times)
    print(f"cached resolve of a 1 KB packet through the socket, python client: "
          f"p50 {of[50]:.0f} us, p90 {of[90]:.0f} us, p99 {of[99]:.0f} us")


def idle_memory():
    with Home() as home:
        net = Running(home.env, "testnet", "--nodes", "50")
        daemon = home.daemon("--bootstrap", net.ready["bootstrap"])
        time.sleep(5)
        resident, own = memory_of(daemon.process.pid)
        print(f"idle daemon in a DHT of 50: {resident:.1f} MiB resident, {own:.1f} MiB of its own")
        daemon.close()
        net.close()


def fill(path, packets):
    """As many rows as the store may hold; their signatures are looked at when they are read."""
    database = sqlite3.connect(path)
    hash_key, = database.execute("SELECT value FROM meta WHERE name = 'hash_key'").fetchone()

    def row_id(key):
        digest = hashlib.blake2b(hash_key + key, digest_size=32).digest()
        return struct.unpack(">Q", digest[:8])[0] >> 1

    def row(packet):
        seen_us = time.time_ns() // 1000
        return row_id(packet[:32]), struct.unpack(">Q", packet[96:104])[0], seen_us, packet

    def random_packet():
        return os.urandom(96) + struct.pack(">Q", 1_000_000) + os.urandom(300)

    for number in range(100):
        one = Key(number)
        key = one.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        database.execute("INSERT OR REPLACE INTO packets VALUES (?, ?, ?, ?)",
                         row(key + one.packet(1_000_000, b"x" * 300)))
    for _ in range(packets // 10_000):
        rows = sorted(row(random_packet()) for _ in range(10_000))
        database.executemany("INSERT OR REPLACE INTO packets VALUES (?, ?, ?, ?)", rows)
    count, = database.execute("SELECT count(*) FROM packets").fetchone()
    database.execute("UPDATE meta SET value = ? WHERE name = 'packets'", (count,))
    database.commit()
    database.close()


def cold_start():
    with Home() as home:
        home.daemon("--no-dht").close()
        path = os.path.join(home.path, ".local/state/dotkey/packets.sqlite")
        fill(path, PACKETS)
        size_mib = os.path.getsize(path) / 2**20
        with open(path, "rb") as file:  # nothing of it in memory
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        start = time.perf_counter()
        daemon = home.daemon("--no-dht")
        connection = Socket(daemon.ready["socket"])
        for number in range(100):
            body = connection.ok("resolve", {"key": Key(number).text, "policy": "cache"})
            assert body["timestamp_us"] == 1_000_000
            if number == 0:
                first_s = time.perf_counter() - start
        resident, own = memory_of(daemon.process.pid)
        packets = connection.ok("status")["packets_on_disk"]
        print(f"cold start with {packets} packets ({size_mib:.0f} MiB): first answer after "
              f"{first_s * 1000:.0f} ms; after 100 of them {resident:.1f} MiB resident, "
              f"{own:.1f} MiB of its own")
        connection.close()
        daemon.close()


def dead_relay():
    honest = ScriptedRelay(late(0.05, payload(ALICE.packet(1_000_000))))
    dead = ScriptedRelay(silent)
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # and does not listen
        refusing_url = "http://127.0.0.1:%d" % refusing.getsockname()[1]
        results = {}
        for name, urls in (("healthy alone", [honest.url]),
                           ("beside one that refuses", [refusing_url, honest.url]),
                           ("beside one that is silent", [dead.url, honest.url])):
            policy_first = []
            for _ in range(10):  # each time for the first time
                with Home() as home:
                    options = [option for url in urls for option in ("--relay", url)]
                    daemon = home.daemon("--no-dht", *options)
                    connection = Socket(daemon.ready["socket"])
                    start = time.perf_counter()
                    connection.ok("resolve", {"key": ALICE.text})
                    policy_first.append(time.perf_counter() - start)
                    connection.close()
                    daemon.kill()
            results[name] = statistics.median(policy_first) * 1000
        print("first resolve through a relay of 50 ms: " + ", ".join(
            f"{name} {ms:.1f} ms" for name, ms in results.items()))
    honest.close()
    dead.close()


if __name__ == "__main__":
    for measure in (cached_answer, idle_memory, cold_start, dead_relay):
        measure()
