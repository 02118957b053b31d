#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dotkey and the published pkarr crates, both directions. Run by `./dev interop pkarr`.

Usage: pkarr_interop.py PATH_OF_pkarr_peer. DOTKEY is the program dotkey. Prints one line a fact and
ends with 1 when one is not as it should be. Everything runs on loopback; sandbox.sh around it makes
sure of that.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "relay"))
from relay_support import DOTKEY, Key, Program, ask  # noqa: E402

A = {"name": "www", "ttl": 300, "type": "A", "data": "192.0.2.1"}
RECORDS = [
    {"name": ".", "ttl": 3600, "type": "A", "data": "192.0.2.1"},
    {"name": "www", "ttl": 300, "type": "AAAA", "data": "2001:db8::1"},
    {"name": "alias", "ttl": 30, "type": "CNAME", "data": "www.example.org"},
    {"name": "_foo.www", "ttl": 30, "type": "TXT", "data": "hello"},
    {"name": ".", "ttl": 3600, "type": "HTTPS", "data": "0 . port=6881"},
    {"name": "_pubky", "ttl": 7200, "type": "HTTPS",
     "data": "1 8pinxxgqs41n4aididenw5apqp1urfmzdztr8jt4abrkdn435ewo"},
    {"name": "_svc", "ttl": 60, "type": "SVCB", "data": "2 www.example.org port=443"},
]


def now_us():
    return int(time.time() * 1e6)


class Peer:
    """pkarr_peer, the program on the published crates."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.read()

    def read(self):
        return json.loads(self.process.stdout.readline())

    def __call__(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()
        return self.read()

    def publish(self, key, timestamp_us, records=(A,), **network):
        return self("publish", seed=key.seed.hex(), timestamp_us=timestamp_us,
                    records=list(records), **network)

    def resolve(self, key, policy="CacheFirst", **network):
        return self("resolve", key=key.text, policy=policy, **network)

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


class Facts:
    """What was expected and what came, one line each."""

    def __init__(self):
        self.wrong = 0

    def section(self, title):
        print(f"\n{title}\n", flush=True)

    def same(self, what, came, expected):
        good = came == expected
        self.wrong += not good
        print(f"{'ok   ' if good else 'WRONG'} {what}: {shown(came)}"
              + ("" if good else f", expected {shown(expected)}"), flush=True)

    def within(self, what, came, low, high):
        good = came is not None and low <= came <= high
        self.wrong += not good
        print(f"{'ok   ' if good else 'WRONG'} {what}: {came} (in {low}..{high})", flush=True)


def shown(value):
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str) and len(value) > 100:
        return f"{len(value) // 2} bytes"
    return value


class World:
    def __init__(self, peer, home, facts):
        self.peer, self.home, self.facts = peer, home, facts
        self.testnet = Program("testnet", "--nodes", "20", home=home)
        self.dht = self.testnet.ready["bootstrap"]
        self.relay = self.testnet.ready["relay"]
        self.port = self.testnet.port

    def dotkey(self, *arguments, **options):
        out = subprocess.run(
            [DOTKEY, "--json", "--state-dir", self.home + "/state", *arguments], text=True,
            capture_output=True, env={"HOME": self.home, "PATH": os.environ["PATH"]}, timeout=120,
            **options)
        if out.returncode:
            return {"error": out.stderr.strip().splitlines()[-1]}
        return json.loads(out.stdout)

    def on_dht(self, *arguments, bootstrap=None):
        return self.dotkey(*arguments, "--bootstrap", bootstrap or self.dht,
                           "--allow-local-network")

    def publish(self, key, *records, bootstrap=None):
        """Publishes into a DHT by `dotkey publish`; its answer."""
        return self.on_dht("publish", self.stored(key), *record_words(records), "--no-republish",
                           bootstrap=bootstrap)

    def stored(self, key):
        """The name of the key among dotkey's."""
        name = "k" + key.seed.hex()[-8:]
        self.dotkey("key", "import", name, "--seed-hex", key.seed.hex())
        return name


def record_words(records):
    return [word for record in records or ("www 300 A 192.0.2.1",)
            for word in ("--record", record)]


def encoding(world):
    world.facts.section("The same records, key and timestamp give the same bytes")
    zone = "".join("{} {} {} {}\n".format(r["name"].replace(".", "@") if r["name"] == "." else
                                          r["name"], r["ttl"], r["type"], quoted(r))
                   for r in RECORDS)
    path = pathlib.Path(world.home) / "zone"
    path.write_text(zone)
    timestamp = 1_700_000_000_000_000
    rows = [(f"{r['type']} {r['name']}", [r]) for r in RECORDS] + [("all of them", RECORDS)]
    for title, records in rows:
        lines = [line for line, record in zip(zone.splitlines(), RECORDS) if record in records]
        path.write_text("\n".join(lines) + "\n")
        theirs = world.peer("encode", seed=Key(1).seed.hex(), timestamp_us=timestamp,
                            records=records)
        ours = subprocess.run(
            [DOTKEY, "encode", "--seed-hex", Key(1).seed.hex(), "--timestamp-us", str(timestamp),
             "--zone", str(path)], text=True, capture_output=True)
        world.facts.same(title, ours.stdout.strip() or ours.stderr, theirs.get("canonical"))


