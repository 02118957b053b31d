#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the daemon's proxy does for nobody: other users, other hosts, requests that two readers
could read differently. Over real sockets, with a site behind it that does open.

Another user is made by setpriv: run as root, or where sudo asks for no password.
"""
import contextlib
import glob
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import threading
import unittest

from daemon_support import DaemonTest, Socket

STRANGER = 65534
NEAR = ("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "::1",
        "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1")
NOWHERE = ("0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1")

# Run by the stranger: what it can read and what it gets from a port, in one line each.
PRY = """
import socket, sys
port, unix, *files = sys.argv[1:]
for name in files:
    try:
        open(name, "rb").close()
        print("read", name)
    except PermissionError:
        print("denied", name)
try:
    socket.socket(socket.AF_UNIX).connect(unix)
    print("connected")
except PermissionError:
    print("denied", unix)
peer = socket.create_connection(("127.0.0.1", int(port)), 10)
try:
    peer.sendall(b"CONNECT example.com:443 HTTP/1.1\\r\\nHost: example.com:443\\r\\n\\r\\n")
    print("answer", peer.recv(4096)[:12])
except ConnectionResetError:
    print("answer", b"")
"""


class Trap:
    """Listens where hostile requests would lead, and counts who comes."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                self.socket.accept()[0].close()
                self.visits += 1


