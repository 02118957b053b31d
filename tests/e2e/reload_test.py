#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: what a daemon takes of a changed configuration at once, and what it names instead."""
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "relay"))
from daemon_support import DaemonTest
from relay_support import Key
from scripted_relay import ScriptedRelay

KEYS = [Key(seed) for seed in range(1, 9)]
PACKETS = {"/" + key.text: key.packet(1_000_000, b"hello") for key in KEYS}


def known_packets(handler):
    if handler.command == "PUT":
        return handler.answer(204)
    packet = PACKETS.get(handler.path.split("?")[0])
    return handler.answer(200, packet) if packet else handler.answer(404)


class Reload(DaemonTest):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path(".config/dotkey"))
        self.relay = ScriptedRelay(known_packets)
        self.addCleanup(self.relay.close)
        self.relays = f'relays = ["{self.relay.url}"]\n'

    def write(self, text):
        with open(self.path(".config/dotkey/config.toml"), "w") as file:
            file.write(text)

    def reload(self, daemon, text, named=("state_dir",)):
        """The daemon names these settings, which tells when it has read the file, and no others."""
        self.write('state_dir = "/elsewhere"\n' + text)
        daemon.process.send_signal(signal.SIGHUP)
        for name in named:
            self.assertEqual(daemon.process.stderr.readline(),
                             f"{name} has changed; that takes effect at the next start.\n")
        self.write("end = 1\n")
        daemon.process.send_signal(signal.SIGHUP)
        line = daemon.process.stderr.readline()
        self.assertTrue(line.startswith("config.unknown_key: "), line)

    def test_takes_relays_at_once_and_drops_no_connection(self):
        self.write("dht = false\n")
        daemon = self.start_daemon()
        connection = self.connect(daemon)
        self.assertEqual(connection.ask("resolve", {"key": KEYS[0].text})["body"]["error"],
                         "network.no_source")
        self.reload(daemon, "dht = false\n" + self.relays)
        self.wait_for(lambda: connection.ok("status")["relays"])
        self.assertEqual(connection.ok("resolve", {"key": KEYS[0].text})["timestamp_us"], 1_000_000)

    def test_a_file_with_an_error_changes_nothing(self):
        self.write("dht = false\n" + self.relays)
        daemon = self.start_daemon()
        connection = self.connect(daemon)
        for text, slug in (("relais = []\n", "config.unknown_key: "),
                           ("relays = [\"ftp://x\"]\n", "relay.url_malformed: "),
                           ("[daemon]\ncache_entries_max = 0\n", "number.out_of_range: ")):
            self.write(text)
            daemon.process.send_signal(signal.SIGHUP)
            line = daemon.process.stderr.readline()
            self.assertTrue(line.startswith(slug), line)
            self.assertEqual([entry["url"] for entry in connection.ok("status")["relays"]],
                             [self.relay.url])

    def test_names_what_takes_effect_at_the_next_start(self):
        self.write("dht = false\n" + self.relays)
        daemon = self.start_daemon()
        changed = ('bootstrap = ["127.0.0.1:1"]\ndht = true\nallow_local_network = true\n'
                   + self.relays + "[daemon]\ndht_port = 1\n"
                   '[dns]\nlisten = ["127.0.0.1:0"]\n')
        names = ["bootstrap", "dht", "allow_local_network", "state_dir", "dht_port", "[dns]"]
        self.reload(daemon, changed, names)
        # It is named for as long as it is so.
        self.reload(daemon, changed, names)
        self.reload(daemon, "dht = false\n" + self.relays)

    def test_the_command_line_goes_before_the_file(self):
        self.write("")
        daemon = self.start_daemon("--no-dht", "--relay", self.relay.url)
        self.reload(daemon, 'dht = false\nrelays = ["https://elsewhere.example"]\n')
        self.assertEqual([entry["url"] for entry in self.connect(daemon).ok("status")["relays"]],
                         [self.relay.url])

    def test_takes_the_bounds_of_cache_and_disk(self):
        self.write("dht = false\n" + self.relays)
        daemon = self.start_daemon()
        connection = self.connect(daemon)
        for key in KEYS[:6]:
            connection.ok("resolve", {"key": key.text})
        self.assertEqual(connection.ok("status")["cache"]["entries"], 6)
        self.wait_for(lambda: connection.ok("status")["packets_on_disk"] == 6)
        self.reload(daemon, f"dht = false\n{self.relays}[daemon]\ncache_entries_max = 2\n"
                            "packets_max = 3\n")
        self.wait_for(lambda: connection.ok("status")["cache"]["entries"] == 2)
        for key in KEYS[6:]:
            connection.ok("resolve", {"key": key.text})
        self.wait_for(lambda: connection.ok("status")["packets_on_disk"] <= 3)

    def test_a_shorter_interval_republishes_what_was_scheduled_before(self):
        self.write(f"dht = false\n{self.relays}[daemon]\nrepublish_interval_s = 7200\n")
        daemon = self.start_daemon()
        self.new_key()
        self.ok("publish", "alice", "--record", "@ 300 TXT hello")
        puts = self.relay.puts
        self.assertGreater(puts, 0)
        self.reload(daemon, f"dht = false\n{self.relays}[daemon]\nrepublish_interval_s = 10\n")
        self.wait_for(lambda: self.relay.puts > puts)


if __name__ == "__main__":
    unittest.main(verbosity=2)
