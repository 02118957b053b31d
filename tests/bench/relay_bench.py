#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay over HTTP, beside nginx and beside bare signature checks: `./dev bench relay`.

wrk runs on processor 1; what is compared with one processor runs on processor 0. Contestants take
turns, round by round; the tables show medians, and a ratio is the median of the rounds' ratios.
`CPU` is the server's processor time per request: it stays comparable while other programs use the
machine.
"""
import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "relay"))
from relay_support import Key, Program, ask  # noqa: E402

PAYLOAD_SIZE = 1072
GET_CONNECTIONS, PUT_CONNECTIONS = 32, 256  # those of a PUT wait for the disk together
KEYS = 1000
SERVER_CPU, LOAD_CPU = 0, 1
UNLIMITED = ("--no-dht", "--rate", "off", "--dht-rate", "off", "--connections-per-client", "1024")

WRK_SCRIPT = """
local requests, next_request = {}, 0
function init(arguments)
  local bodies = io.open(arguments[2], "rb")
  for path in io.lines(arguments[1]) do
    local body = bodies and bodies:read(tonumber(arguments[3]))
    requests[#requests + 1] = wrk.format(body and "PUT" or "GET", path, nil, body)
  end
end
function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end
function done(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %f %d %d %d", summary.requests * 1e6 / summary.duration,
    latency:percentile(50), latency:percentile(99),
    e.status + e.connect + e.read + e.write + e.timeout))
end
"""


def packet_of(key, timestamp_us):
    """A payload of exactly PAYLOAD_SIZE bytes with one TXT record."""
    empty = len(key.packet(timestamp_us, b""))
    room = PAYLOAD_SIZE - empty
    chunks = -(-room // 251)  # each of 250 bytes has one of length before it
    packet = key.packet(timestamp_us, b"x" * (room - chunks))
    assert len(packet) == PAYLOAD_SIZE
    return packet


def cpu_seconds(pid):
    """Processor time of a process and its children so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(") ")[2].split()
    total = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return total + sum(cpu_seconds(int(child)) for child in children.read().split())


