"""Reads compose files as Docker Compose itself does: merged, extended, variables filled in."""

import ipaddress
import json
import os
import subprocess
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent.parent

#: Every way to run it that the README names, with the variables that it asks for.
TOPOLOGIES = {
    "whole": ("compose.yml",),
    "split": ("compose.split.yml",),
    "whole, https": ("compose.yml", "compose.tls.yml"),
    "split, https": ("compose.split.yml", "compose.tls.yml"),
    "split, nats": ("compose.split.yml", "compose.nats.yml"),
    "split, nats, https": ("compose.split.yml", "compose.nats.yml", "compose.tls.yml"),
    "whole, traces": ("compose.yml", "compose.traces.yml"),
    "split, traces": ("compose.split.yml", "compose.traces.yml"),
}
#: The variables that a file asks for.
REQUIRED = {
    "compose.tls.yml": {"DOMAIN": "shop.example.com", "ACME_EMAIL": "ops@example.com"},
    "compose.traces.yml": {"OTLP_URL": "http://jaeger:4318"},
}


def required(files):
    """All variables that a topology asks for."""
    return {name: value for file in files for name, value in REQUIRED.get(file, {}).items()}


def config(files, *options, variables=None):
    """Runs `docker-compose config` and answers the finished process."""
    command = ["docker-compose"]
    for name in files:
        command += ["-f", str(DEPLOY / name)]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # The settings of whoever tests stand in .env.
    kept["COMPOSE_DISABLE_ENV_FILE"] = "1"
    environment = kept | (required(files) if variables is None else variables)
    return subprocess.run(
        [*command, "config", *options], env=environment, capture_output=True, text=True, timeout=60
    )


class Model:
    """One topology, as Compose understands it."""

    def __init__(self, files, variables=None):
        done = config(files, "--format", "json", variables=required(files) | (variables or {}))
        if done.returncode or done.stderr:
            raise RuntimeError(f"{files}: {done.stderr}")
        # Compose writes a dollar of a value as two, so that its output can be read again.
        self.document = json.loads(done.stdout.replace("$$", "$"))
        self.project = self.document["name"]
        self.services = self.document["services"]
        self.networks = self.document["networks"]

    def labels(self, service):
        """The labels of a service."""
        return self.services[service].get("labels") or {}

    def environment(self, service):
        """The environment of a service."""
        return self.services[service].get("environment") or {}

    def networks_of(self, service):
        """The names of the networks that a service is on."""
        if self.services[service].get("network_mode"):
            return []
        return list(self.services[service]["networks"])

    def ports(self, service):
        """The ports that a service listens on, as far as it says."""
        spec = self.services[service]
        published = [port["target"] for port in spec.get("ports") or []]
        return sorted({int(port) for port in spec.get("expose") or []} | set(published))

    def volumes(self, service):
        """Where a service has which named volume: target -> volume."""
        mounts = self.services[service].get("volumes") or []
        return {m["target"]: m["source"] for m in mounts if m["type"] == "volume"}

    def once(self, service):
        """Whether a service runs once and ends."""
        return self.services[service].get("restart") == "no"

    def gateway_network(self):
        """The network from which the gateway reaches the services."""
        [config_] = self.networks["gateway"]["ipam"]["config"]
        return ipaddress.ip_network(config_["subnet"])
