# SPDX-License-Identifier: Apache-2.0
"""What one client may cost the DNS server: descriptors, and memory of requests that never end."""
import resource
import socket
import ssl
import time
import unittest

import h2.config
import h2.connection
import h2.events
import h2.settings

from dns_support import DEADLINE_S, DOTKEY, DnsTest, make_certificate
from sanitizers import is_built_with_address_sanitizer

FILES = 96
# Unbounded, four connections would have it hold 22 MiB.
HELD_MIB = 12 if is_built_with_address_sanitizer(DOTKEY) else 6


class Limits(DnsTest):
    records = {"alice": ["@ 300 A 192.0.2.1"]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate, key = make_certificate(cls.home)
        cls.secure = cls.start_bridge("--listen-https", "127.0.0.1:0", "--cert", cls.certificate,
                                      "--key", key)
        cls.name = cls.keys["alice"] + ".key"
        cls.ask(cls.name)

    def cpu_s(self, program):
        with open(f"/proc/{program.process.pid}/stat", encoding="utf-8") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / 100

    def test_a_server_without_free_descriptors_rests_and_serves_again_when_it_has_some(self):
        pid = self.server.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        clients = []
        for number in range(2 * FILES):
            # From many addresses, as no client may have them all.
            sock = socket.socket()
            sock.bind((f"127.0.1.{number + 1}", 0))
            sock.settimeout(DEADLINE_S)
            sock.connect(("127.0.0.1", self.port))
            clients.append(sock)
        before = self.cpu_s(self.server)
        time.sleep(2)
        self.assertLess(self.cpu_s(self.server) - before, 0.5)
        self.assertEqual(self.texts(self.ask(self.name)), ["192.0.2.1"])
        for sock in clients:
            sock.close()
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                self.assertEqual(self.texts(self.ask(self.name, tcp=True)), ["192.0.2.1"])
                return
            except (EOFError, OSError):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.1)

    def test_requests_over_h2_that_never_end_hold_little_memory(self):
        port = self.port_of(self.secure, "https")
        before = self.secure.memory_kib()
        resets = 0
        for _ in range(4):
            sock, session = self.open_h2(port)
            for _ in range(90):
                stream = session.get_next_available_stream_id()
                session.send_headers(stream, [
                    (":method", "POST"), (":scheme", "https"), (":authority", "localhost"),
                    (":path", "/dns-query"), ("content-type", "application/dns-message")])
                resets += self.fill(sock, session, stream, 60_000)
        self.assertGreater(resets, 4 * 70)
        self.assertLess(self.secure.memory_kib() - before, HELD_MIB * 1024)

    def open_h2(self, port):
        context = ssl.create_default_context(cafile=self.certificate)
        context.set_alpn_protocols(["h2"])
        sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port), DEADLINE_S),
                                   server_hostname="localhost")
        self.addCleanup(sock.close)
        session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        session.initiate_connection()
        sock.sendall(session.data_to_send())
        return sock, session

    def fill(self, sock, session, stream, size):
        """Sends `size` bytes on a stream and leaves it open. One when the server resets it."""
        while size > 0:
            part = min(size, session.local_flow_control_window(stream),
                       session.max_outbound_frame_size)
            if part > 0:
                session.send_data(stream, bytes(part))
                size -= part
            session.ping(b"whatever")
            sock.sendall(session.data_to_send())
            answered = False
            while not answered:
                for event in session.receive_data(sock.recv(65536)):
                    if isinstance(event, h2.events.StreamReset) and event.stream_id == stream:
                        return 1
                    answered = answered or isinstance(event, h2.events.PingAckReceived)
            sock.sendall(session.data_to_send())
            if part == 0 and session.outbound_flow_control_window == 0:
                return 0
        return 0


if __name__ == "__main__":
    unittest.main()
