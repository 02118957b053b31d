#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our client and relays that are not ours: every answer they can give, over real HTTP."""
import base64
import concurrent.futures
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "relay"))
from daemon_support import DaemonTest
from pkarr_relays import CarelessRelay, OldRelay, V7Relay, timestamp_of
from relay_support import Key
from scripted_relay import ScriptedRelay

ALICE = Key(1)
FIRST_US, SECOND_US = 1_000_000_500_000, 2_000_000_500_000
FIRST = ALICE.packet(FIRST_US, b"first")
SECOND = ALICE.packet(SECOND_US, b"second")


class RelaysTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.ok("key", "import", "alice", "--seed-hex", ALICE.seed.hex())
        self.states = 0

    def open(self, relay):
        self.addCleanup(relay.close)
        return relay

    def alone(self, relay):
        return ["--no-dht", "--relay", relay.url]

    def without_memory(self):
        self.states += 1
        return ["--state-dir", self.path(f"state-{self.states}")]

    def resolve(self, relay, *arguments):
        return self.ok_json("resolve", ALICE.text, *self.alone(relay), *arguments)


# status, headers, body → the timestamp found, or the slug
GETS = {
    "200": (200, [], SECOND, SECOND_US),
    "200 that the relay last saw long ago":
        (200, [("memento-datetime", "Fri, 20 Nov 2026 00:00:00 GMT")], SECOND, SECOND_US),
    "200 with a memento of the future":
        (200, [("memento-datetime", "Fri, 20 Nov 2093 00:00:00 GMT")], SECOND, SECOND_US),
    "200 with a memento that is no date": (200, [("memento-datetime", "?")], SECOND, SECOND_US),
    "200, empty": (200, [], b"", "relay.payload_invalid"),
    "200 of 1104 bytes": (200, [], bytes(1104), "relay.response_too_large"),
    "304 without a question": (304, [], b"", "relay.response_malformed"),
    "400": (400, [], b"bad key", "relay.refused"),
    "404, as v7 says it": (404, [], b"", "resolve.not_found"),
    "404, as old relays say it": (404, [], b"No signed packet found", "resolve.not_found"),
    "404 with an item that is no packet":
        (404, [("Pkarr-Invalid-Signed-Packet-Seq", "77")], b"DHT mutable item at seq 77 is not a "
         b"valid signed packet", "resolve.invalid_packet"),
    "404 with nonsense for the sequence":
        (404, [("Pkarr-Invalid-Signed-Packet-Seq", "-3")], b"", "relay.response_malformed"),
    "429": (429, [("Retry-After", "3600")], b"", "relay.rate_limited"),
    "429 of the DHT's quota": (429, [], b"Too many requests to DHT nodes", "relay.rate_limited"),
    "500": (500, [], b"", "relay.dht_unavailable"),
    "503, nobody asked": (503, [], b"No DHT nodes were queried", "relay.dht_unavailable"),
    "503, nobody answered": (503, [], b"No queried DHT nodes responded", "relay.dht_unavailable"),
    "503, nothing usable":
        (503, [], b"No responded DHT nodes returned usable response", "relay.dht_unavailable"),
    "418": (418, [], b"", "relay.response_malformed"),
}
# status, headers → how many nodes stored it, or the slug
PUTS = {
    "204 of v7": (204, [("Pkarr-Dht-Stored-Nodes", "17")], 17),
    "204 of old relays": (204, [], 1),
    "204 with nonsense for the nodes":
        (204, [("Pkarr-Dht-Stored-Nodes", "many")], "relay.response_malformed"),
    "400": (400, [], "relay.refused"),
    "409": (409, [], "publish.conflict"),
    "412": (412, [], "publish.conflict"),
    "413": (413, [], "relay.refused"),
    "428": (428, [], "publish.conflict"),
    "429": (429, [("Retry-After", "3600")], "relay.rate_limited"),
    "500": (500, [], "relay.dht_unavailable"),
    "503": (503, [], "relay.dht_unavailable"),
}


