# SPDX-License-Identifier: Apache-2.0
"""Names under keys, as programs that know only the DNS see them."""
import subprocess
import unittest

import dns.rcode

from dns_support import DnsTest


class Names(DnsTest):
    records = {
        "alice": ["@ 300 A 192.0.2.1", "@ 300 AAAA 2001:db8::1", "www 300 CNAME @",
                  "bob 300 CNAME {bob}.", "_443._tcp 300 TLSA 3 1 1 " + "ab" * 32,
                  "@ 300 HTTPS 1 . alpn=h2 port=8443", "@ 300 MX 10 mail.{alice}.",
                  "*.many 300 TXT wild"],
        "bob": ["@ 600 A 192.0.2.2"],
    }

    def test_kdig_finds_an_address_under_both_forms_of_the_name(self):
        for name in (self.keys["alice"], self.keys["alice"] + ".key"):
            self.assertIn("192.0.2.1", self.kdig(name, "A", "+short"))

    def test_delv_and_drill_find_it_too(self):
        name = self.keys["alice"] + ".key"
        port = str(self.port)
        # -i: there are no DNSSEC signatures to check.
        for command in (["delv", "-i", "@127.0.0.1", "-p", port, name, "A"],
                        ["drill", "-p", port, "@127.0.0.1", name, "A"]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            self.assertIn("192.0.2.1", done.stdout, command[0])

    def test_every_type_that_a_packet_holds_is_found(self):
        name = self.keys["alice"] + ".key"
        self.assertEqual(self.texts(self.ask(name, "AAAA")), ["2001:db8::1"])
        self.assertEqual(self.texts(self.ask("_443._tcp." + name, "TLSA")), ["3 1 1 " + "ab" * 32])
        self.assertEqual(self.texts(self.ask(name, "HTTPS")), ['1 . alpn="h2" port="8443"'])
        self.assertEqual(self.texts(self.ask("a.many." + name, "TXT")), ['"wild"'])

    def test_names_that_records_lead_to_keep_the_form_asked_for(self):
        alice = self.keys["alice"]
        self.assertEqual(self.texts(self.ask(alice + ".key", "MX")), [f"10 mail.{alice}.key."])
        self.assertEqual(self.texts(self.ask(alice, "MX")), [f"10 mail.{alice}."])

    def test_an_alias_leads_to_another_key(self):
        reply = self.ask(f"bob.{self.keys['alice']}.key")
        self.assertEqual(self.texts(reply), ["192.0.2.2", f"{self.keys['bob']}.key."])

    def test_a_key_that_never_published_does_not_exist(self):
        missing = self.new_key("carol", 999)
        reply = self.ask(missing + ".key")
        self.assertEqual(reply.rcode(), dns.rcode.NXDOMAIN)
        self.assertEqual(reply.authority[0].to_text().split()[3], "SOA")

    def test_other_names_are_refused_without_an_upstream(self):
        self.assertEqual(self.ask("example.com").rcode(), dns.rcode.REFUSED)


if __name__ == "__main__":
    unittest.main()
