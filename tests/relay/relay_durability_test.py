#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 while packets are put: what was acknowledged is there afterwards.

DOTKEY_ROUNDS sets how often (2; `./dev soak` says 20).
"""
import http.client
import os
import random
import threading
import time
import unittest

from relay_support import Key, Program, RelayTest

ROUNDS = int(os.environ.get("DOTKEY_ROUNDS", "2"))
WRITERS = 4
KEYS = 400


class Durability(RelayTest):
    def open(self, database):
        return Program("relay", "--listen", "127.0.0.1", "--port", "0", "--no-dht", "--rate", "off",
                       "--dht-rate", "off", "--database", database, home=self.home)

    def put_until_killed(self, port, keys, acknowledged):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            while True:
                for key in keys:
                    packet = key.packet(int(time.time() * 1e6), b"x" * 700)
                    connection.request("PUT", "/" + key.text, packet)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 204:
                        acknowledged[key.text] = packet
        except (OSError, http.client.HTTPException):
            pass

    def test_every_acknowledged_packet_survives_a_kill(self):
        database = self.home + "/packets.sqlite"
        acknowledged = {}
        keys = [Key(number) for number in range(KEYS)]
        seed = random.randrange(1 << 32)
        pauses = random.Random(seed)
        for number in range(ROUNDS):
            relay = self.open(database)
            writers = [threading.Thread(target=self.put_until_killed,
                                        args=(relay.port, keys[n::WRITERS], acknowledged))
                       for n in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(pauses.uniform(0.5, 1.5))
            relay.kill()
            for writer in writers:
                writer.join()
            self.assertTrue(acknowledged)
            relay = self.open(database)
            connection = http.client.HTTPConnection("127.0.0.1", relay.port, timeout=10)
            lost = []
            for key, packet in acknowledged.items():
                connection.request("GET", f"/{key}?policy=CacheOnly")
                answer = connection.getresponse()
                body = answer.read()
                # A later packet may have been written without its answer arriving.
                if answer.status != 200 or body[64:72] < packet[64:72]:
                    lost.append(key)
            connection.close()
            relay.close()
            self.assertEqual(lost, [], f"round {number}, seed {seed}")


if __name__ == "__main__":
    unittest.main()