class Nginx:
    """One worker that serves the directory, its files kept open."""

    name = "nginx, static file"

    def __init__(self, directory, files):
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.port = free_port()
        temporary = "".join(f"{kind}_temp_path {directory}/nginx.{kind};" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        configuration = directory / "nginx.conf"
        configuration.write_text(f"""
          worker_processes 1; daemon off; pid {directory}/nginx.pid;
          error_log {directory}/nginx.err warn;
          events {{ worker_connections 1024; multi_accept on; }}
          http {{
            access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; etag off; {temporary}
            keepalive_timeout 65; keepalive_requests 100000000; open_file_cache max=20000;
            open_file_cache_valid 600s; default_type application/octet-stream;
            server {{ listen 127.0.0.1:{self.port}; root {files}; }}
          }}""")
        self.process = subprocess.Popen(["taskset", "-c", str(SERVER_CPU), program, "-p",
                                         str(directory), "-c", str(configuration)])
        wait_until_it_answers(self.port)
        self.pid = self.process.pid

    def close(self):
        self.process.terminate()
        self.process.wait(20)


class Relay:
    def __init__(self, directory, database, threads=1, cpus=str(SERVER_CPU)):
        self.name = "dotkey relay" if threads == 1 else f"dotkey relay, {threads} threads"
        self.program = Program("relay", "--listen", "127.0.0.1", "--port", "0", *UNLIMITED,
                               "--threads", str(threads), "--database", str(database),
                               home=str(directory))
        self.pid, self.port = self.program.process.pid, self.program.port
        for task in os.listdir(f"/proc/{self.pid}/task"):
            subprocess.run(["taskset", "-pc", cpus, task], check=True, stdout=subprocess.DEVNULL)

    def close(self):
        self.program.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until_it_answers(port):
    for _ in range(200):
        try:
            ask(port, "GET", "/")
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server does not answer")


class Load:
    """wrk over a list of paths again and again: GET, or PUT where there are packets for them."""

    def __init__(self, directory, paths, packets=()):
        self.script, self.paths, self.bodies = (directory / n for n in ("wrk.lua", "paths", "puts"))
        self.script.write_text(WRK_SCRIPT)
        self.paths.write_text("".join(path + "\n" for path in paths))
        self.bodies.unlink(missing_ok=True)
        if packets:
            self.bodies.write_bytes(b"".join(packets))

    def run(self, server, seconds, connections=GET_CONNECTIONS):
        """Requests a second, CPU µs of the server per request, and latencies in µs."""
        before = cpu_seconds(server.pid)
        out = subprocess.run(
            ["taskset", "-c", str(LOAD_CPU), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
             "-s", self.script, f"http://127.0.0.1:{server.port}/", "--", self.paths, self.bodies,
             str(PAYLOAD_SIZE)],
            check=True, capture_output=True, text=True).stdout
        used = cpu_seconds(server.pid) - before
        result = next(line for line in out.splitlines() if line.startswith("RESULT")).split()
        rate, median, slow, bad = float(result[1]), *map(int, result[2:])
        if bad:
            sys.exit(f"{bad} requests of {server.name} failed")
        return {"rate": rate, "cpu_us": used * 1e6 / (rate * seconds), "p50": median, "p99": slow}


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        print("| " + " | ".join(cells) + " |")
        if number == 0:
            print("| " + " | ".join(["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]])
                  + " |")


def medians(rounds):
    return {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}


def ratio(own, other, name):
    """Of the rounds' ratios the median; processor time counts the other way round."""
    pairs = [(b[name], a[name]) if name == "cpu_us" else (a[name], b[name])
             for a, b in zip(own, other)]
    return statistics.median(a / b for a, b in pairs)


def take_turns(servers, load, rounds, seconds):
    results = {server.name: [] for server in servers}
    for server in servers:
        load.run(server, 1)  # warms caches up
    for _ in range(rounds):
        for server in servers:
            results[server.name].append(load.run(server, seconds))
    return results


def bench_get(directory, rounds, seconds):
    files = directory / "files"
    files.mkdir()
    now_us = int(time.time() * 1e6)
    packets = {"/" + key.text: packet_of(key, now_us) for key in map(Key, range(KEYS))}
    for path, packet in packets.items():
        (files / path[1:]).write_bytes(packet)
    servers = [Nginx(directory, files), Relay(directory, directory / "one.sqlite"),
               Relay(directory, directory / "two.sqlite", threads=2, cpus="0,1")]
    try:
        for server in servers[1:]:
            for path, packet in packets.items():
                assert ask(server.port, "PUT", path, packet).status == 204
        results = take_turns(servers, Load(directory, packets), rounds, seconds)
    finally:
        for server in servers:
            server.close()
    nginx, one, two = (results[server.name] for server in servers)
    rows = [["server", "requests/s", "CPU µs", "p50 µs", "p99 µs", "of nginx", "of nginx, CPU"]]
    for server in servers[:2]:
        m = medians(results[server.name])
        own = results[server.name]
        rows.append([server.name, f"{m['rate']:,.0f}", f"{m['cpu_us']:.2f}", f"{m['p50']:.0f}",
                     f"{m['p99']:.0f}", f"{ratio(own, nginx, 'rate'):.2f}",
                     f"{ratio(own, nginx, 'cpu_us'):.2f}"])
    print(f"\nGET of a cached packet of {PAYLOAD_SIZE} bytes, {KEYS} keys, {GET_CONNECTIONS} "
          f"connections, {rounds} rounds of {seconds} s\n")
    table(rows)
    m = medians(two)
    print(f"\nWith 2 threads on the 2 processors that wrk uses, too: {m['rate']:,.0f} requests/s, "
          f"{m['cpu_us']:.2f} µs of processor time each.\nA thread keeps "
          f"{ratio(two, one, 'cpu_us'):.2f} of what it does alone (1.00 would be perfect scaling).")


def bare_verify_rate(build):
    """Signature checks a second over messages as long as a full packet's."""
    out = subprocess.run(
        ["taskset", "-c", str(SERVER_CPU), build / "tests/bench/bench_crypto",
         "--benchmark_filter=ed25519_verify/1000", "--benchmark_format=csv"],
        check=True, capture_output=True, text=True).stdout
    name, iterations, real_ns, cpu_ns = out.splitlines()[-1].split(",")[:4]
    return 1e9 / float(cpu_ns)


def fresh_packets(keys, timestamp_us, count):
    return [packet_of(keys[number % len(keys)], timestamp_us + number) for number in range(count)]


def bench_put(directory, build, rounds, seconds):
    keys = [Key(number) for number in range(KEYS)]
    relays = [Relay(directory, directory / f"puts{threads}.sqlite", threads, cpus="0,1")
              for threads in (1, 2)]
    results = {relay.name: [] for relay in relays}
    bare = []
    timestamp_us = int(time.time() * 1e6)
    try:
        for _ in range(rounds):
            rate = bare_verify_rate(build)
            bare.append({"rate": rate, "cpu_us": 1e6 / rate})
            versions = int(rate) * seconds // KEYS * 2  # so that no packet comes twice
            packets = fresh_packets(keys, timestamp_us, versions * KEYS)
            timestamp_us += len(packets)
            load = Load(directory, ["/" + key.text for key in keys] * versions, packets)
            for relay in relays:
                results[relay.name].append(load.run(relay, seconds, PUT_CONNECTIONS))
    finally:
        for relay in relays:
            relay.close()
    rows = [["", "a second", "CPU µs", "p50 µs", "p99 µs", "of bare", "of bare, CPU"]]
    m = medians(bare)
    rows.append(["bare Ed25519 check", f"{m['rate']:,.0f}", f"{m['cpu_us']:.1f}", "", "", "", ""])
    for name, own in results.items():
        m = medians(own)
        rows.append([name, f"{m['rate']:,.0f}", f"{m['cpu_us']:.1f}", f"{m['p50']:.0f}",
                     f"{m['p99']:.0f}", f"{ratio(own, bare, 'rate'):.2f}",
                     f"{ratio(own, bare, 'cpu_us'):.2f}"])
    print(f"\nPUT, verified and on disk before the answer, {KEYS} keys, {PUT_CONNECTIONS} "
          f"connections, {rounds} rounds of {seconds} s\n")
    table(rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("part", nargs="?", choices=("get", "put"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    arguments = parser.parse_args()
    if not shutil.which("wrk") or not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"):
        sys.exit("this benchmark needs: apt-get install --no-install-recommends wrk nginx-light")
    for part in ("get", "put"):
        if arguments.part not in (None, part):
            continue
        with tempfile.TemporaryDirectory(prefix="dotkey-bench-") as name:
            directory = pathlib.Path(name)
            directory.chmod(0o755)
            if part == "get":
                bench_get(directory, arguments.rounds, arguments.seconds)
            else:
                bench_put(directory, arguments.build, arguments.rounds, arguments.seconds)


if __name__ == "__main__":
    main()
