#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dotkey install --system on the real paths, in a mount namespace where they are empty.

DOTKEY names the binary. Needs root or user namespaces.
"""
import json
import os
import re
import struct
import subprocess
import sys
import unittest

from daemon_support import DOTKEY, DaemonTest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.abspath(DOTKEY)
EMPTY = ("/etc", "/var/lib", "/usr/lib/mozilla")
MANIFEST = "org.dotkey.host.json"


def enter_namespace():
    """Runs this test once more where EMPTY are empty directories of our own."""
    map_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    inside = {**os.environ, "DOTKEY": PROGRAM, "DOTKEY_NAMESPACE": "inside"}
    os.execvpe("unshare", ["unshare", *map_root, "--mount", sys.executable, *sys.argv], inside)


def mount_empty():
    kept = {name: open(name).read() for name in ("/etc/passwd", "/etc/hosts")}
    for folder in EMPTY:
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
    for name, text in kept.items():
        with open(name, "w") as file:
            file.write(text)


def files_below(*folders):
    return {os.path.join(folder, name): os.lstat(os.path.join(folder, name)).st_mode
            for top in folders for folder, folders, names in os.walk(top)
            for name in [*folders, *names]}


class SystemTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.env["XDG_RUNTIME_DIR"] = self.path("run")
        os.mkdir(self.path("run"), 0o700)
        self.addCleanup(self.stop_daemon)
        self.nssdb = self.path(".local", "share", "pki", "nssdb")
        self.profile = self.path(".mozilla", "firefox", "one")
        os.makedirs(self.path(".config", "chromium"))
        for folder in (self.nssdb, self.profile):
            os.makedirs(folder)
            subprocess.run(["certutil", "-N", "-d", f"sql:{folder}", "--empty-password"],
                           check=True)
        with open(self.path(".mozilla", "firefox", "profiles.ini"), "w") as file:
            file.write("[Profile0]\nName=one\nIsRelative=1\nPath=one\n")
        os.makedirs(self.path(".config", "dotkey"))
        with open(self.path(".config", "dotkey", "config.toml"), "w") as file:
            file.write("dht = false\n")

    def stop_daemon(self):
        done = self.run_dotkey("status", "--json")
        if done.returncode == 0:
            pid = json.loads(done.stdout)["pid"]
            subprocess.run(["kill", str(pid)], check=True)
            subprocess.run(["tail", "--pid", str(pid), "-f", "/dev/null"], check=True, timeout=60)

    def cas_in(self, folder):
        done = subprocess.run(["certutil", "-L", "-d", f"sql:{folder}"], check=True,
                              capture_output=True, text=True)
        return re.findall(r"^dotkey local CA \w+ +C,,", done.stdout, re.M)

    def say_hello(self, *arguments):
        """What a browser's extension hears that starts the program so."""
        host = subprocess.Popen([PROGRAM, *arguments], env=self.env, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        request = json.dumps({"v": 1, "id": 1, "op": "hello", "body": {"extension": "0.1.0"}})
        host.stdin.write(struct.pack("=I", len(request)) + request.encode())
        host.stdin.flush()
        size = struct.unpack("=I", host.stdout.read(4))[0]
        answer = json.loads(host.stdout.read(size))
        host.stdin.close()
        host.stdout.close()
        host.wait(60)
        return answer

    def test_users_need_to_do_nothing_after_root_installed_it_for_all(self):
        before = files_below(*EMPTY)
        self.ok("install", "--system")
        manifest = os.path.join("/usr/lib/mozilla/native-messaging-hosts", MANIFEST)
        with open(manifest) as file:
            self.assertEqual(json.load(file)["path"], PROGRAM)
        self.assertEqual(os.stat(manifest).st_mode & 0o777, 0o644)
        self.assertEqual(os.stat(os.path.dirname(manifest)).st_mode & 0o777, 0o755)
        for step in self.ok_json("install", "--system")["steps"]:
            self.assertFalse(step["changed"], step)

        # The user's own part comes by itself with the first word of the extension.
        self.assertFalse(os.path.exists(self.path(".local", "state", "dotkey", "ca.pem")))
        answer = self.say_hello(manifest, "dotkey@dotkey.org")
        self.assertEqual(answer["op"], "hello", answer)
        for folder in (self.nssdb, self.profile):
            self.assertEqual(len(self.cas_in(folder)), 1, folder)
        links = json.loads(self.run_dotkey("doctor", "--json").stdout)["links"]
        states = {(link["link"], link.get("subject", "")): link["state"] for link in links}
        self.assertEqual(states["manifest", "chromium"], "ok")
        self.assertEqual(states["manifest", "firefox"], "ok")
        self.assertEqual(states["trust", self.profile], "ok")
        # The policy takes the place of the profile's own preferences.
        self.assertNotIn("preferences", {link["link"] for link in links})

        self.ok("uninstall")
        self.assertEqual(self.cas_in(self.nssdb), [])
        self.ok("uninstall", "--system")
        self.assertEqual(files_below(*EMPTY), before)

    def test_the_samples_are_what_the_program_and_its_extension_need(self):
        def read(*parts):
            with open(os.path.join(ROOT, *parts)) as file:
                return json.load(file)
        self.ok("install", "--system", "--browser", "firefox")
        self.addCleanup(self.ok, "uninstall", "--system")
        with open("/etc/firefox/policies/policies.json") as file:
            ours = json.load(file)["policies"]
        sample = read("manifests", "policies", "firefox.json")["policies"]
        self.assertEqual(sample["Preferences"], ours["Preferences"])
        firefox = read("extension-firefox", "manifest.json")
        self.assertEqual(list(sample["ExtensionSettings"]),
                         [firefox["browser_specific_settings"]["gecko"]["id"]])
        chromium = read("manifests", "policies", "chromium.json")
        with open(os.path.join(ROOT, "manifests", "org.dotkey.host.chromium.json.in")) as file:
            origin = re.search(r"chrome-extension://(\w+)/", file.read()).group(1)
        self.assertTrue(chromium["ExtensionInstallForcelist"][0].startswith(origin + ";https://"))
        self.assertEqual(chromium["NativeMessagingAllowlist"], ["org.dotkey.host"])
        constraint = read("manifests", "policies", "chromium-shared-ca.json")
        self.assertEqual(constraint["CACertificatesWithConstraints"][0]["constraints"],
                         {"permitted_dns_names": ["key"]})


if __name__ == "__main__":
    if os.environ.get("DOTKEY_NAMESPACE") != "inside":
        enter_namespace()
    mount_empty()
    unittest.main()
