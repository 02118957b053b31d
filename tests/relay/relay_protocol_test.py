#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of the relay protocol (pkarr v7, with the compare-and-swap of v3.8 to v6)."""
import email.utils
import re
import time
import unittest

from relay_support import Key, RelayTest, ask

HOUR_US = 3_600_000_000


def now_us():
    return int(time.time() * 1e6)


def http_date(timestamp_us):
    return email.utils.formatdate(timestamp_us / 1e6, usegmt=True)


class Put(RelayTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.start("testnet", "--nodes", "12").port

    def put(self, key, packet, **headers):
        return ask(self.port, "PUT", "/" + key.text, packet, headers)

    def test_a_packet_is_stored_in_the_dht_and_the_nodes_are_counted(self):
        answer = self.put(Key(1), Key(1).packet(now_us()))
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertGreater(int(answer.headers["pkarr-dht-stored-nodes"]), 0)

    def test_what_is_no_packet_of_this_key_is_refused(self):
        packet = Key(2).packet(now_us())
        flipped = packet[:10] + bytes([packet[10] ^ 1]) + packet[11:]
        rows = [
            ("/" + Key(2).text[:-1], packet),
            ("/" + Key(2).text.replace(Key(2).text[3], "0"), packet),
            ("/" + Key(3).text, packet),
            ("/" + Key(2).text, packet[:71]),
            ("/" + Key(2).text, b""),
            ("/" + Key(2).text, flipped),
            ("/" + Key(2).text, Key(2).sign(now_us(), b"\0" * 5)),
        ]
        for path, body in rows:
            with self.subTest(path=path, size=len(body)):
                answer = ask(self.port, "PUT", path, body)
                self.assertEqual(answer.status, 400)
                self.assertIn("text/plain", answer.headers["content-type"])
                self.assertTrue(answer.body)

    def test_more_than_1072_bytes_are_too_large(self):
        for size in (1073, 1104, 100_000, 900_000):
            with self.subTest(size=size):
                self.assertEqual(self.put(Key(4), b"x" * size).status, 413)
        self.assertEqual(self.put(Key(4), b"x" * 1072).status, 400)

    def test_an_older_packet_conflicts_and_the_same_may_come_again(self):
        key, timestamp = Key(5), now_us()
        packet = key.packet(timestamp)
        self.assertEqual(self.put(key, packet).status, 204)
        self.assertEqual(self.put(key, packet).status, 204)
        self.assertEqual(self.put(key, key.packet(timestamp - 1)).status, 409)
        self.assertEqual(self.put(key, key.packet(timestamp + 1)).status, 204)

    def test_if_match_compares_and_swaps(self):
        key, timestamp = Key(6), now_us()
        self.assertEqual(self.put(key, key.packet(timestamp)).status, 204)
        next_packet = key.packet(timestamp + 1)
        self.assertEqual(self.put(key, next_packet, **{"If-Match": str(timestamp - 7)}).status, 412)
        self.assertEqual(self.put(key, next_packet, **{"If-Match": '"1-00"'}).status, 412)
        self.assertEqual(self.put(key, next_packet, **{"If-Match": "no number"}).status, 400)
        self.assertEqual(self.put(key, next_packet, **{"If-Match": str(timestamp)}).status, 204)
        tag = ask(self.port, "GET", "/" + key.text).headers["etag"]
        self.assertEqual(self.put(key, key.packet(timestamp + 2), **{"If-Match": tag}).status, 204)

    def test_the_type_of_the_body_does_not_matter(self):
        for content_type in ("text/plain", "application/pkarr.org/relays#payload", "nonsense"):
            packet = Key(8).packet(now_us())
            self.assertEqual(self.put(Key(8), packet, **{"Content-Type": content_type}).status, 204)

    def test_a_key_may_come_in_any_spelling(self):
        key = Key(7)
        for path in ("/pk%3A" + key.text, "/" + key.text + ".key", "/" + key.text):
            answer = ask(self.port, "PUT", path, key.packet(now_us()))
            self.assertEqual(answer.status, 204, path)


class Get(RelayTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.start("testnet", "--nodes", "12").port
        cls.key = Key(100)
        cls.timestamp = now_us() - HOUR_US
        cls.packet = cls.key.packet(cls.timestamp, ttl_s=900)
        answer = ask(cls.port, "PUT", "/" + cls.key.text, cls.packet)
        assert answer.status == 204, answer.body

    def get(self, path=None, method="GET", **headers):
        return ask(self.port, method, path or "/" + self.key.text, None, headers)

    def check_packet_headers(self, answer):
        headers = answer.headers
        self.assertEqual(headers["content-type"], "application/pkarr.org/relays#payload")
        age = int(headers["cache-control"].removeprefix("public, max-age="))
        self.assertTrue(880 < age <= 900, headers["cache-control"])
        self.assertEqual(headers["last-modified"], http_date(self.timestamp))
        seen = email.utils.parsedate_to_datetime(headers["memento-datetime"]).timestamp()
        self.assertLess(abs(seen - time.time()), 60)
        self.assertTrue(headers["etag"].startswith('"'))
        self.assertIn("memento-datetime", headers["access-control-expose-headers"])
        self.assertIn("date", headers)

    def test_a_packet_comes_with_its_headers_by_every_policy(self):
        for query in ("", "?policy=CacheOnly", "?policy=CacheFirst", "?policy=NetworkOnly"):
            with self.subTest(query=query):
                answer = self.get("/" + self.key.text + query)
                self.assertEqual((answer.status, answer.body), (200, self.packet))
                self.check_packet_headers(answer)

    def test_head_has_the_headers_alone(self):
        answer = self.get(method="HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(int(answer.headers["content-length"]), len(self.packet))
        self.check_packet_headers(answer)

    def test_if_modified_since_never_gives_an_empty_200(self):
        # The timestamp has microseconds: its own second is before it.
        rows = [(HOUR_US, 304), (1_000_000, 304), (0, 200), (-1_000_000, 200), (-HOUR_US, 200)]
        for offset, status in rows:
            with self.subTest(offset=offset):
                date = http_date(self.timestamp + offset)
                answer = self.get(**{"If-Modified-Since": date})
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.body, self.packet if status == 200 else b"")
        self.assertEqual(self.get(**{"If-Modified-Since": "yesterday"}).status, 200)

    def test_if_none_match_knows_the_tag(self):
        tag = self.get().headers["etag"]
        self.assertEqual(self.get(**{"If-None-Match": tag}).status, 304)
        self.assertEqual(self.get(**{"If-None-Match": '"other"'}).status, 200)

    def test_what_is_not_there_is_not_found(self):
        for query in ("", "?policy=CacheOnly", "?policy=NetworkOnly"):
            answer = self.get("/" + Key(101).text + query)
            self.assertEqual((answer.status, answer.body), (404, b""))

    def test_wrong_questions_are_refused(self):
        rows = [("/nokey", 400), ("/" + self.key.text + "?policy=Newest", 400), ("/a/b", 404)]
        for path, status in rows:
            answer = self.get(path)
            self.assertEqual(answer.status, status, path)
            self.assertIn("text/plain", answer.headers["content-type"])
        refused = self.get(method="DELETE")
        self.assertEqual(refused.status, 405)
        self.assertEqual(refused.headers["allow"], "GET, HEAD, PUT, OPTIONS")
        self.assertEqual(self.get("/" + Key(101).text + "?policy=CacheOnly", "HEAD").status, 404)

    def test_a_page_of_another_origin_may_ask(self):
        answer = self.get(Origin="https://example.org")
        self.assertEqual(answer.headers["access-control-allow-origin"], "https://example.org")
        answer = self.get(method="OPTIONS", **{"Origin": "https://example.org",
                                               "Access-Control-Request-Method": "PUT",
                                               "Access-Control-Request-Headers": "if-match"})
        self.assertEqual(answer.status, 204)
        self.assertIn("PUT", answer.headers["access-control-allow-methods"])
        self.assertIn("if-match", answer.headers["access-control-allow-headers"])

    def metrics(self):
        """Prometheus' text as {name with labels: value}; it must be well-formed."""
        types, values = {}, {}
        for line in self.get("/metrics").body.decode().splitlines():
            if match := re.fullmatch(r"# TYPE ([a-z_]+) (counter|gauge)", line):
                types[match[1]] = match[2]
            elif not re.fullmatch(r"# HELP [a-z_]+ [A-Z].*[.]", line):
                match = re.fullmatch(r'(([a-z_]+)({[a-z]+="[^"]+"})?) ([0-9.]+)', line)
                self.assertTrue(match, line)
                self.assertEqual(types[match[2]] == "counter", match[2].endswith("_total"), line)
                values[match[1]] = float(match[4])
        return values

    def test_the_metrics_count(self):
        count = 'dotkey_relay_requests_total{kind="get"}'
        before = self.metrics()
        self.assertLess(abs(before["dotkey_relay_start_time_seconds"] - time.time()), 600)
        self.assertEqual(self.get().status, 200)
        deadline = time.monotonic() + 10  # the figures are a second old
        while self.metrics()[count] <= before[count]:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def test_the_relay_shows_itself(self):
        self.assertIn(b"dotkey relay", self.get("/").body)
        self.assertIn(b'"nodes":', self.get("/stats.json").body)
        deadline = time.monotonic() + 5  # the figures are a second old
        while self.get("/health").status != 200:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)


class WithoutNetwork(RelayTest):
    def test_a_dead_dht_is_503_and_a_cached_packet_still_answers(self):
        port = self.start_relay("--bootstrap", "127.0.0.1:9", "--rate", "off",
                                "--database", self.home + "/dead.sqlite").port
        answer = ask(port, "GET", "/" + Key(200).text)
        self.assertEqual(answer.status, 503)
        self.assertIn(b"No ", answer.body)
        self.assertEqual(ask(port, "GET", "/health").status, 503)

    def test_limits_are_per_client_and_carry_cors_headers(self):
        port = self.start_relay("--no-dht", "--rate", "1r/h", "--burst", "2", "--proxy",
                                "127.0.0.1", "--database", self.home + "/limits.sqlite").port

        def status(client, method="GET"):
            return ask(port, method, "/" + Key(201).text, None, {"X-Forwarded-For": client})

        self.assertEqual([status("192.0.2.1").status for _ in range(2)], [404, 404])
        refused = status("192.0.2.1")
        self.assertEqual(refused.status, 429)
        self.assertEqual(refused.headers["access-control-allow-origin"], "*")
        self.assertGreater(int(refused.headers["retry-after"]), 60)
        self.assertEqual(refused.headers["x-ratelimit-remaining"], "0")
        self.assertEqual(status("192.0.2.1", "OPTIONS").status, 204)
        self.assertEqual(status("192.0.2.2").status, 404)
        # What stands left of a proxy's own entry the client may have made up.
        self.assertEqual(status("198.51.100.7, 192.0.2.1").status, 429)
        # One customer has a /64.
        self.assertEqual([status(f"2001:db8::{n}").status for n in (1, 2, 3)], [404, 404, 429])
        self.assertEqual(status("2001:db8:0:1::1").status, 404)

    def test_nobody_but_a_proxy_is_believed_about_addresses(self):
        port = self.start_relay("--no-dht", "--rate", "1r/h", "--burst", "1",
                                "--database", self.home + "/believed.sqlite").port
        statuses = [ask(port, "GET", "/" + Key(202).text, None,
                        {"X-Forwarded-For": f"192.0.2.{n}"}).status for n in (1, 2)]
        self.assertEqual(statuses, [404, 429])


if __name__ == "__main__":
    unittest.main()
