#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The DNS bridge beside unbound and knot-resolver: `./dev bench dns`.

All of them forward to the same local authority and answer 1,000 names, A and TXT, from their caches
with one thread on processor 0; the generators run on processor 1. They take turns, round by round;
the table shows medians. `CPU` is the server's processor time for each query: it stays comparable
while other programs use the machine, or where the generator is the limit.
"""
import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

SERVER_CPU, LOAD_CPU = 0, 1
NAMES = 1000
ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"


def free_port():
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                try:
                    udp.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue


def name_of(i):
    digest = hashlib.sha256(b"bench-%d" % i).digest()
    return "".join(ALPHABET[b & 31] for b in (digest + digest)[:51]) + ".bench."


class Bench:
    def __init__(self, build, directory):
        self.build, self.directory = build, directory
        self.processes = []
        self.queries = self.path("queries")
        lines = [f"{name_of(i)} {kind}\n" for i in range(NAMES) for kind in ("A", "TXT")]
        random.Random(1).shuffle(lines)
        with open(self.queries, "w", encoding="ascii") as file:
            file.writelines(lines)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-keyout", self.path("key"), "-out", self.path("cert")],
                       check=True, capture_output=True)
        os.chmod(self.path("key"), 0o644)
        os.chmod(directory, 0o755)

    def path(self, name):
        return os.path.join(self.directory, name)

    def launch(self, name, command, cpu=SERVER_CPU):
        with open(self.path(name + ".log"), "wb") as log:
            process = subprocess.Popen(["taskset", "-c", str(cpu), *command], stdout=log,
                                       stderr=log, env={**os.environ, "HOME": self.directory})
        self.processes.append(process)
        return process.pid

    def wait(self, port, name=None):
        for _ in range(100):
            done = subprocess.run(["kdig", "+short", "+timeout=1", "+retry=0", "@127.0.0.1", "-p",
                                   str(port), name or name_of(0), "A"], capture_output=True,
                                  text=True, check=False)
            if done.stdout.startswith("10."):
                return
            time.sleep(0.1)
        raise RuntimeError(f"nobody answers on port {port}")

    def start_unbound(self, name, port, lines, tls=None):
        text = f"""server:
  num-threads: 1
  interface: 127.0.0.1@{port}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{self.directory}"
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  do-not-query-localhost: no
  msg-cache-size: 64m
  rrset-cache-size: 128m
  so-rcvbuf: 4m
  so-sndbuf: 4m
  incoming-num-tcp: 1000
"""
        if tls:
            text += (f"  interface: 127.0.0.1@{tls}\n  tls-port: {tls}\n"
                     f"  tls-service-key: \"{self.path('key')}\"\n"
                     f"  tls-service-pem: \"{self.path('cert')}\"\n")
        with open(self.path(name + ".conf"), "w", encoding="ascii") as file:
            file.write(text + lines + "remote-control:\n  control-enable: no\n")
        program = shutil.which("unbound") or "/usr/sbin/unbound"
        cpu = LOAD_CPU if name == "authority" else SERVER_CPU
        return self.launch(name, [program, "-d", "-c", self.path(name + ".conf")], cpu)

    def start_authority(self, port):
        lines = '  local-zone: "bench." static\n'
        for i in range(NAMES):
            lines += f'  local-data: "{name_of(i)} 3600 IN A 10.1.{i // 250}.{i % 250 + 1}"\n'
            lines += f"  local-data: '{name_of(i)} 3600 IN TXT \"v=pk1 node-{i:05d} port=443\"'\n"
        self.start_unbound("authority", port, lines)
        self.wait(port)

    def start_knot(self, port, tls, upstream):
        os.makedirs(self.path("knot"), exist_ok=True)
        with open(self.path("knot.conf"), "w", encoding="ascii") as file:
            file.write(f"""net.listen('127.0.0.1', {port}, {{kind='dns'}})
