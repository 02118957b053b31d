#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay protocol where the answer depends on the DHT, on another relay, or on what has aged.

DHT_PEER is the program dht_peer, which puts what is no signed packet.
"""
import email.utils
import os
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

from relay_support import Key, RelayTest, ask

DHT_PEER = os.environ.get("DHT_PEER", "build/release/tests/interop/dht_peer")
HOUR_US = 3_600_000_000


def now_us():
    return int(time.time() * 1e6)


def max_age(answer):
    return int(answer.headers["cache-control"].removeprefix("public, max-age="))


class Network(RelayTest):
    """A testnet, its own relay, and relays that join it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.testnet = cls.start("testnet", "--nodes", "12")
        cls.port = cls.testnet.port
        cls.number = 0

    @classmethod
    def database(cls):
        cls.number += 1
        return f"{cls.home}/relay{cls.number}.sqlite"

    def another_relay(self, database=None, dht_rate="off"):
        relay = self.start_relay("--bootstrap", self.testnet.ready["bootstrap"],
                                 "--allow-local-network", "--rate", "off", "--dht-rate", dht_rate,
                                 "--dht-burst", "1", "--database", database or self.database())
        deadline = time.monotonic() + 20
        while ask(relay.port, "GET", "/health").status != 200:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        return relay.port

    def put(self, port, key, packet, **headers):
        return ask(port, "PUT", "/" + key.text, packet, headers).status

    def get(self, port, key, policy=None, **headers):
        return ask(port, "GET", "/" + key.text + (f"?policy={policy}" if policy else ""), None,
                   headers)

    def test_a_packet_is_found_by_a_relay_that_was_not_given_it(self):
        key = Key(300)
        packet = key.packet(now_us())
        self.assertEqual(self.put(self.port, key, packet), 204)
        other = self.another_relay()
        self.assertEqual(self.get(other, key, "CacheOnly").status, 404)
        self.assertEqual(self.get(other, key).body, packet)
        self.assertEqual(self.get(other, key, "CacheOnly").body, packet)

    def test_cache_first_keeps_to_a_fresh_packet_and_network_only_finds_the_newest(self):
        key, timestamp = Key(301), now_us()
        old, new = key.packet(timestamp), key.packet(timestamp + 1)
        other = self.another_relay()
        self.assertEqual(self.put(self.port, key, old), 204)
        self.assertEqual(self.get(other, key).body, old)
        self.get(other, key, "NetworkOnly")  # ends with the lookup that the first answer began
        self.assertEqual(self.put(self.port, key, new), 204)
        self.assertEqual(self.get(other, key).body, old)
        self.assertEqual(self.get(other, key, "NetworkOnly").body, new)
        self.assertEqual(self.get(other, key).body, new)

    def test_what_the_dht_holds_decides_over_a_put(self):
        key, timestamp = Key(302), now_us()
        self.assertEqual(self.put(self.port, key, key.packet(timestamp)), 204)
        other = self.another_relay()
        self.assertEqual(self.put(other, key, key.packet(timestamp - 1)), 409)
        next_packet = key.packet(timestamp + 1)
        self.assertEqual(self.put(other, key, next_packet, **{"If-Match": "7"}), 412)
        self.assertEqual(self.put(other, key, next_packet, **{"If-Match": str(timestamp)}), 204)
        self.assertEqual(self.get(self.port, key, "NetworkOnly").body, next_packet)

    def test_an_item_that_is_no_packet_is_named_by_its_sequence(self):
        key, timestamp = Key(303), now_us()
        put = subprocess.run(
            [DHT_PEER, "put", "--bootstrap", self.testnet.ready["bootstrap"], "--seed-hex",
             key.seed.hex(), "--seq", str(timestamp), "--value-hex", b"no packet".hex()],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(put.returncode, 0, put)
        answer = self.get(self.port, key)
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.headers["pkarr-invalid-signed-packet-seq"], str(timestamp))
        self.assertEqual(answer.body.decode(),
                         f"DHT mutable item at seq {timestamp} is not a valid signed packet")
        self.assertIn("pkarr-invalid-signed-packet-seq",
                      answer.headers["access-control-expose-headers"])

    def test_requests_that_reach_the_dht_have_a_quota_of_their_own(self):
        key = Key(304)
        port = self.another_relay(dht_rate="1r/h")
        packet = key.packet(now_us())
        self.assertEqual(self.put(port, key, packet), 204)
        refused = self.get(port, Key(305))
        self.assertEqual((refused.status, refused.body), (429, b"Too many requests to DHT nodes"))
        for name in ("retry-after", "x-ratelimit-after", "x-ratelimit-limit"):
            self.assertGreater(int(refused.headers[name]), 0)
        self.assertEqual(self.put(port, key, key.packet(now_us())), 429)
        # What needs no DHT costs nothing: an older packet, a cached one, a look into the cache.
        self.assertEqual(self.put(port, key, key.packet(1)), 409)
        self.assertEqual(self.get(port, key).body, packet)
        self.assertEqual(self.get(port, Key(305), "CacheOnly").status, 404)

    def test_an_expired_packet_is_replaced_from_the_dht(self):
        key, database = Key(306), self.database()
        packet = key.packet(now_us(), ttl_s=600)
        self.assertEqual(self.put(self.port, key, packet), 204)
        keep_aged(self, database, key, packet, 7200)
        port = self.another_relay(database)
        self.assertEqual(max_age(self.get(port, key, "CacheOnly")), 0)
        self.assertGreater(max_age(self.get(port, key)), 590)