def quoted(record):
    data = record["data"]
    if record["type"] == "TXT":
        return f'"{data}"'
    if record["type"] == "CNAME":
        return data + "."
    if record["type"] in ("HTTPS", "SVCB"):
        priority, target, *rest = data.split()
        return " ".join([priority, target if target == "." else target + ".", *rest])
    return data


def through_the_dht(world):
    world.facts.section("Through the DHT alone")
    key, timestamp = Key(10), now_us()
    published = world.peer.publish(key, timestamp, RECORDS, bootstrap=world.dht)
    world.facts.within("pkarr stores in our nodes", published.get("stored_nodes"), 1, 20)
    found = world.on_dht("resolve", key.text, "--source", "dht")
    world.facts.same("dotkey resolves it", found.get("timestamp_us"), timestamp)
    world.facts.same("with all records", len(found.get("records", ())), len(RECORDS))

    key = Key(11)
    published = world.publish(key, "www 300 A 192.0.2.1", '_foo 30 TXT "hello"')
    world.facts.within("dotkey stores", published.get("dht_nodes"), 1, 30)
    found = world.peer.resolve(key, bootstrap=world.dht)
    world.facts.same("pkarr resolves it", found.get("timestamp_us"), published.get("timestamp_us"))
    names = [record.replace("." + key.text, "") for record in found.get("records", ())]
    world.facts.same("with both records", names, ["www 300", "_foo 30"])
    world.facts.same("pkarr asks for a key that nobody published",
                     world.peer.resolve(Key(12), bootstrap=world.dht),
                     {"resolve_error": "NotFound"})


def through_their_dht(world):
    world.facts.section("Through a DHT of mainline's nodes")
    theirs = world.peer("testnet", nodes=20)["bootstrap"]
    key = Key(15)
    published = world.publish(key, *(f'{n} 300 TXT "{"x" * 200}"' for n in "abcd"),
                              bootstrap=theirs)
    world.facts.within("dotkey stores in mainline's nodes", published.get("dht_nodes"), 10, 30)
    found = world.peer.resolve(key, bootstrap=theirs)
    world.facts.same("pkarr resolves it", found.get("timestamp_us"), published.get("timestamp_us"))
    key, timestamp = Key(16), now_us()
    world.peer.publish(key, timestamp, RECORDS, bootstrap=theirs)
    found = world.on_dht("resolve", key.text, "--source", "dht", bootstrap=theirs)
    world.facts.same("dotkey resolves what pkarr stores there", found.get("timestamp_us"),
                     timestamp)
    newer = world.publish(key, bootstrap=theirs)
    world.facts.same("dotkey replaces it", newer.get("timestamp_us", 0) > timestamp, True)
    world.facts.same("pkarr may not go back", world.peer.publish(key, timestamp, bootstrap=theirs),
                     {"publish_error": "NotMostRecent"})


def through_our_relay(world):
    world.facts.section("pkarr's client and our relay")
    key, timestamp = Key(20), now_us()
    published = world.peer.publish(key, timestamp, RECORDS, relay=world.relay)
    world.facts.within("pkarr publishes", published.get("stored_nodes"), 1, 30)
    for policy in ("CacheOnly", "CacheFirst", "NetworkOnly"):
        world.peer("client")
        found = world.peer.resolve(key, policy, relay=world.relay)
        world.facts.same(f"pkarr resolves it by {policy}", found.get("timestamp_us"), timestamp)
    found = world.on_dht("resolve", key.text, "--source", "dht")
    world.facts.same("dotkey finds it in the DHT", found.get("timestamp_us"), timestamp)

    key = Key(21)
    published = world.publish(key)
    world.peer("client")
    found = world.peer.resolve(key, relay=world.relay)
    world.facts.same("pkarr resolves what dotkey put into the DHT", found.get("timestamp_us"),
                     published.get("timestamp_us"))
    world.facts.same("pkarr asks for a key that nobody published",
                     world.peer.resolve(Key(22), relay=world.relay), {"resolve_error": "NotFound"})


