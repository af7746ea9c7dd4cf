"""Where PostgreSQL and Redis are: `DATABASE_URL` and `REDIS_URL`, or else our own, under `DATA_DIR`.

Asking for an address starts nothing. `use()` does, and a process that called it holds a shared lock until it ends, however
it ends; the keeper (config/keeper.py) owns both servers and stops them when nobody holds that lock any more. So nothing is
left behind, not even by a `kill -9`, and nobody has to say goodbye. Knows nothing of Django.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parent.parent
NAME = "groundswell"  # the database, its owner, and (for root) the system user that runs the servers
SOCKET_PATH_LIMIT = 100  # the kernel's is 107 bytes
START_SECONDS = 90  # a first start makes the cluster, on a slow disk
MOST_ATTEMPTS = 5
MOST_LOG_BYTES = 20_000_000  # then a new file; the one before is kept
READY = "ready"


class EngineError(RuntimeError):
    """An embedded server does not start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Everything our own servers have on disk."""

    data_dir: Path

    @property
    def cluster(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def log(self) -> Path:
        return self.data_dir / "log" / "engines.log"

    @property
    def locks(self) -> Path:
        return self.data_dir / "run"

    @property
    def users(self) -> Path:
        return self.locks / "users.lock"

    @property
    def keeper(self) -> Path:
        """Locked while the keeper lives; says `ready` while its servers answer."""
        return self.locks / "keeper.lock"

    @property
    def sockets(self) -> Path:
        """Beside the data, or in the temporary folder when that path is too long for a socket."""
        beside = self.data_dir / "run" / "sockets"
        if len(os.fsencode(beside / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_LIMIT:
            return beside
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"{NAME}-{digest}"

    @property
    def redis(self) -> Path:
        return self.sockets / "redis.sock"


def data_dir() -> Path:
    """The folder that holds all state, made if it is missing."""
    path = Path(os.environ.get("DATA_DIR") or PROJECT / "var").expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise EngineError(f"DATA_DIR {path} cannot be made: {exc.strerror}") from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise EngineError(f"DATA_DIR {path} belongs to someone else; set DATA_DIR to a folder of yours")
    return path


def paths() -> Paths:
    return Paths(data_dir())


def database_url() -> str:
    """A libpq address; reading it starts nothing."""
    return os.environ.get("DATABASE_URL") or f"postgresql://{NAME}@/{NAME}?host={quote(str(paths().sockets))}"


def redis_url(db: int = 0) -> str:
    """An address as redis-py reads it, `db` databases after the configured one; reading it starts nothing.

    Each use has a database of its own: clearing the cache must not clear the queue.
    """
    url = os.environ.get("REDIS_URL") or f"unix://{paths().redis}"
    parts = urlsplit(url.replace("redis+socket://", "unix://", 1))
    query = parse_qs(parts.query)
    if parts.scheme == "unix":
        first = int((query.pop("db", None) or query.pop("virtual_host", None) or ["0"])[0])
        return f"unix://{parts.netloc}{parts.path}?{_query(query | {'db': [str(first + db)]})}"
    first = int(parts.path.strip("/") or (query.pop("db", None) or ["0"])[0])
    return urlunsplit((parts.scheme, parts.netloc, f"/{first + db}", _query(query), ""))


def broker_url() -> str:
    """The same Redis as kombu spells it: `redis+socket://` and `virtual_host` for a Unix socket."""
    url = redis_url()
    if not url.startswith("unix:"):
        return url
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    query["virtual_host"] = query.pop("db")
    return f"redis+socket://{parts.netloc}{parts.path}?{_query(query)}"


def _query(values: dict[str, list[str]]) -> str:
    return "&".join(f"{name}={quote(value)}" for name, all_values in values.items() for value in all_values)


def owns_database() -> bool:
    return not os.environ.get("DATABASE_URL")


def owns_redis() -> bool:
    return not os.environ.get("REDIS_URL")


def are_needed() -> bool:
    """Whether any server of ours takes part."""
    return owns_database() or owns_redis()


_using: dict[Path, int] = {}  # data folder -> descriptor that holds the shared lock; a fork inherits both


def use() -> None:
    """Make sure that our own servers answer, and keep them for as long as this process (or a fork of it) lives."""
    if not are_needed():
        return
    where = paths()
    where.locks.mkdir(exist_ok=True)
    if where.data_dir not in _using:
        descriptor = _open(where.users)
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # waits out a keeper that is just stopping
        _using[where.data_dir] = descriptor
    if keeper_state(where) == READY:
        return
    with _locked(where.locks / "start.lock"):
        _start_keeper(where)


def release() -> None:
    """Let go of the servers, and wait until they are gone unless another process uses them."""
    where = paths()
    descriptor = _using.pop(where.data_dir, None)
    if descriptor is None:
        return
    os.close(descriptor)
    patience = time.monotonic() + 2
    while (state := keeper_state(where)) is not None:
        if state == READY and time.monotonic() > patience:
            return  # somebody else's now
        time.sleep(0.05)


def keeper_state(where: Paths) -> str | None:
    """None when there is no keeper, else what it last said of itself."""
    try:
        descriptor = os.open(where.keeper, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 100).decode()
    else:
        return None
    finally:
        os.close(descriptor)


def _start_keeper(where: Paths) -> None:
    """Returns when the servers answer. A keeper may give way to another, or to the locks of those who look: then once more."""
    where.log.parent.mkdir(exist_ok=True)
    deadline = time.monotonic() + START_SECONDS
    keeper: subprocess.Popen[bytes] | None = None
    attempts = 0
    while (state := keeper_state(where)) != READY:
        code = keeper.poll() if keeper is not None else 0
        if code or attempts > MOST_ATTEMPTS:
            raise EngineError(f"PostgreSQL or Redis did not start. The end of {where.log}:\n{_tail(where.log)}")
        if code == 0 and state is None:
            keeper = _spawn_keeper(where)
            attempts += 1
        if time.monotonic() > deadline:
            raise EngineError(f"PostgreSQL or Redis is not ready after {START_SECONDS} s; see {where.log}")
        time.sleep(0.02)
    if keeper is not None:
        keeper.returncode = 0  # it outlives those who started it: nobody waits for it, and nobody need be warned of that


def _spawn_keeper(where: Paths) -> subprocess.Popen[bytes]:
    if where.log.exists() and where.log.stat().st_size > MOST_LOG_BYTES:
        where.log.replace(where.log.with_suffix(".log.1"))
    with where.log.open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "config.keeper"],
            cwd=PROJECT,
            env=os.environ | {"DATA_DIR": str(where.data_dir)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C is for its users
        )
    return keeper


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-12:])


@contextmanager
def _locked(path: Path) -> "Iterator[None]":
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
