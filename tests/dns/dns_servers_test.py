# SPDX-License-Identifier: Apache-2.0
"""Ordinary name servers that a key's packet delegates to, and replies in fragments, in a network of
this test's own (sandbox.sh): it has addresses that are no private ones, port 53 and a small MTU."""
import socket
import subprocess
import unittest

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from dns_support import DnsTest
from scripted_upstream import Upstream, reply_to

SERVER, OTHER = "198.51.100.53", "198.51.100.54"


def authority(records):
    """Answers of a server for "name type" → records; what it has not, it says with a SOA."""
    def answer(query, tcp):
        question = query.question[0]
        name = str(question.name).lower().rstrip(".")
        kind = dns.rdatatype.to_text(question.rdtype)
        found = records.get(f"{name} {kind}", records.get(name))
        if callable(found):
            return found(query, tcp)
        reply = reply_to(query, *(found or []))
        reply.flags |= dns.flags.AA
        reply.flags &= ~dns.flags.RA
        if found is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
            cut = name.split(".", 1)[1]
            reply.authority.append(dns.rrset.from_text(
                cut + ".", 60, "IN", "SOA", f"ns.{cut}. h.{cut}. 7 3600 600 86400 60"))
        return [reply]
    return answer


def truncated(query):
    reply = reply_to(query)
    reply.flags |= dns.flags.TC
    return reply


class Network(DnsTest):
    @classmethod
    def setUpClass(cls):
        subprocess.run(["ip", "route", "replace", "local", "198.51.100.0/24", "dev", "lo"],
                       check=True)
        super().setUpClass()

    def name_server(self, answer, address=SERVER, port=53):
        out = Upstream(answer, address, port)
        self.addCleanup(out.close)
        return out


class Delegations(Network):
    records = {"alice": ["@ 300 A 192.0.2.1", "sub 300 NS ns.sub", f"ns.sub 300 A {SERVER}",
                         "far 300 NS ns.servers.net.", "two 300 NS ns.sub", "two 300 NS ns.other",
                         f"ns.other 300 A {OTHER}"]}

    def setUp(self):
        self.key = self.keys["alice"]
        # Of this test alone: nothing is in its cache.
        self.port_now = self.port_of(self.start_bridge())

    def ask_now(self, name, kind="A", **options):
        return self.ask(name, kind, port=self.port_now, **options)

    def test_an_ordinary_server_answers_for_what_the_packet_hands_it(self):
        key = self.key
        server = self.name_server(authority({
            f"host.sub.{key}": ["@ 60 A 203.0.113.9"],
            f"alias.sub.{key}": ["@ 60 CNAME host.sub." + key + ".",
                                 f"host.sub.{key}. 60 A 203.0.113.9"],
            f"mail.sub.{key} MX": [f"@ 60 MX 5 host.sub.{key}."]}))
        reply = self.ask_now(f"host.sub.{key}.key")
        self.assertEqual(self.texts(reply), ["203.0.113.9"])
        self.assertEqual(str(reply.answer[0].name), f"host.sub.{key}.key.")
        self.assertEqual(self.texts(self.ask_now(f"alias.sub.{key}.key")),
                         ["203.0.113.9", f"host.sub.{key}.key."])
        self.assertEqual(self.texts(self.ask_now(f"mail.sub.{key}.key", "MX")),
                         [f"5 host.sub.{key}.key."])
        nothing = self.ask_now(f"nope.sub.{key}.key")
        self.assertEqual(nothing.rcode(), dns.rcode.NXDOMAIN)
        self.assertEqual(str(nothing.authority[0].name), f"sub.{key}.key.")
        self.assertFalse(any(query.flags & dns.flags.RD for query, _, _ in server.queries))

    def test_a_server_may_hand_on_to_another(self):
        key = self.key

        def refer(query, _):
            reply = dns.message.make_response(query)
            cut = f"deep.sub.{key}."
            reply.authority.append(dns.rrset.from_text(cut, 60, "IN", "NS", "ns." + cut))
            reply.additional.append(dns.rrset.from_text("ns." + cut, 60, "IN", "A", OTHER))
            return [reply]
        self.name_server(authority({f"x.deep.sub.{key}": refer}))
        self.name_server(authority({f"x.deep.sub.{key}": ["@ 60 A 203.0.113.8"]}), OTHER)
        self.assertEqual(self.texts(self.ask_now(f"x.deep.sub.{key}.key")), ["203.0.113.8"])

    def test_a_server_with_an_icann_name_is_found_by_way_of_the_upstream(self):
        answer = authority({"ns.servers.net": [f"@ 60 A {SERVER}"]})
        upstream = self.name_server(answer, "127.0.0.1", 0)
        self.name_server(authority({f"x.far.{self.key}": ["@ 60 A 203.0.113.7"]}))
        port = self.port_of(self.start_bridge("--forward", f"127.0.0.1:{upstream.port}"))
        reply = self.ask(f"x.far.{self.key}.key", port=port)
        self.assertEqual(self.texts(reply), ["203.0.113.7"])
        self.assertEqual({str(query.question[0].name).lower() for query, _, _ in upstream.queries},
                         {"ns.servers.net."})

    def test_the_other_server_answers_when_one_is_dead(self):
        self.name_server(authority({f"x.two.{self.key}": ["@ 60 A 203.0.113.6"]}), OTHER)
        self.assertEqual(self.texts(self.ask_now(f"x.two.{self.key}.key")), ["203.0.113.6"])

    def test_beyond_its_own_names_a_server_has_no_say(self):
        key = self.key
        lies = [f"{key}. 60 A 203.0.113.66", "bank.test. 60 A 203.0.113.66",
                f"www.{key}. 60 A 203.0.113.66"]

        def lie(query, _):
            reply = reply_to(query, "@ 60 A 203.0.113.9", *lies)
            reply.flags |= dns.flags.AA
            extra = reply_to(query, *lies).answer
            reply.authority += extra
            reply.additional += extra
            return [reply]
        self.name_server(authority({f"host.sub.{key}": lie}))
        reply = self.ask_now(f"host.sub.{key}.key")
        self.assertEqual(self.texts(reply), ["203.0.113.9"])
        self.assertNotIn("203.0.113.66", reply.to_text())
        self.assertEqual(self.texts(self.ask_now(key + ".key")), ["192.0.2.1"])
        self.assertEqual(self.ask_now("www." + key + ".key").rcode(), dns.rcode.NXDOMAIN)

    def test_aliases_and_addresses_into_private_space_are_kept_back(self):
        key = self.key
        self.name_server(authority({
            f"a.sub.{key}": ["@ 60 A 10.0.0.1"],
            f"b.sub.{key}": [f"@ 60 CNAME a.sub.{key}.", f"a.sub.{key}. 60 A 192.168.0.1"]}))
        for name in ("a", "b"):
            reply = self.ask_now(f"{name}.sub.{key}.key", use_edns=0)
            self.assertFalse([text for text in self.texts(reply) if text[0].isdigit()])
            self.assertIn(b"dns.address_refused",
                          b"".join(option.to_wire() for option in reply.options))

    def test_when_no_server_answers_it_is_a_failure_that_says_so(self):
        reply = self.ask_now(f"host.sub.{self.key}.key", use_edns=0)
        self.assertEqual(reply.rcode(), dns.rcode.SERVFAIL)
        self.assertIn(b"dns.servers_failed", reply.options[0].to_wire())