class EachAnswer(RelaysTest):
    def test_to_a_get_means_one_thing(self):
        for name, (status, headers, body, expected) in GETS.items():
            with self.subTest(name):
                relay = self.open(ScriptedRelay(lambda h: h.answer(status, body, headers)))
                where = [*self.alone(relay), *self.without_memory()]
                if isinstance(expected, str):
                    self.fails(expected, "resolve", ALICE.text, *where)
                else:
                    found = self.ok_json("resolve", ALICE.text, *where)
                    self.assertEqual(found["timestamp_us"], expected)

    def test_to_a_put_means_one_thing(self):
        def publish(row):
            status, headers, _ = row
            relay = self.open(ScriptedRelay(
                lambda h: h.answer(404) if h.command == "GET" else h.answer(status, b"", headers)))
            return self.run_dotkey("publish", "alice", "--record", "@ 300 A 192.0.2.1", "--json",
                                   "--no-republish", *self.alone(relay), *self.without_memory())

        # Failures are tried again after seconds, so all rows at once.
        with concurrent.futures.ThreadPoolExecutor(len(PUTS)) as pool:
            done = dict(zip(PUTS, pool.map(publish, PUTS.values())))
        for name, (_, _, expected) in PUTS.items():
            with self.subTest(name):
                if isinstance(expected, str):
                    self.assertTrue(done[name].stderr.startswith(expected + ": "), done[name])
                else:
                    relay, = json.loads(done[name].stdout)["relays"]
                    self.assertEqual((relay["verdict"], relay["dht_nodes"]), ("stored", expected))


class BothGenerations(RelaysTest):
    def test_are_asked_by_policy(self):
        rows = [("first", "policy=CacheFirst"), ("newest", "policy=NetworkOnly")]
        for kind in (OldRelay, V7Relay):
            for policy, query in rows:
                with self.subTest(relay=kind.__name__, policy=policy):
                    relay = self.open(kind(SECOND))
                    found = self.resolve(relay, "--policy", policy, *self.without_memory())
                    self.assertEqual(found["timestamp_us"], SECOND_US)
                    self.assertEqual([entry[:2] for entry in relay.log], [("GET", query)])

    def test_are_asked_as_browsers_ask_by_default(self):
        relay = self.open(V7Relay(SECOND))
        self.resolve(relay)
        self.assertEqual(relay.log[0][1], "policy=CacheFirst")

    def test_confirm_what_is_known(self):
        for kind in (OldRelay, V7Relay):
            with self.subTest(kind.__name__):
                # Dates have seconds: a packet of a whole second is not newer than its date.
                whole = ALICE.packet(3_000_000_000_000)
                relay, state = self.open(kind(whole)), self.without_memory()
                self.resolve(relay, *state)
                again = self.resolve(relay, "--policy", "newest", *state)
                self.assertEqual(again["timestamp_us"], 3_000_000_000_000)
                self.assertEqual(len(relay.log), 2)
                self.assertEqual(relay.log[1][2]["If-Modified-Since"],
                                 "Wed, 04 Feb 1970 17:20:00 GMT")

    def test_give_what_is_newer_than_the_known(self):
        # Old relays answer 200 with nothing to the date: they are asked again without it.
        for kind, gets in ((OldRelay, 3), (V7Relay, 2)):
            with self.subTest(kind.__name__):
                relay, state = self.open(kind(FIRST)), self.without_memory()
                self.assertEqual(self.resolve(relay, *state)["timestamp_us"], FIRST_US)
                relay.held = SECOND
                found = self.resolve(relay, "--policy", "newest", *state)
                self.assertEqual(found["timestamp_us"], SECOND_US)
                dates = ["If-Modified-Since" in headers for _, _, headers in relay.log]
                self.assertEqual(dates, [False, True, False][:gets])

    def test_that_went_back_do_not_take_us_along(self):
        for kind in (OldRelay, V7Relay):
            with self.subTest(kind.__name__):
                relay, state = self.open(kind(SECOND)), self.without_memory()
                self.resolve(relay, *state)
                relay.held = FIRST
                found = self.resolve(relay, "--policy", "newest", *state)
                self.assertEqual((found["timestamp_us"], found["source"]), (SECOND_US, "cache"))

    def test_look_into_the_dht_for_newest(self):
        relay = self.open(V7Relay(FIRST, network=SECOND))
        found = self.resolve(relay, "--policy", "first")
        self.assertEqual(found["timestamp_us"], FIRST_US)
        found = self.resolve(relay, "--policy", "newest")
        self.assertEqual(found["timestamp_us"], SECOND_US)


