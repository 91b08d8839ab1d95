"""Real causes of alerts: locks, databases that take nobody, processes that hang or have too few files."""

import contextlib
import os
import resource
import signal
import subprocess


def psql(url, statements):
    """Runs statements as the owner of the cluster."""
    command = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-c", statements, url]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


@contextlib.contextmanager
def held(url, statement):
    """A session that has done something in a transaction, and keeps it open."""
    session = subprocess.Popen(["psql", "-qXAt", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        session.stdin.write(f"BEGIN; {statement}; SELECT 'held';\n")
        session.stdin.flush()
        while (line := session.stdout.readline()) and line.strip() != "held":
            pass
        assert line, statement
        yield
    finally:
        session.stdin.close()
        session.wait(10)
        session.stdout.close()


def locked(url, table):
    """Nobody reads or writes a table."""
    return held(url, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")


def no_relay(url, schema):
    """The relay of a module's outbox waits for its turn, as behind one that hangs."""
    return held(url, f"SELECT pg_advisory_xact_lock(hashtext('{schema}.outbox'))")


@contextlib.contextmanager
def database_away(other, name):
    """A database that takes no connections and has ended those there were; asked for by way of another."""
    psql(other, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    psql(other, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
    finally:
        psql(other, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@contextlib.contextmanager
def hanging(process):
    """A process that is there and does nothing."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def few_files(process, spare=3):
    """A process that may open only a few more files than it has."""
    with open(f"/proc/{process.pid}/limits") as limits:
        [line] = [line for line in limits if line.startswith("Max open files")]
    soft, hard = map(int, line.split()[3:5])
    taken = len(os.listdir(f"/proc/{process.pid}/fd"))
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (taken + max(spare, taken // 10), hard))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (soft, hard))


#: Who may mount (capabilities(7)).
CAP_SYS_ADMIN = 21


def may_mount():
    """Whether there can be a disk of our own: root has one, but not in every container."""
    with open("/proc/self/status") as status:
        [mine] = [int(line.split()[1], 16) for line in status if line.startswith("CapEff:")]
    return bool(mine >> CAP_SYS_ADMIN & 1) and os.path.exists("/dev/loop-control")


@contextlib.contextmanager
def small_disk(folder, megabytes=64):
    """A file system of its own on a small device; answers the device."""
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    run = lambda *command: subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    run("mkfs.ext4", "-q", image)
    with contextlib.ExitStack() as undo:
        device = run("losetup", "--show", "-f", image)
        undo.callback(run, "losetup", "-d", device)
        run("mount", device, place)
        undo.callback(run, "umount", place)
        yield device
