# SPDX-License-Identifier: Apache-2.0
"""Floods, garbage, slow clients and storms of handshakes, from addresses that are nobody's, in a
network of this test's own (sandbox.sh). Prints the numbers of docs/RELIABILITY.md."""
import random
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest

import dns.edns
import dns.message

from dns_support import DEADLINE_S, DnsTest, make_certificate

SERVER = "198.51.100.1"
CLIENT = "203.0.113.7"


class Hostile(DnsTest):
    records = {"alice": ["@ 300 A 192.0.2.1", "big 300 TXT " + "x" * 250 + " " + "y" * 250]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The whole of these networks is this machine, as far as it knows.
        for network in ("198.51.100.0/24", "203.0.113.0/24", "192.88.0.0/16"):
            subprocess.run(["ip", "route", "add", "local", network, "dev", "lo"], check=True)
        cls.certificate, key = make_certificate(cls.home)
        cls.open = cls.start("dns", "--listen", SERVER + ":0", "--listen-tls", SERVER + ":0",
                             "--cert", cls.certificate, "--key", key, "--allow", "0.0.0.0/0",
                             "--bootstrap", cls.bootstrap)
        cls.port = cls.port_of(cls.open)
        cls.dot = cls.port_of(cls.open, "tls")
        cls.name = cls.keys["alice"] + ".key"
        cls.tcp_ask(cls.name)
        cls.tcp_ask("big." + cls.name, "TXT")

    @classmethod
    def connect(cls, source, port=None):
        sock = socket.create_connection((SERVER, port or cls.port), timeout=DEADLINE_S,
                                        source_address=(source, 0))
        return sock

    @classmethod
    def tcp_ask(cls, name, kind="A", source=CLIENT):
        with cls.connect(source) as sock, sock.makefile("rb") as stream:
            wire = dns.message.make_query(name, kind).to_wire()
            sock.sendall(struct.pack("!H", len(wire)) + wire)
            return dns.message.from_wire(stream.read(struct.unpack("!H", stream.read(2))[0]))

    def udp(self, source):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        sock.bind((source, 0))
        sock.connect((SERVER, self.port))
        sock.settimeout(DEADLINE_S)
        return sock

    def proven_client(self):
        """A client with a cookie: a function that asks once and gives the time it took."""
        sock = self.udp(CLIENT)
        query = dns.message.make_query(self.name, "A")
        query.use_edns(0, options=[dns.edns.GenericOption(10, bytes(8))])
        sock.send(query.to_wire())
        cookie = next(o.data for o in dns.message.from_wire(sock.recv(4096)).options
                      if o.otype == 10)
        query = dns.message.make_query("big." + self.name, "TXT")
        query.use_edns(0, payload=1232, options=[dns.edns.GenericOption(10, cookie)])

        def ask():
            query.id = random.getrandbits(16)
            start = time.monotonic()
            sock.send(query.to_wire())
            while True:
                reply = dns.message.from_wire(sock.recv(4096))
                if reply.id == query.id:
                    break
            self.assertEqual(len(reply.answer), 1, "a client with a cookie gets all")
            return time.monotonic() - start
        return ask

    def flood(self, wires, count, sources):
        """Sends from many addresses; returns bytes sent and bytes that came back."""
        socks = [self.udp(source) for source in sources]
        for sock in socks:
            sock.setblocking(False)
        counts = [0, 0]
        stop = threading.Event()

        def read():
            while not stop.is_set():
                for sock in socks:
                    try:
                        counts[1] += len(sock.recv(4096))
                    except (BlockingIOError, ConnectionRefusedError):
                        pass
                stop.wait(0.001)
        reader = threading.Thread(target=read)
        reader.start()
        for i in range(count):
            wire = wires[i % len(wires)]
            try:
                counts[0] += socks[i % len(socks)].send(wire)
            except OSError:
                pass
            if i % 500 == 499:
                time.sleep(0.005)
        time.sleep(0.3)
        stop.set()
        reader.join()
        return counts

    def test_a_flood_is_not_amplified_and_clients_are_served(self):
        sources = [f"192.88.{i}.{i}" for i in range(1, 200)]
        wires = [dns.message.make_query(name, kind, use_edns=edns).to_wire()
                 for name in (self.name, "big." + self.name, "nope." + self.name, "key", "x.test")
                 for kind in ("A", "TXT", "ANY") for edns in (-1, 0)]
        ask = self.proven_client()
        ask()
        before = self.open.memory_kib()
        times = []
        done = threading.Event()

        def client():
            while not done.is_set():
                times.append(ask())
                done.wait(0.01)
        thread = threading.Thread(target=client)
        thread.start()
        start = time.monotonic()
        sent, received = self.flood(wires, 60_000, sources)
        rate = 60_000 / (time.monotonic() - start)
        done.set()
        thread.join()
        grown = self.open.memory_kib() - before
        print(f"flood: {rate:.0f}/s from {len(sources)} networks, {received / sent:.2f} bytes back "
              f"for each; {len(times)} queries with a cookie all answered, slowest "
              f"{max(times) * 1000:.1f} ms; {grown} KiB more memory")
        self.assertGreater(received, 0)
        self.assertLessEqual(received, sent * 1.5)
        self.assertLess(grown, 16 * 1024)

    def test_one_source_that_floods_gets_no_more_than_its_share(self):
        wire = dns.message.make_query(self.name, "A").to_wire()
        start = time.monotonic()
        sent, received = self.flood([wire], 20_000, ["192.88.250.1"])
        took = time.monotonic() - start
        # The half that slips has no records: it is as long as the query.
        self.assertLessEqual(received, sent)
        print(f"one source: {20_000 / took:.0f}/s, {received / sent:.2f} bytes back for each")

    def test_garbage_is_survived(self):
        rng = random.Random(7)
        base = dns.message.make_query("big." + self.name, "TXT", use_edns=0).to_wire()
        wires = []
        for _ in range(3000):
            wire = bytearray(base)
            for _ in range(rng.randrange(1, 6)):
                wire[rng.randrange(len(wire))] = rng.randrange(256)
            wires.append(bytes(wire[:rng.randrange(1, len(wire) + 1)]))
            wires.append(rng.randbytes(rng.randrange(0, 600)))
        ask = self.proven_client()
        before = self.open.memory_kib()
        sent, received = self.flood(wires, 30_000, [f"192.88.{i}.9" for i in range(1, 250)])
        self.assertLessEqual(received, sent * 1.5)
        ask()
        self.assertLess(self.open.memory_kib() - before, 16 * 1024)

    @staticmethod
    def is_open(sock):
        try:
            return len(sock.recv(1)) > 0
        except BlockingIOError:
            return True
        except OSError:
            return False

    def test_a_client_that_holds_connections_does_not_keep_others_out(self):
        held = []
        for i in range(400):
            try:
                sock = self.connect("192.88.77.1")
                sock.sendall(b"\0")
                sock.setblocking(False)
                held.append(sock)
            except OSError:
                pass
        # The server may be behind with closing what is too much.
        end = time.monotonic() + DEADLINE_S
        while (alive := sum(map(self.is_open, held))) > 128 and time.monotonic() < end:
            time.sleep(0.1)
        self.assertLessEqual(alive, 128)
        self.assertEqual(self.tcp_ask(self.name).answer[0][0].to_text(), "192.0.2.1")
        for sock in held:
            sock.close()
        print(f"held connections: {alive} of 400 tries")

    def test_a_client_that_does_not_read_is_bounded(self):
        before = self.open.memory_kib()
        wire = dns.message.make_query("big." + self.name, "TXT").to_wire()
        block = (struct.pack("!H", len(wire)) + wire) * 200
        socks = []
        for i in range(40):
            sock = self.connect(f"192.88.{i + 1}.3")
            self.addCleanup(sock.close)
            sock.setblocking(False)
            socks.append(sock)
        for _ in range(200):
            for sock in socks:
                try:
                    sock.send(block)
                except (BlockingIOError, ConnectionError):
                    pass
        time.sleep(0.5)
        self.tcp_ask(self.name)
        grown = self.open.memory_kib() - before
        print(f"40 connections that ask and never read: {grown} KiB more memory")
        self.assertLess(grown, 40 * 1024)

    def test_a_storm_of_handshakes_from_one_client_is_cut(self):
        context = ssl.create_default_context(cafile=self.certificate)
        done = refused = 0
        start = time.monotonic()
        for _ in range(600):
            try:
                with self.connect("192.88.99.1", self.dot) as sock:
                    with context.wrap_socket(sock, server_hostname="localhost"):
                        done += 1
            except (OSError, ssl.SSLError):
                refused += 1
        took = time.monotonic() - start
        self.assertLessEqual(done, 200 + 50 * (took + 1))
        with self.connect(CLIENT, self.dot) as sock:
            with context.wrap_socket(sock, server_hostname="localhost") as tls:
                wire = dns.message.make_query(self.name, "A").to_wire()
                tls.sendall(struct.pack("!H", len(wire)) + wire)
                self.assertGreater(len(tls.recv(4096)), 0)
        print(f"handshakes: {600 / took:.0f}/s tried, {done} done, {refused} refused")

    def test_renegotiation_is_refused(self):
        done = subprocess.run(
            ["openssl", "s_client", "-tls1_2", "-connect", f"{SERVER}:{self.dot}", "-CAfile",
             self.certificate, "-servername", "localhost"], input="R\nR\n", capture_output=True,
            text=True, timeout=60, check=False)
        self.assertIn("RENEGOTIATING", done.stdout + done.stderr)
        self.assertIn("no renegotiation", (done.stdout + done.stderr).lower())


if __name__ == "__main__":
    unittest.main()
