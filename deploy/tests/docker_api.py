"""The HTTP of the Engine API: questions to an [`Engine`](engine.py), and its stream of events."""

import json
import queue
import re
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlparse

API_VERSION = "1.47"


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for the engine."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Says nothing: a failing test shows Traefik's log."""

    def do_GET(self):
        """A question, or the stream of events."""
        path = re.sub(r"^/v\d+\.\d+", "", urlparse(self.path).path)
        if path == "/events":
            return self.stream()
        body = "OK" if path == "/_ping" else self.server.engine.answer(path)
        known = body is not None
        self.reply(200 if known else 404, body if known else {"message": f"no {path}"})

    do_HEAD = do_GET

    def reply(self, status, body):
        """Sends one answer."""
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Api-Version", API_VERSION)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def stream(self):
        """Events, as they come, until the other side leaves."""
        events = queue.Queue()
        self.server.engine.listeners.append(events)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                text = json.dumps(events.get()).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
        except OSError:
            self.server.engine.listeners.remove(events)
