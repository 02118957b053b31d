#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ./dev package makes: the same bytes twice, and a .deb that leaves nothing behind.

The package is installed by dpkg into an overlay over this system, in a mount namespace of its own,
so that every file it writes is seen and none stays. Needs root or user namespaces.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

INSTALL = r"""
set -eu
mount -t tmpfs scratch "$1"
mkdir "$1/upper" "$1/work" "$1/system"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/system"
mount --bind /proc "$1/system/proc"
mount --bind /dev "$1/system/dev"
mount -t tmpfs scratch "$1/system/tmp"
cp "$2" "$1/system/tmp/dotkey.deb"
cat >"$1/system/tmp/run" <<'END'
set -eu
export HOME=/tmp/home XDG_RUNTIME_DIR=/tmp/run-dir DEBIAN_FRONTEND=noninteractive
mkdir -p -m 0700 "$HOME" "$XDG_RUNTIME_DIR" "$HOME/.config/chromium" "$HOME/.mozilla/firefox/t"
cd "$HOME/.mozilla/firefox"
printf '[Profile0]\nName=default\nIsRelative=1\nPath=t\nDefault=1\n' >profiles.ini
certutil -N -d "sql:$HOME/.mozilla/firefox/t" --empty-password
dpkg --force-depends -i /tmp/dotkey.deb >&2
echo "version $(/usr/bin/dotkey --version)"
dotkey --json testnet --nodes 8 >/tmp/testnet &
testnet=$!
until [ -s /tmp/testnet ]; do sleep 0.1; done
mkdir -p "$HOME/.config/dotkey"
python3 -c 'import json
net = json.load(open("/tmp/testnet"))
print("bootstrap = [\"%s\"]" % net["bootstrap"], "relays = [\"%s\"]" % net["relay"], sep="\n")
' >"$HOME/.config/dotkey/config.toml"
dotkey install >&2
dotkey daemon --background >&2
if dotkey doctor --json >/tmp/doctor 2>&1; then echo "doctor green"; else echo "doctor red"; fi
cat /tmp/doctor >&2
dotkey uninstall >&2
kill $testnet
dpkg --purge dotkey >&2
END
ip link set lo up
chroot "$1/system" sh /tmp/run
# What the overlay holds now, dpkg's own books and the log aside; a character device is how it
# marks what went.
find "$1/upper" \( -path "$1/upper/var/lib/dpkg" -o -path "$1/upper/var/log" \) -prune \
  -o ! -type d ! -type c -print | sed 's/^/left: /'
"""


def package(out):
    environment = {**os.environ, "TZ": "UTC"} if out.name == "one" else \
        {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
    subprocess.run([sys.executable, str(ROOT / "packaging/package.py"), str(out)], check=True,
                   stdout=subprocess.DEVNULL, env=environment)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()}


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.out = pathlib.Path(cls.folder.name, "one")
        cls.hashes = package(cls.out)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def one(self, suffix):
        return next(path for path in self.out.iterdir() if path.name.endswith(suffix))

    def test_is_the_same_twice(self):
        self.assertEqual(len(self.hashes), 4)
        self.assertEqual(package(pathlib.Path(self.folder.name, "two")), self.hashes)

    def test_for_the_stores_is_what_is_staged(self):
        for browser, suffix in (("chrome", ".zip"), ("firefox", ".xpi")):
            staged = ROOT / "build" / f"extension-{browser}"
            with zipfile.ZipFile(self.one(suffix)) as archive:
                for name in archive.namelist():
                    self.assertEqual(archive.read(name), (staged / name).read_bytes(), name)
                self.assertEqual(len(archive.namelist()),
                                 sum(path.is_file() for path in staged.rglob("*")
                                     if "_metadata" not in path.parts))
                self.assertEqual(json.loads(archive.read("manifest.json"))["manifest_version"], 3)

    def test_of_the_source_builds_nothing_in(self):
        names = subprocess.run(["tar", "-tzf", str(self.one(".tar.gz"))], check=True, text=True,
                               capture_output=True).stdout.splitlines()
        self.assertIn(f"{names[0]}extension-common/background/main.js", names)
        self.assertFalse([name for name in names if name.endswith((".wasm", ".o", ".a"))])

    def test_installs_and_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as scratch:
            as_root = [] if os.getuid() == 0 else ["--map-root-user"]
            done = subprocess.run(["unshare", *as_root, "--mount", "--net", "--pid", "--fork",
                                   "sh", "-c", INSTALL, "sh", scratch, str(self.one(".deb"))],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("version dotkey 0.1.0", done.stdout, done.stderr)
        self.assertIn("doctor green", done.stdout, done.stderr)
        self.assertNotIn("left: ", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
