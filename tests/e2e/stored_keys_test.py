#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The user's keys through the socket, as the extension's popup uses them."""
import base64
import os
import unittest

from daemon_support import DaemonTest

ZONE = "@ 300 A 192.0.2.1\nwww 300 CNAME @\n"


class StoredKeys(DaemonTest):
    def setUp(self):
        super().setUp()
        net = self.start_testnet(10)
        self.connection = self.connect(self.start_daemon("--bootstrap", net["bootstrap"]))

    def error(self, op, body):
        answer = self.connection.ask(op, body)
        self.assertEqual(answer["op"], "error", answer)
        return answer["body"]["error"]

    def test_are_made_and_listed(self):
        self.assertEqual(self.connection.ok("stored_keys"), {"keys": []})
        made = self.connection.ok("make_key", {"name": "alice"})
        self.assertEqual(made, {"name": "alice", "key": made["key"], "locked": False})
        self.assertEqual(self.ok_json("key", "show", "alice")["key"], made["key"])
        self.ok("key", "new", "bob")
        names = [key["name"] for key in self.connection.ok("stored_keys")["keys"]]
        self.assertEqual(names, ["alice", "bob"])
        self.assertEqual(self.error("make_key", {"name": "alice"}), "keystore.exists")
        self.assertEqual(self.error("make_key", {"name": "../x"}), "keystore.name_invalid")
        self.assertEqual(self.error("make_key", {}), "session.body_malformed")

    def test_are_not_left_unsealed_by_a_passphrase_of_another_kind(self):
        for passphrase in (123, ["secret"], None, {"a": "b"}):
            self.assertEqual(self.error("make_key", {"name": "alice", "passphrase": passphrase}),
                             "session.body_malformed")
        self.assertEqual(self.connection.ok("stored_keys"), {"keys": []})

    def test_permissions_are_given_by_true_alone(self):
        key = self.connection.ok("make_key", {"name": "alice"})["key"]
        for op in ("allow_local", "allow_http"):
            for allow in (0, None, "false", 1):
                self.assertEqual(self.error(op, {"key": key, "allow": allow}),
                                 "session.body_malformed")
            self.assertEqual(self.connection.ok(op), {"keys": []})
            self.assertEqual(self.connection.ok(op, {"key": key}), {"keys": [key]})
            self.assertEqual(self.connection.ok(op, {"key": key, "allow": False}), {"keys": []})

    def test_certificates_of_keys_are_not_sought_in_the_dns(self):
        key = self.connection.ok("make_key", {"name": "alice"})["key"]
        for host in (f"www.{key}.key", f"{key}.KEY.", key, "x.key"):
            answer = self.connection.ask("certificate", {"host": host, "port": 443})["body"]
            self.assertEqual(answer["error"], "network.name_unresolved")
            self.assertIn("the DNS is not asked for keys", answer["detail"])
        self.fails("network.name_unresolved", "tlsa", f"www.{key}.key:443")

    def test_that_are_damaged_are_named(self):
        self.ok("key", "new", "alice")
        with open(self.path(".local/share/dotkey/keys/alice"), "w") as file:
            file.write("no key")
        self.assertEqual(self.connection.ok("stored_keys")["keys"],
                         [{"name": "alice", "error": "keystore.malformed"}])

    def test_sign_zones_that_others_can_read(self):
        key = self.connection.ok("make_key", {"name": "alice"})["key"]
        first = self.connection.ok("publish_zone", {"name": "alice", "zone": ZONE})
        self.assertEqual((first["key"], first["dht_nodes"]), (key, 10))
        found = self.connection.ok("resolve", {"key": key, "policy": "newest", "records": True})
        self.assertEqual([record["type"] for record in found["records"]], ["A", "CNAME"])
        second = self.connection.ok("publish_zone", {"name": "alice", "zone": ZONE,
                                                     "cas_us": first["timestamp_us"]})
        self.assertGreater(second["timestamp_us"], first["timestamp_us"])
        # What was shown is not what is there any more.
        stale = {"name": "alice", "zone": "@ 300 A 192.0.2.9", "cas_us": first["timestamp_us"]}
        conflict = self.connection.ask("publish_zone", stale)["body"]
        self.assertEqual(conflict["error"], "publish.conflict")
        self.assertEqual(conflict["theirs_timestamp_us"], second["timestamp_us"])
        theirs = self.path("theirs")
        with open(theirs, "wb") as file:
            file.write(base64.b64decode(conflict["theirs"]))
        self.assertEqual(self.ok_json("decode", theirs)["timestamp_us"], second["timestamp_us"])

    def test_that_are_locked_want_their_passphrase(self):
        made = self.connection.ok("make_key", {"name": "alice", "passphrase": "correct horse"})
        self.assertTrue(made["locked"])
        for passphrase, slug in ((None, "keystore.passphrase_needed"),
                                 ("wrong", "crypto.decryption_failed")):
            body = {"name": "alice", "zone": ZONE}
            if passphrase:
                body["passphrase"] = passphrase
            self.assertEqual(self.error("publish_zone", body), slug)
        published = self.connection.ok("publish_zone", {"name": "alice", "zone": ZONE,
                                                        "passphrase": "correct horse"})
        self.assertEqual(published["key"], made["key"])
        self.ok("key", "export", "alice", env={**self.env, "DOTKEY_PASSPHRASE": "correct horse"})

    def test_sign_nothing_that_cannot_be_published(self):
        self.connection.ok("make_key", {"name": "alice"})
        long = "\n".join(f"n{i} 300 TXT \"{'x' * 200}\"" for i in range(6))
        for zone, slug in (("@ 300 A 192.0.2", "zone.syntax"), (long, "record.too_large")):
            self.assertEqual(self.error("publish_zone", {"name": "alice", "zone": zone}), slug)
        self.assertEqual(self.error("publish_zone", {"name": "bob", "zone": ZONE}),
                         "keystore.not_found")
        self.assertEqual(self.error("publish_zone", {"name": "alice"}), "session.body_malformed")

    def test_sign_a_zone_as_of_a_time_and_publish_nothing(self):
        made = self.connection.ok("make_key", {"name": "alice"})
        body = {"name": "alice", "zone": ZONE, "timestamp_us": 1_700_000_000_000_000}
        signed = self.connection.ok("sign_zone", body)
        self.assertEqual(signed["key"], made["key"])
        self.assertEqual(self.connection.ok("sign_zone", body), signed)
        self.assertEqual(self.error("resolve", {"key": made["key"]}), "resolve.not_found")
        published = self.connection.ok("publish", {"packet": signed["packet"]})
        self.assertEqual(published["timestamp_us"], body["timestamp_us"])
        self.assertEqual(self.error("sign_zone", {**body, "zone": "@ A x"}), "zone.syntax")
        self.assertEqual(self.error("sign_zone", {"name": "alice", "zone": ZONE}),
                         "session.body_malformed")

    def test_are_restored_from_a_backup(self):
        made = self.connection.ok("make_key", {"name": "alice"})
        self.assertEqual(self.error("export_key", {"name": "alice"}), "keystore.passphrase_needed")
        file = self.connection.ok("export_key", {"name": "alice", "passphrase": "p"})["file"]
        words = self.ok_json("key", "export", "alice", "--words")["words"]
        self.connection.ok("remove_key", {"name": "alice"})
        self.assertEqual(self.connection.ok("stored_keys"), {"keys": []})
        restore = {"name": "bob", "secret": file}
        self.assertEqual(self.error("import_key", restore), "keystore.passphrase_needed")
        self.assertEqual(self.error("import_key", {**restore, "passphrase": "q"}),
                         "crypto.decryption_failed")
        restored = self.connection.ok("import_key", {**restore, "passphrase": "p"})
        self.assertEqual(restored, {"name": "bob", "key": made["key"], "locked": True})
        # That of a locked key is the file itself.
        self.assertEqual(self.connection.ok("export_key", {"name": "bob"}), {"file": file})
        again = self.connection.ok("import_key", {"name": "carol", "secret": words})
        self.assertEqual(again, {"name": "carol", "key": made["key"], "locked": False})
        for secret, slug in (("no key", "phrase.length_wrong"), ("zz", "keystore.malformed")):
            self.assertEqual(self.error("import_key", {"name": "dave", "secret": secret}), slug)

    def test_change_their_names(self):
        made = self.connection.ok("make_key", {"name": "alice"})
        self.connection.ok("make_key", {"name": "bob"})
        for new_name, slug in (("bob", "keystore.exists"), ("../x", "keystore.name_invalid")):
            self.assertEqual(self.error("rename_key", {"name": "alice", "new_name": new_name}),
                             slug)
        self.connection.ok("rename_key", {"name": "alice", "new_name": "carol"})
        keys = {key["name"]: key["key"] for key in self.connection.ok("stored_keys")["keys"]}
        self.assertEqual((sorted(keys), keys["carol"]), (["bob", "carol"], made["key"]))
        self.assertEqual(self.error("remove_key", {"name": "alice"}), "keystore.not_found")

    def test_keep_the_daemon_answering_while_a_passphrase_is_worked_on(self):
        for number in range(4):
            self.connection.send("make_key", {"name": f"k{number}", "passphrase": "x"})
        hello = self.connection.send("hello", {})
        order = [self.connection.receive()["id"] for _ in range(5)]
        self.assertEqual(order[0], hello)

    def test_lie_in_private_files(self):
        self.connection.ok("make_key", {"name": "alice"})
        path = self.path(".local/share/dotkey/keys/alice")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main(verbosity=2)