net.tls('{self.path("cert")}', '{self.path("key")}')
net.listen('127.0.0.1', {tls}, {{kind='tls'}})
cache.open(100*MB, 'lmdb://{self.path("knot")}')
modules.unload('ta_update') modules.unload('ta_signal_query') modules.unload('ta_sentinel')
modules.unload('priming') modules.unload('detect_time_skew')
trust_anchors.remove('.')
policy.add(policy.suffix(policy.STUB('127.0.0.1@{upstream}'), {{todname('bench.')}}))
""")
        program = shutil.which("kresd") or "/usr/sbin/kresd"
        return self.launch("knot", [program, "-n", "-c", self.path("knot.conf"),
                                    self.path("knot")])

    def start_dotkey(self, port, tls, upstream, threads=1, name="dotkey", cpu=SERVER_CPU):
        return self.launch(name, [
            os.path.join(self.build, "dotkey"), "dns", "--no-dht", "--allow-local-network",
            "--state-dir", self.path(name + "-state"), "--threads", str(threads),
            "--listen", f"127.0.0.1:{port}", "--listen-tls", f"127.0.0.1:{tls}",
            "--cert", self.path("cert"), "--key", self.path("key"),
            "--forward", f"127.0.0.1:{upstream}"], cpu)

    def close(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait()


def cpu_us(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


def run_load(bench, port, seconds, window, rate=0):
    done = subprocess.run(
        ["taskset", "-c", str(LOAD_CPU), os.path.join(bench.build, "tests/bench/dns_load"),
         "127.0.0.1", str(port), bench.queries, str(int(seconds)), str(window), str(int(rate))],
        capture_output=True, text=True, check=True)
    words = done.stdout.split()
    return {words[i]: float(words[i + 1]) for i in range(0, len(words), 2)}


def run_dnsperf(bench, port, seconds, mode):
    done = subprocess.run(
        ["taskset", "-c", str(LOAD_CPU), "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d",
         bench.queries, "-T", "1", "-l", str(seconds), "-W", "-m", mode, "-c", "32", "-q", "128"],
        capture_output=True, text=True, check=True)
    number = re.search(r"Queries per second:\s+([\d.]+)", done.stdout).group(1)
    lost = re.search(r"Queries lost:\s+(\d+)", done.stdout).group(1)
    if int(lost) > 0:
        print(f"dnsperf lost {lost} over {mode}", file=sys.stderr)
    return float(number)


def measure(bench, who, seconds):
    """One contestant, all modes: rate and processor time of each query."""
    pid, port, tls = who
    out = {}
    for mode in ("udp", "tcp", "dot"):
        before = cpu_us(pid)
        if mode == "udp":
            found = run_load(bench, port, seconds, 200)
            rate = found["qps"]
            if found["good"] < 99.9:
                raise RuntimeError(f"only {found['good']} % of the answers are good")
        else:
            rate = run_dnsperf(bench, tls if mode == "dot" else port, seconds, mode)
        out[mode] = (rate, (cpu_us(pid) - before) / (rate * seconds))
    return out


def miss_us(bench, ports, direct):
    """Median time of a forwarded miss less that of asking the upstream, one at a time."""
    def median(port, count=400):
        times = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", port))
            sock.settimeout(2)
            for i in range(count):
                label = b"m%06x" % random.getrandbits(24)
                wire = (b"\0\1\1\0\0\1\0\0\0\0\0\0" + bytes([len(label)]) + label
                        + b"\5bench\0\0\1\0\1")
                start = time.perf_counter()
                sock.send(wire)
                sock.recv(2048)
                times.append((time.perf_counter() - start) * 1e6)
        return statistics.median(times)
    base = median(direct)
    return base, {name: median(port) - base for name, port in ports.items()}


def in_flight(bench, count=100_000, rounds=3):
    """Cached answers while so many questions wait for an upstream that says nothing: before, while
    they come in, and while they wait. Medians of windows of a second."""
    zone = bench.path("zone")
    with open(zone, "w", encoding="ascii") as file:
        file.write("@ 3600 SOA ns h 1 3600 600 86400 60\n")
        for i in range(NAMES):
            label = name_of(i).removesuffix(".bench.")
            file.write(f'{label} 3600 A 10.1.0.1\n{label} 3600 TXT "v=pk1 node-{i:05d}"\n')
    windows = {"before": [], "as they come": [], "as they wait": []}
    under_way, grown = [], []

    def measure_window(phase):
        windows[phase].append(run_load(bench, port, 1, 5000, 5000))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port, metrics = free_port(), free_port()
        pid = bench.launch("busy", [
            os.path.join(bench.build, "dotkey"), "dns", "--no-dht", "--allow-local-network",
            "--state-dir", bench.path("busy-state"), "--listen", f"127.0.0.1:{port}",
            "--metrics", f"127.0.0.1:{metrics}",
            "--zone", "bench=" + zone, "--forward", f"127.0.0.1:{silent.getsockname()[1]}"])
        bench.wait(port)
        run_load(bench, port, 1, 50)
        before = memory_mib(pid)
        for number in range(rounds):
            for _ in range(3):
                measure_window("before")
            with subprocess.Popen(["taskset", "-c", str(LOAD_CPU), sys.executable, "-c",
                                   ASK_AND_LEAVE, str(port), str(count), f"{number:x}"]) as asker:
                measure_window("as they come")
                asker.wait()
            for _ in range(2):
                measure_window("as they wait")
            under_way.append(figure(metrics, "dotkey_dns_questions"))
            grown.append(memory_mib(pid) - before)
            while figure(metrics, "dotkey_dns_questions") > 0:
                time.sleep(0.5)
    print(f"{min(under_way):.0f} questions under way, {max(grown):.0f} MiB more memory; "
          "cached answers at 5000/s:")
    for phase, found in windows.items():
        p50, p99, lost = (statistics.median(w[name] for w in found)
                          for name in ("p50", "p99", "lost_pct"))
        print(f"  {phase:15}p50 {p50:.0f} us, p99 {p99:.0f} us, lost {lost:.2f} %")


def figure(port, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        for line in response.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
    raise RuntimeError(f"no figure {name}")


# Asks for names that nobody has asked for yet, and reads nothing.
ASK_AND_LEAVE = r"""
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", int(sys.argv[1])))
for i in range(int(sys.argv[2])):
    label = b"%b%07x" % (sys.argv[3].encode(), i)
    sock.send(b"\0\1\1\0\0\1\0\0\0\0\0\0\x08" + label + b"\5other\0\0\1\0\1")
    if i % 256 == 255:
        time.sleep(0.002)
