#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dotkey install and uninstall, on a home directory that browsers have used.

DOTKEY names the binary. What is there afterwards is compared with what was there before: names,
permissions and hashes of files; the content of certificate databases, whose bytes NSS rewrites.
"""

import fcntl
import hashlib
import json
import os
import stat
import subprocess
import tempfile
import unittest

DOTKEY = os.path.abspath(os.environ.get("DOTKEY", "build/release/dotkey"))
MANIFEST = "org.dotkey.host.json"
PROFILES = ("abc.default", "work")
OWN_USER_JS = '// mine\nuser_pref("a.b", 1);'  # without a final newline
OWN_PREFS_JS = '// prefs\nuser_pref("network.trr.excluded-domains", "corp.example");\n'
DATABASES = ("cert9.db", "key4.db")


def certutil(*args):
    return subprocess.run(["certutil", *args], check=True, capture_output=True, text=True).stdout


class InstallTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="dotkey-install-")
        self.addCleanup(directory.cleanup)
        self.home = directory.name
        self.env = {"HOME": self.home, "PATH": "/usr/bin:/bin"}

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def profile(self, name, *parts):
        return self.path(".mozilla", "firefox", name, *parts)

    def write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def read(self, path):
        with open(path) as file:
            return file.read()

    def run_dotkey(self, *args, code=0):
        done = subprocess.run([DOTKEY, *args], env=self.env, capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def steps(self, *args, code=0):
        return json.loads(self.run_dotkey(*args, "--json", code=code).stdout)["steps"]

    def make_browsers(self):
        """Chromium and a Firefox of two profiles, one with settings of its own."""
        self.write(self.path(".config", "chromium", "Local State"), "{}")
        self.write(self.path(".mozilla", "firefox", "profiles.ini"), "".join(
            f"[Profile{i}]\nName={name}\nIsRelative=1\nPath={name}\n\n"
            for i, name in enumerate(PROFILES)))
        for name in PROFILES:
            os.makedirs(self.profile(name))
            certutil("-N", "-d", f"sql:{self.profile(name)}", "--empty-password")
        os.makedirs(self.path(".pki", "nssdb"))
        certutil("-N", "-d", f"sql:{self.path('.pki', 'nssdb')}", "--empty-password")
        self.write(self.profile("work", "user.js"), OWN_USER_JS)
        self.write(self.profile("work", "prefs.js"), OWN_PREFS_JS)
        os.chmod(self.profile("work", "user.js"), 0o600)
        certificate = self.path("own.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", "/CN=own",
                        "-keyout", "/dev/null", "-out", certificate],
                       check=True, capture_output=True)
        for folder in (self.profile("work"), self.path(".pki", "nssdb")):
            certutil("-A", "-n", "own", "-t", "C,,", "-i", certificate, "-d", f"sql:{folder}")

    def snapshot(self):
        found = {}
        for folder, folders, files in os.walk(self.home):
            for name in folders + files:
                path = os.path.join(folder, name)
                facts = os.lstat(path)
                entry = [stat.filemode(facts.st_mode)]
                if name in DATABASES:
                    entry.append(certutil("-L", "-d", f"sql:{folder}"))
                elif stat.S_ISREG(facts.st_mode):
                    with open(path, "rb") as file:
                        entry.append(hashlib.sha256(file.read()).hexdigest())
                found[os.path.relpath(path, self.home)] = entry
        return found

    def trusted(self):
        stores = json.loads(self.run_dotkey("trust", "list").stdout)["stores"]
        return {store["directory"]: store["trusted"] for store in stores}

    def firefox_starts(self, name):
        """What Firefox does with user.js."""
        own = [line for line in self.read(self.profile(name, "user.js")).splitlines()
               if "network." in line]
        prefs = self.profile(name, "prefs.js")
        kept = []
        if os.path.exists(prefs):
            kept = [line for line in self.read(prefs).splitlines() if "network." not in line]
        self.write(prefs, "".join(line + "\n" for line in kept + own))

    def test_install_reaches_every_browser_and_profile_and_uninstall_leaves_no_trace(self):
        self.make_browsers()
        before = self.snapshot()
        would = self.steps("install", "--dry-run")
        self.assertTrue(all(step["changed"] for step in would), would)
        self.assertEqual(self.snapshot(), before)

        steps = self.steps("install")
        self.assertEqual([(s["what"], s["path"]) for s in steps],
                         [(s["what"], s["path"]) for s in would])
        for folder, allowed in (
                (self.path(".config", "chromium", "NativeMessagingHosts"),
                 {"allowed_origins": ["chrome-extension://enhmnlhimjjaaopebkibpcaknapiidek/"]}),
                (self.path(".mozilla", "native-messaging-hosts"),
                 {"allowed_extensions": ["dotkey@dotkey.org"]})):
            manifest = json.loads(self.read(os.path.join(folder, MANIFEST)))
            self.assertEqual(manifest["path"], DOTKEY)
            self.assertEqual(manifest["type"], "stdio")
            self.assertEqual({name: manifest[name] for name in allowed}, allowed)
        self.assertEqual(self.trusted(), {
            self.path(".pki", "nssdb"): True,
            **{self.profile(name): True for name in PROFILES}})
        work = self.read(self.profile("work", "user.js"))
        self.assertTrue(work.startswith(OWN_USER_JS))
        self.assertIn('"network.trr.excluded-domains", "corp.example,key"', work)
        self.assertIn('"network.dns.native_https_query", false', work)

        for step in self.steps("install"):
            self.assertFalse(step["changed"], step)
        self.firefox_starts("work")
        self.firefox_starts("abc.default")
        self.run_dotkey("uninstall")
        after = self.snapshot()
        self.assertEqual(self.read(self.profile("abc.default", "prefs.js")), "")
        del after[os.path.relpath(self.profile("abc.default", "prefs.js"), self.home)]
        self.assertEqual(after, before)
        self.assertEqual(self.steps("uninstall")[-1]["what"], "state")
        self.assertEqual(self.snapshot().keys() - before.keys(),
                         {".mozilla/firefox/abc.default/prefs.js"})

    def test_one_browser_alone_is_installed_and_removed(self):
        self.make_browsers()
        before = self.snapshot()
        self.run_dotkey("install", "--browser", "firefox")
        self.assertFalse(os.path.exists(self.path(".config", "chromium", "NativeMessagingHosts")))
        self.assertFalse(self.trusted()[self.path(".pki", "nssdb")])
        self.run_dotkey("install")
        self.run_dotkey("uninstall", "--browser", "firefox")
        self.assertFalse(os.path.exists(self.path(".mozilla", "native-messaging-hosts")))
        self.assertEqual(self.trusted(), {
            self.path(".pki", "nssdb"): True, **{self.profile(name): False for name in PROFILES}})
        self.run_dotkey("uninstall")
        self.assertEqual(self.snapshot(), before)
        self.assertIn("install.browser_unknown",
                      self.run_dotkey("install", "--browser", "netscape", code=1).stderr)

    def test_what_others_wrote_meanwhile_stays(self):
        self.make_browsers()
        self.run_dotkey("install")
        user_js = self.profile("work", "user.js")
        self.write(user_js, self.read(user_js) + 'user_pref("later", true);\n')
        manifest = self.path(".mozilla", "native-messaging-hosts", MANIFEST)
        self.write(manifest, "{}")
        steps = self.steps("uninstall")
        self.assertEqual(self.read(user_js), OWN_USER_JS + '\nuser_pref("later", true);\n')
        self.assertEqual(self.read(manifest), "{}")
        self.assertTrue(any("somebody else" in step.get("hint", "") for step in steps))

    def test_a_running_firefox_keeps_its_profile_until_it_is_closed(self):
        self.make_browsers()
        before = self.snapshot()
        self.run_dotkey("install")
        with open(self.profile("work", ".parentlock"), "w") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            failed = self.run_dotkey("uninstall", code=1)
            self.assertIn("install.firefox_running", failed.stderr)
            self.assertIn("dotkey begins", self.read(self.profile("work", "user.js")))
        os.remove(self.profile("work", ".parentlock"))
        self.run_dotkey("uninstall")
        self.assertEqual(self.snapshot(), before)

    def test_a_damaged_list_is_named_and_nothing_is_touched(self):
        self.make_browsers()
        self.run_dotkey("install")
        listing = self.path(".local", "state", "dotkey", "installation.json")
        self.write(listing, '{"files": [{"path": "relative"}]}')
        before = self.snapshot()
        for command in ("install", "uninstall"):
            self.assertIn("install.list_malformed", self.run_dotkey(command, code=1).stderr)
        self.assertEqual(self.snapshot(), before)

    def test_for_all_users_it_adds_to_the_policies_and_takes_that_back(self):
        root = self.path("root")
        policies = os.path.join(root, "etc/firefox/policies/policies.json")
        self.write(policies, '{"policies": {"DisableTelemetry": true}}')
        os.makedirs(os.path.join(root, "etc/chromium.d"))
        os.makedirs(self.path(".config", "chromium"))
        before = self.snapshot()
        for _ in range(2):
            self.run_dotkey("install", "--system", "--root", root)
        policy = json.loads(self.read(policies))["policies"]
        self.assertEqual(policy["DisableTelemetry"], True)
        self.assertEqual(policy["Preferences"]["network.dns.native_https_query"],
                         {"Status": "default", "Value": False})
        for folder in ("etc/chromium/native-messaging-hosts",
                       "usr/lib/mozilla/native-messaging-hosts"):
            self.assertEqual(json.loads(self.read(os.path.join(root, folder, MANIFEST)))["path"],
                             DOTKEY)
        self.assertIn("WebRequestSecurityInfo",
                      self.read(os.path.join(root, "etc/chromium.d/dotkey")))
        list_directory = os.path.join(root, "var/lib/dotkey")
        self.assertEqual(stat.S_IMODE(os.stat(list_directory).st_mode), 0o755)
        self.run_dotkey("uninstall", "--system", "--root", root)
        self.assertEqual(self.snapshot(), before)


if __name__ == "__main__":
    unittest.main()
