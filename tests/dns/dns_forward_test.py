# SPDX-License-Identifier: Apache-2.0
"""All other names: forwarded, raced, guarded against forgery, and the operator's own."""
import os
import socket
import threading
import time
import unittest
import urllib.request

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from dns_support import DEADLINE_S, DnsTest, make_certificate
from scripted_upstream import Upstream, reply_to

ZONE = """@ 3600 SOA ns hostmaster 7 3600 600 86400 60
@ 3600 NS ns
ns 3600 A 203.0.113.53
www 300 A 203.0.113.1
alias 300 CNAME www
*.wild 300 A 203.0.113.9
big 300 TXT "{big}" "{big}" "{big}" "{big}" "{big}" "{big}"
"""


class ForwardTest(DnsTest):
    def upstream(self, answer):
        upstream = Upstream(answer)
        self.addCleanup(upstream.close)
        return upstream

    def bridge(self, *upstreams, arguments=()):
        """A bridge of this test's own; returns its port."""
        options = []
        for upstream in upstreams:
            text = upstream if isinstance(upstream, str) else f"127.0.0.1:{upstream.port}"
            options += ["--forward", text]
        program = self.start_bridge(*options, *arguments)
        self.last = program
        return self.port_of(program)


class Transports(ForwardTest):
    """The upstream is another bridge with a zone of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        zone = os.path.join(cls.home, "zone")
        with open(zone, "w", encoding="utf-8") as file:
            file.write(ZONE.format(big="b" * 250))
        cls.certificate, key = make_certificate(cls.home)
        cls.other = cls.start_bridge("--zone", "example.test=" + zone, "--listen-tls",
                                     "127.0.0.1:0", "--listen-https", "127.0.0.1:0",
                                     "--cert", cls.certificate, "--key", key)
        cls.ports = {kind: cls.port_of(cls.other, kind) for kind in ("dns", "tls", "https")}

    def specs(self):
        return {"udp": f"127.0.0.1:{self.ports['dns']}",
                "tcp": f"tcp://127.0.0.1:{self.ports['dns']}",
                "tls": f"tls://127.0.0.1:{self.ports['tls']}#localhost",
                "https": f"https://127.0.0.1:{self.ports['https']}/dns-query#localhost"}

    def test_every_transport_leads_to_the_same_answer(self):
        for kind, spec in self.specs().items():
            port = self.bridge(spec, arguments=("--forward-ca", self.certificate))
            for _ in range(2):
                reply = self.ask("alias.example.test", port=port)
                self.assertEqual(self.texts(reply), ["203.0.113.1", "www.example.test."], kind)
            reply = self.ask("nope.example.test", port=port)
            self.assertEqual(reply.rcode(), dns.rcode.NXDOMAIN, kind)
            self.assertEqual(reply.authority[0].rdtype, dns.rdatatype.SOA)

    def test_many_questions_share_one_connection(self):
        for kind in ("tcp", "tls", "https"):
            port = self.bridge(self.specs()[kind], arguments=("--forward-ca", self.certificate))
            answers = [None] * 60

            def ask(i, port=port, answers=answers):
                answers[i] = self.texts(self.ask(f"n{i}.wild.example.test", port=port))

            threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(answers))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(answers, [["203.0.113.9"]] * len(answers), kind)

    def test_what_is_truncated_is_fetched_over_tcp(self):
        port = self.bridge(self.specs()["udp"])
        reply = self.ask("big.example.test", "TXT", port=port, tcp=True)
        self.assertEqual(len(reply.answer), 1)

    def test_a_server_with_another_certificate_is_not_believed(self):
        wrong = self.specs()["tls"].replace("#localhost", "#dns.example")
        for spec, authority in ((wrong, self.certificate), (self.specs()["tls"], None)):
            arguments = ("--forward-ca", authority) if authority else ()
            reply = self.ask("www.example.test", port=self.bridge(spec, arguments=arguments))
            self.assertEqual(reply.rcode(), dns.rcode.SERVFAIL)

    def test_a_zone_of_the_operators_own(self):
        port = self.ports["dns"]
        reply = self.ask("www.example.test", port=port)
        self.assertTrue(reply.flags & dns.flags.AA)
        self.assertEqual(self.texts(reply), ["203.0.113.1"])
        self.assertEqual(self.texts(self.ask("a.b.wild.example.test", port=port)), ["203.0.113.9"])
        nothing = self.ask("www.example.test", "MX", port=port)
        self.assertEqual(nothing.rcode(), dns.rcode.NOERROR)
        self.assertEqual(nothing.authority[0][0].serial, 7)


class Forwarding(ForwardTest):
    records = {"alice": ["@ 300 CNAME www.icann.test.", "web 300 HTTPS 1 . alpn=h2"]}

    def test_an_alias_of_a_key_leads_out_and_back(self):
        key = self.keys["alice"]
        upstream = self.upstream(lambda query, tcp: [reply_to(query, "@ 60 A 203.0.113.7")])
        reply = self.ask(key + ".key", port=self.bridge(upstream))
        self.assertEqual(self.texts(reply), ["203.0.113.7", "www.icann.test."])

    def test_names_of_keys_are_never_forwarded(self):
        upstream = self.upstream(lambda query, tcp: [reply_to(query, "@ 60 A 203.0.113.7")])
        port = self.bridge(upstream)
        key = self.keys["alice"]
        for name in ("key", "nonsense.key", "a.b.key", "web." + key, "none." + key + ".KEY",
                     "y" * 52, "9" * 52, ("Y" * 52) + ".Key"):
            self.ask(name, "TXT", port=port)
        self.ask("plain.test", port=port)
        self.assertEqual({str(query.question[0].name).lower() for query, _, _ in upstream.queries},
                         {"plain.test."})

    def test_each_query_has_an_id_a_port_and_a_spelling_of_its_own(self):
        upstream = self.upstream(lambda query, tcp: [reply_to(query, "@ 60 A 203.0.113.7")])
        port = self.bridge(upstream)
        for i in range(40):
            self.ask(f"name-number-{i}.with-letters.test", port=port)
        self.assertGreater(len({query.id for query, _, _ in upstream.queries}), 35)
        self.assertGreater(len({source for _, source, _ in upstream.queries}), 35)
        spellings = {str(query.question[0].name)[-18:] for query, _, _ in upstream.queries}
        self.assertGreater(len(spellings), 35)

    def test_the_second_upstream_answers_when_the_first_is_silent_or_fails(self):
        good = self.upstream(lambda query, tcp: [reply_to(query, "@ 60 A 203.0.113.8")])
        silent = self.upstream(lambda query, tcp: [])
        failing = self.upstream(
            lambda query, tcp: [reply_to(query, rcode=dns.rcode.SERVFAIL)])
        for first in (silent, failing):
            port = self.bridge(first, good)
            start = time.monotonic()
            for i in range(12):
                self.assertEqual(self.texts(self.ask(f"n{i}.test", port=port)), ["203.0.113.8"])
            self.assertLess(time.monotonic() - start, DEADLINE_S)
        # After some failures it is left alone.
        self.assertLess(len(silent.queries), 12)

    def test_an_upstream_whose_port_is_closed_is_passed_over(self):
        dead = Upstream(lambda query, tcp: [])
        dead.close()
        good = self.upstream(lambda query, tcp: [reply_to(query, "@ 60 A 203.0.113.8")])
        port = self.bridge(f"127.0.0.1:{dead.port}", good)
        self.assertEqual(self.texts(self.ask("some.test", port=port)), ["203.0.113.8"])

    def test_when_nobody_answers_it_is_a_failure_that_says_so(self):
        silent = self.upstream(lambda query, tcp: [])
        reply = self.ask("some.test", port=self.bridge(silent), use_edns=0)
        self.assertEqual(reply.rcode(), dns.rcode.SERVFAIL)
        self.assertIn(b"dns.upstream_failed", reply.options[0].to_wire())

    def test_an_old_answer_goes_before_a_failure(self):
        alive = [True]
        upstream = self.upstream(
            lambda query, tcp: [reply_to(query, "@ 1 A 203.0.113.7")] if alive[0] else [])
        port = self.bridge(upstream)
        self.assertEqual(self.texts(self.ask("some.test", port=port)), ["203.0.113.7"])
        alive[0] = False
        time.sleep(2.1)
        reply = self.ask("some.test", port=port)
        self.assertEqual(self.texts(reply), ["203.0.113.7"])
        self.assertLessEqual(reply.answer[0].ttl, 30)

    def test_ttls_count_down(self):
        upstream = self.upstream(lambda query, tcp: [reply_to(query, "@ 60 A 203.0.113.7")])
        port = self.bridge(upstream)
        self.assertEqual(self.ask("some.test", port=port).answer[0].ttl, 60)
        time.sleep(2.1)
        self.assertLessEqual(self.ask("some.test", port=port).answer[0].ttl, 58)
        self.assertEqual(len(upstream.queries), 1)

    # --- forgery

    def poisoned(self, forge):
        """An upstream that sends what `forge` makes of each query before the truth."""
        def answer(query, tcp):
            truth = reply_to(query, "@ 60 A 203.0.113.1")
            return [truth] if tcp else [*forge(query), truth]
        upstream = self.upstream(answer)
        return self.bridge(upstream), upstream

    def test_wrong_ids_names_types_and_spellings_are_not_believed(self):
        def forge(query):
            other_id = reply_to(query, "@ 60 A 203.0.113.66")
            other_id.id ^= 1
            other_name = dns.message.make_query("other.test", "A")
            other_name.id = query.id
            other_type = dns.message.make_query(query.question[0].name, "TXT")
            other_type.id = query.id
            no_reply = reply_to(query, "@ 60 A 203.0.113.66")
            no_reply.flags &= ~dns.flags.QR
            return [other_id, reply_to(other_name, "@ 60 A 203.0.113.66"),
                    reply_to(other_type, '@ 60 TXT "bad"'), no_reply, b"", b"x", bytes(12),
                    os.urandom(300)]
        port, upstream = self.poisoned(forge)
        for i in range(20):
            self.assertEqual(self.texts(self.ask(f"n{i}.test", port=port)), ["203.0.113.1"])
        self.assertFalse(any(tcp for _, _, tcp in upstream.queries))

    def test_replies_from_another_port_or_address_are_not_believed(self):
        """All else is right, as of somebody who reads along."""
        strangers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for sock in strangers:
            self.addCleanup(sock.close)

        def answer(query, tcp):
            forged = reply_to(query, "@ 60 A 203.0.113.66").to_wire()
            for sock in strangers:
                sock.sendto(forged, ("127.0.0.1", upstream.queries[-1][1]))
            return [reply_to(query, "@ 60 A 203.0.113.1")]
        upstream = self.upstream(answer)
        strangers[0].bind(("127.0.0.1", 0))
        strangers[1].bind(("127.0.0.2", upstream.port))
        port = self.bridge(upstream)
        for i in range(20):
            self.assertEqual(self.texts(self.ask(f"n{i}.test", port=port)), ["203.0.113.1"])
        self.assertFalse(any(tcp for _, _, tcp in upstream.queries))

    def test_records_with_an_error_the_header_cannot_hold_end_nobody(self):
        def answer(query, tcp):
            reply = reply_to(query, "@ 60 A 203.0.113.66")
            reply.use_edns(0)
            reply.set_rcode(0xf20)
            return [reply]
        port = self.bridge(self.upstream(answer))
        for i in range(2):
            self.assertEqual(self.ask(f"n{i}.test", port=port).rcode(), dns.rcode.SERVFAIL)

    def test_a_reply_in_another_spelling_is_asked_for_again_over_tcp(self):
        def forge(query):
            swapped = dns.message.make_query(str(query.question[0].name).swapcase(), "A")
            swapped.id = query.id
            return [reply_to(swapped, "@ 60 A 203.0.113.66")]
        port, upstream = self.poisoned(forge)
        self.assertEqual(self.texts(self.ask("letters.test", port=port)), ["203.0.113.1"])
        self.assertTrue(any(tcp for _, _, tcp in upstream.queries))

    def test_records_about_other_names_are_left_out(self):
        def answer(query, tcp):
            reply = reply_to(query, "@ 60 A 203.0.113.1", "victim.test. 60 A 203.0.113.66")
            extra = reply_to(query, "victim.test. 60 A 203.0.113.66")
            reply.additional = extra.answer
            reply.authority = extra.answer
            return [reply]
        upstream = self.upstream(answer)
        port = self.bridge(upstream)
        reply = self.ask("some.test", port=port)
        self.assertNotIn("203.0.113.66", reply.to_text())
        self.ask("victim.test", port=port)
        self.assertEqual(len(upstream.queries), 2)

    def test_private_addresses_of_strangers_are_left_out(self):
        records = {"a.test.": ["@ 60 A 10.0.0.1", "@ 60 A 203.0.113.1"],
                   "b.test.": ["@ 60 A 127.0.0.1"], "d.test.": ["c.test. 60 A 192.168.0.1"],
                   "c.test.": ["@ 60 CNAME inside.test.", "inside.test. 60 A 192.168.0.1"]}
        upstream = self.upstream(lambda query, tcp: [
            reply_to(query, *records[str(query.question[0].name).lower()])])
        port = self.bridge(upstream)
        self.assertEqual(self.texts(self.ask("a.test", port=port)), ["203.0.113.1"])
        for name in ("b.test", "c.test"):
            self.assertNotIn("192.168", self.ask(name, port=port).to_text())
            self.assertNotIn("127.0.0.1", self.ask(name, port=port).to_text())
        allowed = self.bridge(upstream, arguments=("--allow-local-network",))
        self.assertEqual(self.texts(self.ask("b.test", port=allowed)), ["127.0.0.1"])

    # --- lists, log, metrics

    def test_denied_names_are_not_found_and_exceptions_are(self):
        deny, allow = os.path.join(self.home, "deny"), os.path.join(self.home, "allow")
        with open(deny, "w", encoding="utf-8") as file:
            file.write("# ads\nads.test\n0.0.0.0 tracker.test # hosts form\n\n")
        with open(allow, "w", encoding="utf-8") as file:
            file.write("good.ads.test\n")
        upstream = self.upstream(lambda query, tcp: [reply_to(query, "@ 60 A 203.0.113.7")])
        port = self.bridge(upstream, arguments=("--deny", deny, "--except", allow))
        for name, code in (("ads.test", 3), ("x.ads.test", 3), ("tracker.test", 3),
                           ("good.ads.test", 0), ("a.good.ads.test", 0), ("test", 0)):
            self.assertEqual(self.ask(name, port=port).rcode(), code, name)
        self.assertEqual(self.ask("ads.test", port=port, use_edns=0).options[0].to_wire()[:2],
                         b"\x00\x0f")

    def test_the_query_log_says_what_was_asked_and_not_by_whom(self):
        log = os.path.join(self.home, "queries.log")
        upstream = self.upstream(lambda query, tcp: [reply_to(query, "@ 60 A 203.0.113.7")])
        port = self.bridge(upstream, arguments=("--query-log", log))
        for _ in range(2):
            self.ask("logged.test", port=port)
        with open(log, encoding="utf-8") as file:
            lines = [line.split(" ", 1)[1] for line in file]
        self.assertEqual(lines, ["logged.test. A NOERROR\n"] * 2)
        self.assertEqual(os.stat(log).st_mode & 0o777, 0o600)

    def test_prometheus_can_read_what_happened(self):
        upstream = self.upstream(lambda query, tcp: [reply_to(query, "@ 60 A 203.0.113.7")])
        port = self.bridge(upstream, arguments=("--metrics", "127.0.0.1:0"))
        for _ in range(3):
            self.ask("counted.test", port=port)
        url = f"http://127.0.0.1:{self.last.ready['metrics_port']}/metrics"
        end = time.monotonic() + DEADLINE_S
        text = ""
        while 'transport="udp"} 3\n' not in text and time.monotonic() < end:
            time.sleep(0.2)
            text = urllib.request.urlopen(url, timeout=DEADLINE_S).read().decode()
        self.assertIn('dotkey_dns_queries_total{transport="udp"} 3\n', text)
        self.assertIn("dotkey_dns_cache_hits_total 2\n", text)
        self.assertIn("dotkey_dns_forwarded_total 1\n", text)


if __name__ == "__main__":
    unittest.main()
