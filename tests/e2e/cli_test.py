#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives the real program: every command, the walk of a new user, and wrong input.

DOTKEY names the binary. Everything happens in a temporary home directory and on loopback.
"""

import json
import os
import pty
import random
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time
import unittest

from home import DOTKEY, Home, Testnet, read

SEED = "ab" * 32
# Of the pkarr vectors (../shared/vectors): what a key looks like.
KEY_OF_ZERO_SEED = "8pinxxgqs41n4aididenw5apqp1urfmzdztr8jt4abrkdn435ewo"
ZONE = """$TTL 300
@    IN A 192.0.2.1
www  IN CNAME @
@    TXT "hello world"
_443._tcp TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000001
"""


class Keys(Home):
    def test_are_made_shown_listed_exported_and_removed(self):
        made = self.ok_json("key", "new", "alice")
        self.assertEqual(made["uri"], "pk:" + made["key"])
        self.assertEqual(self.ok_json("key", "show", "alice"), made)
        self.assertEqual(self.ok_json("key", "list")["keys"], [made])
        seed = self.ok_json("key", "export", "alice")["seed"]
        self.ok("key", "remove", "alice", "--yes")
        self.assertEqual(self.ok_json("key", "list")["keys"], [])
        again = self.ok_json("key", "import", "alice2", "--seed-hex", seed)
        self.assertEqual(again["key"], made["key"])

    def test_lie_in_private_files_of_pkarrs_form(self):
        self.ok("key", "import", "alice", "--seed-hex", SEED)
        file = os.path.join(self.keys_dir(), "alice")
        self.assertEqual(read(file), SEED)
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.keys_dir()).st_mode), 0o700)
        self.assertEqual(os.listdir(self.keys_dir()), ["alice"])

    def test_import_and_export_files(self):
        secret = self.write("secret", SEED + "\n")
        key = self.ok_json("key", "import", "a", "--file", secret)["key"]
        self.ok("key", "export", "a", "--out", self.path("out"))
        self.assertEqual(read(self.path("out")), SEED)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("out")).st_mode), 0o600)
        self.fails("file.exists", "key", "export", "a", "--out", self.path("out"))
        self.assertEqual(self.ok_json("key", "import", "b", "--file", self.path("out"))["key"], key)

    def test_become_words_and_come_back_from_them(self):
        made = self.ok_json("key", "import", "alice", "--seed-hex", SEED)
        words = self.ok_json("key", "export", "alice", "--words")["words"]
        self.assertEqual(len(words.split()), 24)
        again = self.ok_json("key", "import", "bob", "--words", stdin=words.replace(" ", "\n"))
        self.assertEqual(again["key"], made["key"])
        swapped = " ".join(reversed(words.split()))
        self.fails("phrase.checksum_wrong", "key", "import", "carol", "--words", stdin=swapped)
        self.fails("phrase.length_wrong", "key", "import", "carol", "--words", stdin="")

    def test_are_never_overwritten(self):
        self.ok("key", "import", "alice", "--seed-hex", SEED)
        self.fails("keystore.exists", "key", "new", "alice")
        self.fails("keystore.exists", "key", "import", "alice", "--seed-hex", "cd" * 32)
        self.assertEqual(self.ok("key", "export", "alice"), SEED + "\n")

    def test_are_not_removed_without_a_yes(self):
        self.ok("key", "new", "alice")
        self.fails("keystore.not_confirmed", "key", "remove", "alice")
        self.assertEqual(len(self.ok_json("key", "list")["keys"]), 1)
        self.fails("keystore.not_found", "key", "remove", "bob", "--yes")

    def test_with_a_passphrase_show_their_public_half_without_it(self):
        phrase = self.write("phrase", "correct horse\n")
        made = self.ok_json("key", "new", "alice", "--passphrase-file", phrase)
        self.assertTrue(made["locked"])
        self.assertEqual(self.ok_json("key", "show", "alice"), made)
        self.fails("keystore.passphrase_needed", "key", "export", "alice")
        self.fails("crypto.decryption_failed", "key", "export", "alice",
                   env={"DOTKEY_PASSPHRASE": "wrong"})
        seed = self.ok_json("key", "export", "alice", env={"DOTKEY_PASSPHRASE": "correct horse"})
        self.assertEqual(
            self.ok_json("key", "import", "copy", "--seed-hex", seed["seed"])["key"], made["key"])

    def test_damaged_files_are_named_and_left_alone(self):
        self.ok("key", "import", "good", "--seed-hex", SEED)
        bad = self.write("bad", "no key")
        self.fails("keystore.malformed", "key", "import", "x", "--file", bad)
        os.rename(bad, os.path.join(self.keys_dir(), "bad"))
        message = self.fails("keystore.malformed", "key", "show", "bad")
        self.assertIn(os.path.join(self.keys_dir(), "bad"), message)
        done = self.run_dotkey("key", "list")
        self.assertEqual(done.returncode, 1)
        self.assertIn("good", done.stdout)
        self.assertEqual(read(os.path.join(self.keys_dir(), "bad")), "no key")

    def test_names_that_are_paths_are_refused(self):
        for name in ("../alice", ".hidden", "Alice", "a/b", "a" * 65):
            self.fails("keystore.name_invalid", "key", "new", name)

    def test_ask_for_the_passphrase_at_a_terminal(self):
        done = self.at_terminal(["key", "new", "alice", "--passphrase"], b"secret\nsecret\n")
        self.assertEqual(done[0], 0, done)
        self.assertNotIn(b"secret", done[1])
        self.fails("keystore.passphrase_needed", "key", "export", "alice")
        self.ok("key", "export", "alice", env={"DOTKEY_PASSPHRASE": "secret"})

    def at_terminal(self, args, typed):
        """Runs with a terminal of its own; types each line once its prompt is there."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(DOTKEY, [DOTKEY, *args], self.env)
        output = b""
        lines = typed.splitlines(keepends=True)
        while True:
            try:
                chunk = os.read(fd, 1024)
            except OSError:
                break
            if not chunk:
                break
            output += chunk
            if lines and output.rstrip(b" ").endswith(b":"):
                os.write(fd, lines.pop(0))
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output

    def test_survive_a_kill_at_any_moment_of_a_write(self):
        dice = random.Random(7)
        for round_number in range(60):
            name = f"k{round_number}"
            process = subprocess.Popen(
                [DOTKEY, "key", "import", name, "--seed-hex", SEED], env=self.env,
                stdout=subprocess.DEVNULL)
            time.sleep(dice.random() * 0.02)
            process.kill()
            process.wait()
        listed = self.run_dotkey("key", "list", "--json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        for key in json.loads(listed.stdout)["keys"]:
            self.assertEqual(self.ok("key", "export", key["name"]), SEED + "\n")


class Packets(Home):
    def test_encode_and_decode_agree(self):
        zone = self.write("site.zone", ZONE)
        packet = self.ok("encode", "--seed-hex", "00" * 32, "--timestamp-us", "42", "--zone", zone)
        decoded = self.ok_json("decode", "--hex", stdin=packet)
        self.assertEqual(decoded["timestamp_us"], 42)
        self.assertEqual(decoded["size"], len(packet.strip()) // 2)
        self.assertEqual([r["type"] for r in decoded["records"]], ["A", "CNAME", "TXT", "TLSA"])
        self.assertEqual(decoded["records"][0],
                         {"name": decoded["key"], "ttl": 300, "type": "A", "data": "192.0.2.1"})
        payload = self.path("payload")
        with open(payload, "wb") as file:
            file.write(bytes.fromhex(packet)[32:])
        self.assertEqual(self.ok_json("decode", payload, "--key", decoded["key"]), decoded)
        self.assertIn("signature valid", self.ok("decode", "--hex", stdin=packet))

    def test_changed_packets_are_refused(self):
        packet = self.ok("encode", "--seed-hex", SEED, "--record", "@ 300 A 192.0.2.1").strip()
        changed = packet[:-1] + ("0" if packet[-1] != "0" else "1")
        self.fails("record.signature_invalid", "decode", "--hex", stdin=changed)
        self.fails("record.truncated", "decode", "--hex", stdin=packet[:200])
        self.fails("hex.malformed", "decode", "--hex", stdin="xyz")
        self.fails("file.unreadable", "decode", self.path("nothing"))

    def test_wrong_records_name_line_and_column(self):
        zone = self.write("bad.zone", "@ 300 A 192.0.2.1\nwww 300 A 192.0.2\n")
        message = self.fails("zone.syntax", "encode", "--seed-hex", SEED, "--zone", zone)
        self.assertIn(zone, message)
        self.assertIn("line 2, column 11", message)
        self.fails("zone.syntax", "encode", "--seed-hex", SEED, "--record", "www 300 NOSUCH x")

    def test_1000_bytes_fit_and_1001_do_not(self):
        def txt(size):
            return self.run_dotkey("encode", "--json", "--seed-hex", SEED, "--record",
                                   "@ 300 TXT " + " ".join('"%s"' % part for part in chunks(size)))

        def chunks(size):
            return ["a" * min(255, size - at) for at in range(0, size, 255)]

        size = 700
        smallest = json.loads(txt(size).stdout)["size"]
        size += 104 + 1000 - smallest - 1  # one more string, one more length byte
        self.assertEqual(json.loads(txt(size).stdout)["size"], 104 + 1000)
        done = txt(size + 1)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.startswith("record.too_large: "), done.stderr)

    def test_wrong_spellings_of_a_key(self):
        for text in ("hello!", KEY_OF_ZERO_SEED[:-1], KEY_OF_ZERO_SEED.upper() + "X"):
            self.fails("key.malformed", "resolve", text)


class Certificates(Home):
    def test_are_minted_for_the_key_and_its_names(self):
        key = self.ok_json("key", "new", "alice")["key"]
        out = self.ok_json("cert", "new", "alice", "--out", self.path("c"))
        self.assertEqual(out["host"], key + ".key")
        self.assertEqual(stat.S_IMODE(os.stat(out["private_key"]).st_mode), 0o600)
        pinned = self.ok_json("tlsa", "--cert", out["certificate"])["records"][0]
        self.assertEqual(pinned, out["tlsa"])
        names = subprocess.run(
            ["openssl", "x509", "-in", out["certificate"], "-noout", "-ext", "subjectAltName"],
            capture_output=True, text=True, check=True).stdout
        self.assertIn(f"DNS:{key}.key, DNS:*.{key}.key", names)
        self.fails("file.exists", "cert", "new", "alice", "--out", self.path("c"))
        self.assertEqual(pinned["data"], "3 1 1 " + self.openssl_pin(out["certificate"]))

    def openssl_pin(self, certificate):
        script = ("openssl x509 -in '%s' -noout -pubkey | openssl pkey -pubin -outform der"
                  " | openssl dgst -sha256 -r" % certificate)
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True,
                              check=True).stdout.split()[0]

    def test_of_a_running_server_are_pinned(self):
        self.ok("key", "new", "alice")
        out = self.ok_json("cert", "new", "alice", "--out", self.path("c"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(out["certificate"], out["private_key"])
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

            def serve():
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True):
                    pass

            thread = threading.Thread(target=serve)
            thread.start()
            line = self.ok("tlsa", f"127.0.0.1:{port}")
            thread.join()
        self.assertEqual(line, f"_{port}._tcp.127.0.0.1. 3600 IN TLSA {out['tlsa']['data']}\n")

    def test_wrong_servers_and_files_have_their_slugs(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            thread = threading.Thread(target=lambda: listener.accept()[0].close())
            thread.start()
            self.fails("tls.failed", "tlsa", f"127.0.0.1:{port}")
            thread.join()
        self.fails("network.connection_failed", "tlsa", f"127.0.0.1:{port}")
        self.fails("network.name_unresolved", "tlsa", "no-such-host.invalid:443")
        self.fails("address.malformed", "tlsa", "example.org")
        self.fails("certificate.malformed", "tlsa", "--cert", self.write("x", "x"))


class Configuration(Home):
    def config(self, text):
        os.makedirs(self.path(".config/dotkey"), exist_ok=True)
        return self.write(".config/dotkey/config.toml", text)

    def test_unknown_and_wrong_keys_are_named_with_their_line(self):
        file = self.config("timeout_s = 5\nbotstrap = []\n")
        message = self.fails("config.unknown_key", "key", "list")
        self.assertIn(f"{file}, line 2", message)
        self.assertIn("botstrap", message)
        self.config("\n\ntimeout_s = \"soon\"\n")
        self.assertIn("line 3", self.fails("config.malformed", "key", "list"))
        # Letters beyond ASCII mean themselves in comments and double quotes.
        text = 'timeout_s = 5 # gr\u00fc\u00dfe "\nstate_dir = "%s"\n'
        self.config(text % self.path("st\u00e4te"))
        self.ok("allow-local", "--no-dht")
        self.assertTrue(os.path.isdir(self.path("st\u00e4te")))
        self.config("state_dir = '/s/\u00fc'\n")
        self.assertIn("line 1, column 17", self.fails("config.malformed", "key", "list"))
        self.config("\nt\u00fcr = 1\n")
        self.assertIn("line 2", self.fails("config.malformed", "key", "list"))
        self.config("bootstrap = [\n")
        self.fails("config.malformed", "key", "list")
        self.config("[daemon]\ndht_port = 6881\nport = 1\n")
        message = self.fails("config.unknown_key", "key", "list")
        self.assertIn("line 3", message)
        self.assertIn("port", message)
        for text, slug, line, key in (
                ("[daemon]\nrepublish_interval_s = 1\n", "number.out_of_range", 2,
                 "republish_interval_s"),
                ("\ntimeout_s = 0\n", "number.out_of_range", 2, "timeout_s"),
                ('bootstrap = ["x"]\n', "address.malformed", 1, "bootstrap"),
                ('[relays]\nurls = ["ftp://relay.example"]\n', "relay.url_malformed", 2, "urls"),
                (f'relays = {["http://relay.example"] * 17}\n', "number.out_of_range", 1,
                 "relays"),
                ('[dns]\nlisten = ["x"]\n', "address.malformed", 2, "listen"),
                ('[dns]\nmetrics = "here"\n', "address.malformed", 2, "metrics"),
                ('[dns]\nallow = ["192.0.2.0/33"]\n', "address.malformed", 2, "allow"),
                ('[dns]\n\nzones = ["lan"]\n', "zone.syntax", 3, "zones")):
            file = self.config(text)
            message = self.fails(slug, "key", "list")
            self.assertIn(f"{file}, line {line}, ", message)
            self.assertIn(f": {key} ", message)
        self.fails("file.unreadable", "key", "list", "--config", self.path("none"))

    def test_the_command_line_goes_before_the_file(self):
        self.config("dht = false\ntimeout_s = 7\n")
        self.fails("network.no_source", "resolve", KEY_OF_ZERO_SEED)
        other = self.write("other.toml", 'bootstrap = ["no-such-host.invalid:1"]\n')
        self.fails("dht.bootstrap_unresolved", "resolve", KEY_OF_ZERO_SEED, "--config", other)


class TheNetwork(Home):
    def test_a_new_users_walk(self):
        zone = self.write("site.zone", ZONE)
        with Testnet(self.env, 50) as net:
            key = self.ok_json("key", "new", "alice")["key"]
            line = self.ok("publish", "alice", "--zone", zone, "--bootstrap", net.bootstrap)
            self.assertTrue(line.startswith(f"https://{key}.key/\n"), line)
            # The publisher is gone; another machine, which has seen nothing, asks.
            found = self.ok_json("resolve", key, "--bootstrap", net.bootstrap,
                                 "--state-dir", self.path("elsewhere"))
            self.assertEqual(found["source"], "dht")
            self.assertEqual(len(found["records"]), 4)
            again = self.ok_json("resolve", f"https://www.{key}.key/", "www", "A", "--bootstrap",
                                 net.bootstrap, "--policy", "first")
            self.assertEqual([r["type"] for r in again["records"]], ["CNAME"])
            self.assertEqual(self.ok_json("resolve", key, "--policy", "cache")["source"], "cache")

            second = self.ok_json("publish", "alice", "--record", "@ 60 A 192.0.2.2",
                                  "--bootstrap", net.bootstrap)
            self.assertGreater(second["timestamp_us"], found["timestamp_us"])
            self.assertGreaterEqual(second["dht_nodes"], 18)
            self.assertEqual(second["relays"], [])
            # Neither this machine nor one without memory may publish something older.
            for state in ([], ["--state-dir", self.path("third")]):
                message = self.fails("publish.conflict", "publish", "alice", "--zone", zone,
                                     "--timestamp-us", "1000", "--bootstrap", net.bootstrap,
                                     "--json", *state)
                self.assertIn("1000", message)
                self.assertIn(str(second["timestamp_us"]), message)
            last = self.ok_json("resolve", "alice", "--bootstrap", net.bootstrap)
            self.assertEqual(last["timestamp_us"], second["timestamp_us"])
            self.assertEqual(last["records"][0]["data"], "192.0.2.2")
            self.fails("resolve.not_found", "resolve", KEY_OF_ZERO_SEED,
                       "--bootstrap", net.bootstrap)
            self.fails("cache.miss", "resolve", KEY_OF_ZERO_SEED, "--policy", "cache")
            self.fails("record.type_unknown", "resolve", key, "@", "NOSUCH")
        self.assertEqual(net.exit_code, 0)

    def test_networks_of_one_two_and_five_nodes_work(self):
        for nodes in (1, 2, 5):
            with Testnet(self.env, nodes) as net:
                name = f"of{nodes}"
                self.ok("key", "new", name)
                put = self.ok_json("publish", name, "--record", "@ 60 A 192.0.2.2", "--bootstrap",
                                   net.bootstrap)
                self.assertEqual(put["dht_nodes"], nodes)
                self.ok("resolve", name, "--bootstrap", net.bootstrap)

    def test_the_routing_table_is_a_network_of_its_own_for_each_bootstrap_list(self):
        with Testnet(self.env, 10) as net:
            self.fails("resolve.not_found", "resolve", KEY_OF_ZERO_SEED,
                       "--bootstrap", net.bootstrap)
        names = sorted(os.listdir(self.path(".local/state/dotkey")))
        self.assertEqual(names[1:], ["packets.sqlite"])
        self.assertRegex(names[0], r"^dht-[0-9a-f]{16}\.state$")

    def test_a_dead_network_and_wrong_records_lose_nothing(self):
        self.ok("key", "import", "alice", "--seed-hex", SEED)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            nobody = "127.0.0.1:%d" % silent.getsockname()[1]
            self.fails("dht.no_responses", "resolve", KEY_OF_ZERO_SEED, "--bootstrap", nobody,
                       "--timeout-s", "3")
            self.fails("dht.no_responses", "publish", "alice", "--record", "@ 60 A 192.0.2.2",
                       "--bootstrap", nobody, "--timeout-s", "3")
        self.fails("dht.bootstrap_unresolved", "resolve", KEY_OF_ZERO_SEED, "--bootstrap",
                   "no-such-host.invalid:6881")
        self.fails("address.malformed", "resolve", KEY_OF_ZERO_SEED, "--bootstrap", "host")
        self.fails("network.no_source", "resolve", KEY_OF_ZERO_SEED, "--no-dht")
        text = " ".join('"%s"' % ("a" * 250) for _ in range(4))
        self.fails("record.too_large", "publish", "alice", "--record", f"@ 60 TXT {text}")
        self.fails("zone.syntax", "publish", "alice", "--record", "@ 60 A x")
        self.fails("keystore.not_found", "publish", "bob", "--record", "@ 60 A 192.0.2.2")
        self.assertEqual(self.ok("key", "export", "alice"), SEED + "\n")

    def test_ctrl_c_ends_a_lookup_cleanly(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            process = subprocess.Popen(
                [DOTKEY, "resolve", KEY_OF_ZERO_SEED, "--bootstrap",
                 "127.0.0.1:%d" % silent.getsockname()[1]],
                env=self.env, stderr=subprocess.PIPE, text=True)
            silent.recvfrom(2048)  # it is asking
            process.send_signal(signal.SIGINT)
            _, message = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 130)
        self.assertTrue(message.startswith("cancelled: "), message)


if __name__ == "__main__":
    unittest.main(verbosity=2)
