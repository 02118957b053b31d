# SPDX-License-Identifier: Apache-2.0
"""The daemon, a network for it, and its socket."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from sanitizers import sanitizer_options

DOTKEY = os.environ.get("DOTKEY", "build/release/dotkey")


class Running:
    """A program of ours that prints one line of JSON when it is ready."""

    def __init__(self, env, *arguments):
        self.process = subprocess.Popen([DOTKEY, "--json", *arguments], env=env,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise AssertionError(f"dotkey {arguments}: {self.process.stderr.read()}")
        self.ready = json.loads(line)

    def kill(self):
        self.process.kill()
        self._reap()

    def close(self):
        if self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        status, message = self._reap()
        if status != 0 or message:
            raise AssertionError(f"dotkey ended with {status}: {message}")

    def _reap(self):
        status = self.process.wait(timeout=30)
        message = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return status, message

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class Socket:
    """A connection to the daemon."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.last_id = 0
        self.events = []

    def close(self):
        self.socket.close()

    def send(self, op, body, message_id=None):
        if message_id is None:
            self.last_id += 1
            message_id = self.last_id
        self.send_frame(json.dumps({"v": 1, "id": message_id, "op": op, "body": body}).encode())
        return message_id

    def send_frame(self, payload):
        self.socket.sendall(struct.pack("=I", len(payload)) + payload)

    def receive(self):
        """The next message, or None when the daemon hung up."""
        head = self._read(4)
        if head is None:
            return None
        return json.loads(self._read(struct.unpack("=I", head)[0]))

    def _read(self, size):
        data = b""
        while len(data) < size:
            try:
                piece = self.socket.recv(size - len(data))
            except ConnectionResetError:
                return None
            if not piece:
                return None
            data += piece
        return data

    def ask(self, op, body=None):
        wanted = self.send(op, body or {})
        while True:
            message = self.receive()
            if message is None:
                raise AssertionError(f"the daemon hung up on {op}")
            if message["id"] == wanted:
                return message
            self.events.append(message)

    def ok(self, op, body=None):
        answer = self.ask(op, body)
        if answer["op"] != op:
            raise AssertionError(f"{op}: {answer}")
        return answer["body"]


class DaemonTest(unittest.TestCase):
    """Gives each test a home of its own and the programs to run in it."""

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="dotkey-daemon-")
        self.addCleanup(shutil.rmtree, self.home)
        self.env = self.env_for(self.home)

    def env_for(self, home):
        return {"HOME": home, "PATH": os.environ["PATH"], **sanitizer_options()}

    def wait_for(self, what, seconds=60):
        """The first answer of `what` that is not nothing."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = what()
            if found:
                return found
            time.sleep(0.1)
        return self.fail("it never came")

    def start(self, *arguments, env=None):
        running = Running(env or self.env, *arguments)
        self.addCleanup(running.close)
        return running

    def start_testnet(self, nodes=20):
        return self.start("testnet", "--nodes", str(nodes)).ready

    def start_daemon(self, *arguments, env=None):
        return self.start("daemon", *arguments, env=env)

    def connect(self, daemon):
        out = Socket(daemon.ready["socket"])
        self.addCleanup(out.close)
        return out

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def run_dotkey(self, *arguments, env=None):
        return subprocess.run([DOTKEY, *arguments], env=env or self.env, capture_output=True,
                              text=True, timeout=120, stdin=subprocess.DEVNULL)

    def ok(self, *arguments, env=None):
        done = self.run_dotkey(*arguments, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return done.stdout

    def ok_json(self, *arguments, env=None):
        return json.loads(self.ok(*arguments, "--json", env=env))

    def fails(self, slug, *arguments, env=None):
        done = self.run_dotkey(*arguments, env=env)
        self.assertEqual(done.returncode, 1, f"{arguments}: {done.stdout} {done.stderr}")
        self.assertTrue(done.stderr.startswith(slug + ": "), f"{arguments}: {done.stderr}")
        return done.stderr

    def new_key(self, name="alice"):
        return self.ok_json("key", "new", name)["key"]