class Fragments(Network):
    """An MTU of 600, as somebody would have it who forges the second half of a reply."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.set_mtu, 65536)

    @staticmethod
    def set_mtu(size):
        subprocess.run(["ip", "link", "set", "lo", "mtu", str(size)], check=True)

    def answer(self, query, tcp):
        """Over UDP a forged address at the end of a long reply; the truth over TCP."""
        is_text = query.question[0].rdtype == dns.rdatatype.TXT
        filler = [f'@ 60 TXT "{"x" * 200}{i}"' for i in range(10 if is_text else 4)]
        address = "203.0.113.1" if tcp else "203.0.113.66"
        if is_text and not tcp:
            return [truncated(query)]
        if is_text:
            return [reply_to(query, *filler)]
        return [reply_to(query, *filler, "@ 60 A " + address)]

    def test_a_reply_in_fragments_is_asked_for_again_over_tcp(self):
        upstream = self.name_server(self.answer, "127.0.0.1", 0)
        port = self.port_of(self.start_bridge("--forward", f"127.0.0.1:{upstream.port}"))
        self.set_mtu(65536)
        self.assertIn("203.0.113.66", self.texts(self.ask("whole.test", port=port)))
        self.assertFalse(any(tcp for _, _, tcp in upstream.queries))
        self.set_mtu(600)
        self.assertIn("203.0.113.1", self.texts(self.ask("pieces.test", port=port)))
        self.assertTrue(upstream.queries[-1][2], "over TCP")

    def test_no_reply_of_ours_over_udp_needs_fragments(self):
        upstream = self.name_server(self.answer, "127.0.0.1", 0)
        port = self.port_of(self.start_bridge("--forward", f"127.0.0.1:{upstream.port}"))
        self.set_mtu(65536)
        query = dns.message.make_query("long.test", "TXT", use_edns=0, payload=65535)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(20)
            sock.connect(("127.0.0.1", port))
            sock.send(query.to_wire())
            reply = sock.recv(65535)
        self.assertLessEqual(len(reply), 1232)
        self.assertTrue(dns.message.from_wire(reply, ignore_trailing=True).flags & dns.flags.TC)


if __name__ == "__main__":
    unittest.main()
