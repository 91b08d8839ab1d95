"""As much of Docker's Engine API as Traefik's docker provider asks for, over a compose model.

Every container has a loopback address instead of a bridge's, so that what runs behind it is a
plain local process. Nothing is started here: a container is a statement, and who makes it sees to
it that somebody listens at its address.
"""

import hashlib
import itertools
import os
import re
import threading
import time
from http.server import ThreadingHTTPServer

from docker_api import API_VERSION, Handler


def loopback():
    """A network of loopback addresses (127.a.b.0/24) that no other test run uses."""
    process = os.getpid()
    return f"127.{64 + process // 250 % 128}.{1 + process % 250}."


class Container:
    """A container that the engine tells of."""

    def __init__(self, model, service, number, address):
        self.service, self.number, self.address = service, number, address
        self.name = f"{model.project}-{service}-{number}"
        self.id = hashlib.sha256(f"{self.name} {time.time_ns()}".encode()).hexdigest()
        self.state, self.health = "running", None
        self.labels = dict(model.labels(service)) | {
            "com.docker.compose.project": model.project,
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": str(number),
        }
        self.image = model.services[service].get("image", service)
        self.ports = {f"{port}/tcp": None for port in model.ports(service)}
        self.networks = [f"{model.project}_{name}" for name in model.networks_of(service)]

    def networks_seen(self):
        """Its networks; a container that stopped has no address in them."""
        address = self.address if self.state == "running" else ""
        return {n: {"NetworkID": n, "IPAddress": address, "IPPrefixLen": 8} for n in self.networks}

    def summary(self):
        """As in a list of containers."""
        return {
            "Id": self.id, "Names": ["/" + self.name], "Image": self.image, "State": self.state,
            "Labels": self.labels, "Created": 0, "Ports": [], "Mounts": [],
            "HostConfig": {"NetworkMode": (self.networks or ["none"])[0]},
            "NetworkSettings": {"Networks": self.networks_seen()},
        }

    def inspected(self):
        """As when one container is asked for."""
        running = self.state == "running"
        state = {"Status": self.state, "Running": running, "Paused": False, "Dead": False}
        if self.health:
            state["Health"] = {"Status": self.health, "FailingStreak": 0, "Log": []}
        return {
            "Id": self.id, "Name": "/" + self.name, "Created": "2026-01-01T00:00:00Z",
            "Image": "sha256:" + self.id, "State": state,
            "Config": {"Labels": self.labels, "Image": self.image},
            "HostConfig": {"NetworkMode": (self.networks or ["none"])[0], "PortBindings": {}},
            "NetworkSettings": {"Ports": self.ports, "Networks": self.networks_seen()},
        }


class Engine:
    """The containers of one project, and the API that tells of them."""

    def __init__(self, model, only=None):
        self.model, self.containers, self.listeners = model, {}, []
        self.lock, self.addresses = threading.RLock(), itertools.count(10)
        self.loopback = loopback()
        for service in model.services:
            if (only is None or service in only) and not model.once(service):
                self.add(service)
        self.server = ThreadingHTTPServer((self.loopback + "2", 0), Handler)
        self.server.daemon_threads, self.server.engine = True, self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.endpoint = f"tcp://{self.loopback}2:{self.server.server_port}"

    def close(self):
        """Ends the API."""
        self.server.shutdown()
        self.server.server_close()

    def of(self, service):
        """The containers of a service, oldest first."""
        return [c for c in self.containers.values() if c.service == service]

    def add(self, service):
        """Starts one more container of a service."""
        with self.lock:
            number = 1 + max((c.number for c in self.of(service)), default=0)
            address = f"{self.loopback}{next(self.addresses)}"
            container = Container(self.model, service, number, address)
            self.containers[container.name] = container
            self.emit("start", container)
            return container

    def start(self, container):
        """Starts a container again that was stopped."""
        with self.lock:
            container.state = "running"
            self.emit("start", container)

    def stop(self, container):
        """Stops a container; it is still there."""
        with self.lock:
            container.state = "exited"
            self.emit("die", container)

    def remove(self, container):
        """Stops a container and removes it."""
        with self.lock:
            self.stop(container)
            del self.containers[container.name]
            self.emit("destroy", container)

    def set_health(self, container, health):
        """What Docker's own health check found."""
        with self.lock:
            container.health = health
            self.emit(f"health_status: {health}", container)

    def emit(self, action, container):
        """Tells everyone who listens."""
        actor = {"ID": container.id, "Attributes": {"name": container.name, **container.labels}}
        event = {
            "status": action, "id": container.id, "Type": "container", "Action": action,
            "Actor": actor, "scope": "local", "time": int(time.time()), "timeNano": time.time_ns(),
        }
        for listener in self.listeners:
            listener.put(event)

    def answer(self, path):
        """The answer to a GET; `None` where there is none."""
        with self.lock:
            if path == "/version":
                versions = {"Version": "27.0", "ApiVersion": API_VERSION, "MinAPIVersion": "1.24"}
                return versions | {"Os": "linux", "Arch": "amd64"}
            if path == "/info":
                return {"ID": "engine", "Swarm": {"LocalNodeState": "inactive"}}
            if path == "/containers/json":
                return [c.summary() for c in self.containers.values()]
            if found := re.fullmatch(r"/containers/(\w+)/json", path):
                return next((c.inspected() for c in self.containers.values() if c.id == found[1]), None)
            return None