def conflicts(world):
    world.facts.section("Conflicting writes, without compare-and-swap")
    key, timestamp = Key(30), now_us()
    world.peer.publish(key, timestamp, relay=world.relay)
    older = world.peer.publish(key, timestamp - 1, relay=world.relay)
    world.facts.same("an older packet through our relay, from the client that knows the newer",
                     older, {"publish_error": "NotMostRecent"})
    world.peer("client")
    older = world.peer.publish(key, timestamp - 1, relay=world.relay)
    world.facts.same("… from a client that does not", older, {"publish_error": "NotMostRecent"})
    older = world.peer.publish(key, timestamp - 1, bootstrap=world.dht)
    world.facts.same("an older packet into the DHT", older, {"publish_error": "NotMostRecent"})
    ours = world.publish(key, "www 300 A 192.0.2.9")
    world.facts.same("dotkey replaces what pkarr published",
                     ours.get("timestamp_us", 0) > timestamp, True)
    again = world.peer.publish(key, timestamp + 1, relay=world.relay)
    world.facts.same("pkarr may not go back behind that", again,
                     {"publish_error": "NotMostRecent"})
    same_time = Key(31)
    low = world.peer.publish(same_time, timestamp, [dict(A, data="192.0.2.1")], relay=world.relay)
    high = world.peer.publish(same_time, timestamp, [dict(A, data="192.0.2.2")], relay=world.relay)
    low_again = world.peer.publish(same_time, timestamp, [dict(A, data="192.0.2.1")],
                                   relay=world.relay)
    world.facts.same("equal timestamps: the larger message wins",
                     ["stored_nodes" in low, "stored_nodes" in high, low_again],
                     [True, True, {"publish_error": "NotMostRecent"}])


def ages(world):
    world.facts.section("TTLs, clamped to 300..86400 s")
    for ttl, clamped in ((1, 300), (900, 900), (1_000_000, 86_400)):
        key = Key(40 + ttl)
        world.peer.publish(key, now_us(), [dict(A, ttl=ttl)], relay=world.relay)
        world.peer("client")
        found = world.peer.resolve(key, relay=world.relay)
        header = ask(world.port, "GET", "/" + key.text).headers["cache-control"]
        world.facts.within(f"record of {ttl} s, max-age of our relay",
                           int(header.rpartition("=")[2]), clamped - 5, clamped)
        world.facts.within(f"record of {ttl} s, pkarr says it expires in",
                           found.get("expires_in"), clamped - 5, clamped)


def through_their_relay(world, version, relay):
    """Our client knows nothing but this relay."""
    world.facts.section(f"dotkey's client and pkarr-relay {version}")
    number = 60 if version == "2.1.0" else 70
    alone = ("--relay", relay, "--no-dht")
    key = Key(number)
    name = world.stored(key)
    published = world.dotkey("publish", name, *record_words(()), "--no-republish", *alone)
    stamp = published.get("timestamp_us")
    world.facts.same("dotkey publishes", [r.get("verdict") for r in published.get("relays", ())],
                     ["stored"])
    world.peer("client")
    found = world.peer.resolve(key, bootstrap=world.dht)
    world.facts.same("pkarr finds it in the DHT", found.get("timestamp_us"), stamp)
    found = world.dotkey("resolve", key.text, "--policy", "newest", *alone)
    world.facts.same("dotkey resolves it", found.get("timestamp_us"), stamp)

    # dotkey knows a packet now and asks for what is newer: old relays answer 200 with nothing.
    newer = stamp + 60_000_000
    body = key.packet(newer)
    port = int(relay.rpartition(":")[2])
    world.facts.same("another device publishes", ask(port, "PUT", "/" + key.text, body).status, 204)
    found = world.dotkey("resolve", key.text, "--policy", "newest", *alone)
    world.facts.same("dotkey finds the newer one", found.get("timestamp_us"), newer)
    refused = world.dotkey("publish", name, *record_words(()), "--no-republish", "--replace",
                           str(stamp), *alone)
    world.facts.same("dotkey may not replace the one before",
                     refused.get("error", "").split(":")[0], "publish.conflict")
    again = world.dotkey("publish", name, *record_words(()), "--no-republish", "--replace",
                         str(newer), *alone)
    world.facts.same("but the current one", again.get("timestamp_us", 0) > newer, True)
    absent = world.dotkey("resolve", Key(number + 1).text, *alone)
    world.facts.same("dotkey asks for a key that nobody published",
                     absent.get("error", "").split(":")[0], "resolve.not_found")


