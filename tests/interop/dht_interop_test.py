#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Our DHT node with libtorrent's and bittorrent-dht's, over networks of one kind each.

Usage: dht_interop_test.py PATH_OF_dht_peer [unittest arguments]
"""
import hashlib
import json
import os
import socket
import subprocess
import sys
import unittest

import libtorrent as lt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's, which has libtorrent
DHT_PEER = ""
NODES = 24


def free_base_port():
    """The first of NODES ports in a row that nobody uses now, below those the system hands out."""
    slots = (32768 - 20000) // NODES
    for slot in range(slots):
        base = 20000 + (os.getpid() + slot) % slots * NODES
        try:
            held = []
            for port in range(base, base + NODES):
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.bind(("127.0.0.1", port))
                held.append(s)
            return base
        except OSError:
            continue
        finally:
            for s in held:
                s.close()
    raise RuntimeError("no free ports")


class Program:
    """A program that prints a JSON line when ready and lives until its stdin closes."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, cwd=HERE)
        line = self.process.stdout.readline()
        if not line or not json.loads(line).get("ready"):
            self.close()
            raise RuntimeError(f"{command[0]} did not start: {line!r}")

    def ask(self, *command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class Ours(Program):
    """A node of ours that stays, with the commands of dht_peer."""

    def __init__(self, bootstrap):
        super().__init__(DHT_PEER, "run", "--bootstrap", bootstrap)

    def __call__(self, command, **options):
        return self.ask(command, *words_of(options))


def words_of(options):
    return [word for name, value in options.items()
            for word in ("--" + name.replace("_", "-"), str(value))]


def once(command, bootstrap, **options):
    """A client of ours that comes, asks one thing and is gone."""
    words = [DHT_PEER, command, "--bootstrap", bootstrap, *words_of(options)]
    return json.loads(subprocess.run(words, capture_output=True, text=True, timeout=120).stdout)


def put_until(network, put):
    """Puts the same item until it is stored often enough, as a publisher does."""
    for _ in range(network.puts_max):
        result = put()
        if result.get("stored_at", 0) >= network.copies_min:
            return result
    raise AssertionError(f"fewer than {network.copies_min} copies: {result}")


def public_key(seed):
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key().public_bytes(
        Encoding.Raw, PublicFormat.Raw).hex()


def raw_query(port, method, arguments, ipv6=False):
    """One KRPC query by hand; the parsed answer."""
    query = lt.bencode({b"t": b"tidx", b"y": b"q", b"q": method.encode(), b"ro": 1,
                        b"a": {b"id": b"Q" * 20, **arguments}})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(query, ("127.0.0.1", port))
        return lt.bdecode(s.recv(2048))


def raw_put(port, seed, seq, value, salt=b"", **changes):
    """A put by hand, with `changes` to its arguments; the KRPC error code, or 0 when stored."""
    secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    key = bytes.fromhex(public_key(seed))
    encoded = lt.bencode(value)
    salted = b"4:salt%d:%s" % (len(salt), salt) if salt else b""
    covered = salted + b"3:seqi%de1:v" % seq + encoded
    target = hashlib.sha1(key + salt).digest()
    token = raw_query(port, "get", {b"target": target})[b"r"][b"token"]
    arguments = {b"k": key, b"seq": seq, b"sig": secret.sign(covered), b"token": token, b"v": value}
    if salt:
        arguments[b"salt"] = salt
    arguments.update({name.encode(): change for name, change in changes.items()})
    answer = raw_query(port, "put", arguments)
    return answer[b"e"][0] if answer[b"y"] == b"e" else 0


class Interop:
    """What must hold whoever the network is made of."""

    @classmethod
    def setUpClass(cls):
        cls.port = free_base_port()
        cls.bootstrap = f"127.0.0.1:{cls.port}"
        cls.network = cls.start_network()
        cls.lt = Program(PYTHON, "libtorrent_peer.py", "run", cls.bootstrap)
        cls.bt = Program("node", "bittorrent_dht_peer.mjs", cls.bootstrap)
        cls.ours = Ours(cls.bootstrap)

    @classmethod
    def tearDownClass(cls):
        for program in (cls.lt, cls.bt, cls.ours, cls.network):
            program.close()

    def setUp(self):
        self.seed = os.urandom(32).hex()
        self.key = public_key(self.seed)

    def test_libtorrent_and_bittorrent_dht_read_what_we_put(self):
        value = os.urandom(950).hex()
        put_until(self, lambda: self.ours(
            "put", seed_hex=self.seed, seq=1700000000, value_hex=value))
        for reader in (self.lt, self.bt):
            got = reader.ask("get", self.key)
            self.assertEqual((got.get("value"), got.get("seq")), (value, 1700000000), got)

    def test_we_read_what_libtorrent_puts(self):
        put = self.lt.ask("put", self.seed, "68656c6c6f")
        self.assertGreater(put["stored"], 0, put)
        got = self.ours("get", pub_hex=self.key)
        self.assertTrue(got["verified"], got)
        self.assertEqual((got["value_hex"], got["seq"]), ("68656c6c6f", put["seq"]))

    def test_we_read_what_bittorrent_dht_puts(self):
        put = self.bt.ask("put", self.seed, "68656c6c6f", "", 5)
        self.assertGreater(put["stored"], 0, put)
        got = self.ours("get", pub_hex=self.key)
        self.assertTrue(got["verified"], got)
        self.assertEqual((got["value_hex"], got["seq"]), ("68656c6c6f", 5))

    def test_an_update_replaces_the_old_value_for_everybody(self):
        self.ours("put", seed_hex=self.seed, seq=1, value_hex="01")
        self.ours("put", seed_hex=self.seed, seq=2, value_hex="02")
        self.assertEqual(self.lt.ask("get", self.key)["value"], "02")
        self.assertEqual(self.bt.ask("get", self.key)["value"], "02")
        put = self.lt.ask("put", self.seed, "03")
        self.assertEqual(put["seq"], 3)
        self.assertEqual(self.ours("get", pub_hex=self.key)["value_hex"], "03")

    def test_salted_items_pass_in_both_directions(self):
        salt = b"mail".hex()
        self.ours("put", seed_hex=self.seed, seq=1, value_hex="aa", salt_hex=salt)
        for reader in (self.lt, self.bt):
            self.assertEqual(reader.ask("get", self.key, salt).get("value"), "aa")
        unsalted = self.ours("get", pub_hex=self.key)
        self.assertFalse(unsalted["ok"], "no item without salt")
        self.lt.ask("put", self.seed, "bb", b"other".hex())
        self.bt.ask("put", self.seed, "cc", b"third".hex(), 1)
        for name, value in ((b"other", "bb"), (b"third", "cc")):
            got = self.ours("get", pub_hex=self.key, salt_hex=name.hex())
            self.assertEqual(got.get("value_hex"), value, got)

    def test_immutable_items_pass_in_both_directions(self):
        value = os.urandom(100).hex()
        put = put_until(self, lambda: self.ours("put-immutable", value_hex=value))
        for reader in (self.lt, self.bt):
            self.assertEqual(reader.ask("get_immutable", put["target_hex"]).get("value"), value)
        for writer in (self.lt, self.bt):
            value = os.urandom(50).hex()
            put = writer.ask("put_immutable", value)
            got = self.ours("get-immutable", target_hex=put["target"])
            self.assertEqual(got.get("value_hex"), value, got)

    def test_we_do_not_overwrite_a_newer_item_nor_one_that_cas_does_not_name(self):
        self.bt.ask("put", self.seed, "aa", "", 7)
        older = self.ours("put", seed_hex=self.seed, seq=6, value_hex="bb")
        self.assertEqual((older["error"], older["found_seq"]), ("dht.newer_exists", 7))
        clash = self.ours("put", seed_hex=self.seed, seq=8, value_hex="bb", cas=6)
        self.assertEqual(clash["error"], "dht.cas_mismatch")
        good = self.ours("put", seed_hex=self.seed, seq=8, value_hex="bb", cas=7)
        self.assertTrue(good["ok"], good)

    def test_the_servers_give_the_error_codes_of_bep_44(self):
        put = lambda *args, **changes: raw_put(self.port, self.seed, *args, **changes)
        self.assertEqual(put(5, b"x"), 0)
        self.assertEqual(put(4, b"x"), 302, "older sequence")
        self.assertEqual(put(6, b"y", cas=4), 301, "cas mismatch")
        self.assertEqual(put(6, b"y", cas=5), 0)
        self.assertEqual(put(7, b"y", sig=b"0" * 64), 206, "bad signature")
        self.assertEqual(put(7, b"y" * 1000), 205, "value too large")
        self.assertEqual(put(7, b"y", salt=b"s" * 65), 207, "salt too large")
        self.assertEqual(put(7, b"y", token=b"bad!"), 203, "bad token")

    def test_what_a_client_puts_stays_when_it_is_gone(self):
        put_until(self, lambda: once(
            "put", self.bootstrap, seed_hex=self.seed, seq=1, value_hex="dd"))
        for reader in (self.lt, self.bt):
            self.assertEqual(reader.ask("get", self.key).get("value"), "dd")
        self.assertEqual(once("get", self.bootstrap, pub_hex=self.key).get("value_hex"), "dd")


class OverLibtorrent(Interop, unittest.TestCase):
    # libtorrent hands out the 8 nodes nearest to the target, so that a lookup meets 8 to 18 of the
    # 24 on its way; on a busy machine an answer may come too late.
    copies_min = 8
    puts_max = 3

    @classmethod
    def start_network(cls):
        return Program(PYTHON, "libtorrent_peer.py", "serve", str(NODES), str(cls.port))


class OverOurs(Interop, unittest.TestCase):
    copies_min = 20
    puts_max = 1

    @classmethod
    def start_network(cls):
        return Program(DHT_PEER, "serve", "--nodes", str(NODES), "--base-port", str(cls.port),
                       "--seconds", "600")


class Ipv6(unittest.TestCase):
    def setUp(self):
        self.seed = os.urandom(32).hex()
        self.port = free_base_port()
        self.bootstrap = f"[::1]:{self.port}"

    def test_we_and_libtorrent_exchange_items_over_a_libtorrent_network(self):
        network = Program(
            PYTHON, "libtorrent_peer.py", "serve", str(NODES), str(self.port), "--ipv6")
        self.addCleanup(network.close)
        put_until(OverLibtorrent, lambda: once(
            "put", self.bootstrap, seed_hex=self.seed, seq=3, value_hex="aa"))
        reader = Program(PYTHON, "libtorrent_peer.py", "run", self.bootstrap, "--ipv6")
        self.addCleanup(reader.close)
        self.assertEqual(reader.ask("get", public_key(self.seed)).get("value"), "aa")

    def test_we_and_libtorrent_exchange_items_over_our_network(self):
        network = Program(DHT_PEER, "serve", "--nodes", str(NODES), "--base-port", str(self.port),
                          "--seconds", "600", "--ipv6")
        self.addCleanup(network.close)
        writer = Program(PYTHON, "libtorrent_peer.py", "run", self.bootstrap, "--ipv6")
        self.addCleanup(writer.close)
        self.assertGreater(writer.ask("put", self.seed, "bb")["stored"], 0)
        got = once("get", self.bootstrap, pub_hex=public_key(self.seed))
        self.assertEqual(got.get("value_hex"), "bb", got)


if __name__ == "__main__":
    DHT_PEER = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
