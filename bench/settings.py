"""What one run of the benchmark is told, and what it works with on this machine."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent

STORES = 5
PRODUCTS = 2_000
PAGE = 50
# More than any run sells of one product in one store.
STOCK = 100_000_000
CONNECTIONS = (16, 64)


class Unusable(Exception):
    """The run cannot go on; the message says why in words for the person at the terminal."""


@dataclass(frozen=True)
class Settings:
    """The knobs, all of them optional environment variables."""

    seconds: int
    rounds: int
    folder: str | None
    binary: str | None

    @classmethod
    def read(cls):
        return cls(
            seconds=_number("BENCH_SECONDS", 10),
            rounds=_number("BENCH_ROUNDS", 3),
            folder=os.environ.get("BENCH_DIR") or _on_disk(),
            binary=os.environ.get("BENCH_BINARY"),
        )


def cores():
    """Processors that this process may use, where the system tells."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def output(*command):
    """What a command prints, or "unknown" where it cannot be run."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def revision():
    """The commit that is built, marked where the tree differs from it, or may differ."""
    commit = output("git", "rev-parse", "--short=12", "HEAD")
    return f"{commit} with changes" if output("git", "status", "--porcelain") else commit


def _on_disk():
    # /tmp is memory on many machines, and there a commit costs nothing.
    return "/var/tmp" if os.access("/var/tmp", os.W_OK) else None


def _number(name, default):
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= 3_600:
        raise Unusable(f"{name} = {text!r}: must be a whole number from 1 to 3600")
    return int(text)
