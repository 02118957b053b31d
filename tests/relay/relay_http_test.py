#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay's HTTP/1.1 server, byte by byte."""
import socket
import time
import unittest

from relay_support import Key, RelayTest, ask

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


class Http(RelayTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.start_relay("--no-dht", "--rate", "off", "--dht-rate", "off").port

    def talk(self, *parts, pause_s=0.0):
        """Sends the parts, then reads until the server closes or falls silent."""
        out = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause_s)
            try:
                while data := connection.recv(65536):
                    out += data
            except TimeoutError:
                return out, False
        return out, True

    def test_pipelined_requests_are_answered_in_order(self):
        out, closed = self.talk(GET * 50 + b"GET /nokey HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
        statuses = [part[:3] for part in out.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(statuses, [b"200"] * 50 + [b"400", b"200"])
        self.assertFalse(closed)

    def test_a_request_may_come_in_pieces(self):
        out, _ = self.talk(*[GET[i:i + 1] for i in range(len(GET))], pause_s=0.002)
        self.assertTrue(out.startswith(b"HTTP/1.1 200 "))

    def test_close_is_honoured(self):
        for request in (b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                        b"GET /health HTTP/1.0\r\n\r\n"):
            out, closed = self.talk(request)
            self.assertTrue(closed)
            self.assertIn(b"\r\nconnection: close\r\n", out)

    def test_what_two_readers_could_read_differently_is_refused(self):
        rows = [
            (b"GET / HTTP/1.1\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\nb\r\n\r\n", b"400"),
            (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
            (b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
             b"400"),
            (b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"400"),
            (b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
             b"Transfer-Encoding: chunked\r\n\r\n", b"400"),
            (b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
            (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", b"505"),
            (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"400"),
            (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 70 + b"\r\n", b"431"),
            (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"431"),
        ]
        for request, status in rows:
            with self.subTest(request=request[:80]):
                out, closed = self.talk(request + GET)
                self.assertEqual(out[9:12], status)
                self.assertEqual(out.count(b"HTTP/1.1 "), 1)
                self.assertTrue(closed)

    def test_a_client_that_asks_first_may_continue(self):
        key = Key(1)
        body = key.packet(int(time.time() * 1e6))
        head = (f"PUT /{key.text} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        out, _ = self.talk(head, body, pause_s=0.2)
        self.assertTrue(out.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 "))

    def test_a_request_that_never_ends_is_ended(self):
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
            connection.settimeout(0.5)
            answer = b""
            while time.monotonic() - start < 15 and not answer:
                try:
                    connection.sendall(b"y")
                    answer = connection.recv(4096)
                except TimeoutError:
                    pass
                except OSError:
                    break
        took = time.monotonic() - start
        self.assertTrue(9 < took < 13, took)
        self.assertTrue(answer.startswith(b"HTTP/1.1 408 "))

    def test_one_client_cannot_take_all_connections(self):
        port = self.start_relay("--no-dht", "--connections-per-client", "8", "--database",
                                self.home + "/few.sqlite").port
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as refused:
                self.assertEqual(refused.recv(1), b"")
            other = socket.create_connection(("127.0.0.1", port), 5, ("127.0.0.2", 0))
            with other:
                other.sendall(GET)
                self.assertTrue(other.recv(4096).startswith(b"HTTP/1.1 200 "))
        finally:
            for connection in held:
                connection.close()


if __name__ == "__main__":
    unittest.main()
