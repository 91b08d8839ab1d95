"""Finds the load generators, installs them where that is possible, builds the product."""

import glob
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from settings import ROOT, Unusable


@dataclass(frozen=True)
class Tools:
    """Paths of the programs that the benchmark drives."""

    wrk: str
    pgbench: str
    psql: str


def find_tools():
    """The load generators; root on a Debian machine gets what is missing."""
    missing = [package for package, path in _search().items() if path is None]
    if missing:
        _install(missing)
    found = _search()
    return Tools(wrk=found["wrk"], pgbench=found["postgresql"], psql=found["postgresql-client"])


def build():
    """Builds the release binary and answers its path."""
    if shutil.which("cargo") is None:
        raise Unusable("cargo is needed to build the product, or BENCH_BINARY")
    print("building the release binary", file=sys.stderr)
    built = subprocess.run(["cargo", "build", "--release", "--bin", "comptoir"], cwd=ROOT)
    if built.returncode != 0:
        raise Unusable("the release build failed")
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"],
        cwd=ROOT, capture_output=True, check=True,
    )
    return os.path.join(json.loads(metadata.stdout)["target_directory"], "release", "comptoir")


def _search():
    """Debian package -> the program that is needed of it, or None."""
    return {
        "wrk": shutil.which("wrk"),
        "postgresql": _postgres_program("pgbench"),
        "postgresql-client": _postgres_program("psql"),
    }


def _postgres_program(name):
    # Debian's programs on PATH are wrappers that ask which server is meant; take the real ones.
    folders = glob.glob("/usr/lib/postgresql/*/bin")
    folders.sort(key=lambda folder: int(folder.split("/")[4]), reverse=True)
    folders.insert(0, os.environ.get("PG_BIN_DIR", ""))
    for folder in filter(None, folders):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return shutil.which(name)


def _install(packages):
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unusable(
            "wrk, pgbench and psql are needed. On Debian: "
            f"sudo {' '.join(command)}. Elsewhere install wrk and PostgreSQL with its contrib "
            "programs, and set PG_BIN_DIR to the folder of pgbench if it is not on PATH."
        )
    print(f"installing {', '.join(packages)}", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-qq"], command):
        if subprocess.run(step, env=environment, stdout=sys.stderr).returncode != 0:
            raise Unusable(f"{' '.join(step)} failed")
    still = [package for package, path in _search().items() if path is None]
    if still:
        raise Unusable(f"no usable program in the package {', '.join(still)}")
