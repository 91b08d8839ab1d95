"""Runs wrk against the product and pgbench against its database, and reads what they found."""

import json
import os
import re
import subprocess
from dataclasses import dataclass, replace

from database import Spent
from settings import BENCH, PRODUCTS, STORES, Unusable, cores


@dataclass(frozen=True)
class Figure:
    """One measurement. `errors` > 0 makes the rest worthless."""

    requests: int
    per_second: float
    errors: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    spent: Spent | None = None
    drain_seconds: float = 0.0


class Load:
    """Makes load, one run after the other."""

    def __init__(self, tools, product, database, inputs):
        self._tools, self._product, self._database = tools, product, database
        self._inputs, self._runs = inputs, 0

    def measure(self, side, script, connections, seconds):
        """One run of `side` ("wrk" or "pgbench"), and what it cost until all was done."""
        before = Spent.now(self._product, self._database)
        figure = getattr(self, f"_{side}")(script, connections, seconds)
        drain_seconds = self._database.drain()
        spent = Spent.now(self._product, self._database) - before
        return replace(figure, spent=spent, drain_seconds=drain_seconds)

    def _wrk(self, script, connections, seconds):
        self._runs += 1
        environment = os.environ | {
            "BENCH_SCRIPTS": str(BENCH),
            "BENCH_INPUT": str(self._inputs),
            "BENCH_HOST": self._product.host,
            "BENCH_RUN": str(self._runs),
            "BENCH_TOKEN": self._product.login(),
        }
        command = [
            self._tools.wrk, "-t", str(_threads(connections)), "-c", str(connections),
            "-d", f"{seconds}s", "--timeout", "10s", "-s", str(BENCH / f"{script}.lua"),
            f"http://{self._product.host}/",
        ]
        return read_wrk(_run(command, environment, stderr=None))

    def _pgbench(self, script, connections, seconds):
        command = [
            self._tools.pgbench, "-n", "-M", "prepared", *self._database.address(),
            "-D", f"stores={STORES}", "-D", f"products={PRODUCTS}",
            "-c", str(connections), "-j", str(_threads(connections)), "-T", str(seconds),
            "-f", str(BENCH / f"{script}.sql"), "comptoir",
        ]
        environment = os.environ | {"PGOPTIONS": "-c search_path=bench"}
        return read_pgbench(_run(command, environment, stderr=subprocess.STDOUT))


def read_wrk(said):
    """The line that `done` in common.lua prints."""
    line = re.search(r"^RESULT (\{.*\})$", said, re.MULTILINE)
    if line is None:
        raise Unusable(f"wrk gave no result:\n{said}")
    result = json.loads(line[1])
    errors = result["refused"] + result["broken"]
    return Figure(
        requests=result["requests"] - result["refused"],
        per_second=result["requests"] * 1e6 / result["duration_us"],
        errors=errors,
        p50_ms=result["p50_us"] / 1000,
        p99_ms=result["p99_us"] / 1000,
    )


def read_pgbench(said):
    """The lines that pgbench prints at its end."""
    patterns = {
        "done": r"number of transactions actually processed: (\d+)",
        "failed": r"number of failed transactions: (\d+)",
        "tps": r"^tps = ([\d.]+)",
    }
    found = {name: re.search(pattern, said, re.MULTILINE) for name, pattern in patterns.items()}
    if found["done"] is None or found["tps"] is None:
        raise Unusable(f"pgbench gave no result:\n{said}")
    failed = found["failed"]
    return Figure(
        requests=int(found["done"][1]),
        per_second=float(found["tps"][1]),
        errors=int(failed[1]) if failed else 0,
    )


def _threads(connections):
    return max(1, min(2, cores(), connections))


def _run(command, environment, stderr):
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
    ) as process:
        try:
            said, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise Unusable(f"{os.path.basename(command[0])} failed:\n{said}")
    return said
