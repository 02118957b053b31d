#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dotkey doctor: each link of the chain is broken in turn, and the command that it names mends it.

DOTKEY names the binary. The home directory is one that a Chromium and a Firefox have used.
"""
import datetime
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from daemon_support import DOTKEY, DaemonTest, Socket

PATIENCE_S = 60
MANIFEST = "org.dotkey.host.json"
PROGRAM = os.path.abspath(DOTKEY)
# Nothing that needs a browser or a network is expected of a machine without them.
UNTESTED = {"extension", "probe"}


def certutil(*arguments):
    return subprocess.run(["certutil", *arguments], check=True, capture_output=True,
                          text=True).stdout


class DoctorTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.env["XDG_RUNTIME_DIR"] = self.path("run")
        self.env["PATH"] = "/usr/bin:/bin"
        os.mkdir(self.path("run"), 0o700)
        self.nssdb = self.path(".local", "share", "pki", "nssdb")
        self.profile = self.path(".mozilla", "firefox", "work")
        self.state = self.path(".local", "state", "dotkey")
        self.config = self.path(".config", "dotkey", "config.toml")
        self.addCleanup(self.stop_daemon)

    def write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def make_browsers(self):
        self.write(self.path(".config", "chromium", "Local State"), "{}")
        self.write(self.path(".mozilla", "firefox", "profiles.ini"),
                   "[Profile0]\nName=work\nIsRelative=1\nPath=work\n")
        for folder in (self.nssdb, self.profile):
            os.makedirs(folder)
            certutil("-N", "-d", f"sql:{folder}", "--empty-password")

    def manifest_of(self, browser):
        folder = {"chromium": (".config", "chromium", "NativeMessagingHosts"),
                  "firefox": (".mozilla", "native-messaging-hosts")}[browser]
        return self.path(*folder, MANIFEST)

    def make_healthy(self):
        self.make_browsers()
        ready = self.start_testnet(8)
        self.relay = ready["relay"]
        self.write(self.config,
                   f'bootstrap = ["{ready["bootstrap"]}"]\nallow_local_network = true\n')
        self.ok("install", "--browser", "chromium")
        self.ok("install", "--browser", "firefox")
        self.ok("daemon", "--background")
        self.assertEqual(self.broken(), {})

    def daemon_pid(self):
        done = self.run_dotkey("status", "--json")
        return json.loads(done.stdout)["pid"] if done.returncode == 0 else None

    def stop_daemon(self):
        pid = self.daemon_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        self.poll_until(lambda: not os.path.exists(f"/proc/{pid}"))

    def poll_until(self, condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline, "waited in vain")
            time.sleep(0.1)

    def links(self, *arguments):
        started = time.monotonic()
        done = self.run_dotkey("doctor", "--json", *arguments)
        self.assertLess(time.monotonic() - started, 90)
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if report["ok"] else 1, done.stderr)
        self.assertEqual(done.stderr.startswith("doctor.broken: "), not report["ok"])
        for link in report["links"]:
            self.assertIn(link["state"], ("ok", "warning", "broken", "untested"))
        self.assertEqual(report["ok"], all(link["state"] != "broken" for link in report["links"]))
        return report["links"]

    def broken(self):
        """{link or "link subject": link} of the broken ones."""
        return {" ".join(filter(None, (link["link"], link.get("subject")))): link
                for link in self.links() if link["state"] == "broken"}

    def mend(self, name, expected, replace=("", "")):
        """The broken link of this name, after its command was run and nothing is broken."""
        broken = self.broken()
        self.assertEqual(list(broken), [name], broken)
        command = broken[name]["command"]
        self.assertRegex(command, expected)
        done = subprocess.run(["sh", "-c", command.replace(*replace)], env=self.env, cwd=self.home,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
        self.poll_until(lambda: not self.broken())
        return broken[name]

    def test_a_healthy_chain_is_ok_and_a_browser_that_does_not_run_is_no_fault(self):
        self.make_healthy()
        links = self.links()
        self.assertEqual({link["link"] for link in links if link["state"] != "ok"}, UNTESTED)
        for link in links:
            if link["link"] in UNTESTED:
                self.assertEqual(link["state"], "untested")
        lines = self.ok("doctor").splitlines()
        self.assertEqual(len(lines), len(links))
        self.assertTrue(any(re.match(r"ok +manifest chromium: /", line) for line in lines), lines)

    def test_a_manifest_that_is_missing_or_wrong_is_written_again(self):
        self.make_healthy()
        for browser in ("chromium", "firefox"):
            manifest = self.manifest_of(browser)
            with open(manifest) as file:
                sound = json.load(file)
            command = f"dotkey install --browser {browser}$"
            os.remove(manifest)
            self.mend(f"manifest {browser}", command)
            for change in ({"path": self.path("gone")}, {"path": "/bin/true"},
                           {"name": "something.else"}, {"allowed_origins": [],
                                                        "allowed_extensions": []}):
                self.write(manifest, json.dumps({**sound, **change}))
                link = self.mend(f"manifest {browser}", command)
                if "path" in change:
                    self.assertIn(change["path"], link["text"])
            self.write(manifest, "no json")
            self.mend(f"manifest {browser}", command)

    def test_another_copy_of_dotkey_is_a_warning(self):
        self.make_healthy()
        manifest = self.manifest_of("chromium")
        copy = self.path("copy")
        os.symlink(PROGRAM, copy)
        with open(manifest) as file:
            text = file.read()
        self.write(manifest, text.replace(PROGRAM, copy))
        links = {link.get("subject"): link for link in self.links() if link["link"] == "manifest"}
        self.assertEqual(links["chromium"]["state"], "warning")

    def test_a_store_that_lost_the_ca_gets_it_again(self):
        self.make_healthy()
        for browser, folder in (("chromium", self.nssdb), ("firefox", self.profile)):
            names = re.findall(r"^(dotkey local CA \w+)", certutil("-L", "-d", f"sql:{folder}"),
                               re.M)
            self.assertEqual(len(names), 1)
            certutil("-D", "-n", names[0], "-d", f"sql:{folder}")
            self.mend(f"trust {folder}", f"dotkey install --browser {browser}$")

    def write_ca(self, days_left):
        """A root as dotkey's, which ends in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dotkey local CA 00000000")])
        now = datetime.datetime.utcnow()
        root = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=730))
                .not_valid_after(now + datetime.timedelta(days=days_left))
                .add_extension(x509.BasicConstraints(True, 0), True).sign(key, hashes.SHA256()))
        path = os.path.join(self.state, "ca.pem")
        with open(path, "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM,
                                         serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
            file.write(root.public_bytes(serialization.Encoding.PEM))

    def test_a_ca_that_has_ended_is_renewed_and_the_running_daemon_uses_the_new_one(self):
        self.make_healthy()
        before = self.daemon_pid()
        self.write_ca(-1)
        broken = self.broken()
        self.assertEqual(set(broken), {"ca", "proxy"})
        self.assertRegex(broken["ca"]["command"], "dotkey install$")
        subprocess.run(["sh", "-c", broken["ca"]["command"]], env=self.env, check=True,
                       capture_output=True, timeout=120)
        self.poll_until(lambda: not self.broken())
        self.assertEqual(self.daemon_pid(), before)

    def test_a_ca_that_others_may_have_read_or_that_is_damaged_is_replaced(self):
        self.make_healthy()
        path = os.path.join(self.state, "ca.pem")
        with open(path) as file:
            before = file.read()
        os.chmod(path, 0o644)
        self.mend("ca", "dotkey install --new-ca$")
        with open(path) as file:
            self.assertNotEqual(file.read(), before)
        for folder in (self.nssdb, self.profile):
            self.assertEqual(certutil("-L", "-d", f"sql:{folder}").count("dotkey local CA"), 1)
        self.write(path, "garbage")
        broken = self.broken()
        self.assertRegex(broken["ca"]["command"], "dotkey install --new-ca$")
        subprocess.run(["sh", "-c", broken["ca"]["command"]], env=self.env, check=True,
                       capture_output=True, timeout=120)
        self.poll_until(lambda: not self.broken())

    def test_preferences_that_were_removed_are_set_again(self):
        self.make_healthy()
        os.remove(os.path.join(self.profile, "user.js"))
        self.mend(f"preferences {self.profile}/user.js", "dotkey install --browser firefox$")

    def test_a_daemon_that_was_stopped_is_started(self):
        self.make_healthy()
        self.stop_daemon()
        states = {link["link"]: link["state"] for link in self.links()}
        self.assertEqual(states["daemon"], "broken")
        for name in ("proxy", "extension", "dht", "relay", "probe"):
            self.assertEqual(states[name], "untested")
        self.mend("daemon", "dotkey daemon --background$")

    def test_a_daemon_that_hangs_is_replaced_and_the_doctor_does_not_hang_with_it(self):
        self.make_healthy()
        pid = self.daemon_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            self.mend("daemon", f"^kill -KILL {pid}; ")
        finally:
            if os.path.exists(f"/proc/{pid}"):
                os.kill(pid, signal.SIGCONT)
        self.assertNotEqual(self.daemon_pid(), pid)

    def test_the_last_words_of_a_daemon_that_did_not_start_are_shown(self):
        self.make_healthy()
        self.stop_daemon()
        lock = os.path.join(self.state, "daemon.lock")
        os.remove(lock)
        os.mkdir(lock)
        self.fails("daemon.not_started", "daemon", "--background")
        details = self.broken()["daemon"]["details"]
        self.assertTrue(any("daemon.lock" in line for line in details), details)
        os.rmdir(lock)
        self.mend("daemon", "dotkey daemon --background$")

    def test_the_daemons_log_is_set_aside_when_it_is_full(self):
        self.make_healthy()
        self.stop_daemon()
        log = os.path.join(self.state, "daemon.log")
        self.write(log, "x" * 200_000)
        self.ok("daemon", "--background")
        self.assertEqual(os.path.getsize(log + ".1"), 200_000)
        self.assertLess(os.path.getsize(log), 1000)
        self.assertEqual(os.stat(log).st_mode & 0o777, 0o600)
        pid = self.daemon_pid()
        self.assertEqual(os.readlink(f"/proc/{pid}/fd/2"), log)

    def test_without_dht_a_relay_is_named_and_is_enough(self):
        self.make_healthy()
        self.stop_daemon()
        with open(self.config) as file:
            text = file.read()
        self.write(self.config, "# mine\n" + re.sub(r":\d+", ":9", text, count=1))
        self.ok("daemon", "--background")
        self.mend("relay", "dotkey use-relay https://", ("https://pkarr.pubky.org", self.relay))
        states = {link["link"]: link["state"] for link in self.links()}
        self.assertEqual((states["dht"], states["relay"]), ("warning", "ok"))
        with open(self.config) as file:
            self.assertIn("# mine\n", file.read())

    def test_a_configuration_that_cannot_be_read_is_named_and_does_not_stop_the_doctor(self):
        self.make_healthy()
        self.write(self.config, "nonsense = 1\n")
        link = self.mend("configuration", r"^mv .*config\.toml .*config\.toml\.broken$")
        self.assertIn("line 1", link["text"])

    def test_a_file_in_the_place_of_the_state_directory_is_moved_away(self):
        self.make_browsers()
        self.write(self.state, "")
        broken = self.broken()
        self.assertEqual(broken["state"]["command"], f"mv {self.state} {self.state}.old")
        subprocess.run(["sh", "-c", broken["state"]["command"]], check=True)
        self.assertNotIn("state", self.broken())

    def test_where_nothing_is_installed_it_says_what_to_run_first(self):
        for home in ("empty", "a 'strange' home", "gone"):
            env = {**self.env, "HOME": self.path(home)}
            if home != "gone":
                os.mkdir(self.path(home))
            done = self.run_dotkey("doctor", "--json", env=env)
            self.assertEqual(done.returncode, 1, done.stderr)
            links = {link["link"]: link for link in json.loads(done.stdout)["links"]}
            self.assertRegex(links["ca"]["command"], "dotkey install$")
            self.assertRegex(links["daemon"]["command"], "dotkey daemon --background$")
            self.assertFalse(os.path.exists(self.path(home, ".local")))

    def test_a_clock_that_runs_behind_is_noticed(self):
        self.make_healthy()
        later = time.time() + 86_400
        os.utime(os.path.join(self.state, "ca.pem"), (later, later))
        self.assertEqual(self.broken()["clock"]["command"], "sudo timedatectl set-ntp true")

    def connect_extension(self):
        """(connection, its proxy port): what an extension is to the daemon."""
        connection = Socket(self.path("run", "dotkey", "daemon.sock"))
        self.addCleanup(connection.close)
        hello = connection.ok("hello", {"extension": "0.1.0", "browser": "firefox"})
        return connection, hello["proxy_port"]

    def ask_for_probe(self):
        """A connection that has asked for it, and waits."""
        connection = Socket(self.path("run", "dotkey", "daemon.sock"))
        self.addCleanup(connection.close)
        connection.send("probe", {})
        return connection

    def open_as_a_browser(self, extension, port, url, allow=True):
        """The body of the page, by way of the proxy and with the local CA alone trusted."""
        host = url.split("/")[2]
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            evidence = extension.receive()
            self.assertEqual((evidence["op"], evidence["body"]["host"]), ("evidence", host))
            extension.send("verdict", {"request_id": evidence["body"]["request_id"],
                                       "allow": allow, "slug": "pin.mismatch"}, 0)
            answer = plain.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200"):
                return answer.decode()
            trust = ssl.create_default_context(cafile=os.path.join(self.state, "ca.pem"))
            with trust.wrap_socket(plain, server_hostname=host) as page:
                page.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                data = b""
                while piece := page.recv(4096):
                    data += piece
        return data.decode().rpartition("\r\n\r\n")[2]

    def test_the_probe_says_how_far_a_browser_came(self):
        self.make_healthy()
        nobody = self.ask_for_probe()
        self.assertEqual(nobody.receive()["body"], {"browsers": []})
        extension, port = self.connect_extension()

        def probe(answer):
            asker = self.ask_for_probe()
            message = extension.receive()
            self.assertEqual((message["op"], message["id"]), ("probe", 0))
            outcome = answer(message["body"]["url"])
            body = {"request_id": message["body"]["request_id"], "permitted": True, **outcome}
            extension.send("probed", body, 0)
            return asker.receive()["body"]["browsers"][0]

        opened = probe(lambda url: {
            "status": 200, "text": self.open_as_a_browser(extension, port, url)})
        self.assertEqual((opened["stage"], opened["browser"]), ("opened", "firefox"))
        self.assertEqual(probe(lambda url: {"error": "no"})["stage"], "asked")
        # The right status, and another page.
        self.assertEqual(probe(lambda url: {"status": 200, "text": "0" * 32})["stage"], "asked")
        refused = probe(lambda url: {
            "error": self.open_as_a_browser(extension, port, url, False)[:50]})
        self.assertEqual((refused["stage"], refused["slug"]), ("refused", "pin.mismatch"))

    def test_an_extension_that_says_nothing_is_broken_and_keeps_nobody_waiting(self):
        self.make_healthy()
        self.connect_extension()
        broken = self.broken()
        self.assertEqual(list(broken), ["probe firefox"])
        self.assertIn("did not answer", broken["probe firefox"]["text"])

    def test_programs_at_the_socket_get_the_same_report(self):
        self.make_healthy()
        connection = Socket(self.path("run", "dotkey", "daemon.sock"))
        self.addCleanup(connection.close)
        # Two at once share one.
        first, second = connection.send("doctor", {}), connection.send("doctor", {})
        answers = {}
        while len(answers) < 2:
            message = connection.receive()
            answers[message["id"]] = message["body"]
        self.assertEqual(answers[first], answers[second])
        self.assertEqual(answers[first]["ok"], True)
        self.assertEqual([link["link"] for link in answers[first]["links"]],
                         [link["link"] for link in self.links()])

    def test_commands_name_the_program_as_the_shell_finds_it(self):
        self.make_browsers()
        programs = self.path("bin")
        os.mkdir(programs)
        os.symlink(PROGRAM, os.path.join(programs, "dotkey"))
        self.env["PATH"] = f"{programs}:{self.env['PATH']}"
        self.assertEqual(self.broken()["ca"]["command"], "dotkey install")
        other = self.path("other state")
        link = next(link for link in self.links("--state-dir", other) if link["link"] == "ca")
        self.assertEqual(link["command"], f"dotkey install --state-dir '{other}'")


if __name__ == "__main__":
    unittest.main()
