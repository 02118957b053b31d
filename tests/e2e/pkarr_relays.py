# SPDX-License-Identifier: Apache-2.0
"""The relays in the field, as far as a client can tell them apart."""
import email.utils
import struct
import time

from scripted_relay import ScriptedRelay

PAYLOAD_TYPE = "application/pkarr.org/relays#payload"


def timestamp_of(payload):
    return struct.unpack(">Q", payload[64:72])[0]


def http_date(timestamp_us):
    return email.utils.formatdate(timestamp_us // 1_000_000, usegmt=True)


def date_us(text):
    return int(email.utils.parsedate_to_datetime(text).timestamp()) * 1_000_000


class PkarrRelay(ScriptedRelay):
    """Holds one payload, whichever key is asked for; logs (method, query, headers)."""

    def __init__(self, held=None):
        self.held = held
        self.log = []
        super().__init__(self.behave)

    def behave(self, handler):
        query = handler.path.partition("?")[2]
        self.log.append((handler.command, query, handler.headers))
        (self.on_put if handler.command == "PUT" else self.on_get)(handler, query)

    def packet_headers(self):
        return [("Content-Type", PAYLOAD_TYPE), ("Cache-Control", "public, max-age=3600"),
                ("Last-Modified", http_date(timestamp_of(self.held)))]

    def modified_since(self, handler):
        since = handler.headers.get("If-Modified-Since")
        return since is None or timestamp_of(self.held) > date_us(since)

    def is_older_than_held(self, payload):
        return self.held is not None and timestamp_of(payload) < timestamp_of(self.held)


class OldRelay(PkarrRelay):
    """v3.8 to v6: compare-and-swap, no policies, and an empty 200 to what was modified since."""

    def __init__(self, held=None):
        self.in_flight = False  # somebody else's put of this key
        super().__init__(held)

    def on_get(self, handler, _):
        if self.held is None:
            return handler.answer(404, b"No signed packet found for this key")
        if not self.modified_since(handler):
            return handler.answer(304, headers=self.packet_headers())
        empty = "If-Modified-Since" in handler.headers
        return handler.answer(200, b"" if empty else self.held, self.packet_headers())

    def on_put(self, handler, _):
        expected = handler.headers.get("If-Match")
        if expected is not None:
            expected = int(expected)  # unquoted, no ETag
            if self.held is not None and timestamp_of(self.held) != expected:
                return handler.answer(412, b"Compare and swap failed")
        elif self.in_flight:
            return handler.answer(428, b"Conflict risk")
        if self.is_older_than_held(handler.body):
            return handler.answer(409, b"Not most recent")
        self.held = handler.body
        return handler.answer(204)


class V7Relay(PkarrRelay):
    """v7: policies, counted nodes; If-Match is ignored. `network` is what its DHT has."""

    def __init__(self, held=None, network=None):
        self.network = network
        super().__init__(held)

    def on_get(self, handler, query):
        policy = query.removeprefix("policy=") or "CacheFirst"
        if policy not in ("CacheOnly", "CacheFirst", "NetworkOnly"):
            return handler.answer(400, b"unknown policy")
        ask_network = policy == "NetworkOnly" or (policy == "CacheFirst" and self.held is None)
        if ask_network and self.network is not None and not self.is_older_than_held(self.network):
            self.held = self.network
        if self.held is None:
            return handler.answer(404)
        headers = [*self.packet_headers(),
                   ("memento-datetime", http_date(int(time.time() * 1e6)))]
        if not self.modified_since(handler):
            return handler.answer(304, headers=headers)
        return handler.answer(200, self.held, headers)

    def on_put(self, handler, _):
        if self.is_older_than_held(handler.body):
            return handler.answer(409, b"Not most recent")
        self.held = self.network = handler.body
        return handler.answer(204, headers=[("Pkarr-Dht-Stored-Nodes", "17")])


class CarelessRelay(V7Relay):
    """Takes whatever is put."""

    def is_older_than_held(self, _):
        return False
