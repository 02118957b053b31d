#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http:// by way of the proxy: only for keys without pins, by the user's word for each.

DOTKEY names the binary. The sites listen at port 8443 of loopback addresses, plain.
"""
import http.client
import http.server
import re
import socket
import threading
import time
import unittest

from daemon_support import DaemonTest

PORT = 8443
LARGE = b"x" * (5 * 1024 * 1024)
PIN = "3 1 1 " + "ab" * 32


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.heard.append(self)
        if self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            self.server.release.wait(60)
            return
        body = LARGE if self.path == "/large" else b"hello"
        self.send_response_only(103)
        self.send_header("Link", "</style.css>; rel=preload")
        self.end_headers()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Alt-Svc", 'h2="elsewhere.example:443"')
        self.send_header("Connection", "keep-alive, X-Hop")
        self.send_header("X-Kept", "yes")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


class PlainTest(DaemonTest):
    def setUp(self):
        super().setUp()
        ready = self.start_testnet(8)
        self.network = ("--bootstrap", ready["bootstrap"])
        self.daemon = self.start_daemon(*self.network)
        status = self.ok_json("status")
        self.proxy = status["pages"]["proxy_port"]

    def serve(self, name, last, records=(), allow=True):
        address = f"127.0.77.{last}"
        key = self.new_key(name)
        self.ok("allow-local", key)
        if allow:
            self.ok("allow-http", key)
        server = http.server.ThreadingHTTPServer((address, PORT), Handler)
        server.heard = []
        server.release = threading.Event()
        server.key = key
        server.host = f"{key}.key:{PORT}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for cleanup in (thread.join, server.server_close, server.shutdown, server.release.set):
            self.addCleanup(cleanup)
        texts = [f"@ 300 A {address}", *records]
        self.ok("publish", name, *(part for text in texts for part in ("--record", text)))
        return server

    def fetch(self, host, path="/", method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy, timeout=60)
        self.addCleanup(connection.close)
        connection.request(method, f"http://{host}{path}", body=body,
                           headers={"Host": host, **(headers or {})})
        response = connection.getresponse()
        return response, response.read()

    def exchange(self, request):
        """All that comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.proxy), timeout=60) as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
            return answer

    def test_a_key_that_nobody_spoke_for_is_refused_and_nothing_is_sent(self):
        site = self.serve("alice", 1, allow=False)
        response, body = self.fetch(site.host)
        self.assertEqual(response.status, 403)
        self.assertIn(b"proxy.tls_expected", body)
        response, _ = self.fetch(site.host.split(":")[0], "/x?y")
        self.assertEqual((response.status, response.headers["Location"]),
                         (307, f"https://{site.key}.key/x?y"))
        self.assertEqual(site.heard, [])

    def test_with_the_users_word_it_is_opened_until_that_is_taken_back(self):
        site = self.serve("alice", 2)
        self.assertIn(site.key, self.ok("allow-http"))
        response, body = self.fetch(site.host, "/path?query")
        self.assertEqual((response.status, body), (200, b"hello"))
        request = site.heard[0]
        self.assertEqual((request.path, request.headers["Host"]), ("/path?query", site.host))
        self.ok("allow-http", site.key, "--undo")
        self.assertNotIn(site.key, self.ok("allow-http"))
        self.assertEqual(self.fetch(site.host)[0].status, 403)
        self.assertEqual(len(site.heard), 1)

    def test_what_is_under_way_ends_when_the_word_is_taken_back(self):
        site = self.serve("alice", 3)
        connection = socket.create_connection(("127.0.0.1", self.proxy), timeout=60)
        self.addCleanup(connection.close)
        connection.sendall(f"GET http://{site.host}/slow HTTP/1.1\r\nHost: {site.host}\r\n\r\n"
                           .encode())
        self.assertTrue(connection.recv(1024).startswith(b"HTTP/1.1 200"))
        self.ok("allow-http", site.key, "--remove")
        try:
            self.assertEqual(connection.recv(1024), b"")
        except ConnectionResetError:
            pass

    def test_one_pin_anywhere_in_its_packet_and_a_key_is_never_opened(self):
        for last, record in ((4, f"_443._tcp 300 TLSA {PIN}"),
                             (5, f"_25._tcp.mail 300 TLSA {PIN}")):
            site = self.serve(f"pinned{last}", last, [record])
            response, body = self.fetch(site.host)
            self.assertEqual(response.status, 403)
            self.assertIn(b"proxy.tls_expected", body)
            self.assertEqual(site.heard, [])

    def test_a_pin_of_the_key_that_it_leads_to_counts_too(self):
        target = self.serve("target", 6, [f"_443._tcp 300 TLSA {PIN}"])
        alias = self.new_key("alias")
        self.ok("allow-local", alias)
        self.ok("allow-http", alias)
        self.ok("publish", "alias", "--record", f"@ 300 CNAME {target.key}.")
        self.assertEqual(self.fetch(f"{alias}.key:{PORT}")[0].status, 403)
        self.assertEqual(target.heard, [])

    def test_fields_for_proxies_go_no_further_either_way(self):
        site = self.serve("alice", 7)
        response, _ = self.fetch(site.host, headers={
            "Connection": "keep-alive, X-Secret", "X-Secret": "1", "Proxy-Authorization": "Basic x",
            "Proxy-Connection": "keep-alive", "TE": "trailers", "Upgrade": "h2c", "X-Kept": "2"})
        request = site.heard[0].headers
        self.assertEqual(request["Connection"], "close")
        self.assertEqual(request["X-Kept"], "2")
        for name in ("X-Secret", "Proxy-Authorization", "Proxy-Connection", "TE", "Upgrade"):
            self.assertNotIn(name, request)
        self.assertEqual(response.headers.get_all("Connection"), ["close"])
        self.assertEqual(response.headers["X-Kept"], "yes")
        self.assertNotIn("Alt-Svc", response.headers)

    def test_large_bodies_pass_whole_both_ways(self):
        site = self.serve("alice", 8)
        response, body = self.fetch(site.host, "/large", "POST", LARGE)
        self.assertEqual((response.status, len(body)), (200, len(LARGE)))
        self.assertEqual(site.heard[0].body, LARGE)

    def test_no_second_request_hides_behind_the_first(self):
        site = self.serve("alice", 9)
        head = f"Host: {site.host}\r\n"
        hidden = f"GET http://{site.host}/hidden HTTP/1.1\r\n{head}\r\n"
        for first in (f"GET http://{site.host}/ HTTP/1.1\r\n{head}\r\n",
                      f"POST http://{site.host}/ HTTP/1.1\r\n{head}Content-Length: 2\r\n\r\nok"):
            answer = self.exchange((first + hidden).encode())
            self.assertEqual(len(re.findall(rb"HTTP/1.1 200", answer)), 1, answer)
        chunked = f"POST http://{site.host}/ HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n"
        self.assertTrue(self.exchange((chunked + "0\r\n\r\n").encode()).startswith(b"HTTP/1.1 400"))
        time.sleep(0.3)  # for a request that should not come
        self.assertEqual([request.path for request in site.heard], ["/", "/"])

    def test_a_server_that_is_down_or_speaks_no_http_gives_an_error(self):
        key = self.new_key("down")
        self.ok("allow-local", key)
        self.ok("allow-http", key)
        self.ok("publish", "down", "--record", "@ 300 A 127.0.77.250")
        response, body = self.fetch(f"{key}.key:{PORT}")
        self.assertEqual(response.status, 502)
        self.assertIn(b"site.unreachable", body)
        with socket.create_server(("127.0.77.251", PORT)) as listener:
            def answer():
                connection, _ = listener.accept()
                connection.recv(4096)
                connection.sendall(b"220 mail.example ESMTP\r\n\r\n")
                connection.close()
            thread = threading.Thread(target=answer)
            thread.start()
            self.ok("publish", "down", "--record", "@ 300 A 127.0.77.251")
            request = f"GET http://{key}.key:{PORT}/ HTTP/1.1\r\nHost: {key}.key:{PORT}\r\n\r\n"
            try:
                self.assertEqual(self.exchange(request.encode()), b"")
            except ConnectionResetError:
                pass
            thread.join()

    def test_the_list_outlives_the_daemon_and_goes_to_browsers(self):
        site = self.serve("alice", 10)
        browser = self.connect(self.daemon)
        hello = browser.ok("hello", {"extension": "0.1.0", "browser": "firefox"})
        self.assertEqual(hello["http_keys"], [site.key])
        self.ok("allow-http", site.key, "--remove")
        self.assertEqual(browser.receive()["body"], {"http_keys": []})
        browser.ok("allow_http", {"key": site.key, "allow": True})
        self.daemon.close()
        again = self.start_daemon(*self.network)
        hello = self.connect(again).ok("hello", {"extension": "0.1.0"})
        self.assertEqual(hello["http_keys"], [site.key])


if __name__ == "__main__":
    unittest.main()
