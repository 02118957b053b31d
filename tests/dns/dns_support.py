# SPDX-License-Identifier: Apache-2.0
"""A test network, keys with records in it, the bridge under test, and clients of several makes."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from sanitizers import sanitizer_options, without_quarantine

DOTKEY = os.environ.get("DOTKEY", "build/release/dotkey")
DEADLINE_S = 20


def make_certificate(directory):
    """A self-signed certificate for localhost, and its key."""
    certificate, key = os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class Program:
    """`dotkey` with these arguments until it is closed; `ready` is its first line."""

    def __init__(self, *arguments, home):
        # Memory is measured: what was freed is free.
        self.env = without_quarantine({"HOME": home, "PATH": os.environ["PATH"],
                                       **sanitizer_options()})
        self.process = subprocess.Popen([DOTKEY, "--json", *arguments], env=self.env,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"dotkey {arguments} ended with {self.process.wait()}")
        self.ready = json.loads(line)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=DEADLINE_S)
        self.process.stdout.close()
        if status != 0:
            raise AssertionError(f"dotkey ended with {status}")

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class DnsTest(unittest.TestCase):
    """Each class has a home, a DHT of its own and one bridge."""

    arguments = ()  # of the bridge, behind the common ones
    records = {}    # what keys publish, by name

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="dotkey-dns-")
        cls.addClassCleanup(directory.cleanup)
        cls.home = directory.name
        cls.net = cls.start("testnet", "--nodes", "8")
        cls.bootstrap = cls.net.ready["bootstrap"]
        cls.keys = {}
        for number, (name, records) in enumerate(cls.records.items(), 1):
            cls.keys[name] = cls.new_key(name, number)
        for name, records in cls.records.items():
            cls.publish(name, records)
        cls.server = cls.start_bridge(*cls.arguments)
        cls.port = cls.port_of(cls.server)

    @classmethod
    def start(cls, *arguments):
        program = Program(*arguments, home=cls.home)
        cls.addClassCleanup(program.close)
        return program

    @classmethod
    def start_bridge(cls, *arguments):
        return cls.start("dns", "--listen", "127.0.0.1:0", "--bootstrap", cls.bootstrap, *arguments)

    @staticmethod
    def port_of(program, kind="dns"):
        return int(program.ready[kind][0].rsplit(":", 1)[1])

    @classmethod
    def run_dotkey(cls, *arguments):
        done = subprocess.run([DOTKEY, "--json", *arguments], env=cls.net.env, text=True,
                              capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"dotkey {arguments}: {done.stderr}")
        return json.loads(done.stdout)

    @classmethod
    def new_key(cls, name, number):
        return cls.run_dotkey("key", "import", name, "--seed-hex", f"{number:064x}")["key"]

    @classmethod
    def publish(cls, name, records):
        options = [part for record in records
                   for part in ("--record", record.format(**cls.keys))]
        cls.run_dotkey("publish", name, "--bootstrap", cls.bootstrap, "--no-republish", *options)

    # Scripted client: dnspython builds and reads the messages.
    @classmethod
    def ask(cls, name, kind="A", *, port=None, tcp=False, **options):
        query = dns.message.make_query(name, kind, **options)
        send = dns.query.tcp if tcp else dns.query.udp
        reply = send(query, "127.0.0.1", port=port or cls.port, timeout=DEADLINE_S)
        return reply

    @staticmethod
    def texts(reply):
        return sorted(item.to_text() for rrset in reply.answer for item in rrset)

    @classmethod
    def kdig(cls, *arguments):
        done = subprocess.run(["kdig", "@127.0.0.1", "-p", str(cls.port), "+timeout=10", "+retry=0",
                               *arguments], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout
