#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dotkey native-host as browsers start it: between their pipes and the daemon.

DOTKEY names the binary.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

DOTKEY = os.path.abspath(os.environ.get("DOTKEY", "build/release/dotkey"))
CHROME = ("chrome-extension://enhmnlhimjjaaopebkibpcaknapiidek/",)
FIREFOX = ("/home/x/.mozilla/native-messaging-hosts/org.dotkey.host.json", "dotkey@dotkey.org")
PATIENCE_S = 60
CONFIG = "dht = false\n"


def encode(message):
    payload = json.dumps(message).encode()
    return struct.pack("=I", len(payload)) + payload


def read_message(stream):
    head = stream.read(4)
    return json.loads(stream.read(struct.unpack("=I", head)[0])) if head else None


def poll_until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        time.sleep(0.02)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class NativeHostTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="dotkey-native-")
        self.addCleanup(directory.cleanup)
        self.home = directory.name
        # As thin as a browser's environment may be; the socket must not be that of the real user.
        self.env = {"HOME": self.home, "XDG_RUNTIME_DIR": os.path.join(self.home, "run")}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.socket_path = os.path.join(self.home, "run", "dotkey", "daemon.sock")
        self.write_config(CONFIG)
        self.addCleanup(self.stop_daemon)

    def write_config(self, text):
        folder = os.path.join(self.home, ".config", "dotkey")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.toml"), "w") as file:
            file.write(text)

    def daemon_pid(self):
        if not os.path.exists(self.socket_path):
            return None
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(self.socket_path)
            except ConnectionRefusedError:
                return None
            found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return struct.unpack("=iII", found)[0]

    def pids_of_this_home(self):
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if f"HOME={self.home}".encode() in file.read().split(b"\0"):
                        yield int(name)
            except OSError:  # it has ended, or is somebody else's
                continue

    def stop_daemon(self):
        """One that has no socket yet too."""
        for pid in self.pids_of_this_home():
            os.kill(pid, signal.SIGTERM)
            poll_until(lambda: not is_running(pid))

    def start_host(self, arguments=CHROME):
        host = subprocess.Popen([DOTKEY, *arguments], env=self.env, cwd=self.home,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
        self.addCleanup(self.end, host)
        return host

    def end(self, host):
        if host.poll() is None:
            host.kill()
        host.wait()
        for stream in (host.stdin, host.stdout, host.stderr):
            if not stream.closed:
                stream.close()

    def ask(self, host, op, body, message_id=1):
        host.stdin.write(encode({"v": 1, "id": message_id, "op": op, "body": body}))
        host.stdin.flush()
        return read_message(host.stdout)

    def test_the_first_browser_starts_the_daemon_and_it_outlives_all_of_them(self):
        first = self.start_host(CHROME)
        answer = self.ask(first, "status", {})
        self.assertEqual((answer["id"], answer["op"]), (1, "status"))
        pid = answer["body"]["pid"]
        self.assertNotEqual(os.getpgid(pid), os.getpgid(first.pid))
        self.assertEqual(os.getsid(pid), pid)
        second = self.start_host(FIREFOX)
        self.assertEqual(self.ask(second, "status", {})["body"]["pid"], pid)
        for host in (first, second):
            host.stdin.close()
            self.assertEqual(host.wait(PATIENCE_S), 0)
        third = self.start_host(("native-host",))
        self.assertEqual(self.ask(third, "status", {})["body"]["pid"], pid)
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1)]
        self.assertEqual(links, ["/dev/null", "/dev/null"])

    def test_browsers_that_start_at_the_same_time_share_one_daemon(self):
        hosts = [self.start_host() for _ in range(6)]
        pids = {self.ask(host, "status", {})["body"]["pid"] for host in hosts}
        self.assertEqual(len(pids), 1)

    def test_it_ends_when_the_daemon_does_and_the_next_one_starts_it_again(self):
        host = self.start_host()
        pid = self.ask(host, "status", {})["body"]["pid"]
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(host.wait(PATIENCE_S), 0)
        self.assertEqual(host.stdout.read(), b"")
        again = self.start_host()
        self.assertNotEqual(self.ask(again, "status", {})["body"]["pid"], pid)

    def test_a_daemon_that_does_not_start_is_the_answer_to_the_first_request(self):
        self.write_config("nonsense = 1\n")
        answer = self.ask(self.start_host(), "hello", {"extension": "0.1.0"}, 7)
        self.assertEqual((answer["id"], answer["op"]), (7, "error"))
        self.assertEqual(answer["body"]["error"], "config.unknown_key")
        self.write_config(CONFIG)
        os.makedirs(os.path.join(self.home, ".local/state/dotkey/daemon.lock"))
        started = time.monotonic()
        answer = self.ask(self.start_host(), "hello", {"extension": "0.1.0"}, 8)
        self.assertEqual((answer["id"], answer["op"]), (8, "error"))
        self.assertEqual(answer["body"]["error"], "daemon.not_started")
        self.assertIn("daemon.lock", answer["body"]["detail"])
        # Long before the extension gives up.
        self.assertLess(time.monotonic() - started, 9)

    def serve(self, behave):
        """Something else at the daemon's socket."""
        os.makedirs(os.path.dirname(self.socket_path), mode=0o700)
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.socket_path)
        listener.listen()

        def run():
            connection, _ = listener.accept()
            with connection:
                behave(connection)
            os.remove(self.socket_path)
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)

    def test_frames_pass_unchanged_both_ways_whatever_their_size(self):
        frames = [encode("x" * size) for size in (0, 1, 65_535, 65_536, 1024 * 1024 - 2)]

        def echo(connection):
            while data := connection.recv(1 << 16):
                connection.sendall(data)
        self.serve(echo)
        host = self.start_host()
        writer = threading.Thread(target=lambda: (host.stdin.write(b"".join(frames)),
                                                  host.stdin.flush()))
        writer.start()
        for frame in frames:
            self.assertEqual(host.stdout.read(len(frame)), frame)
        writer.join()
        host.stdin.close()
        self.assertEqual(host.wait(PATIENCE_S), 0)

    def test_what_the_daemon_said_last_still_arrives(self):
        def refuse(connection):
            connection.recv(4)
            connection.sendall(encode({"v": 1, "id": 0, "op": "goodbye", "body": {}}))
        self.serve(refuse)
        host = self.start_host()
        self.assertEqual(self.ask(host, "hello", {})["op"], "goodbye")
        self.assertEqual(host.wait(PATIENCE_S), 0)

    def test_an_oversized_frame_ends_it_from_either_side(self):
        announce = struct.pack("=I", 1024 * 1024 + 1)
        received = []
        self.serve(lambda connection: received.append(connection.recv(16)))
        host = self.start_host()
        host.stdin.write(announce + b"x" * 100)
        host.stdin.flush()
        self.assertEqual(host.wait(PATIENCE_S), 1)
        self.assertIn(b"native.frame_oversized", host.stderr.read())

    def test_a_daemon_that_sends_too_much_is_cut_off(self):
        def flood(connection):
            connection.sendall(struct.pack("=I", 1024 * 1024 + 1))
            connection.recv(1)
        self.serve(flood)
        host = self.start_host()
        self.assertEqual(host.wait(PATIENCE_S), 1)
        self.assertEqual(host.stdout.read(), b"")

    def test_a_browser_that_goes_away_while_waiting_ends_it_and_not_the_daemon(self):
        host = self.start_host()
        host.stdin.close()
        host.wait(PATIENCE_S)
        # Which would else come up behind the back of this test, in a directory that is gone.
        poll_until(lambda: self.daemon_pid() is not None)


if __name__ == "__main__":
    unittest.main()
