#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The local proxy beside squid, which ends TLS in the same place; and without either.

An nginx with TLS is the site. It shares one core with the proxy; the load has the other. Rounds
take turns, medians are printed. The first argument is the folder of the build.
"""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = sys.argv[1]
HOST = "yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no.key"
ROUNDS, SECONDS = 3, 3
SERVER, LOAD = ["taskset", "-c", "0"], ["taskset", "-c", "1"]
# mode, threads, path, what is counted
STEPS = {"bulk, MB/s": ("keep", 4, "/big.bin", "mb_per_s"),
         "kept, requests/s": ("keep", 32, "/1k.bin", "per_s"),
         "new, connections/s": ("new", 16, "/1k.bin", "per_s")}
IDLE = 1000


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.started = []
        os.chmod(folder, 0o755)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def certificate(self, name, *more):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "9", "-subj", f"/CN={name}", *more,
                     "-keyout", f"{name}.key", "-out", f"{name}.crt")

    def launch(self, port, *command):
        process = subprocess.Popen([*SERVER, *command], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.started.append(process)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return process
            time.sleep(0.05)
        raise SystemExit(f"{command[0]} does not listen")

    def start_origin(self):
        self.certificate("localhost", "-addext", f"subjectAltName=DNS:localhost,DNS:{HOST}")
        for name, size in (("1k.bin", 1024), ("big.bin", 50_000_000)):
            with open(self.path(name), "wb") as file:
                file.write(os.urandom(size))
        self.origin = free_port()
        conf = self.write("nginx.conf", f"""
worker_processes 1; daemon off; pid {self.path('nginx.pid')}; error_log {self.path('err')};
events {{ worker_connections 4096; }}
http {{ access_log off; sendfile on; keepalive_requests 100000000; keepalive_timeout 600;
  client_body_temp_path {self.path('t1')}; proxy_temp_path {self.path('t2')};
  fastcgi_temp_path {self.path('t3')}; uwsgi_temp_path {self.path('t4')};
  scgi_temp_path {self.path('t5')};
  server {{ listen 127.0.0.1:{self.origin} ssl backlog=4096; root {self.folder};
    ssl_certificate {self.path('localhost.crt')}; ssl_certificate_key {self.path('localhost.key')};
    ssl_protocols TLSv1.2 TLSv1.3; }} }}
""")
        self.launch(self.origin, "nginx", "-p", self.folder, "-c", conf)

    def start_squid(self):
        """Ends TLS with certificates of its own making, opens its own to the origin."""
        self.certificate("authority", "-addext", "basicConstraints=critical,CA:TRUE")
        with open(self.path("authority.pem"), "w") as both:
            for name in ("authority.crt", "authority.key"):
                with open(self.path(name)) as part:
                    both.write(part.read())
        make = "/usr/lib/squid/security_file_certgen"
        subprocess.run([make, "-c", "-s", self.path("db"), "-M", "4MB"], check=True,
                       capture_output=True)
        port = free_port()
        conf = self.write("squid.conf", f"""
http_port 127.0.0.1:{port} ssl-bump tls-cert={self.path('authority.pem')} \
generate-host-certificates=on dynamic_cert_mem_cache_size=4MB
sslcrtd_program {make} -s {self.path('db')} -M 4MB
sslcrtd_children 1 startup=1 idle=1
ssl_bump bump all
tls_outgoing_options cafile={self.path('localhost.crt')}
http_access allow all
cache deny all
access_log none
cache_log /dev/null
cache_store_log none
pid_filename {self.path('squid.pid')}
coredump_dir {self.folder}
cache_effective_user proxy
visible_hostname localhost
shutdown_lifetime 0 seconds
pinger_enable off
max_filedescriptors 8192
dns_nameservers 127.0.0.1
""")
        shutil.chown(self.path("authority.pem"), "proxy")
        for folder, _, files in os.walk(self.path("db")):
            for name in (folder, *(os.path.join(folder, file) for file in files)):
                shutil.chown(name, "proxy")
        self.launch(port, "squid", "-N", "-f", conf)
        return port

    def start_dotkey(self):
        port = free_port()
        self.dotkey = self.launch(port, os.path.join(BUILD, "tests/proxy/contestant"), str(port),
                                  HOST, str(self.origin), self.path("localhost.crt"),
                                  self.path("ca"))
        return port

    def load(self, port, host, mode, threads, path):
        command = [*LOAD, os.path.join(BUILD, "tests/proxy/tls_load"), mode, str(port), host,
                   str(self.origin), str(threads), str(SECONDS), path]
        if mode == "idle":
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    text=True)
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    def resident_mib(self):
        # taskset has become the program.
        with open(f"/proc/{self.dotkey.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def close(self):
        for process in self.started:
            process.send_signal(signal.SIGTERM)
        for process in self.started:
            process.wait(30)


def main():
    os.environ["PATH"] += ":/usr/sbin"
    if not all(shutil.which(program) for program in ("nginx", "squid")):
        # Not among what ./dev setup installs: as packages they start servers of their own.
        print("proxy: not measured. It needs: apt-get install nginx-light squid-openssl")
        return
    with tempfile.TemporaryDirectory(prefix="dotkey-bench-") as folder:
        bench = Bench(folder)
        try:
            bench.start_origin()
            who = {"direct": (0, "localhost"), "squid": (bench.start_squid(), "localhost"),
                   "dotkey": (bench.start_dotkey(), HOST)}
            found = {(step, name): [] for step in STEPS for name in who}
            for _ in range(ROUNDS):
                for step, (mode, threads, path, unit) in STEPS.items():
                    for name, (port, host) in who.items():
                        outcome = bench.load(port, host, mode, threads, path)
                        assert outcome["failed"] == 0, (name, step, outcome)
                        found[step, name].append(outcome[unit])
            print(f"{'':20}" + "".join(f"{name:>10}" for name in who) + "   dotkey / squid")
            for step in STEPS:
                medians = [statistics.median(found[step, name]) for name in who]
                print(f"{step:20}" + "".join(f"{value:10.0f}" for value in medians) +
                      f"{medians[2] / medians[1]:17.2f}")
            before = bench.resident_mib()
            idle = bench.load(*who["dotkey"], "idle", IDLE, "/1k.bin")
            assert idle.stdout.readline() == "open\n"
            print(f"{IDLE} idle tunnels: {bench.resident_mib():.1f} MiB resident, "
                  f"{before:.1f} before")
            idle.communicate()
        finally:
            bench.close()


if __name__ == "__main__":
    main()