class Publishing(RelaysTest):
    """Whoever publishes through a relay overwrites nothing that is newer, or not what it named."""

    def publish(self, *arguments):
        return self.run_dotkey("publish", "alice", "--record", "@ 300 TXT ours", "--no-republish",
                               *arguments)

    def check_conflict(self, done):
        lines = done.stderr.splitlines()
        self.assertTrue(lines and lines[0].startswith("publish.conflict: "), done)
        self.assertIn(str(SECOND_US), lines[0])
        self.assertEqual([line.startswith("; ") for line in lines[1:]], [True, False, True, False])
        self.assertIn('"ours"', lines[2])
        self.assertIn('"second"', lines[4])

    def test_by_the_command(self):
        bootstrap = self.start_testnet()["bootstrap"]
        ways = [("--replace", str(FIRST_US)), ("--timestamp-us", str(FIRST_US))]
        for kind in (OldRelay, V7Relay, CarelessRelay):
            for sources in (["--no-dht"], ["--bootstrap", bootstrap]):
                for way in ways:
                    with self.subTest(relay=kind.__name__, sources=sources[0], way=way[0]):
                        relay = self.open(kind(SECOND))
                        self.check_conflict(self.publish("--relay", relay.url, *sources, *way,
                                                         *self.without_memory()))
                        self.assertEqual(relay.held, SECOND)
        self.fails("resolve.not_found", "resolve", ALICE.text, "--bootstrap", bootstrap)

    def test_by_the_socket(self):
        bootstrap = self.start_testnet()["bootstrap"]
        # A condition that does not hold, on a packet newer than theirs; then an old packet.
        ways = [(ALICE.packet(SECOND_US + 5, b"ours"), {"cas_us": FIRST_US}), (FIRST, {})]
        for kind in (OldRelay, V7Relay, CarelessRelay):
            for sources in (["--no-dht"], ["--bootstrap", bootstrap]):
                for packet, condition in ways:
                    with self.subTest(relay=kind.__name__, sources=sources[0], by=condition):
                        relay = self.open(kind(SECOND))
                        daemon = self.start_daemon("--relay", relay.url, *sources,
                                                   *self.without_memory())
                        answer = self.connect(daemon).ask("publish", {
                            "packet": self.canonical(packet), "keep_alive": False, **condition})
                        daemon.close()
                        body = answer["body"]
                        self.assertEqual(body["error"], "publish.conflict", body)
                        self.assertEqual(body["theirs"], self.canonical(SECOND))
                        self.assertEqual(body["theirs_timestamp_us"], SECOND_US)
                        self.assertIn(str(timestamp_of(packet)), body["detail"])
                        self.assertEqual(relay.held, SECOND)

    def canonical(self, payload):
        return base64.b64encode(ALICE.public + payload).decode()

    def test_finds_out_what_only_the_relays_dht_has(self):
        relay = self.open(V7Relay(FIRST, network=SECOND))
        self.check_conflict(self.publish(*self.alone(relay), "--replace", str(FIRST_US)))
        self.assertEqual(relay.network, SECOND)

    def test_asks_every_relay_before_any_is_put_to(self):
        careless, v7 = self.open(CarelessRelay(FIRST)), self.open(V7Relay(SECOND))
        self.check_conflict(self.publish(*self.alone(careless), "--relay", v7.url,
                                         "--replace", str(FIRST_US)))
        self.assertEqual((careless.held, v7.held), (FIRST, SECOND))

    def test_replaces_what_was_named(self):
        for kind in (OldRelay, V7Relay, CarelessRelay):
            with self.subTest(kind.__name__):
                relay = self.open(kind(FIRST))
                done = self.publish(*self.alone(relay), "--replace", str(FIRST_US), "--json",
                                    *self.without_memory())
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(timestamp_of(relay.held), json.loads(done.stdout)["timestamp_us"])
                put, = (headers for method, _, headers in relay.log if method == "PUT")
                self.assertEqual(put["If-Match"], str(FIRST_US))

    def test_without_a_condition_comes_after_whatever_is_there(self):
        future = ALICE.packet(32_503_680_000_000_000, b"of the year 3000")
        for kind in (OldRelay, V7Relay):
            with self.subTest(kind.__name__):
                relay = self.open(kind(future))
                done = self.publish(*self.alone(relay), *self.without_memory())
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(timestamp_of(relay.held), 32_503_680_000_000_001)

    def test_beside_another_put_is_a_conflict_at_old_relays(self):
        relay = self.open(OldRelay(FIRST))
        relay.in_flight = True
        done = self.publish(*self.alone(relay))
        self.assertTrue(done.stderr.startswith("publish.conflict: "), done)
        self.assertEqual(relay.held, FIRST)


if __name__ == "__main__":
    unittest.main(verbosity=2)
