# SPDX-License-Identifier: Apache-2.0
"""Signed packets, requests, and the program under test."""
import http.client
import json
import os
import signal
import struct
import subprocess
import tempfile
import unittest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DOTKEY = os.environ.get("DOTKEY", "build/release/dotkey")
ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"


def z32(data):
    bits = int.from_bytes(data, "big") << 4
    return "".join(ALPHABET[bits >> shift & 31] for shift in range(255, -1, -5))


class Key:
    """A key pair by number; makes packets with one TXT record."""

    def __init__(self, number):
        self.seed = struct.pack(">28xI", number)
        self.private = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.text = z32(self.public)

    def packet(self, timestamp_us, text=b"hello", ttl_s=3600):
        owner = bytes([52]) + self.text.encode() + b"\0"
        chunks = b"".join(bytes([len(text[i:i + 250])]) + text[i:i + 250]
                          for i in range(0, len(text), 250))
        record = owner + struct.pack(">HHIH", 16, 1, ttl_s, len(chunks)) + chunks
        return self.sign(timestamp_us, struct.pack(">6H", 0, 0x8000, 0, 1, 0, 0) + record)

    def sign(self, timestamp_us, dns):
        signature = self.private.sign(b"3:seqi%de1:v%d:" % (timestamp_us, len(dns)) + dns)
        return signature + struct.pack(">Q", timestamp_us) + dns


class Program:
    """`dotkey` with these arguments until it is closed; `ready` is its first line."""

    def __init__(self, *arguments, home):
        env = {"HOME": home, "PATH": os.environ["PATH"]}
        env.update({n: os.environ[n] for n in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")
                    if n in os.environ})
        self.process = subprocess.Popen([DOTKEY, "--json", *arguments], env=env,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"dotkey {arguments} ended with {self.process.wait()}")
        self.ready = json.loads(line)
        self.port = int(self.ready["relay"].rsplit(":", 1)[1])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=20)
        self.process.stdout.close()
        if status != 0:
            raise AssertionError(f"dotkey ended with {status}")

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


class RelayTest(unittest.TestCase):
    """Gives each test class a home of its own."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="dotkey-relay-")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.home = cls.directory.name

    @classmethod
    def start(cls, *arguments):
        program = Program(*arguments, home=cls.home)
        cls.addClassCleanup(program.close)
        return program

    @classmethod
    def start_relay(cls, *arguments):
        return cls.start("relay", "--listen", "127.0.0.1", "--port", "0", *arguments)
