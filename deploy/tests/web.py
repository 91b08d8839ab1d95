"""A small HTTP client: no redirects, no proxies, one connection a request, any source address."""

import http.client
import json
import time
from urllib.parse import urlsplit


class Reply:
    """Status, headers (case does not matter) and body of an answer."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        """The body, which must be JSON."""
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:300]!r}"


def send(url, method="GET", headers=None, body=None, source=None, timeout=40):
    """Sends one request. A `dict` or `list` as body goes as JSON."""
    parts = urlsplit(url)
    headers = dict(headers or {})
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    address = (source, 0) if source else None
    connection = http.client.HTTPConnection(
        parts.hostname, parts.port, timeout=timeout, source_address=address
    )
    try:
        path = parts.path or "/"
        connection.request(method, f"{path}?{parts.query}" if parts.query else path, body, headers)
        return Reply(connection.getresponse())
    finally:
        connection.close()


def until(what, done, limit=15.0, every=0.02):
    """Waits for `done()` to be true (an error counts as not yet); answers the seconds it took."""
    started, last = time.monotonic(), None
    while time.monotonic() - started < limit:
        try:
            if done():
                return time.monotonic() - started
        except (OSError, http.client.HTTPException, KeyError, ValueError) as error:
            last = error
        time.sleep(every)
    raise AssertionError(f"{what} did not come about within {limit} s ({last})")
