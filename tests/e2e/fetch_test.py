#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTTP client as relays meet it: certificates, connections kept, what it sends."""
import os
import ssl
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "relay"))
from daemon_support import DaemonTest
from relay_support import Key
from scripted_relay import ScriptedRelay, payload

ALICE = Key(1)
PACKET = ALICE.packet(2_000_000, b"hello")


class FetchTest(DaemonTest):
    def resolve(self, *urls, env=None, policy="newest"):
        options = [option for url in urls for option in ("--relay", url)]
        return self.run_dotkey("resolve", ALICE.text, "--json", "--no-dht", "--policy", policy,
                               *options, env=env)


class Certificates(FetchTest):
    def setUp(self):
        super().setUp()
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out",
                     "ca.pem", "-days", "30", "-subj", "/CN=test authority")
        self.env["SSL_CERT_FILE"] = self.path("ca.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.home, check=True, capture_output=True)

    def https_relay(self, names, days=30):
        """Its certificate is the authority's, for `names`."""
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key", "-out",
                     "leaf.csr", "-subj", "/CN=leaf")
        with open(self.path("leaf.ext"), "w") as file:
            file.write(f"subjectAltName={names}\n")
        self.openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-out", "leaf.pem", "-days", str(days), "-extfile",
                     "leaf.ext")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("leaf.pem"), self.path("leaf.key"))
        relay = ScriptedRelay(payload(PACKET), context)
        self.addCleanup(relay.close)
        return relay

    def assert_refused(self, done, relay):
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertTrue(done.stderr.startswith("relay.unreachable: "), done.stderr)
        self.assertEqual(relay.requests, 0)

    def test_of_the_systems_authorities_are_accepted_by_name_and_by_address(self):
        relay = self.https_relay("DNS:localhost,IP:127.0.0.1")
        for url in (relay.url, relay.url.replace("127.0.0.1", "localhost")):
            done = self.resolve(url, env={**self.env, "HOME": self.path(str(len(url)))})
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(relay.requests, 2)

    def test_of_another_host_are_refused(self):
        relay = self.https_relay("DNS:relay.example,IP:127.0.0.2")
        self.assert_refused(self.resolve(relay.url), relay)
        self.assert_refused(self.resolve(relay.url.replace("127.0.0.1", "localhost")), relay)

    def test_that_expired_are_refused(self):
        relay = self.https_relay("IP:127.0.0.1", days=-1)
        self.assert_refused(self.resolve(relay.url), relay)

    def test_of_an_unknown_authority_are_refused(self):
        relay = self.https_relay("IP:127.0.0.1")
        env = {name: value for name, value in self.env.items() if name != "SSL_CERT_FILE"}
        self.assert_refused(self.resolve(relay.url, env=env), relay)

    def test_stand_in_the_way_of_plain_http(self):
        relay = self.https_relay("IP:127.0.0.1")
        plain = relay.url.replace("https:", "http:")
        self.assertNotEqual(self.resolve(plain).returncode, 0)


class Connections(FetchTest):
    def ask_often(self, relay):
        daemon = self.start_daemon("--no-dht", "--relay", relay.url)
        connection = self.connect(daemon)
        for _ in range(5):
            body = connection.ok("resolve", {"key": ALICE.text, "policy": "newest"})
            self.assertEqual(body["timestamp_us"], 2_000_000)
        status = connection.ok("status")["relays"][0]
        self.assertEqual((status["successes"], status["failures"]), (5, 0), status)

    def test_are_kept_for_the_next_request(self):
        relay = ScriptedRelay(payload(PACKET))
        self.addCleanup(relay.close)
        self.ask_often(relay)
        self.assertEqual((relay.requests, relay.connections), (5, 1))

    def test_that_the_relay_closed_meanwhile_are_no_failure(self):
        def answer_and_hang_up(handler):
            handler.answer(200, PACKET)
            handler.close_connection = True  # without having said so

        relay = ScriptedRelay(answer_and_hang_up)
        self.addCleanup(relay.close)
        self.ask_often(relay)
        self.assertEqual(relay.requests, 5)

    def test_carry_no_more_than_the_request_needs(self):
        seen = []

        def remember(handler):
            seen.append((handler.path, dict(handler.headers)))
            handler.answer(200, PACKET, [("Set-Cookie", "id=1")])

        relay = ScriptedRelay(remember)
        self.addCleanup(relay.close)
        self.ask_often(relay)
        for path, headers in seen:
            self.assertTrue(path.startswith("/" + ALICE.text), path)
            self.assertLessEqual(set(headers), {"Host", "User-Agent", "Accept", "If-Modified-Since",
                                                "Cache-Control", "Pragma", "Content-Length"})
            self.assertEqual(headers["User-Agent"], "dotkey")


if __name__ == "__main__":
    unittest.main(verbosity=2)
