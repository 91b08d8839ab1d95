"""The real binaries as the containers of a compose model: its own environment, on loopback
addresses, with real databases. Only names that a container network resolves are translated."""

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from compose import DEPLOY
from web import send, until

REPOSITORY = DEPLOY.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))


def binary(spec):
    """The binary with the features that a service's image is built with; `run` has built it."""
    features = (spec["build"].get("args") or {}).get("FEATURES")
    return TARGET / "tmp/split" / features / "debug/comptoir" if features else TARGET / "debug/comptoir"


class Services:
    """The services of a model that are ours, as processes; use it in a `with`."""

    def __init__(self, model, engine):
        self.model, self.engine, self.processes = model, engine, {}
        self.ours = [name for name, spec in model.services.items() if "build" in spec]
        self.scratch = tempfile.TemporaryDirectory(prefix="comptoir-services-")
        self.volumes = Path(self.scratch.name)
        self.databases, self.cluster = {}, None

    def __enter__(self):
        try:
            self.start_databases()
            for service in filter(self.model.once, self.ours):
                self.run_once(service)
            for service in self.ours:
                for container in self.engine.of(service):
                    self.start(container)
            for container in list(self.processes):
                self.wait_ready(container)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()
            process.wait()
        if self.cluster:
            self.cluster.communicate(timeout=120)
        self.scratch.cleanup()

    def start_databases(self):
        """A real database for every PostgreSQL of the model."""
        names = [n for n, spec in self.model.services.items() if spec["image"].startswith("postgres:")]
        program = TARGET / "debug/examples/databases"
        self.cluster = subprocess.Popen([program, *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in names:
            url = self.cluster.stdout.readline().strip()
            if not url:
                raise AssertionError("there is no database")
            self.databases[name] = url

    def on_this_machine(self, service, text, container=None):
        """What a value of a service's environment or command means without containers."""
        for target, volume in self.model.volumes(service).items():
            folder = self.volumes / volume
            folder.mkdir(exist_ok=True)
            text = re.sub(rf"{re.escape(target)}(?=/|$)", str(folder), text)
        if text == "0.0.0.0":
            return container.address
        if text == str(self.model.gateway_network()):
            return "127.0.0.1/32"
        if re.match(r"postgres://", text):
            return self.database(urlsplit(text))
        if found := re.fullmatch(r"http://([\w-]+):(\d+)", text):
            self.same_network(service, found[1])
            return f"http://{self.engine.of(found[1])[0].address}:{found[2]}"
        return text

    def database(self, url):
        """The real database of a URL, whose host, user and name must be those of a service."""
        told = self.model.environment(url.hostname)
        assert (url.username, url.path) == (told["POSTGRES_USER"], "/" + told["POSTGRES_DB"]), url
        return self.databases[url.hostname]

    def same_network(self, service, peer):
        """A name is resolved only on a network that both are on."""
        common = set(self.model.networks_of(service)) & set(self.model.networks_of(peer))
        assert common, f"{service} and {peer} have no network in common"

    def environment(self, service, container=None):
        """The environment of a service, and nothing else."""
        told = self.model.environment(service).items()
        return {name: self.on_this_machine(service, value, container) for name, value in told}

    def run_once(self, service):
        """Runs a service that ends, to its end, twice: the second time must change nothing."""
        spec = self.model.services[service]
        command = [self.on_this_machine(service, word) for word in spec["command"]]
        for _ in range(2):
            subprocess.run(
                [binary(spec), *command], env=self.environment(service), check=True,
                cwd=self.scratch.name, stdout=subprocess.DEVNULL, timeout=30,
            )

    def command(self, container, *words):
        """Runs a command of the product in a container, as `docker compose exec` does; answers what it says."""
        service = container.service
        done = subprocess.run(
            [binary(self.model.services[service]), *words], env=self.environment(service, container),
            cwd=self.scratch.name, capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def log_path(self, container):
        """Where a process's output goes."""
        return self.volumes / f"{container.name}.log"

    def start(self, container):
        """Starts the process of a container."""
        with self.log_path(container).open("a") as log:
            self.processes[container] = subprocess.Popen(
                [binary(self.model.services[container.service])], cwd=self.scratch.name,
                env=self.environment(container.service, container), stdout=log, stderr=subprocess.STDOUT,
            )

    def add(self, service):
        """One more replica, as `--scale` makes it; answers when it is ready."""
        container = self.engine.add(service)
        self.start(container)
        self.wait_ready(container)
        return container

    def wait_ready(self, container):
        """Waits until a process says that it is ready."""
        def ready():
            if self.processes[container].poll() is not None:
                raise AssertionError(f"{container.name} ended: {self.log_path(container).read_text()}")
            return send(self.url(container) + "/health/ready").status == 200

        until(f"{container.name} to be ready", ready, 120)

    def url(self, container):
        """The public listener of a container."""
        [port] = self.model.ports(container.service)
        return f"http://{container.address}:{port}"

    def kill(self, container):
        """kill -9: the process is gone, and nobody was told."""
        self.processes[container].kill()
        self.processes[container].wait()

    def stop(self, container):
        """As `docker stop` does: asks, waits, and only then the container has stopped."""
        self.processes[container].send_signal(signal.SIGTERM)
        code = self.processes[container].wait(25)
        self.engine.stop(container)
        return code

    def signal(self, container, number):
        """Sends a signal."""
        self.processes[container].send_signal(number)
