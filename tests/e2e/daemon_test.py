#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon as its user meets it: its socket, its lock, its limits, its end."""
import os
import socket
import stat
import struct
import subprocess
import unittest

from daemon_support import DaemonTest, Socket
from sanitizers import without_quarantine

UNKNOWN_KEY = "8pinxxgqs41n4aididenw5apqp1urfmzdztr8jt4abrkdn435ewo"


class TheSocket(DaemonTest):
    def test_is_private_and_answers_hello(self):
        daemon = self.start_daemon("--no-dht")
        path = daemon.ready["socket"]
        self.assertEqual(path, self.path(".local/state/dotkey/daemon.sock"))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o700)
        self.assertRegex(self.connect(daemon).ok("hello")["version"], r"^\d+\.\d+\.\d+$")
        daemon.close()
        self.assertFalse(os.path.exists(path))

    def test_is_in_the_runtime_directory_where_there_is_one(self):
        runtime = self.path("run")
        os.mkdir(runtime, 0o700)
        env = {**self.env, "XDG_RUNTIME_DIR": runtime}
        first = self.start_daemon("--no-dht", env=env)
        self.assertEqual(first.ready["socket"], runtime + "/dotkey/daemon.sock")
        second = self.start_daemon("--no-dht", "--state-dir", self.path("other"), env=env)
        self.assertRegex(second.ready["socket"], runtime + r"/dotkey/daemon-[0-9a-f]{16}\.sock$")
        self.assertEqual(self.ok_json("status", "--state-dir", self.path("other"), env=env)["pid"],
                         second.process.pid)

    def test_of_a_dead_daemon_is_replaced_but_not_that_of_a_living_one(self):
        first = self.start_daemon("--no-dht")
        message = self.fails("daemon.running", "daemon", "--no-dht")
        self.assertIn("daemon.lock", message)
        self.assertEqual(self.ok_json("status")["pid"], first.process.pid)
        first.kill()
        self.assertTrue(os.path.exists(first.ready["socket"]))
        self.fails("daemon.not_running", "status")
        second = self.start_daemon("--no-dht")
        self.assertEqual(self.ok_json("status")["pid"], second.process.pid)

    def test_does_not_replace_what_is_no_socket(self):
        os.makedirs(self.path("state"))
        with open(self.path("state/daemon.sock"), "w") as file:
            file.write("precious")
        self.fails("network.socket_failed", "daemon", "--no-dht", "--state-dir", self.path("state"))
        with open(self.path("state/daemon.sock")) as file:
            self.assertEqual(file.read(), "precious")


class Strangers(DaemonTest):
    """Whatever comes through the socket, others are served."""

    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon("--no-dht")

    def expect_hung_up(self, connection):
        self.assertIsNone(connection.receive())
        self.connect(self.daemon).ok("hello")

    def test_with_garbage_are_disconnected(self):
        for payload in (b"", b"{", b"[1]", b"\xff\xfe", b'{"v":1}', b'{"v":1,"id":-1,"op":"hello"}',
                        b'{"v":1,"id":1,"op":"hello","body":[]}', b'{"v":1,"id":1.5,"op":"hello"}',
                        b"[" * 100_000):
            connection = self.connect(self.daemon)
            connection.send_frame(payload)
            self.expect_hung_up(connection)

    def test_that_announce_a_byte_over_the_limit_are_disconnected(self):
        connection = self.connect(self.daemon)
        connection.socket.sendall(struct.pack("=I", 1024 * 1024 + 1))
        self.expect_hung_up(connection)

    def test_may_send_a_frame_of_the_limit(self):
        connection = self.connect(self.daemon)
        head = b'{"v":1,"id":7,"op":"hello","body":{"filler":"'
        connection.send_frame(head + b"x" * (1024 * 1024 - len(head) - 3) + b'"}}')
        self.assertEqual(connection.receive()["op"], "hello")

    def test_of_another_version_are_not_answered(self):
        connection = self.connect(self.daemon)
        connection.send_frame(b'{"v":2,"id":1,"op":"hello","body":{}}')
        connection.last_id = 1
        self.assertEqual(connection.ask("hello")["id"], 2)

    def test_with_unknown_operations_and_bodies_are_told(self):
        connection = self.connect(self.daemon)
        for op, body, slug in (("frob", {}, "session.op_unknown"),
                               ("resolve", {}, "session.body_malformed"),
                               ("resolve", {"key": 5}, "session.body_malformed"),
                               ("resolve", {"key": "x"}, "key.malformed"),
                               ("resolve", {"key": UNKNOWN_KEY, "policy": "x"},
                                "session.body_malformed")):
            answer = connection.ask(op, body)
            self.assertEqual((answer["op"], answer["body"]["error"]), ("error", slug), answer)
            self.assertTrue(answer["body"]["advice"])

    def test_that_never_read_are_disconnected_and_cost_no_memory(self):
        self.daemon.close()
        daemon = self.start_daemon("--no-dht", env=without_quarantine(self.env))
        connection = self.connect(daemon)
        connection.socket.settimeout(60)
        before = daemon.memory_kib()
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):
            for _ in range(1_000_000):
                connection.send("status", {})
        # All that was sent would be 500 MB.
        self.assertLess(daemon.memory_kib() - before, 32 * 1024)
        self.connect(daemon).ok("hello")

    def test_of_another_user_are_disconnected_even_where_the_files_let_them_in(self):
        if os.geteuid() != 0:
            return  # only root can be somebody else
        path = self.daemon.ready["socket"]
        os.chmod(path, 0o777)
        for folder in (self.home, *(self.path(f) for f in (".local", ".local/state",
                                                           ".local/state/dotkey"))):
            os.chmod(folder, 0o755)
        script = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
                  "print(s.recv(1) == b'')")
        done = subprocess.run(["/usr/bin/python3", "-c", script, path], user=65534, group=65534,
                              extra_groups=[], capture_output=True, text=True, timeout=30, env={})
        self.assertEqual(done.stdout, "True\n", done.stderr)

    def test_beyond_64_wait_for_others_to_go(self):
        many = [self.connect(self.daemon) for _ in range(64)]
        many[-1].ok("hello")
        self.assertIsNone(self.connect(self.daemon).receive())
        for connection in many:
            connection.close()
        for _ in range(1000):  # until the daemon has seen them go
            with_luck = Socket(self.daemon.ready["socket"])
            try:
                with_luck.ok("hello")
                break
            except (AssertionError, BrokenPipeError, socket.error):
                continue
            finally:
                with_luck.close()
        else:
            self.fail("nobody is served any more")


if __name__ == "__main__":
    unittest.main(verbosity=2)
