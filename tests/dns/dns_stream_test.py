# SPDX-License-Identifier: Apache-2.0
"""DNS over TCP, TLS and HTTPS, as clients of other makes and a scripted one speak it."""
import base64
import http.client
import socket
import ssl
import struct
import subprocess
import time
import unittest

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode

from dns_support import DEADLINE_S, DnsTest, make_certificate


def receive(sock, size):
    out = b""
    while len(out) < size:
        part = sock.recv(size - len(out))
        if not part:
            raise EOFError
        out += part
    return out


def framed(message):
    return struct.pack("!H", len(message)) + message


def read_message(sock):
    return dns.message.from_wire(receive(sock, struct.unpack("!H", receive(sock, 2))[0]))


class Streams(DnsTest):
    records = {"alice": ["@ 300 A 192.0.2.1", "big 300 TXT " + "x" * 250 + " " + "y" * 250,
                         "web 300 A 192.0.2.7"]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate, key = make_certificate(cls.home)
        cls.secure = cls.start_bridge("--listen-tls", "127.0.0.1:0", "--listen-https",
                                      "127.0.0.1:0", "--cert", cls.certificate, "--key", key)
        cls.dot = cls.port_of(cls.secure, "tls")
        cls.doh = cls.port_of(cls.secure, "https")
        cls.name = cls.keys["alice"] + ".key"
        cls.ask(cls.name)

    def connect(self, port=None):
        sock = socket.create_connection(("127.0.0.1", port or self.port), timeout=DEADLINE_S)
        self.addCleanup(sock.close)
        return sock

    def tls(self, port, *protocols):
        context = ssl.create_default_context(cafile=self.certificate)
        if protocols:
            context.set_alpn_protocols(protocols)
        sock = context.wrap_socket(self.connect(port), server_hostname="localhost")
        self.addCleanup(sock.close)
        return sock

    def query(self, name=None, kind="A", **options):
        return dns.message.make_query(name or self.name, kind, **options)

    # --- TCP

    def test_kdig_and_drill_resolve_over_tcp(self):
        self.assertIn("192.0.2.1", self.kdig("+tcp", "+short", self.name, "A"))
        done = subprocess.run(["drill", "-t", "-p", str(self.port), "@127.0.0.1", self.name, "A"],
                              capture_output=True, text=True, timeout=60, check=True)
        self.assertIn("192.0.2.1", done.stdout)

    def test_what_is_too_long_for_udp_comes_over_tcp(self):
        plain = self.ask("big." + self.name, "TXT")
        self.assertTrue(plain.flags & dns.flags.TC)
        self.assertEqual(len(plain.answer), 0)
        self.assertIn("y" * 250, self.kdig("+noedns", "big." + self.name, "TXT"))

    def test_many_queries_wait_on_one_connection_and_every_one_is_answered(self):
        sock = self.connect()
        queries = {}
        for i in range(150):
            query = self.query(("nope%d." % i if i % 3 else "") + self.name)
            query.id = i
            queries[i] = query
        sock.sendall(b"".join(framed(query.to_wire()) for query in queries.values()))
        for _ in range(len(queries)):
            reply = read_message(sock)
            self.assertTrue(queries.pop(reply.id).is_response(reply))

    def test_a_cached_answer_does_not_wait_for_a_lookup_before_it(self):
        sock = self.connect()
        missing = self.new_key("late", 777)
        slow, quick = self.query(missing + ".key"), self.query()
        sock.sendall(framed(slow.to_wire()) + framed(quick.to_wire()))
        self.assertEqual(read_message(sock).id, quick.id)
        self.assertEqual(read_message(sock).id, slow.id)

    def test_a_query_may_come_in_single_bytes(self):
        sock = self.connect()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in framed(self.query().to_wire()):
            sock.sendall(bytes([byte]))
        self.assertEqual(self.texts(read_message(sock)), ["192.0.2.1"])

    def test_a_client_that_has_said_all_still_gets_its_reply(self):
        sock = self.connect()
        sock.sendall(framed(self.query(self.new_key("gone", 778) + ".key").to_wire()))
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(read_message(sock).rcode(), dns.rcode.NXDOMAIN)
        self.assertEqual(sock.recv(1), b"")

    def test_garbage_ends_the_connection(self):
        sock = self.connect()
        sock.sendall(b"\x00\x03abc")
        self.assertEqual(sock.recv(1), b"")

    def test_the_server_says_how_long_it_keeps_an_idle_connection(self):
        sock = self.connect()
        query = self.query(use_edns=0, options=[dns.edns.GenericOption(11, b"")])
        sock.sendall(framed(query.to_wire()))
        options = {option.otype: option.data for option in read_message(sock).options}
        self.assertEqual(options[11], struct.pack("!H", 300))

    def test_a_client_that_trickles_is_cut_off(self):
        sock = self.connect()
        wire = framed(self.query().to_wire())
        start = time.monotonic()
        sock.settimeout(0.2)
        ended = False
        for byte in wire[:-1]:
            try:
                sock.sendall(bytes([byte]))
                ended = sock.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                ended = True
            if ended:
                break
        while not ended and time.monotonic() - start < 60:
            try:
                ended = sock.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                ended = True
        self.assertTrue(ended)

    # --- TLS

    def test_kdig_resolves_over_tls(self):
        done = subprocess.run(
            ["kdig", "@127.0.0.1", "-p", str(self.dot), "+tls-ca=" + self.certificate,
             "+tls-host=localhost", self.name, "A"], capture_output=True, text=True, timeout=60,
            check=True)
        self.assertIn("192.0.2.1", done.stdout)
        self.assertIn("TLS session (TLS1.3)", done.stdout)

    def test_dot_is_what_the_server_speaks_and_nothing_else(self):
        self.assertEqual(self.tls(self.dot, "dot").selected_alpn_protocol(), "dot")
        with self.assertRaises(ssl.SSLError):
            self.tls(self.dot, "imap")

    def test_replies_over_tls_are_padded_for_those_who_pad(self):
        sock = self.tls(self.dot)
        padded = self.query(use_edns=0, pad=128)
        sock.sendall(framed(padded.to_wire()))
        size = struct.unpack("!H", receive(sock, 2))[0]
        self.assertEqual(size % 468, 0)
        receive(sock, size)
        sock.sendall(framed(self.query(use_edns=0).to_wire()))
        self.assertLess(struct.unpack("!H", receive(sock, 2))[0], 468)

    def test_an_old_version_of_tls_is_turned_down(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionResetError)):
            context.wrap_socket(self.connect(self.dot))

    # --- HTTPS

    def test_curl_resolves_through_it(self):
        done = subprocess.run(
            ["curl", "--silent", "--verbose", "--max-time", "15", "--noproxy", "*",
             "--doh-url", f"https://localhost:{self.doh}/dns-query", "--doh-insecure",
             "--connect-timeout", "1", f"http://web.{self.name}:9/"],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertIn("192.0.2.7", done.stderr)

    def test_kdig_resolves_over_https_by_get_and_by_post(self):
        for method in ("+https", "+https-get"):
            done = subprocess.run(
                ["kdig", "@127.0.0.1", "-p", str(self.doh), "+tls-ca=" + self.certificate,
                 "+tls-host=localhost", method, self.name, "A"], capture_output=True, text=True,
                timeout=60, check=True)
            self.assertIn("192.0.2.1", done.stdout)
            self.assertIn("HTTP/2", done.stdout)

    def http(self, method, target, body=None, **headers):
        context = ssl.create_default_context(cafile=self.certificate)
        connection = http.client.HTTPSConnection("localhost", self.doh, context=context,
                                                 timeout=DEADLINE_S)
        self.addCleanup(connection.close)
        connection.request(method, target, body, headers)
        return connection.getresponse()

    def test_http_1_1_serves_get_and_post(self):
        wire = self.query().to_wire()
        text = base64.urlsafe_b64encode(wire).rstrip(b"=").decode()
        replies = [self.http("GET", "/dns-query?dns=" + text),
                   self.http("POST", "/dns-query", wire,
                             **{"content-type": "application/dns-message"})]
        for reply in replies:
            self.assertEqual(reply.status, 200)
            self.assertEqual(reply.getheader("content-type"), "application/dns-message")
            message = dns.message.from_wire(reply.read())
            self.assertEqual(self.texts(message), ["192.0.2.1"])
            self.assertEqual(reply.getheader("cache-control"), f"max-age={message.answer[0].ttl}")

    def test_http_requests_that_are_no_dns_are_told_why(self):
        long = base64.urlsafe_b64encode(bytes(66_000)).rstrip(b"=").decode()
        cases = [("GET", "/", None, {}, 404), ("GET", "/dns-query", None, {}, 400),
                 ("GET", "/dns-query?dns=%%%", None, {}, 400),
                 ("GET", "/dns-query?dns=AAAA", None, {}, 400),
                 ("GET", "/dns-query?dns=" + long, None, {}, 413),
                 ("DELETE", "/dns-query", None, {}, 405),
                 ("POST", "/dns-query", b"x" * 40, {"content-type": "text/plain"}, 415)]
        for method, target, body, headers, status in cases:
            self.assertEqual(self.http(method, target, body, **headers).status, status, target[:40])

    def test_h2_streams_are_answered_out_of_order(self):
        import h2.config
        import h2.connection
        import h2.events
        sock = self.tls(self.doh, "h2", "http/1.1")
        self.assertEqual(sock.selected_alpn_protocol(), "h2")
        session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        session.initiate_connection()
        names = [self.new_key("later", 779) + ".key"] + [self.name] * 50
        for name in names:
            wire = self.query(name, id=0).to_wire()
            stream = session.get_next_available_stream_id()
            session.send_headers(stream, [
                (":method", "POST"), (":scheme", "https"), (":authority", "localhost"),
                (":path", "/dns-query"), ("content-type", "application/dns-message")])
            session.send_data(stream, wire, end_stream=True)
        sock.sendall(session.data_to_send())
        order, bodies = [], {}
        while len(order) < len(names):
            for event in session.receive_data(sock.recv(65536)):
                if isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                if isinstance(event, h2.events.StreamEnded):
                    order.append(event.stream_id)
            sock.sendall(session.data_to_send())
        self.assertEqual(order[-1], 1)
        self.assertEqual(dns.message.from_wire(bodies[1]).rcode(), dns.rcode.NXDOMAIN)
        self.assertEqual(self.texts(dns.message.from_wire(bodies[3])), ["192.0.2.1"])


if __name__ == "__main__":
    unittest.main()
