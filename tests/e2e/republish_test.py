#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a daemon keeps alive: over kill -9, over a network that forgot, beside another device."""
import json
import os
import socket
import time
import unittest

from daemon_support import DaemonTest


class KeptAlive(DaemonTest):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path(".config/dotkey"))
        with open(self.path(".config/dotkey/config.toml"), "w") as file:
            file.write("[daemon]\nrepublish_interval_s = 10\n")
        # A network that dies and is born again at the same address.
        self.port_base = self.free_ports(20)
        self.bootstrap = f"127.0.0.1:{self.port_base}"
        self.net = self.start_network()
        self.key = self.new_key()

    def free_ports(self, count):
        for _ in range(100):
            sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
            try:
                sockets[0].bind(("127.0.0.1", 0))
                base = sockets[0].getsockname()[1]
                for offset in range(1, count):
                    sockets[offset].bind(("127.0.0.1", base + offset))
                return base
            except (OSError, OverflowError):
                continue
            finally:
                for one in sockets:
                    one.close()
        raise AssertionError("no free ports")

    def start_network(self):
        return self.start("testnet", "--nodes", "20", "--port-base", str(self.port_base))

    def publish(self, text, *arguments, env=None):
        return self.ok_json("publish", "alice", "--record", f"@ 300 TXT {text}", "--bootstrap",
                            self.bootstrap, *arguments, env=env)["timestamp_us"]

    def in_the_network(self):
        """The timestamp that somebody without memory finds; None for nothing."""
        state = self.path(f"state-{time.monotonic_ns()}")
        done = self.run_dotkey("resolve", self.key, "--json", "--bootstrap", self.bootstrap,
                               "--state-dir", state)
        if done.returncode != 0:
            self.assertTrue(done.stderr.startswith("resolve.not_found: "), done.stderr)
            return None
        return json.loads(done.stdout)["timestamp_us"]

    def status_of_key(self):
        keys = self.ok_json("status")["keys"]
        self.assertEqual([entry["key"] for entry in keys], [self.key])
        return keys[0]

    def test_is_published_again_after_kill_9_without_a_word_from_the_user(self):
        daemon = self.start_daemon("--bootstrap", self.bootstrap)
        timestamp_us = self.publish("hello")
        daemon.kill()
        self.net.close()
        self.net = self.start_network()
        self.assertIsNone(self.in_the_network())
        restarted_us = time.time_ns() // 1000
        self.start_daemon("--bootstrap", self.bootstrap)
        self.assertEqual(self.wait_for(self.in_the_network), timestamp_us)
        entry = self.status_of_key()
        self.assertGreater(entry["stored_us"], restarted_us)
        self.assertGreaterEqual(entry["dht_nodes"], 10)
        self.assertIn("nodes", self.ok("status"))

    def test_gives_way_to_the_newer_record_of_another_device(self):
        self.start_daemon("--bootstrap", self.bootstrap)
        ours = self.publish("ours")
        elsewhere = self.path("elsewhere")
        os.makedirs(elsewhere)
        env = self.env_for(elsewhere)
        seed = self.ok_json("key", "export", "alice")["seed"]
        self.ok("key", "import", "alice", "--seed-hex", seed, env=env)
        theirs = self.publish("theirs", env=env)
        self.assertGreater(theirs, ours)
        entry = self.wait_for(lambda: (e := self.status_of_key()).get("adopted_timestamp_us") and e)
        self.assertEqual((entry["adopted_timestamp_us"], entry["timestamp_us"]), (theirs, theirs))
        self.assertIn("newer record of another device", self.ok("status"))
        self.assertEqual(self.in_the_network(), theirs)

    def test_ends_with_forget_and_with_no_republish(self):
        daemon = self.start_daemon("--bootstrap", self.bootstrap)
        connection = self.connect(daemon)
        self.publish("once", "--no-republish")
        self.assertEqual(connection.ok("kept_keys"), {"count": 0, "keys": []})
        self.publish("for ever")
        self.assertEqual(connection.ok("kept_keys")["count"], 1)
        connection.ok("forget", {"key": self.key})
        self.assertEqual(connection.ok("kept_keys")["count"], 0)
        daemon.kill()
        again = self.connect(self.start_daemon("--bootstrap", self.bootstrap))
        self.assertEqual(again.ok("kept_keys")["count"], 0)

    def test_includes_what_was_published_while_no_daemon_ran(self):
        timestamp_us = self.publish("hello")
        connection = self.connect(self.start_daemon("--bootstrap", self.bootstrap))
        self.assertEqual(connection.ok("kept_keys")["keys"][0]["timestamp_us"], timestamp_us)

    def test_conflicts_are_reported_with_both_versions(self):
        self.start_daemon("--bootstrap", self.bootstrap)
        first = self.publish("first")
        second = self.publish("second", "--replace", str(first))
        done = self.run_dotkey("publish", "alice", "--record", "@ 300 TXT third", "--replace",
                               str(first), "--bootstrap", self.bootstrap)
        lines = done.stderr.splitlines()
        self.assertTrue(lines[0].startswith("publish.conflict: "), done.stderr)
        self.assertIn(str(second), lines[0])
        self.assertEqual([line.startswith("; ") for line in lines[1:]], [True, False, True, False])
        self.assertIn('"third"', lines[2])
        self.assertIn('"second"', lines[4])
        self.assertEqual(self.in_the_network(), second)

    def test_events_tell_what_goes_on(self):
        connection = self.connect(self.start_daemon("--bootstrap", self.bootstrap))
        connection.ok("subscribe")
        timestamp_us = self.publish("hello")
        connection.ok("hello")
        learned = [e["body"] for e in connection.events if e["op"] == "learned"]
        self.assertEqual(learned, [{"key": self.key, "timestamp_us": timestamp_us}])
        progress = [e["body"] for e in connection.events if e["op"] == "progress"]
        self.assertTrue(any(step["stored"] > 0 for step in progress), progress)


if __name__ == "__main__":
    unittest.main(verbosity=2)
