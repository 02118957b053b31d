#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What leads into the local network by the user's word, and ends when that is taken back.

DOTKEY names the binary. The sites listen at port 8443 of loopback addresses.
"""
import http.server
import os
import signal
import socket
import ssl
import threading
import unittest

from daemon_support import DaemonTest

PORT = 8443


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.flush()
        if self.path == "/slow":
            self.server.release.wait(60)
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


class LocalTest(DaemonTest):
    def setUp(self):
        super().setUp()
        ready = self.start_testnet(8)
        self.daemon = self.start_daemon("--bootstrap", ready["bootstrap"])
        self.proxy = self.ok_json("status")["pages"]["proxy_port"]

    def serve(self, name, last, secure=True):
        """A site of a new key on this machine, which the user allows; gives the key."""
        address = f"127.0.78.{last}"
        key = self.new_key(name)
        self.ok("allow-local", key)
        records = [f"@ 300 A {address}"]
        server = http.server.ThreadingHTTPServer((address, PORT), Handler)
        server.daemon_threads = True
        server.release = threading.Event()
        if secure:
            made = self.ok_json("cert", "new", name, "--out", self.path(name))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(made["certificate"], made["private_key"])
            server.socket = context.wrap_socket(server.socket, server_side=True)
            records.append(f"_{PORT}._tcp 300 TLSA {made['tlsa']['data']}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for cleanup in (thread.join, server.server_close, server.shutdown, server.release.set):
            self.addCleanup(cleanup)
        self.ok("publish", name, *(part for text in records for part in ("--record", text)))
        return key

    def dial(self, request):
        connection = socket.create_connection(("127.0.0.1", self.proxy), timeout=60)
        self.addCleanup(connection.close)
        connection.sendall(request.encode())
        return connection, connection.recv(4096)

    def connect_to(self, key):
        return self.dial(f"CONNECT {key}.key:{PORT} HTTP/1.1\r\nHost: {key}.key:{PORT}\r\n\r\n")

    def open(self, key):
        """A browser's connection over which one page came already."""
        connection, answer = self.connect_to(key)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        tunnel = context.wrap_socket(connection, server_hostname=f"{key}.key")
        self.addCleanup(tunnel.close)
        self.assertIn(b"hello", self.get(tunnel, key))
        return tunnel

    def get(self, tunnel, key):
        """What comes back for a request; nothing over a connection that has ended."""
        answer = b""
        try:
            tunnel.sendall(f"GET / HTTP/1.1\r\nHost: {key}.key:{PORT}\r\n\r\n".encode())
            while not answer.endswith(b"hello"):
                piece = tunnel.recv(4096)
                if not piece:
                    break
                answer += piece
        except (ConnectionError, ssl.SSLError):
            pass
        return answer

    def assert_refused(self, key):
        answer = self.connect_to(key)[1]
        self.assertTrue(answer.startswith(b"HTTP/1.1 502"), answer)
        self.assertIn(b"proxy.address_refused", answer)

    def test_a_word_taken_back_ends_what_is_open_and_opens_nothing_more(self):
        alice, bob = self.serve("alice", 1), self.serve("bob", 2)
        of_alice, of_bob = self.open(alice), self.open(bob)
        self.ok("allow-local", alice, "--undo")
        self.assert_refused(alice)
        self.assertEqual(self.get(of_alice, alice), b"")
        self.assertIn(b"hello", self.get(of_bob, bob))

    def test_so_it_is_when_the_list_is_read_again(self):
        alice, bob = self.serve("alice", 3), self.serve("bob", 4)
        of_alice, of_bob = self.open(alice), self.open(bob)
        with open(self.path(".local/state/dotkey/allow-local"), "w") as file:
            file.write(bob + "\n")
        os.kill(self.daemon.process.pid, signal.SIGHUP)
        self.assertEqual(of_alice.recv(1), b"")
        self.assert_refused(alice)
        self.assertIn(b"hello", self.get(of_bob, bob))

    def test_a_page_over_http_ends_too(self):
        key = self.serve("alice", 5, secure=False)
        self.ok("allow-http", key)
        request = f"GET http://{key}.key:{PORT}/slow HTTP/1.1\r\nHost: {key}.key:{PORT}\r\n\r\n"
        connection, answer = self.dial(request)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer)
        self.ok("allow-local", key, "--undo")
        try:
            self.assertEqual(connection.recv(1024), b"")
        except ConnectionResetError:
            pass


if __name__ == "__main__":
    unittest.main()
