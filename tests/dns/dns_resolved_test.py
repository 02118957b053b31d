# SPDX-License-Identifier: Apache-2.0
"""systemd-resolved with what `dotkey install --dns` writes, in a network and mounts of this test's
own (sandbox.sh): it runs without systemd and without D-Bus, and answers at 127.0.0.53."""
import os
import shutil
import signal
import subprocess
import time
import unittest

import dns.exception
import dns.message
import dns.query
import dns.rcode

from dns_support import DEADLINE_S, DOTKEY, DnsTest

PROGRAM = next((path for path in ("/lib/systemd/systemd-resolved",
                                  os.environ["DOTKEY_RESOLVED"]) if os.path.exists(path)), None)
STUB = "127.0.0.53"
USER = "systemd-resolve"


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


class Resolved(DnsTest):
    records = {"alice": ["@ 300 A 192.0.2.1", "www 300 A 192.0.2.2"]}

    @classmethod
    def setUpClass(cls):
        if PROGRAM is None:
            raise RuntimeError("systemd-resolved is missing; ./dev setup fetches it")
        super().setUpClass()
        # resolved asks nobody while no link is up.
        run("ip", "link", "add", "link0", "type", "veth", "peer", "name", "link1")
        run("ip", "addr", "add", "192.0.2.10/24", "dev", "link0")
        for link in ("link0", "link1"):
            run("ip", "link", "set", link, "up")
        cls.root = os.path.join(cls.home, "root")
        os.makedirs(cls.root)
        run(DOTKEY, "install", "--system", "--dns", "--root", cls.root)
        cls.add_user()
        run("mount", "--bind", cls.root + "/etc/systemd", "/etc/systemd")
        run("mount", "-t", "tmpfs", "none", "/run")
        # As good a place as the one in /etc, which not every system has.
        shutil.copytree(cls.root + "/etc/dnssec-trust-anchors.d", "/run/dnssec-trust-anchors.d")
        os.makedirs("/run/systemd/resolve")
        shutil.chown("/run/systemd/resolve", USER, USER)
        cls.start("dns", "--listen", "127.0.0.1:5300", "--bootstrap", cls.bootstrap)
        cls.resolved = subprocess.Popen([PROGRAM], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop_resolved)

    @classmethod
    def add_user(cls):
        for file, line in (("passwd", f"{USER}:x:992:992::/:/usr/sbin/nologin\n"),
                           ("group", f"{USER}:x:992:\n")):
            copy = os.path.join(cls.home, file)
            with open("/etc/" + file, encoding="utf-8") as source:
                text = source.read()
            with open(copy, "w", encoding="utf-8") as target:
                target.write(text if USER + ":" in text else text + line)
            os.chmod(copy, 0o644)
            run("mount", "--bind", copy, "/etc/" + file)

    @classmethod
    def stop_resolved(cls):
        cls.resolved.send_signal(signal.SIGTERM)
        cls.resolved.wait(timeout=DEADLINE_S)

    def ask_stub(self, name):
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                return dns.query.udp(dns.message.make_query(name, "A"), STUB, timeout=2)
            except (dns.exception.Timeout, OSError):
                if time.monotonic() > end:
                    raise

    def test_resolved_finds_keys(self):
        for name, address in ((self.keys["alice"] + ".key", "192.0.2.1"),
                              ("www." + self.keys["alice"] + ".key", "192.0.2.2")):
            self.assertEqual(self.texts(self.ask_stub(name)), [address])

    def test_what_is_not_there_is_not_there(self):
        reply = self.ask_stub("nope." + self.keys["alice"] + ".key")
        self.assertEqual(reply.rcode(), dns.rcode.NXDOMAIN)

    def test_other_names_get_no_answer_from_us(self):
        self.assertNotEqual(self.ask_stub("example.com").rcode(), dns.rcode.NOERROR)


if __name__ == "__main__":
    unittest.main()
