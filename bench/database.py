"""The server that both sides are measured on: questions, the floor's tables, what it has done."""

import json
import os
import subprocess
import time
from dataclasses import dataclass

from settings import BENCH, PRODUCTS, STORES, Unusable

DRAIN_SECONDS = 300
BACKLOG = " + ".join(
    f"(SELECT count(*) FROM {schema}.outbox WHERE published_at IS NULL AND parked_at IS NULL)"
    for schema in ("auth", "store", "inventory", "sales")
)


class Database:
    """Reached through the embedded server's socket, as its superuser."""

    def __init__(self, tools, product):
        self.pid, self._socket, self._port = product.postmaster()
        self._tools = tools

    def address(self):
        """The options by which psql and pgbench reach it."""
        return ["-h", self._socket, "-p", self._port, "-U", "postgres"]

    def ask(self, sql):
        """The one value of a query."""
        return self._psql("-Atc", sql)

    def facts(self, file):
        """The one JSON object that a query in a file answers."""
        return json.loads(self._psql("-Atq", "-f", str(BENCH / file)))

    def create_floor(self):
        """The floor's own tables."""
        sizes = ["-v", f"stores={STORES}", "-v", f"products={PRODUCTS}"]
        for file in ("schema.sql", "products.sql"):
            self._psql("-q", *sizes, "-f", str(BENCH / file))

    def drain(self):
        """Waits until the product has delivered its events; the seconds that it took.

        Else the work that one run left behind would slow down the next.
        """
        start = time.monotonic()
        while int(self.ask(f"SELECT {BACKLOG}")) > 0:
            if time.monotonic() - start > DRAIN_SECONDS:
                raise Unusable(f"events are still undelivered after {DRAIN_SECONDS} s")
            time.sleep(0.1)
        return time.monotonic() - start

    def _psql(self, *arguments):
        command = [self._tools.psql, "-X", *self.address(), *arguments, "comptoir"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Unusable(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()


@dataclass(frozen=True)
class Spent:
    """Counters that only grow: processor seconds, and bytes of write-ahead log."""

    service: float
    postgres: float
    wal: int

    @classmethod
    def now(cls, product, database):
        return cls(
            service=_seconds(_stat(product.pid), own=True),
            postgres=_with_children(database.pid),
            wal=int(database.ask("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")),
        )

    def __sub__(self, earlier):
        return Spent(
            self.service - earlier.service, self.postgres - earlier.postgres, self.wal - earlier.wal
        )


def _stat(pid):
    """The fields of a process from its state on; see proc(5)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def _seconds(fields, own):
    """User and system time of a process itself, or of its children that have ended."""
    if fields is None:
        return 0.0
    first = 11 if own else 13
    return sum(int(ticks) for ticks in fields[first:first + 2]) / os.sysconf("SC_CLK_TCK")


def _with_children(pid):
    """Of the server's first process and every backend it has, or had."""
    stats = [_stat(entry) for entry in os.listdir("/proc") if entry.isdecimal()]
    mine = [fields for fields in stats if fields is not None and int(fields[1]) == pid]
    own = _stat(pid)
    return _seconds(own, True) + _seconds(own, False) + sum(_seconds(f, True) for f in mine)
