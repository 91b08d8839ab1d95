"""A real Prometheus with the configuration that is deployed, and a real node exporter. Names that a
container network resolves are translated, and time is made short: nobody waits for minutes here."""

import json
import math
import os
import re
import signal
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

import yaml

import alerts
from web import send, until

#: How long the deployed rules look back, and how long they do here.
SHORT = {"30s": "5s", "1m": "10s", "5m": "12s", "10m": "12s", "15m": "30s", "6h": "15s", "7d": "40s"}
#: How old events, passes of loops (60 s in what is deployed) and holds (180) may be, in seconds, how slow
#: a sale (1), and for how long a start keeps alerts quiet (120): whoever tests has other things to do, too.
OLD, SLOW, START = 15, 4, 5


def hurried(rule):
    """A rule as deployed, but in a hurry."""
    expr = re.sub(r"(\[|offset )(\d+[smhd])\b", lambda found: found[1] + SHORT[found[2]], rule["expr"])
    expr = re.sub(r"> (60|180)\b", f"> {OLD}", expr)
    expr = re.sub(r"< 120\b", f"< {START}", expr)
    rule = rule | {"expr": re.sub(r"(:p99_1m) > 1$", rf"\1 > {SLOW}", expr)}
    return rule | {"for": "2s"} if "for" in rule else rule


class Watch:
    """A running Prometheus; use it in a `with`, inside those of gateway and services."""

    def __init__(self, gateway, services, configuration):
        self.engine, self.model, self.configuration = gateway.engine, gateway.model, configuration
        self.services, self.processes = services, []
        self.folder = tempfile.TemporaryDirectory(prefix="comptoir-watch-")
        self.home = Path(self.folder.name)
        self.addresses = {
            "traefik:8080": f"{self.engine.loopback}1:8080", "node:9100": f"{self.engine.loopback}4:9100",
            "127.0.0.1:9090": f"{self.engine.loopback}3:9090",
        }
        self.url = f"http://{self.addresses['127.0.0.1:9090']}"

    def __enter__(self):
        self.write()
        mine, node = self.addresses["127.0.0.1:9090"], self.addresses["node:9100"]
        try:
            told = self.model.services["node"]["command"]
            self.node = self.start("prometheus-node-exporter", *told, f"--web.listen-address={node}")
            self.prometheus = self.start(
                "prometheus", f"--config.file={self.home}/prometheus.yml", f"--storage.tsdb.path={self.home}/data",
                f"--web.listen-address={mine}", "--log.level=warn",
            )
            until("Prometheus", lambda: send(self.url + "/-/ready").status == 200, 30)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        self.folder.cleanup()

    def start(self, *command):
        """Starts a program whose output goes to a file."""
        with (self.home / f"{command[0]}.log").open("w") as log:
            process = subprocess.Popen(command, cwd=self.home, stdout=log, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def told_again(self, configuration):
        """Has it read a configuration, as after a change."""
        (self.home / "prometheus.yml").write_text(configuration)
        self.prometheus.send_signal(signal.SIGHUP)

    def write(self):
        """Configuration, rules and targets."""
        config = yaml.safe_load((alerts.PROMETHEUS / self.configuration).read_text())
        config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        for job in config["scrape_configs"]:
            for static in job.get("static_configs", []):
                static["targets"] = [self.addresses[target] for target in static["targets"]]
            if "dns_sd_configs" in job:
                self.names = {sd["names"][0]: sd["port"] for sd in job.pop("dns_sd_configs")}
                job["file_sd_configs"] = [{"files": ["replicas.json"], "refresh_interval": "1s"}]
        (self.home / "rules").mkdir()
        for path in alerts.PROMETHEUS.glob("rules/*.yml"):
            groups = yaml.safe_load(path.read_text())["groups"]
            made = [group | {"rules": [hurried(rule) for rule in group["rules"]]} for group in groups]
            (self.home / "rules" / path.name).write_text(yaml.safe_dump({"groups": made}))
        self.told = yaml.safe_dump(config)
        (self.home / "prometheus.yml").write_text(self.told)
        self.resolve()

    def resolve(self):
        """What Docker's name server would answer now: every replica that has not been stopped."""
        found = [
            {"targets": [f"{c.address}:{port}"], "labels": {"__meta_dns_name": service}}
            for service, port in self.names.items() for c in self.engine.of(service) if c.state == "running"
        ]
        fresh = self.home / "replicas.json.new"
        fresh.write_text(json.dumps(found))
        os.replace(fresh, self.home / "replicas.json")

    def api(self, path, **asked):
        """One question to its API; an error is an answer, too."""
        return send(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(asked)}").json()

    def values(self, expression):
        """The values that a question has now; `ValueError` when it cannot be asked."""
        answer = self.api("query", query=expression)
        if answer["status"] != "success":
            raise ValueError(answer["error"])
        result = answer["data"]["result"]
        if answer["data"]["resultType"] == "scalar":
            return [float(result[1])]
        return [float(series["value"][1]) for series in result]

    def value(self, expression):
        """The one value that a question has now."""
        [value] = self.values(expression)
        return value

    def unanswered(self, expression):
        """What is wrong with the answer to a question of a dashboard or a rule, or `None`."""
        plain = expression.replace("$__rate_interval", SHORT["1m"])
        try:
            values = self.values(plain)
        except ValueError as error:
            return str(error)
        if not values:
            return "no data"
        return "only NaN" if all(map(math.isnan, values)) else None

    def firing(self, name=None, **labels):
        """The alerts that fire, of a name and with labels if asked for."""
        found = [alert for alert in self.api("alerts")["data"]["alerts"] if alert["state"] == "firing"]
        return [
            alert for alert in found if name in (None, alert["labels"]["alertname"])
            and labels.items() <= alert["labels"].items()
        ]

    def fires(self, name, limit=90, **labels):
        """Waits until an alert fires; answers it."""
        seen = []
        until(f"{name} {labels} firing", lambda: seen.extend(self.firing(name, **labels)) or seen, limit, every=0.5)
        return seen[0]

    def clears(self, *names, limit=120):
        """Waits until none of some alerts fires any more."""
        still = lambda: [a["labels"] for a in self.firing() if a["labels"]["alertname"] in names]
        try:
            until("quiet", lambda: not still(), limit, every=0.5)
        except AssertionError:
            raise AssertionError(f"still firing: {still()}") from None