ROWS = [  # what is asked of each relay in turn: title, method, path, body, headers
    ("PUT a packet", "PUT", "key", "packet", {}),
    ("PUT the same again", "PUT", "key", "packet", {}),
    ("PUT an older one", "PUT", "key", "older", {}),
    ("PUT with If-Match of another", "PUT", "key", "newer", {"If-Match": "7"}),
    ("PUT with If-Match of the current", "PUT", "key", "newer", {"If-Match": "current"}),
    ("PUT a bad signature", "PUT", "key", "bad", {}),
    ("PUT 71 bytes", "PUT", "key", "short", {}),
    ("PUT 1,073 bytes", "PUT", "key", "long", {}),
    ("PUT 1,105 bytes", "PUT", "key", "longer", {}),
    ("PUT to no key", "PUT", "nokey", "packet", {}),
    ("GET", "GET", "key", None, {}),
    ("HEAD", "HEAD", "key", None, {}),
    ("GET pk:KEY", "GET", "pk:key", None, {}),
    ("GET CacheOnly", "GET", "key?policy=CacheOnly", None, {}),
    ("GET NetworkOnly", "GET", "key?policy=NetworkOnly", None, {}),
    ("GET policy=Newest", "GET", "key?policy=Newest", None, {}),
    ("GET if modified since an hour ago", "GET", "key", None, {"If-Modified-Since": "before"}),
    ("GET if modified since in an hour", "GET", "key", None, {"If-Modified-Since": "after"}),
    ("GET with the tag", "GET", "key", None, {"If-None-Match": "tag"}),
    ("GET what is not there", "GET", "absent", None, {}),
    ("GET no key", "GET", "nokey", None, {}),
    ("DELETE", "DELETE", "key", None, {}),
    ("preflight", "OPTIONS", "key", None,
     {"Origin": "https://example.org", "Access-Control-Request-Method": "PUT"}),
    ("GET /", "GET", "", None, {}),
]
# Where we differ from pkarr-relay 2.1.0 on purpose.
DIFFERENT = {
    "PUT with If-Match of another": "v3.8 to v6 had compare-and-swap; v7 and later ignore it",
    "PUT 1,073 bytes": "a payload has at most 1,072 bytes, so it is too large",
    "GET with the tag": "only ours has an ETag",
    "preflight": "an empty answer is 204",
}


def answers_of(port, key, timestamp):
    import email.utils
    date = lambda offset_s: email.utils.formatdate(timestamp / 1e6 + offset_s, usegmt=True)
    packet = key.packet(timestamp)
    bodies = {"packet": packet, "older": key.packet(timestamp - 1),
              "newer": key.packet(timestamp + 1), "bad": packet[:9] + b"?" + packet[10:],
              "short": packet[:71], "long": b"x" * 1073, "longer": b"x" * 1105}
    out = []
    for title, method, path, body, headers in ROWS:
        path = path.replace("nokey", "no").replace("absent", Key(99).text).replace("key", key.text)
        fill = {"current": str(timestamp), "before": date(-3600), "after": date(3600)}
        if "tag" in headers.values():
            fill["tag"] = ask(port, "GET", "/" + key.text).headers["etag"] or '"none"'
        headers = {name: fill.get(value, value) for name, value in headers.items()}
        answer = ask(port, method, "/" + path, bodies.get(body), headers)
        out.append(f"{answer.status} {len(answer.body)}" if path and answer.status == 200
                   else str(answer.status))
    return out


def side_by_side(world, relays):
    world.facts.section("The relays side by side: status, and for 200 the size of the body")
    timestamp = now_us() - 60_000_000
    columns = [answers_of(port, Key(50 + number), timestamp)
               for number, port in enumerate(relays.values())]
    width = max(len(row[0]) for row in ROWS)
    print(" " * width, "  ".join(name.ljust(18) for name in relays), sep="  ")
    for row, answers in zip(ROWS, zip(*columns)):
        print(row[0].ljust(width), "  ".join(answer.ljust(18) for answer in answers), sep="  ")
    print()
    for row, (ours, theirs, *_) in zip(ROWS, zip(*columns)):
        if ours != theirs or row[0] in DIFFERENT:
            reason = DIFFERENT.get(row[0])
            world.facts.same(f"{row[0]}, {ours} instead of {theirs}",
                             reason or "no reason is known", reason)


def main():
    facts = Facts()
    with tempfile.TemporaryDirectory(prefix="dotkey-pkarr-") as home:
        peer = Peer(sys.argv[1])
        world = World(peer, home, facts)
        try:
            for part in (encoding, through_the_dht, through_their_dht, through_our_relay,
                         conflicts, ages):
                part(world)
            relays = {"dotkey": world.port}
            for version in ("2.1.0", "0.9.0"):
                relay = peer("relay", version=version, bootstrap=world.dht,
                             folder=f"{home}/pkarr-relay-{version}")
                relays[f"pkarr-relay {version}"] = int(relay["relay"].rpartition(":")[2])
                through_their_relay(world, version, relay["relay"])
            side_by_side(world, relays)
        finally:
            peer.close()
            world.testnet.close()
    print(f"\n{facts.wrong or 'none'} of this is not as it should be")
    sys.exit(1 if facts.wrong else 0)


if __name__ == "__main__":
    main()
