# SPDX-License-Identifier: Apache-2.0
"""A resolver that does what a test tells it, over UDP and TCP on one port."""
import socket
import struct
import threading

import dns.flags
import dns.message
import dns.rrset


class Upstream:
    """`answer(query, tcp)` returns messages to send (message, bytes, or nothing), in order."""

    def __init__(self, answer, address="127.0.0.1", port=0):
        self.answer = answer
        self.address = address
        self.queries = []  # (message, client's port, whether over TCP)
        for _ in range(20):
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind((address, port))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self.tcp.bind((address, self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen()
        self.closing = False
        self.threads = [threading.Thread(target=self.serve_udp, daemon=True),
                        threading.Thread(target=self.serve_tcp, daemon=True)]
        for thread in self.threads:
            thread.start()

    def serve_udp(self):
        while not self.closing:
            try:
                wire, peer = self.udp.recvfrom(65535)
            except OSError:
                return
            if not wire:
                return
            query = dns.message.from_wire(wire)
            self.queries.append((query, peer[1], False))
            for reply in self.answer(query, False):
                wire = reply if isinstance(reply, bytes) else reply.to_wire(max_size=65535)
                self.udp.sendto(wire, peer)

    def serve_tcp(self):
        while not self.closing:
            try:
                sock, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_connection, args=(sock,), daemon=True).start()

    def serve_connection(self, sock):
        with sock, sock.makefile("rb") as stream:
            while True:
                head = stream.read(2)
                if len(head) < 2:
                    return
                query = dns.message.from_wire(stream.read(struct.unpack("!H", head)[0]))
                self.queries.append((query, sock.getpeername()[1], True))
                for reply in self.answer(query, True):
                    wire = reply if isinstance(reply, bytes) else reply.to_wire(max_size=65535)
                    sock.sendall(struct.pack("!H", len(wire)) + wire)

    def close(self):
        self.closing = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", (self.address, self.port))
        self.tcp.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        self.udp.close()
        self.tcp.close()


def reply_to(query, *records, rcode=None):
    """`records` as "name ttl type data"; the owner "@" is the name asked for."""
    reply = dns.message.make_response(query, recursion_available=True)
    if rcode is not None:
        reply.set_rcode(rcode)
    for record in records:
        name, ttl, kind, data = record.split(" ", 3)
        owner = query.question[0].name if name == "@" else name
        reply.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, data))
    return reply
