# SPDX-License-Identifier: Apache-2.0
"""The program in a home directory of its own, and a network for it.

DOTKEY names the program."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from sanitizers import sanitizer_options

DOTKEY = os.environ.get("DOTKEY", "build/release/dotkey")


def read(path):
    with open(path) as file:
        return file.read()


class Home(unittest.TestCase):
    """A home directory of its own for each test."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="dotkey-cli-")
        self.addCleanup(self.directory.cleanup)
        self.home = self.directory.name
        self.env = {"HOME": self.home, "PATH": os.environ["PATH"], **sanitizer_options()}

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def run_dotkey(self, *args, env=None, stdin=None):
        return subprocess.run(
            [DOTKEY, *args], env={**self.env, **(env or {})}, input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True, text=True, timeout=60)

    def ok(self, *args, **more):
        done = self.run_dotkey(*args, **more)
        self.assertEqual(done.returncode, 0, f"{args}: {done.stderr}")
        self.assertEqual(done.stderr, "", args)
        return done.stdout

    def ok_json(self, *args, **more):
        lines = self.ok(*args, "--json", **more).splitlines()
        self.assertEqual(len(lines), 1, lines)
        return json.loads(lines[0])

    def fails(self, slug, *args, code=1, **more):
        done = self.run_dotkey(*args, **more)
        self.assertEqual(done.returncode, code, f"{args}: {done.stdout} {done.stderr}")
        self.assertTrue(done.stderr.startswith(slug + ": "), f"{args}: {done.stderr}")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(done.stdout, "", args)
        return done.stderr

    def keys_dir(self):
        return self.path(".local/share/dotkey/keys")


class Testnet:
    """`dotkey testnet` for the length of a with block."""

    def __init__(self, env, nodes):
        self.command = [DOTKEY, "testnet", "--nodes", str(nodes)]
        self.env = env

    def __enter__(self):
        self.process = subprocess.Popen(self.command, env=self.env, stdout=subprocess.PIPE)
        self.bootstrap = json.loads(self.process.stdout.readline())["bootstrap"]
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.exit_code = self.process.wait(timeout=20)
        self.process.stdout.close()
