"""The real Traefik, with the settings and labels of a compose model, on loopback addresses."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from engine import Engine
from web import send, until


class Gateway:
    """A running Traefik over an [`Engine`]; use it in a `with`."""

    def __init__(self, model, engine=None, variables=None):
        self.model, self.engine = model, engine or Engine(model)
        self.folder = tempfile.TemporaryDirectory(prefix="comptoir-gateway-")
        self.url = f"http://{self.engine.loopback}1:8000"
        self.api_url = f"http://{self.engine.loopback}1:8080"
        self.log_path = Path(self.folder.name) / "traefik.log"
        self.process = None

    def environment(self):
        """The service's own environment; only what needs a container stands elsewhere."""
        settings = dict(self.model.environment("traefik"))
        for name, value in settings.items():
            if name.endswith("_ADDRESS"):
                settings[name] = f"{self.engine.loopback}1{value}"
            for target in self.model.volumes("traefik"):
                if value.startswith(target + "/"):
                    settings[name] = self.folder.name + value.removeprefix(target)
            for peer in self.engine.of("jaeger"):
                settings[name] = settings[name].replace("//jaeger:", f"//{peer.address}:")
        return settings | {"TRAEFIK_PROVIDERS_DOCKER_ENDPOINT": self.engine.endpoint}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        self.engine.close()
        self.folder.cleanup()

    def start(self):
        """Starts it, and waits until it has read the labels."""
        path = {"PATH": os.environ["PATH"]}
        with self.log_path.open("a") as log:
            self.process = subprocess.Popen(
                ["traefik"], env=self.environment() | path, cwd=self.folder.name,
                stdout=log, stderr=subprocess.STDOUT,
            )
        until("a first configuration", lambda: self.alive() and self.routers())

    def stop(self):
        """Ends it."""
        self.process.kill()
        self.process.wait()

    def alive(self):
        """Fails at once, with its log, when Traefik ended."""
        if self.process.poll() is not None:
            raise AssertionError(f"Traefik ended: {self.log_path.read_text()}")
        return True

    def routers(self):
        """The routers that labels made."""
        routers = self.api("/api/rawdata")["routers"]
        return {name: router for name, router in routers.items() if name.endswith("@docker")}

    def api(self, path):
        """What Traefik says of itself."""
        return send(self.api_url + path).json()

    def metrics(self):
        """What Prometheus scrapes."""
        return send(self.api_url + "/metrics").body.decode()

    def servers(self, service):
        """The replicas of a service that Traefik knows: address -> UP or DOWN."""
        known = self.api(f"/api/http/services/{service}@docker")
        return known.get("serverStatus") or {}

    def healthy(self, service, count):
        """Waits until a service has exactly so many replicas, all of them up."""
        def good():
            servers = self.servers(service)
            return "" not in servers and list(servers.values()) == ["UP"] * count

        return until(f"{count} healthy {service}", good)

    def send(self, path, method="GET", headers=None, body=None, source=None):
        """Sends one request through the gateway."""
        return send(self.url + path, method, headers, body, source)

    def log(self):
        """The lines of Traefik's log; those of the access log have no message."""
        for line in self.log_path.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                yield {"level": "error", "message": line}

    def accesses(self):
        """The lines of the access log."""
        return [line for line in self.log() if "DownstreamStatus" in line]

    def complaints(self):
        """What Traefik logged as an error, or as a mistake in the settings."""
        for line in self.log():
            text = line.get("message") or line.get("msg") or ""
            bad = line.get("level") in ("error", "fatal", "panic")
            if bad or (line.get("level") == "warn" and ("deprecated" in text or "network named" in text)):
                yield json.dumps(line)
