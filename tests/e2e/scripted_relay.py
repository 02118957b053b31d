# SPDX-License-Identifier: Apache-2.0
"""A relay that does what a test says: honest, lying, slow, or hardly there."""
import http.server
import threading
import time


class ScriptedRelay:
    """Answers every GET and PUT by `behaviour(handler)`; counts them. Behaviours are below."""

    def __init__(self, behaviour, tls=None):
        relay = self
        self.requests = 0
        self.puts = 0
        self.connections = 0
        self.ended = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                relay.connections += 1
                if tls:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self):
                try:
                    super().finish()
                finally:
                    self.request.close()

            def do_GET(self):
                relay.requests += 1
                self.behave()

            def do_PUT(self):
                relay.puts += 1
                self.body = self.rfile.read(int(self.headers["Content-Length"]))
                self.behave()

            def behave(self):
                try:
                    behaviour(self)
                except OSError:
                    self.close_connection = True  # the client had enough

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def wait(self, seconds):
                relay.ended.wait(seconds)

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # clients that hang up in a handshake

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        scheme = "https" if tls else "http"
        self.url = "%s://127.0.0.1:%d" % (scheme, self.server.server_address[1])
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def payload(data):
    """Whatever is asked for, these bytes."""
    return lambda handler: handler.answer(200, data)


def redirect(location):
    return lambda handler: handler.answer(301, headers=[("Location", location)])


def endless(announced):
    """A body of 2 GB, announced or not."""
    def behave(handler):
        handler.send_response(200)
        if announced:
            handler.send_header("Content-Length", str(2 << 30))
        else:
            handler.send_header("Connection", "close")
        handler.end_headers()
        for _ in range(2048):
            handler.wfile.write(bytes(1 << 20))
    return behave


def no_http(handler):
    handler.wfile.write(b"220 mail.example ESMTP\r\n")
    handler.close_connection = True


def endless_head(handler):
    handler.send_response(200)
    handler.flush_headers()
    for number in range(1 << 20):
        handler.wfile.write(b"X-%d: %s\r\n" % (number, b"x" * 1000))


def drip(data):
    """A byte a tenth of a second."""
    def behave(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        for byte in data:
            handler.wfile.write(bytes([byte]))
            handler.wait(0.1)
    return behave


def silent(handler):
    handler.wait(60)


def late(seconds, behave):
    def behave_later(handler):
        time.sleep(seconds)
        behave(handler)
    return behave_later
