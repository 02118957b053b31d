#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Resolving while the DHT or relays are dead, lie or dawdle: the right answer or the right slug."""
import contextlib
import os
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "relay"))
from daemon_support import DaemonTest
from relay_support import Key
from scripted_relay import (ScriptedRelay, drip, endless, endless_head, late, no_http, payload,
                            redirect, silent)

ALICE = Key(1)
MALLORY = Key(2)
NEWER = ALICE.packet(2_000_000, b"newer")
OLDER = ALICE.packet(1_000_000, b"older")


@contextlib.contextmanager
def silent_dht():
    """A bootstrap node that never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield "127.0.0.1:%d" % nobody.getsockname()[1]


class NetworkTest(DaemonTest):
    def relay(self, behaviour):
        relay = ScriptedRelay(behaviour)
        self.addCleanup(relay.close)
        return relay.url

    def texts(self, answer):
        return [record["data"] for record in answer["records"]]

    def resolve(self, *arguments):
        return self.ok_json("resolve", ALICE.text, *arguments)


def damaged(packet):
    return packet[:-1] + bytes([packet[-1] ^ 1])


LIES = {
    "wrong key": (payload(MALLORY.packet(9_000_000)), "relay.payload_invalid"),
    "bad signature": (payload(damaged(NEWER)), "relay.payload_invalid"),
    "not even a packet": (payload(b"<html>"), "relay.payload_invalid"),
    "2 GB, announced": (endless(True), "relay.response_too_large"),
    "2 GB, unannounced": (endless(False), "relay.response_too_large"),
    "an endless head": (endless_head, "relay.response_too_large"),
    "no HTTP": (no_http, "relay.response_malformed"),
    "a slow drip": (drip(NEWER), "relay.timeout"),
    "silence": (silent, "relay.timeout"),
    "a redirect to a file": (redirect("file:///etc/passwd"), "relay.redirected"),
    "a redirect to this machine": (redirect("http://127.0.0.1:1/"), "relay.redirected"),
    "a redirect to a private address": (redirect("http://10.0.0.1/"), "relay.redirected"),
    "a redirect to the open": (redirect("https://relay.example/"), "relay.redirected"),
    "a redirect to the metadata service": (redirect("http://169.254.169.254/latest"),
                                           "relay.redirected"),
}


class Relays(NetworkTest):
    def test_that_lie_have_their_slug(self):
        for name, (behaviour, slug) in LIES.items():
            with self.subTest(name):
                start = time.monotonic()
                self.fails(slug, "resolve", ALICE.text, "--no-dht", "--relay",
                           self.relay(behaviour), "--timeout-s", "4")
                self.assertLess(time.monotonic() - start, 8)

    def test_that_lie_change_nothing_beside_an_honest_one(self):
        honest = self.relay(payload(NEWER))
        for name, (behaviour, _) in LIES.items():
            with self.subTest(name):
                state = ["--state-dir", self.path(name.replace(" ", "-"))]
                found = self.resolve("--no-dht", "--relay", self.relay(behaviour), "--relay",
                                     honest, "--policy", "first", *state)
                self.assertEqual(self.texts(found), ['"newer"'])
                self.assertEqual(found["source"], "relay")

    def test_that_are_silent_are_not_waited_for_beside_one_that_answers(self):
        start = time.monotonic()
        found = self.resolve("--no-dht", "--relay", self.relay(silent), "--relay",
                             self.relay(payload(NEWER)), "--policy", "newest")
        self.assertEqual(self.texts(found), ['"newer"'])
        self.assertLess(time.monotonic() - start, 5)  # half a second, on a quiet machine

    def test_with_an_older_packet_do_not_take_us_back(self):
        newer, older = self.relay(payload(NEWER)), self.relay(payload(OLDER))
        both = self.resolve("--no-dht", "--relay", older, "--relay", newer, "--policy", "newest")
        self.assertEqual(self.texts(both), ['"newer"'])
        # Also when the newer one is gone, and by another process.
        alone = self.resolve("--no-dht", "--relay", older)
        self.assertEqual((self.texts(alone), alone["source"]), (['"newer"'], "cache"))
        self.assertEqual(self.texts(self.resolve("--no-dht", "--relay", older, "--state-dir",
                                                 self.path("without-memory"))), ['"older"'])

    def test_that_are_all_dead_leave_the_dht(self):
        net = self.start_testnet()
        key = self.new_key()
        self.ok("publish", "alice", "--record", "@ 300 A 192.0.2.1", "--bootstrap",
                net["bootstrap"])
        found = self.ok_json("resolve", key, "--bootstrap", net["bootstrap"], "--relay",
                             "http://127.0.0.1:1", "--state-dir", self.path("elsewhere"))
        self.assertEqual(found["source"], "dht")

    def test_answer_when_the_dht_is_dead(self):
        relay = self.relay(payload(NEWER))
        with silent_dht() as nobody:
            for policy in ("first", "newest"):
                found = self.resolve("--bootstrap", nobody, "--relay", relay, "--policy", policy,
                                     "--state-dir", self.path(policy))
                self.assertEqual((self.texts(found), found["source"]), (['"newer"'], "relay"))

    def test_and_the_dht_being_dead_is_said_with_both_reasons(self):
        with silent_dht() as nobody:
            message = self.fails("resolve.network_failed", "resolve", ALICE.text, "--bootstrap",
                                 nobody, "--relay", "http://127.0.0.1:1", "--timeout-s", "5")
        self.assertIn("dht.no_responses", message)
        self.assertIn("relay.unreachable", message)

    def test_that_have_nothing_are_believed(self):
        nothing = self.relay(lambda handler: handler.answer(404))
        self.fails("resolve.not_found", "resolve", ALICE.text, "--no-dht", "--relay", nothing)

    def test_below_key_are_never_looked_up(self):
        self.fails("relay.unreachable", "resolve", ALICE.text, "--no-dht", "--relay",
                   f"https://{MALLORY.text}.key")


class TheDaemon(NetworkTest):
    def test_survives_lying_relays_and_remembers_who_failed(self):
        urls = {name: self.relay(behaviour) for name, (behaviour, _) in LIES.items()}
        honest = self.relay(payload(NEWER))
        options = [option for url in [*urls.values(), honest] for option in ("--relay", url)]
        daemon = self.start_daemon("--no-dht", *options)
        before = daemon.memory_kib()
        found = self.connect(daemon).ok("resolve", {"key": ALICE.text, "records": True})
        self.assertEqual((self.texts(found), found["source"]), (['"newer"'], "relay"))
        for _ in range(300):
            status = self.ok_json("status")
            failed = {relay["url"]: relay.get("last_error") for relay in status["relays"]}
            if all(failed[url] for url in urls.values()):
                break
            time.sleep(0.1)
        self.assertEqual({name: failed[url] for name, url in urls.items()},
                         {name: slug for name, (_, slug) in LIES.items()})
        self.assertIsNone(failed[honest])
        self.assertLess(daemon.memory_kib() - before, 16 * 1024)

    def test_forgets_nothing_when_it_ends(self):
        relay = self.relay(payload(NEWER))
        daemon = self.start_daemon("--no-dht", "--relay", relay)
        self.connect(daemon).ok("resolve", {"key": ALICE.text})
        daemon.close()
        again = self.start_daemon("--no-dht")
        found = self.connect(again).ok("resolve", {"key": ALICE.text})
        self.assertEqual((found["timestamp_us"], found["source"]), (2_000_000, "cache"))

    def test_serves_a_thousand_askers_with_one_lookup(self):
        relay = ScriptedRelay(late(0.5, payload(NEWER)))
        self.addCleanup(relay.close)
        connection = self.connect(self.start_daemon("--no-dht", "--relay", relay.url))
        for _ in range(200):
            connection.send("resolve", {"key": ALICE.text})
        self.assertEqual({connection.receive()["op"] for _ in range(200)}, {"resolve"})
        self.assertEqual(relay.requests, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
