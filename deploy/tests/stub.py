"""A stand-in behind the gateway for what a real service cannot be asked to do: fail, hang up, be
slow, and tell what it was sent."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Stub:
    """Answers at an address until it is closed. `behave` is set by the test."""

    def __init__(self, address, port):
        self.behave, self.hits, self.gate = "well", 0, threading.Event()
        self.server = Server((address, port), Handler)
        self.server.stub = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.name = address

    def close(self):
        """As a kill does: nobody listens any more, and what was open is closed."""
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()
        for connection in self.server.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It was closed already.


class Server(ThreadingHTTPServer):
    """Remembers its connections, so that they can be cut."""

    daemon_threads, request_queue_size = True, 256

    def __init__(self, *args):
        self.open = set()
        super().__init__(*args)

    def handle_error(self, request, client_address):
        """A connection that the other side cut is no error here."""

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Tells what it was sent, or does what the test wants."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Says nothing."""

    def handle_any(self):
        """One request."""
        stub = self.server.stub
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/health/ready":
            return self.reply(200, {})
        stub.hits += 1
        if stub.behave == "hang up":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if stub.behave == "wait":
            stub.gate.wait(20)
        status = {"fail": 500, "be away": 503}.get(stub.behave, 200)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.reply(status, {"stub": stub.name, "headers": headers, "sent": len(sent), "pad": "x" * 4000})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def reply(self, status, body):
        """Sends JSON."""
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)
