"""A receiver of spans (OTLP over HTTP, protobuf), which keeps them."""

import gzip
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Span = namedtuple("Span", "service name trace id parent links attributes millis")


def value(any_value):
    """What is in one of protobuf's values."""
    return getattr(any_value, any_value.WhichOneof("value") or "string_value")


def read(body):
    """The spans of one request."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        about = {pair.key: value(pair.value) for pair in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    about["service.name"], span.name, span.trace_id.hex(), span.span_id.hex(),
                    span.parent_span_id.hex(), [link.trace_id.hex() for link in span.links],
                    {pair.key: value(pair.value) for pair in span.attributes},
                    (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
                )


def body(headers, file):
    """What was sent: of a length that was told, or in chunks until an empty one; packed or not."""
    if length := headers["Content-Length"]:
        whole = file.read(int(length))
    else:
        whole = b""
        while size := int(file.readline(), 16):
            whole += file.read(size)
            file.readline()
        file.readline()
    return gzip.decompress(whole) if headers["Content-Encoding"] == "gzip" else whole


class Collector:
    """Listens where a container would; use it in a `with`."""

    def __init__(self, address, port):
        self.spans = spans = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802, as the library calls it.
                spans.extend(read(body(self.headers, self.rfile)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((address, port), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def of(self, trace):
        """The spans of a trace: id -> span."""
        return {span.id: span for span in list(self.spans) if span.trace == trace}

    def linked(self, trace):
        """The spans of other traces that say they come from this one."""
        return [span for span in list(self.spans) if trace in span.links]


def tree(spans, above=None):
    """The spans of a trace as lines, each below the one it is part of, for people."""
    known = {span.id for span in spans}
    for span in spans:
        if span.parent == above or (above is None and span.parent not in known):
            text = " ".join(span.attributes.get("db.query.text", "").split())
            yield f"{span.service}: {span.name} {span.millis:.1f} ms {text:.70}".rstrip()
            yield from ("  " + line for line in tree(spans, span.id))