class Boundary(DaemonTest):
    def setUp(self):
        super().setUp()
        net = self.start_testnet(6)
        self.daemon = self.start_daemon("--bootstrap", net["bootstrap"])
        self.key = self.new_key("alice")
        self.trap = Trap()
        self.addCleanup(self.trap.socket.close)

    def publish(self, *records):
        options = [option for record in records for option in ("--record", record)]
        self.ok("publish", "alice", *options)

    def general_port(self):
        return self.ok_json("status")["pages"]["proxy_port"]

    def answers(self, request, port, says_all=True):
        """All that comes back until the other side closes. A client that has said all before it
        has its answer may get none where a server has to be asked first."""
        with socket.create_connection(("127.0.0.1", port), 20) as peer:
            with contextlib.suppress(ConnectionError):
                peer.sendall(request)
                if says_all:
                    peer.shutdown(socket.SHUT_WR)
            data = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := peer.recv(65536):
                    data += piece
            return data

    def connect_request(self, authority):
        return f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode()

    def start_site(self):
        """An HTTPS server of this key on a port that its packet pins; gives the port."""
        os.mkdir(self.path("site"))
        made = self.ok_json("cert", "new", "alice", "--out", self.path("site"))
        certificate, key = made["certificate"], made["private_key"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    peer = listener.accept()[0]
                    with contextlib.suppress(OSError, ssl.SSLError):
                        context.wrap_socket(peer, server_side=True).recv(1)

        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        pin = self.ok_json("tlsa", "--cert", certificate)["records"][0]["data"]
        self.publish("@ 300 A 127.0.0.1", f"_{port}._tcp 300 TLSA {pin}")
        return port

    def hostile_requests(self):
        """(what it is, request): each asks for something else than one `.key` site, plainly."""
        host, port = f"{self.key}.key", self.trap.port
        site = f"{host}:443"
        for literal in ("127.0.0.1", "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "::1", "127.1",
                        "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0",
                        "[fe80::1%25lo]", "localhost"):
            yield f"CONNECT {literal}", self.connect_request(f"{literal}:{port}")
            yield f"GET {literal}", (f"GET http://{literal}:{port}/ HTTP/1.1\r\n"
                                     f"Host: {literal}:{port}\r\n\r\n").encode()
        for name in ("example.com", f"{host}.example.com", f"{host}.com", "key", ".key", "a.key",
                     f"{self.key[:-1]}.key", f"{self.key}", f"user@{host}", f"{host}@127.0.0.1",
                     f"user:pass@{host}", f"{host}%00", f"{host}%2eexample.com", f"{host}..",
                     f"{host}\x00", f"{host}\t", f"{host}/", f"{host}#", f"{host}?", f"{host},a",
                     "", "*." + host, f"b\u00fccher.{host}", f"http://{host}"):
            yield f"CONNECT {name!r}", self.connect_request(f"{name}:{port}")
        for odd in ("", ":", ":0", ":00443", ":+443", ":65536", ":443:443", ":0x1bb", ":443 ",
                    f":443@127.0.0.1:{port}"):
            yield f"CONNECT port {odd!r}", self.connect_request(host + odd)

        def get(*lines, body=b"", target=f"http://{host}/"):
            return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode() + body

        own = f"Host: {host}"
        yield "no Host", get()
        yield "two Hosts", get(own, own)
        yield "another Host", get(f"Host: 127.0.0.1:{port}")
        yield "Host with user", get(f"Host: u@{host}")
        yield "origin form", get(own, target="/")
        yield "https form", get(own, target=f"https://{host}/")
        yield "user in target", get(own, target=f"http://u@{host}/")
        yield "foreign target, own Host", get(own, target=f"http://127.0.0.1:{port}/")
        yield "escaped target", get(own, target=f"http://{host}%00.example.com/")
        yield "both framings", get(own, "Content-Length: 4", "Transfer-Encoding: chunked",
                                   body=b"0\r\n\r\n")
        yield "two lengths", get(own, "Content-Length: 0", "Content-Length: 40")
        yield "a list of lengths", get(own, "Content-Length: 0, 40")
        yield "a signed length", get(own, "Content-Length: +4", body=b"abcd")
        yield "a long length", get(own, "Content-Length: 18446744073709551616")
        yield "chunked and more", get(own, "Transfer-Encoding: chunked, identity")
        yield "chunked twice", get(own, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked")
        yield "a space before the colon", get(own, "Transfer-Encoding : chunked")
        yield "vertical tab in framing", get(own, "Transfer-Encoding: \x0bchunked")
        yield "obs-fold", get(own, "X: a", " Content-Length: 4")
        yield "obs-fold with a tab", get(own, "X: a", "\tTransfer-Encoding: chunked")
        yield "bare LF", get(own).replace(b"\r\n", b"\n") + b"\r\n\r\n"
        yield "one bare LF", get(own, "A: b\nHost: 127.0.0.1")
        yield "bare CR", get(own, "A: b\rHost: 127.0.0.1")
        yield "NUL in a value", get(own, "A: b\x00c")
        yield "NUL in a name", get(own, "A\x00: b")
        yield "no name", get(own, ": b")
        yield "a space first", b" " + get(own)
        yield "empty lines first", b"\r\n\r\n" + get(own)
        yield "HTTP/2.0", get(own).replace(b"HTTP/1.1", b"HTTP/2.0")
        yield "HTTP/0.9", f"GET http://{host}/\r\n\r\n".encode()
        yield "an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        yield "a huge header", get(own, "A: " + "b" * 70_000)
        yield "many headers", get(own, *(f"A{i}: b" for i in range(2_000)))
        yield "a huge target", get(own, target=f"http://{host}/" + "a" * 70_000)
        yield "a huge method", b"G" * 70_000
        connect = f"CONNECT {site} HTTP/1.1\r\nHost: {site}\r\n"
        yield "CONNECT, pipelined CONNECT", (connect + "\r\n" + connect + "\r\n").encode()
        yield "CONNECT, pipelined hello", (connect + "\r\n").encode() + b"\x16\x03\x01"
        yield "CONNECT with a length", (connect + "Content-Length: 4\r\n\r\nabcd").encode()
        yield "CONNECT, chunked", (connect + "Transfer-Encoding: chunked\r\n\r\n").encode()
        yield "CONNECT, another Host", (f"CONNECT {site} HTTP/1.1\r\n"
                                        "Host: example.com:443\r\n\r\n").encode()
        yield "CONNECT, folded Host", (f"CONNECT {site} HTTP/1.1\r\n"
                                       f"Host:\r\n {site}\r\n\r\n").encode()
        yield "a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600)
        yield "SOCKS5", b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50"

    def test_hostile_requests_are_refused_once_and_lead_nowhere(self):
        site_port = self.start_site()
        self.ok("allow-local", self.key)
        session = self.connect(self.daemon)
        hello = session.ok("hello", {"extension": "0"})
        general = self.general_port()
        requests = list(self.hostile_requests())
        for port in (general, hello["proxy_port"]):
            for what, request in requests:
                with self.subTest(what=what, port=port):
                    answer = self.answers(request, port)
                    if answer:
                        self.assertRegex(answer, rb"^HTTP/1\.1 (400|403) ")
                    self.assertEqual(answer.count(b"HTTP/1.1 "), min(len(answer), 1), answer)
        self.assertEqual(self.trap.visits, 0)
        with socket.create_connection(("127.0.0.1", general), 20) as good:
            good.sendall(self.connect_request(f"{self.key}.key:{site_port}"))
            self.assertEqual(good.recv(12), b"HTTP/1.1 200")

    def test_addresses_of_this_network_need_the_users_word(self):
        names = {f"a{i}": address for i, address in enumerate((*NEAR, *NOWHERE))}
        self.publish(*(f"{name} 300 {'AAAA' if ':' in address else 'A'} {address}"
                       for name, address in names.items()))
        port = self.general_port()

        def refusal(name):
            request = self.connect_request(f"{name}.{self.key}.key:443")
            answer = self.answers(request, port, says_all=False)
            return re.search(rb"^X-Dotkey-Refusal: (.*)\r\n", answer, re.M)[1].decode()

        for name, address in names.items():
            with self.subTest(address=address):
                self.assertEqual(refusal(name), "proxy.address_refused" if address in NEAR
                                 else "resolve.no_endpoint")
        self.ok("allow-local", self.key)
        self.assertEqual(refusal("a0"), "site.unreachable")
        for name, address in names.items():
            if address in NOWHERE:
                self.assertEqual(refusal(name), "resolve.no_endpoint", address)

    def pry(self, port, as_stranger):
        files = [name for folder in (".local/state/dotkey", ".local/share/dotkey")
                 for name in glob.glob(self.path(folder, "**"), recursive=True)
                 if os.path.isfile(name)]
        self.assertTrue(any(name.endswith("ca.pem") for name in files), files)
        self.assertTrue(any("/keys/" in name for name in files), files)
        command = [sys.executable, "-c", PRY, str(port), self.daemon.ready["socket"], *files]
        if as_stranger:
            command = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups",
                       *command]
            if os.geteuid() != 0:
                command = ["sudo", "-n", *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/")
        self.assertEqual(done.returncode, 0, done.stderr)
        return files, done.stdout.splitlines()

    def test_another_user_reads_nothing_and_gets_no_answer(self):
        # The home directory itself is no wall.
        for folder in (self.home, self.path(".local"), self.path(".local/state"),
                       self.path(".local/share")):
            os.chmod(folder, 0o755)
        session = self.connect(self.daemon)
        hello = session.ok("hello", {"extension": "0"})
        for port in (self.general_port(), hello["proxy_port"]):
            files, lines = self.pry(port, as_stranger=True)
            unix = self.daemon.ready["socket"]
            self.assertEqual(lines, [*(f"denied {name}" for name in [*files, unix]), "answer b''"])
            files, lines = self.pry(port, as_stranger=False)
            self.assertEqual(lines, [*(f"read {name}" for name in files), "connected",
                                     "answer b'HTTP/1.1 403'"])

    def test_what_it_keeps_is_for_its_user_alone(self):
        for folder in (".local/state/dotkey", ".local/share/dotkey"):
            for name in [self.path(folder),
                         *glob.glob(self.path(folder, "**"), recursive=True)]:
                mode = os.lstat(name).st_mode
                if not stat.S_ISDIR(mode) or name == self.path(folder):
                    self.assertEqual(mode & 0o077, 0, f"{name} {stat.filemode(mode)}")

    def test_an_extension_is_shown_the_evidence_of_a_site_again_when_it_asks(self):
        site = {"host": f"{self.key}.key", "port": self.start_site()}
        self.ok("allow-local", self.key)
        session = self.connect(self.daemon)
        port = session.ok("hello", {"extension": "0"})["proxy_port"]

        def begin_page():
            peer = socket.create_connection(("127.0.0.1", port), 20)
            self.addCleanup(peer.close)
            peer.sendall(self.connect_request(f"{site['host']}:{site['port']}"))
            return peer

        def open_page(peer):
            while (message := session.receive())["op"] != "evidence":
                pass
            self.assertEqual((message["body"]["host"], message["body"]["port"]),
                             tuple(site.values()))
            session.send("verdict", {"request_id": message["body"]["request_id"], "allow": True,
                                     "slug": "pin.allow"}, 0)
            self.assertEqual(peer.recv(12), b"HTTP/1.1 200")

        first = begin_page()
        open_page(first)
        second = begin_page()
        self.assertEqual(second.recv(12), b"HTTP/1.1 200")
        session.ok("recheck", site)
        for ended in (first, second):
            with contextlib.suppress(ConnectionResetError):
                while ended.recv(4096):
                    pass
        third = begin_page()
        open_page(third)
        # Another site's word does not touch it.
        session.ok("recheck", {**site, "port": 1})
        fourth = begin_page()
        self.assertEqual(fourth.recv(12), b"HTTP/1.1 200")
        self.assertEqual([event["op"] for event in session.events if event["op"] == "evidence"], [])
        for body in ({}, {"host": site["host"]}, {**site, "port": 0}, {**site, "port": "443"}):
            self.assertEqual(session.ask("recheck", body)["body"]["error"],
                             "session.body_malformed")
        self.assertEqual(self.connect(self.daemon).ask("recheck", site)["body"]["error"],
                         "session.op_unknown")

    def test_the_port_of_a_session_ends_with_it(self):
        session = Socket(self.daemon.ready["socket"])
        port = session.ok("hello", {"extension": "0"})["proxy_port"]
        self.assertNotEqual(port, self.general_port())
        self.assertTrue(self.answers(self.connect_request("example.com:443"), port))
        idle = socket.create_connection(("127.0.0.1", port), 20)
        self.addCleanup(idle.close)
        idle.sendall(b"CONNECT ")
        session.close()
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(idle.recv(1), b"")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
