#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where host names lead, as `dotkey resolve --trace` shows it to a user."""
import json
import unittest

from daemon_support import DaemonTest

REFUSED = "dotkey allow-local KEY"


class Endpoints(DaemonTest):
    """Keys publish zones into a network of their own; the daemon follows names."""

    def setUp(self):
        super().setUp()
        net = self.start_testnet(10)
        self.daemon = self.start_daemon("--bootstrap", net["bootstrap"])

    def keys(self, *names):
        return [self.new_key(name) for name in names]

    def publish(self, name, *records):
        options = [option for record in records for option in ("--record", record)]
        self.ok("publish", name, *options)

    def trace(self, key, *arguments, slug=None):
        done = self.run_dotkey("resolve", key, *arguments, "--trace", "--json")
        if slug:
            self.assertTrue(done.stderr.startswith(slug + ": "), done.stderr)
        self.assertEqual(done.returncode, 1 if slug else 0, done.stderr)
        return json.loads(done.stdout)

    def ways(self, found):
        """(where, port) in the order to try."""
        return [(e.get("icann_host") or ",".join(e["addresses"]), e["port"])
                for e in found["endpoints"]]

    def notes(self, found):
        return "\n".join(f"{step['record']}: {step['note']}" for step in found["trace"])

    def test_go_by_priority_port_and_hints(self):
        key, = self.keys("alice")
        self.publish("alice", "@ 300 HTTPS 2 . port=8444 ipv4hint=192.0.2.2",
                     "@ 300 HTTPS 1 . port=8443 alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1")
        self.assertEqual(self.ways(self.trace(key)),
                         [("192.0.2.1,2001:db8::1", 8443), ("192.0.2.2", 8444)])

    def test_fall_back_on_plain_addresses_at_the_port_asked_for(self):
        key, = self.keys("alice")
        self.publish("alice", "@ 300 A 192.0.2.1", "www 300 AAAA 2001:db8::7")
        self.assertEqual(self.ways(self.trace(key)), [("192.0.2.1", 443)])
        self.assertEqual(self.ways(self.trace(key, "www", "--port", "8443")),
                         [("2001:db8::7", 8443)])

    def test_follow_aliases_to_another_key_with_its_pin(self):
        alice, bob = self.keys("alice", "bob")
        self.publish("alice", f"@ 300 HTTPS 0 www.{bob}.")
        pin = "3 1 1 " + "ab" * 32
        self.publish("bob", "www 300 HTTPS 1 . port=8443", "www 300 A 192.0.2.5",
                     f"_8443._tcp.www 300 TLSA {pin}")
        found = self.trace(alice)
        endpoint = found["endpoints"][0]
        self.assertEqual(self.ways(found)[0], ("192.0.2.5", 8443))
        self.assertEqual(endpoint["path"], [alice, bob])
        self.assertEqual(endpoint["tlsa"], [pin])
        self.assertEqual(endpoint["server_name"], f"{alice}.key")

    def test_follow_a_cname_to_a_key_and_to_an_icann_name(self):
        alice, bob = self.keys("alice", "bob")
        self.publish("alice", f"www 300 CNAME {bob}.", "out 300 CNAME www.example.com.",
                     "near 300 CNAME printer.local.")
        self.publish("bob", "@ 300 A 192.0.2.9")
        self.assertEqual(self.ways(self.trace(alice, "www")), [("192.0.2.9", 443)])
        self.assertEqual(self.ways(self.trace(alice, "out")), [("www.example.com", 443)])
        self.trace(alice, "near", slug="resolve.no_endpoint")

    def test_survive_a_dead_branch(self):
        alice, bob, nobody = self.keys("alice", "bob", "nobody")
        self.publish("alice", f"@ 300 HTTPS 1 {nobody}.", f"@ 300 HTTPS 2 {bob}.")
        self.publish("bob", "@ 300 A 192.0.2.3")
        found = self.trace(alice)
        self.assertEqual(self.ways(found), [("192.0.2.3", 443)])
        self.assertIn("resolve.not_found", self.notes(found))

    def test_end_in_a_loop(self):
        alice, bob = self.keys("alice", "bob")
        self.publish("alice", f"@ 300 HTTPS 0 {bob}.")
        self.publish("bob", f"@ 300 HTTPS 0 {alice}.")
        found = self.trace(alice, slug="resolve.no_endpoint")
        self.assertIn("in a circle", self.notes(found))

    def test_cross_seven_packets_and_no_more(self):
        names = [f"k{number}" for number in range(9)]
        keys = self.keys(*names)
        for number, name in enumerate(names[:-1]):
            self.publish(name, f"@ 300 CNAME {keys[number + 1]}.")
        self.publish(names[-1], "@ 300 A 192.0.2.4")
        reached = self.trace(keys[2])
        self.assertEqual(self.ways(reached), [("192.0.2.4", 443)])
        self.assertEqual(len(reached["endpoints"][0]["path"]), 7)
        self.trace(keys[1], slug="resolve.no_endpoint")

    def test_reach_the_local_network_only_by_the_users_word(self):
        alice, bob = self.keys("alice", "bob")
        self.publish("alice", "@ 300 A 127.0.0.1", "lan 300 A 192.168.1.7",
                     f"to-bob 300 CNAME {bob}.")
        self.publish("bob", "@ 300 A 10.0.0.1", "@ 300 A 192.0.2.1")
        for name in ("@", "lan"):
            self.assertIn(REFUSED, self.notes(self.trace(alice, name, slug="resolve.no_endpoint")))
        self.assertEqual(self.ok_json("allow-local", "alice"), {"keys": [alice]})
        self.assertEqual(self.ways(self.trace(alice)), [("127.0.0.1", 443)])
        self.assertEqual(self.ways(self.trace(alice, "lan")), [("192.168.1.7", 443)])
        # The word was about alice, whose name is asked for, not about bob's.
        self.assertEqual(self.ways(self.trace(bob)), [("192.0.2.1", 443)])
        self.assertEqual(self.ok("allow-local"), alice + "\n")
        self.ok("allow-local", "alice", "--remove")
        self.trace(alice, slug="resolve.no_endpoint")

    def test_keep_the_users_word_over_a_restart_and_without_a_daemon(self):
        alice, = self.keys("alice")
        self.publish("alice", "@ 300 A 127.0.0.1")
        self.ok("allow-local", "alice")
        self.daemon.close()
        # From the database alone.
        self.assertEqual(self.ways(self.trace(alice, "--no-dht", "--policy", "cache")),
                         [("127.0.0.1", 443)])
        self.ok("allow-local", "alice", "--remove")
        self.trace(alice, "--no-dht", "--policy", "cache",
                   slug="resolve.no_endpoint")

    def test_are_shown_to_people_line_by_line(self):
        alice, bob = self.keys("alice", "bob")
        self.publish("alice", f"@ 300 HTTPS 0 {bob}.")
        self.publish("bob", "@ 300 A 192.0.2.5")
        lines = self.ok("resolve", "alice", "--trace", "--policy", "first").splitlines()
        self.assertEqual(lines[0], f"{alice}.key port 443")
        self.assertEqual(lines[1], alice)
        self.assertTrue(lines[2].startswith(f"  @  HTTPS 0 {bob}"), lines)
        self.assertIn("  " + bob, lines)
        self.assertEqual(lines[-2:], ["1. 192.0.2.5 port 443", "   without a pin"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
