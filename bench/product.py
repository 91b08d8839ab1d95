"""The product under test: the release binary on a fresh embedded database, and its API."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from settings import Unusable

EMAIL = "bench@comptoir.test"
PASSWORD = "shelf-candle-42-river"
READY_SECONDS = 120
STOP_SECONDS = 60


class Product:
    """Runs while the `with` block does; takes the database and its folder away afterwards."""

    def __init__(self, binary, folder, environment=None):
        self._binary, self._parent, self._told = binary, folder, environment or {}
        self.host, self._internal = (f"127.0.0.1:{_free_port()}" for _ in range(2))

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="comptoir-bench-", dir=self._parent))
        # Root's database server runs as another user, who must get to its own folder.
        self.folder.chmod(0o711)
        self._log = open(self.folder / "comptoir.log", "wb")
        try:
            self._start()
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        process = getattr(self, "_process", None)
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def postmaster(self):
        """Process id, socket folder and port of the embedded server."""
        lines = (self.folder / "data/cluster/postmaster.pid").read_text().splitlines()
        return int(lines[0]), lines[4], lines[3]

    def log(self):
        """The last words of the product."""
        text = (self.folder / "comptoir.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-20:])

    def login(self):
        """A fresh access token: one lives shorter than a whole benchmark."""
        answer = self.call("POST", "/api/auth/login", {"email": EMAIL, "password": PASSWORD})
        return answer["access_token"]

    def call(self, method, path, body=None, token=None, content_type="application/json"):
        """One request; the answer's JSON, or an error that says what was answered instead."""
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers |= {"Content-Type": content_type, "Idempotency-Key": str(uuid.uuid4())}
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.host}{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise Unusable(f"{method} {path} answered {error.code}: {said}") from error

    def metrics(self):
        """What Prometheus is told; `None` where the program has nothing for it."""
        try:
            with urllib.request.urlopen(f"http://{self._internal}/metrics", timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def _start(self):
        try:
            self._process = subprocess.Popen(
                [self._binary, "serve"], cwd=self.folder, env=self._environment(),
                stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                # Ctrl-C is ours to handle: the database must outlive the load.
                start_new_session=True,
            )
        except OSError as error:
            raise Unusable(f"cannot run {self._binary}: {error.strerror}") from error
        self.pid = self._process.pid

    def _environment(self):
        # Nothing of the caller's own set-up may reach the product.
        kept = {
            name: value for name, value in os.environ.items()
            if not name.startswith("COMPTOIR_") and not name.endswith("DATABASE_URL")
        }
        return kept | {
            "COMPTOIR__EMBEDDED__DATA_DIR": str(self.folder / "data"),
            "COMPTOIR__DEMO__LOAD": "false",
            "COMPTOIR__AUTH__ADMIN_EMAIL": EMAIL,
            "COMPTOIR__AUTH__ADMIN_PASSWORD": PASSWORD,
            "COMPTOIR__HTTP__PORT": self.host.rpartition(":")[2],
            "COMPTOIR__INTERNAL__PORT": self._internal.rpartition(":")[2],
            "COMPTOIR__LOG__FILTER": "warn",
        } | self._told

    def _wait_until_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise Unusable(f"the product did not start:\n{self.log()}")
            try:
                self.call("GET", "/health/ready")
                return
            except (OSError, Unusable):
                time.sleep(0.1)
        raise Unusable(f"the product was not ready in {READY_SECONDS} s:\n{self.log()}")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