"""


def memory_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dotkey-bench-") as directory:
        bench = Bench(os.path.abspath(arguments.build), directory)
        try:
            run(bench, arguments)
        finally:
            bench.close()


def run(bench, arguments):
    authority = free_port()
    bench.start_authority(authority)
    forward = f'forward-zone:\n  name: "bench."\n  forward-addr: 127.0.0.1@{authority}\n'
    ports = {name: (free_port(), free_port()) for name in ("unbound", "knot-resolver", "dotkey")}
    pids = {"unbound": bench.start_unbound("unbound", ports["unbound"][0], forward,
                                           ports["unbound"][1]),
            "knot-resolver": bench.start_knot(*ports["knot-resolver"], authority),
            "dotkey": bench.start_dotkey(*ports["dotkey"], authority)}
    who = {}
    for name, (port, tls) in ports.items():
        bench.wait(port)
        who[name] = (pids[name], port, tls)
        run_load(bench, port, 1, 50)  # fills the cache
    results = {name: [] for name in who}
    for _ in range(arguments.rounds):
        for name, contestant in who.items():
            results[name].append(measure(bench, contestant, arguments.seconds))
    print(f"{'':15}{'UDP/s':>9}{'CPU us':>8}{'TCP/s':>9}{'CPU us':>8}{'DoT/s':>9}{'CPU us':>8}")
    medians = {}
    for name, rounds in results.items():
        row = f"{name:15}"
        for mode in ("udp", "tcp", "dot"):
            rate = statistics.median(r[mode][0] for r in rounds)
            cpu = statistics.median(r[mode][1] for r in rounds)
            medians[name, mode] = (rate, cpu)
            row += f"{rate:>9.0f}{cpu:>8.2f}"
        print(row)
    for peer, modes in (("unbound", ("udp",)), ("knot-resolver", ("tcp", "dot"))):
        for mode in modes:
            rate = medians["dotkey", mode][0] / medians[peer, mode][0]
            cpu = medians[peer, mode][1] / medians["dotkey", mode][1]
            print(f"dotkey over {mode}: {rate:.2f} of {peer}'s rate, {cpu:.2f} by CPU")
    half = medians["unbound", "udp"][0] / 2
    print(f"at {half:.0f}/s:")
    for name, (_, port, _) in who.items():
        found = run_load(bench, port, arguments.seconds, 5000, half)
        print(f"  {name:15}p50 {found['p50']:.0f} us, p99 {found['p99']:.0f} us, "
              f"lost {found['lost_pct']:.2f} %")
    base, over = miss_us(bench, {name: port for name, (_, port, _) in who.items()}, authority)
    print(f"a miss, asked of the upstream itself: {base:.0f} us; through "
          + ", ".join(f"{name} {more:.0f} us more" for name, more in over.items()))
    in_flight(bench)


if __name__ == "__main__":
    main()
