# SPDX-License-Identifier: Apache-2.0
"""`dotkey publish --watch` in a network of this test's own (sandbox.sh), where this machine's
address changes: the nodes of a DHT see it, and the published record follows."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

from dns_support import DEADLINE_S, DOTKEY, Program

ADDRESSES = ("203.0.113.5", "203.0.113.9")


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def speak_from(address):
    """What leaves for 127.0.0.0/8 carries this address, as behind a router that got a new one."""
    for network in ("127.0.0.0/8", "127.0.0.1/32"):
        ip("route", "replace", "local", network, "dev", "lo", "table", "local", "src", address)


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="dotkey-watch-")
        cls.addClassCleanup(directory.cleanup)
        cls.home = directory.name
        for address in ADDRESSES:
            ip("address", "add", address + "/32", "dev", "lo")
        cls.net = Program("testnet", "--nodes", "10", "--spread", home=cls.home)
        cls.addClassCleanup(cls.net.close)
        cls.network = ("--bootstrap", cls.net.ready["bootstrap"])
        cls.key = cls.run_dotkey("key", "import", "home", "--seed-hex", "07" * 32)["key"]

    @classmethod
    def run_dotkey(cls, *arguments, status=0):
        done = subprocess.run([DOTKEY, "--json", *arguments], env=cls.net.env, text=True,
                              capture_output=True, timeout=60, check=False)
        if done.returncode != status:
            raise AssertionError(f"dotkey {arguments}: {done.returncode} {done.stderr}")
        return json.loads(done.stdout) if status == 0 else done.stderr

    def published(self):
        found = self.run_dotkey("resolve", self.key, "--policy", "newest", *self.network)
        return sorted(f"{r['type']} {r['data']}" for r in found["records"])

    def test_the_record_follows_the_address_that_nodes_see(self):
        zone = os.path.join(self.home, "zone")
        with open(zone, "w", encoding="utf-8") as file:
            file.write("@ 300 A {external_ipv4}\n@ 300 AAAA {external_ipv6}\n@ 300 TXT here\n")
        speak_from(ADDRESSES[0])
        watch = subprocess.Popen(
            [DOTKEY, "--json", "publish", "home", "--zone", zone, "--watch", "--watch-interval",
             "1", *self.network], env=self.net.env, stdout=subprocess.PIPE, text=True)
        try:
            stamps = []
            for address in ADDRESSES:
                speak_from(address)
                stamps.append(json.loads(watch.stdout.readline())["timestamp_us"])
                self.assertEqual(self.published(), [f"A {address}", 'TXT "here"'])
            self.assertGreaterEqual(stamps[1] - stamps[0], 5_000_000, "changes are rate-limited")
            time.sleep(3)
        finally:
            watch.send_signal(signal.SIGINT)
            rest, _ = watch.communicate(timeout=DEADLINE_S)
        self.assertEqual(rest, "", "nothing is published while nothing changes")
        self.assertEqual(watch.returncode, 0, "Ctrl-C ends it cleanly")

    def test_placeholders_and_the_option_go_together(self):
        with_placeholder = ("--record", "@ 300 A {external_ipv4}")
        for arguments in (with_placeholder, ("--record", "@ 300 A 192.0.2.1", "--watch")):
            told = self.run_dotkey("publish", "home", *arguments, *self.network, status=1)
            self.assertIn("external_ipv4", told)


if __name__ == "__main__":
    unittest.main()
