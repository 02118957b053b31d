#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A relay of two threads holds what a relay of one does."""
import http.client
import threading
import time
import unittest

from relay_support import Answer, Key, RelayTest, ask

# The system spreads connections over the threads as it likes: all of them on one is a rare chance.
CONNECTIONS = 12
ROUNDS = 150


class Threads(RelayTest):
    def connect(self, port):
        out = []
        for _ in range(CONNECTIONS):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.connect()
            self.addCleanup(connection.close)
            out.append(connection)
        return out

    def at_once(self, connections, requests):
        """The answers; all requests are on their way before the first answer is read."""
        for connection, request in zip(connections, requests):
            connection.request(*request)
        return [Answer(connection.getresponse()) for connection in connections]

    def test_of_many_that_replace_one_packet_at_once_one_does(self):
        port = self.start_relay("--no-dht", "--rate", "off", "--dht-rate", "off",
                                "--threads", "2").port
        connections = self.connect(port)
        for round_number in range(ROUNDS):
            key = Key(round_number + 1)
            base_us = 1_700_000_000_000_000
            path = "/" + key.text
            self.assertEqual(ask(port, "PUT", path, key.packet(base_us)).status, 204)
            packets = [key.packet(base_us + 1 + n, b"number %d" % n)
                       for n in range(CONNECTIONS)]
            answers = self.at_once(connections, [
                ("PUT", path, packet, {"If-Match": str(base_us)}) for packet in packets])
            statuses = [answer.status for answer in answers]
            self.assertEqual(statuses.count(204), 1, statuses)
            self.assertLessEqual(set(statuses), {204, 409, 412}, statuses)
            self.assertEqual(ask(port, "GET", path).body, packets[statuses.index(204)])

    def test_a_quota_is_one_for_all_threads(self):
        burst = 40
        port = self.start_relay("--no-dht", "--rate", "1r/h", "--burst", str(burst),
                                "--threads", "2").port
        connections = self.connect(port)
        target = "/" + Key(1).text + "?policy=CacheOnly"
        statuses = []
        for _ in range(2 * burst // CONNECTIONS + 1):
            statuses += [answer.status for answer in
                         self.at_once(connections, [("GET", target)] * CONNECTIONS)]
        self.assertEqual(statuses.count(404), burst)
        self.assertEqual(statuses.count(429), len(statuses) - burst)

    def test_it_ends_at_once_while_packets_are_being_checked(self):
        relay = self.start("relay", "--listen", "127.0.0.1", "--port", "0", "--no-dht", "--rate",
                           "off", "--dht-rate", "off", "--threads", "2", "--database",
                           self.home + "/ending.sqlite")
        key = Key(9)
        packets = [key.packet(1_700_000_000_000_000 + n) for n in range(200)]
        ended = threading.Event()

        def put():
            while not ended.is_set():
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", relay.port, timeout=5)
                    for packet in packets:
                        connection.request("PUT", "/" + key.text, packet)
                        connection.getresponse().read()
                except (OSError, http.client.HTTPException):
                    return  # the relay has ended

        threads = [threading.Thread(target=put) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        relay.process.terminate()
        self.assertEqual(relay.process.wait(timeout=20), 0)
        ended.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    unittest.main(verbosity=2)
