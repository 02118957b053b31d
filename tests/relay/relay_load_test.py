#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A thousand clients at once, a tenth of them slow on purpose.

DOTKEY_ROUNDS sets how often (2; `./dev soak` says 20), DOTKEY_MEMORY_MIB what the relay may use.
"""
import asyncio
import os
import time
import unittest

from relay_support import Key, RelayTest, ask

CLIENTS = 1000
REQUESTS_EACH = 5
ROUNDS = int(os.environ.get("DOTKEY_ROUNDS", "2"))
MEMORY_KIB_MAX = int(os.environ.get("DOTKEY_MEMORY_MIB", "32")) * 1024


class Load(RelayTest):
    def test_slow_clients_cost_the_honest_ones_nothing(self):
        relay = self.start_relay("--no-dht", "--rate", "off", "--dht-rate", "off")
        key = Key(1)
        packet = key.packet(int(time.time() * 1e6), b"x" * 800)
        self.assertEqual(ask(relay.port, "PUT", "/" + key.text, packet).status, 204)
        for number in range(ROUNDS):
            with self.subTest(round=number):
                failed = asyncio.run(self.run_clients(relay.port, key.text, packet))
                self.assertEqual(failed, [])
                self.assertLess(relay.memory_kib(), MEMORY_KIB_MAX)
                self.assertEqual(ask(relay.port, "GET", "/health").status, 200)

    async def run_clients(self, port, key, packet):
        ended = asyncio.Event()
        failed = []

        async def connect(number):
            source = (f"127.1.{number // 200}.{number % 200 + 1}", 0)
            return await asyncio.open_connection("127.0.0.1", port, local_addr=source)

        head = f" /{key} HTTP/1.1\r\nHost: x\r\n".encode()
        slow_ways = [  # what is sent at first, and what again and again
            (b"GET" + head + b"X: ", b"y"),
            (b"PUT" + head + b"Content-Length: 1000\r\n\r\n", b"y"),
            (b"", (b"GET" + head + b"\r\n") * 100),  # and never reads an answer
        ]

        async def slow(number):
            _, writer = await connect(number)
            first, again = slow_ways[number % len(slow_ways)]
            try:
                writer.write(first)
                while not ended.is_set():
                    writer.write(again)
                    await asyncio.sleep(0.5)
                    try:
                        await asyncio.wait_for(writer.drain(), 0.5)
                    except TimeoutError:
                        pass  # the relay takes no more until its answers are read
            except OSError:
                pass  # the relay ended it
            finally:
                writer.transport.abort()

        async def honest(number):
            try:
                reader, writer = await connect(number)
                for _ in range(REQUESTS_EACH):
                    writer.write(f"GET /{key} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
                    body = await asyncio.wait_for(reader.readexactly(len(packet)), 20)
                    if not head.startswith(b"HTTP/1.1 200 ") or body != packet:
                        failed.append(head[:40])
                    await asyncio.sleep(0.2)
                writer.close()
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
                failed.append(repr(error))

        loris = [asyncio.create_task(slow(n)) for n in range(CLIENTS // 10)]
        await asyncio.gather(*(honest(n) for n in range(CLIENTS // 10, CLIENTS)))
        ended.set()
        await asyncio.gather(*loris)
        return failed


if __name__ == "__main__":
    unittest.main()
