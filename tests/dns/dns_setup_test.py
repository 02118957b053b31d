# SPDX-License-Identifier: Apache-2.0
"""The DNS server of the daemon, and systemd-resolved's way to it."""
import json
import os
import subprocess
import unittest

from dns_support import DOTKEY, DnsTest, Program


class DaemonTable(DnsTest):
    records = {"alice": ["@ 300 A 192.0.2.1"]}

    def test_the_daemon_serves_where_its_configuration_says(self):
        zone = os.path.join(self.home, "zone")
        with open(zone, "w", encoding="utf-8") as file:
            file.write("@ 60 A 192.168.1.9\n")
        config = os.path.join(self.home, "config.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'bootstrap = ["{self.bootstrap}"]\n[dns]\nlisten = ["127.0.0.1:0"]\n'
                       f'zones = ["box.home.arpa={zone}"]\nthreads = 2\n')
        daemon = Program("daemon", "--config", config, home=self.home)
        self.addCleanup(daemon.close)
        port = self.port_of(daemon)
        reply = self.ask(self.keys["alice"] + ".key", port=port)
        self.assertEqual(self.texts(reply), ["192.0.2.1"])
        self.assertEqual(self.texts(self.ask("box.home.arpa", port=port)), ["192.168.1.9"])

    def test_a_key_that_the_table_does_not_know_is_named(self):
        config = os.path.join(self.home, "wrong.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("[dns]\nlisten = []\nlisten_quic = []\n")
        done = subprocess.run([DOTKEY, "daemon", "--config", config], env=self.net.env, text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 3, column 1: listen_quic", done.stderr)


class Resolved(DnsTest):
    def run_install(self, verb, root, *arguments):
        done = subprocess.run([DOTKEY, "--json", verb, "--system", "--root", root, *arguments],
                              env=self.net.env, text=True, capture_output=True, timeout=60,
                              check=True)
        return {step["path"]: step for step in json.loads(done.stdout)["steps"]}

    def files_in(self, root):
        return sorted(os.path.relpath(os.path.join(folder, name), root)
                      for folder, _, names in os.walk(root) for name in names)

    def test_the_route_for_key_names_comes_and_goes(self):
        root = os.path.join(self.home, "root")
        os.makedirs(os.path.join(root, "etc/systemd"))
        route = root + "/etc/systemd/resolved.conf.d/dotkey.conf"
        dry = self.run_install("install", root, "--dns", "--dry-run")
        self.assertTrue(dry[route]["changed"])
        self.assertEqual(self.files_in(root), [])
        steps = self.run_install("install", root, "--dns")
        self.assertIn("systemctl restart systemd-resolved", steps[route]["hint"])
        with open(route, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[1:], ["[Resolve]", "DNS=127.0.0.1:5300", "Domains=~key"])
        with open(root + "/etc/dnssec-trust-anchors.d/dotkey.negative", encoding="utf-8") as file:
            self.assertEqual(file.read(), "key\n")
        self.assertFalse(self.run_install("install", root, "--dns")[route]["changed"])
        self.run_install("uninstall", root)
        self.assertEqual(self.files_in(root), [])
        self.assertEqual(os.listdir(root + "/etc"), ["systemd"])

    def test_without_dns_nothing_is_routed(self):
        root = os.path.join(self.home, "other")
        os.makedirs(root)
        self.assertNotIn("dns", [s["what"] for s in self.run_install("install", root).values()])
        self.run_install("uninstall", root)


if __name__ == "__main__":
    unittest.main()
