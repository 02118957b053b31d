# SPDX-License-Identifier: Apache-2.0
"""The checks of ISC's genreport (the EDNS compliance tester), and what more RFC 6891 and its like
ask of a server."""
import socket
import struct
import unittest

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype

from dns_support import DEADLINE_S, DnsTest

COOKIE = bytes(range(8))
NSID, EXPIRE, COOKIE_CODE, SUBNET, UNKNOWN = 3, 9, 10, 8, 100


class Edns(DnsTest):
    records = {"alice": ["@ 300 A 192.0.2.1", "big 300 TXT " + " ".join(["z" * 200] * 4)]}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.name = cls.keys["alice"] + ".key"
        cls.ask(cls.name)

    def genreport(self, *, kind="SOA", tcp=False, flags=0, edns=None, size=4096, ednsflags=0,
                  options=(), opcode=None, name=None):
        """One check: the query as genreport builds it, and the reply."""
        query = dns.message.make_query(name or self.name, kind)
        query.flags = (query.flags & ~dns.flags.RD) | flags
        if opcode is not None:
            query.set_opcode(opcode)
        if edns is not None:
            query.use_edns(edns, ednsflags, size,
                           options=[dns.edns.GenericOption(*option) for option in options])
        return self.exchange(query.to_wire(), tcp)

    def exchange(self, wire, tcp=False):
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as sock:
            sock.settimeout(DEADLINE_S)
            sock.connect(("127.0.0.1", self.port))
            sock.sendall(struct.pack("!H", len(wire)) + wire if tcp else wire)
            if not tcp:
                return dns.message.from_wire(sock.recv(65535))
            with sock.makefile("rb") as stream:
                return dns.message.from_wire(stream.read(struct.unpack("!H", stream.read(2))[0]))

    def assert_plain(self, reply):
        self.assertEqual(reply.rcode(), dns.rcode.NOERROR)
        self.assertTrue(reply.flags & dns.flags.AA)
        self.assertFalse(reply.flags & dns.flags.AD)

    def assert_edns(self, reply, rcode=dns.rcode.NOERROR):
        self.assertEqual(reply.rcode(), rcode)
        self.assertEqual(reply.edns, 0)
        self.assertEqual(reply.ednsflags & 0x7fff, 0)

    # --- genreport's plain set

    def test_dns(self):
        reply = self.genreport()
        self.assert_plain(reply)
        self.assertEqual(reply.edns, -1)

    def test_flags_of_the_header_do_no_harm(self):
        for flags in (dns.flags.AA, dns.flags.AD, dns.flags.CD, dns.flags.RA, dns.flags.RD, 0x40):
            reply = self.genreport(flags=flags)
            self.assert_plain(reply)
            self.assertFalse(reply.flags & 0x40, "Z")
        self.assertTrue(self.genreport(flags=dns.flags.RD).flags & dns.flags.RD)

    def test_an_unknown_opcode_is_not_implemented(self):
        wire = bytearray(dns.message.make_query(self.name, "A").to_wire())
        wire[2] = 15 << 3
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(DEADLINE_S)
            sock.sendto(bytes(wire), ("127.0.0.1", self.port))
            reply = sock.recv(4096)
        self.assertEqual((reply[2] >> 3 & 15, reply[3] & 15), (15, 4))

    def test_an_opcode_without_a_question_is_answered(self):
        self.assertEqual(self.exchange(struct.pack("!6H", 7, 2 << 11, 0, 0, 0, 0)).rcode(),
                         dns.rcode.NOTIMP)

    def test_a_type_that_nobody_knows_is_no_data(self):
        reply = self.genreport(kind=dns.rdatatype.from_text("TYPE1000"))
        self.assert_plain(reply)
        self.assertEqual(len(reply.answer), 0)
        self.assertEqual(len(reply.authority), 1)

    def test_tcp(self):
        self.assert_plain(self.genreport(tcp=True))

    # --- genreport's EDNS set

    def test_edns(self):
        self.assert_edns(self.genreport(edns=0))

    def test_edns1(self):
        reply = self.genreport(edns=1)
        self.assert_edns(reply, dns.rcode.BADVERS)
        self.assertEqual(len(reply.answer), 0)

    def test_edns_at_512(self):
        reply = self.genreport(edns=0, size=512, kind="TXT", name="big." + self.name)
        self.assert_edns(reply)
        self.assertTrue(reply.flags & dns.flags.TC)
        self.assertLessEqual(len(reply.to_wire()), 512)
        self.assert_edns(self.genreport(edns=0, size=512))

    def test_ednsopt(self):
        reply = self.genreport(edns=0, options=[(UNKNOWN, b"")])
        self.assert_edns(reply)
        self.assertNotIn(UNKNOWN, [option.otype for option in reply.options])

    def test_edns1opt(self):
        reply = self.genreport(edns=1, options=[(UNKNOWN, b"")])
        self.assert_edns(reply, dns.rcode.BADVERS)
        self.assertNotIn(UNKNOWN, [option.otype for option in reply.options])

    def test_do(self):
        reply = self.genreport(edns=0, ednsflags=dns.flags.DO)
        self.assert_edns(reply)
        self.assertTrue(reply.ednsflags & dns.flags.DO)

    def test_ednsflags(self):
        self.assert_edns(self.genreport(edns=0, ednsflags=0x0080))

    def test_edns1flags(self):
        self.assert_edns(self.genreport(edns=1, ednsflags=0x0080), dns.rcode.BADVERS)

    def test_docookie(self):
        reply = self.genreport(edns=0, ednsflags=dns.flags.DO, options=[(COOKIE_CODE, COOKIE)])
        self.assert_edns(reply)
        self.assertTrue(reply.ednsflags & dns.flags.DO)

    def test_edns512tcp_and_ednstcp(self):
        for size in (512, 4096):
            reply = self.genreport(edns=0, size=size, tcp=True, kind="TXT", name="big." + self.name)
            self.assert_edns(reply)
            self.assertEqual(len(reply.answer), 1)

    def test_signed(self):
        reply = self.genreport(kind="DNSKEY", edns=0, ednsflags=dns.flags.DO)
        self.assert_edns(reply)

    def test_optlist(self):
        reply = self.genreport(edns=0, options=[
            (NSID, b""), (SUBNET, b"\x00\x01\x00\x00"), (EXPIRE, b""), (COOKIE_CODE, COOKIE)])
        self.assert_edns(reply)

    # --- cookies (RFC 7873)

    def cookie_of(self, reply):
        return next(bytes(option.data) for option in reply.options if option.otype == COOKIE_CODE)

    def test_a_cookie_comes_back_with_our_half(self):
        cookie = self.cookie_of(self.genreport(edns=0, options=[(COOKIE_CODE, COOKIE)]))
        self.assertEqual((len(cookie), cookie[:8], cookie[8]), (24, COOKIE, 1))
        again = self.genreport(edns=0, options=[(COOKIE_CODE, cookie)])
        self.assertEqual(self.cookie_of(again)[:8], COOKIE)
        self.assert_edns(again)

    def test_a_cookie_of_a_wrong_size_is_a_format_error(self):
        for size in (0, 7, 9, 15, 41):
            reply = self.genreport(edns=0, options=[(COOKIE_CODE, bytes(size))])
            self.assertEqual(reply.rcode(), dns.rcode.FORMERR, size)

    def test_a_query_for_nothing_but_a_cookie_is_answered(self):
        query = dns.message.Message(id=9)
        query.use_edns(0, options=[dns.edns.GenericOption(COOKIE_CODE, COOKIE)])
        reply = self.exchange(query.to_wire())
        self.assert_edns(reply)
        self.assertEqual(len(self.cookie_of(reply)), 24)

    def test_kdig_follows_our_cookies(self):
        self.assertIn("192.0.2.1", self.kdig("+cookie=0123456789abcdef", "+badcookie", "+short",
                                             self.name, "A"))

    # --- what must not be

    def test_two_opt_records_are_a_format_error(self):
        wire = bytearray(dns.message.make_query(self.name, "A", use_edns=0).to_wire())
        wire += wire[-11:]
        wire[10:12] = b"\x00\x02"
        self.assertEqual(self.exchange(bytes(wire)).rcode(), dns.rcode.FORMERR)

    def test_any_gets_one_small_record(self):
        reply = self.ask(self.name, "ANY")
        self.assertEqual(reply.answer[0].rdtype, dns.rdatatype.HINFO)

    def test_case_of_letters_is_kept(self):
        mixed = "".join(c.upper() if i % 2 else c for i, c in enumerate(self.name))
        wire = dns.message.make_query(mixed, "A").to_wire()
        reply = self.exchange(wire)
        self.assertEqual(reply.question[0].name.to_text(), mixed + ".")
        self.assertEqual(reply.answer[0].name.to_text(), mixed + ".")


class Strangers(DnsTest):
    """Nobody here is on the list."""

    arguments = ("--allow", "192.0.2.0/24")
    records = {"alice": ["@ 300 A 192.0.2.1"]}

    def test_who_is_not_on_the_list_is_refused(self):
        reply = self.ask(self.keys["alice"] + ".key", use_edns=0)
        self.assertEqual(reply.rcode(), dns.rcode.REFUSED)
        self.assertIn(b"dns.client_denied", reply.options[0].to_wire())


if __name__ == "__main__":
    unittest.main()