def keep_aged(test, database, key, packet, age_s):
    """Has a relay keep the packet, then makes the relay's disk believe it was seen long ago."""
    relay = test.start_relay("--no-dht", "--database", database)
    test.assertEqual(ask(relay.port, "PUT", "/" + key.text, packet).status, 204)
    relay.close()
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE packets SET last_seen_us = last_seen_us - ?",
                           (age_s * 1_000_000,))
    connection.close()


class Age(RelayTest):
    """A relay without a DHT: what it was given, older and older."""

    def relay_with(self, key, packet, age_s):
        database = f"{self.home}/{key.text}.sqlite"
        keep_aged(self, database, key, packet, age_s)
        return self.start_relay("--no-dht", "--rate", "off", "--database", database).port

    def test_max_age_is_the_smallest_ttl_within_bounds(self):
        port = self.start_relay("--no-dht", "--rate", "off").port
        rows = [(1, 300), (299, 300), (300, 300), (301, 301), (86_400, 86_400),
                (4_000_000, 86_400)]
        for number, (ttl_s, age) in enumerate(rows, 320):
            with self.subTest(ttl_s=ttl_s):
                key = Key(number)
                ask(port, "PUT", "/" + key.text, key.packet(now_us(), ttl_s=ttl_s))
                given = max_age(ask(port, "GET", "/" + key.text))
                self.assertTrue(age - 30 < given <= age, given)
        empty = Key(319)
        body = empty.sign(now_us(), bytes.fromhex("000080000000000000000000"))
        self.assertEqual(ask(port, "PUT", "/" + empty.text, body).status, 204)
        self.assertTrue(270 < max_age(ask(port, "GET", "/" + empty.text)) <= 300)

    def test_max_age_is_what_remains(self):
        key = Key(330)
        port = self.relay_with(key, key.packet(now_us(), ttl_s=900), 500)
        answer = ask(port, "GET", "/" + key.text)
        self.assertTrue(370 < max_age(answer) <= 400, max_age(answer))
        seen = email.utils.parsedate_to_datetime(answer.headers["memento-datetime"]).timestamp()
        self.assertTrue(499 < time.time() - seen < 530)

    def test_an_expired_packet_is_for_those_who_ask_for_the_cache_alone(self):
        key = Key(331)
        packet = key.packet(now_us(), ttl_s=300)
        port = self.relay_with(key, packet, 7200)
        answer = ask(port, "GET", f"/{key.text}?policy=CacheOnly")
        self.assertEqual((answer.status, answer.body, max_age(answer)), (200, packet, 0))
        for policy in ("CacheFirst", "NetworkOnly"):
            answer = ask(port, "GET", f"/{key.text}?policy={policy}")
            self.assertEqual((answer.status, answer.body), (404, b""))


class NodeThatStoresNothing(threading.Thread):
    """A DHT node, alone in its network, that answers all but a put, and takes its time."""

    def __init__(self):
        super().__init__()
        self.put_came = threading.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            query, sender = self.socket.recvfrom(2048)
            if query == b"end":
                return
            if b"1:q3:put" in query:
                self.put_came.set()
                continue
            time.sleep(0.5)  # so that it is waited for longer than these tests need
            transaction = query[query.index(b"1:t4:") + 5:][:4]
            self.socket.sendto(b"d1:rd2:id20:" + b"N" * 20 + b"5:nodes0:5:token4:abcde1:t4:" +
                               transaction + b"1:y1:re", sender)

    def close(self):
        self.socket.sendto(b"end", self.socket.getsockname())
        self.join()
        self.socket.close()


class Silence(RelayTest):
    """A DHT that takes nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node = NodeThatStoresNothing()
        cls.addClassCleanup(cls.node.close)
        cls.port = cls.relay_at(cls.node.address)

    @classmethod
    def relay_at(cls, bootstrap):
        return cls.start_relay("--bootstrap", bootstrap, "--allow-local-network", "--rate", "off",
                               "--dht-rate", "off", "--database",
                               f"{cls.home}/{bootstrap}.sqlite").port

    def test_nobody_answers(self):
        port = self.relay_at("127.0.0.1:9")
        answer = ask(port, "GET", "/" + Key(340).text)
        self.assertEqual(answer.status, 503)
        self.assertIn(answer.body, (b"No DHT nodes were queried", b"No queried DHT nodes responded",
                                    b"No responded DHT nodes returned usable response"))
        self.assertEqual(ask(port, "GET", f"/{Key(340).text}?policy=CacheOnly").status, 404)
        answer = ask(port, "PUT", "/" + Key(341).text, Key(341).packet(now_us()))
        self.assertEqual(answer.status, 500)
        self.assertIn("text/plain", answer.headers["content-type"])

    def test_while_one_packet_is_under_way_another_must_name_it(self):
        key, timestamp = Key(342), now_us()
        path, statuses = "/" + key.text, []
        first = threading.Thread(target=lambda: statuses.append(
            ask(self.port, "PUT", path, key.packet(timestamp)).status))
        first.start()
        self.assertTrue(self.node.put_came.wait(30))
        rows = [(timestamp - 1, {}, 409), (timestamp + 1, {}, 428),
                (timestamp + 1, {"If-Match": "7"}, 412)]
        answers = [ask(self.port, "PUT", path, key.packet(stamp), headers).status
                   for stamp, headers, _ in rows]
        under_way = first.is_alive()
        first.join()
        self.assertTrue(under_way, "the first PUT ended too early for this test")
        self.assertEqual(answers, [status for _, _, status in rows])
        self.assertEqual(statuses, [500])


if __name__ == "__main__":
    unittest.main()
