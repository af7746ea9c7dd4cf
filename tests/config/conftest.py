"""Real engines and real processes, each test with a state folder of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

import pytest

from config import engines


def eventually(is_so: Callable[[], object], *, seconds: float = 180.0) -> None:
    """Wait for a condition, not for a time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)


def processes_with(text: str) -> dict[int, str]:
    """Command lines of running processes that mention `text`."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if text in line and int(folder.name) != os.getpid():
                found[int(folder.name)] = line
    return found


def parent_of(pid: int) -> int:
    """0 for a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


class Machine:
    """A machine without PostgreSQL or Redis: an empty DATA_DIR, and programs that use it."""

    def __init__(self, data_dir: Path) -> None:
        self.paths = engines.Paths(data_dir)
        self.env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        self.env |= {"DATA_DIR": str(data_dir), "PYTHONPATH": str(engines.PROJECT), "DJANGO_SETTINGS_MODULE": "config.settings"}
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *command: str, **env: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command,
            cwd=engines.PROJECT,
            env=self.env | env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def python(self, code: str) -> "subprocess.Popen[str]":
        return self.start(sys.executable, "-u", "-c", code)

    def use(self) -> "subprocess.Popen[str]":
        """A program that has the engines answer and stays until its input ends."""
        process = self.python("from config import engines\nengines.use()\nprint('ready')\ninput()")
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said == "ready\n", said + process.communicate()[0]
        return process

    def ask(self) -> str:
        """What both servers say to a program that has just started."""
        code = (
            "from config import engines\nengines.use()\nimport psycopg, redis\n"
            "row = psycopg.connect(engines.database_url()).execute('SELECT 6 * 7').fetchone()\n"
            "print(row[0], redis.Redis.from_url(engines.redis_url()).ping())"
        )
        return self.python(code).communicate(timeout=120)[0].strip()

    def servers(self) -> dict[int, str]:
        """But for a child that PostgreSQL has just forked: it bears its parent's command line until it names itself."""
        found = processes_with(str(self.paths.cluster)) | processes_with(str(self.paths.redis))
        return {pid: line for pid, line in found.items() if found.get(parent_of(pid)) != line}

    def is_quiet(self) -> bool:
        return engines.keeper_state(self.paths) is None and not self.servers()


@pytest.fixture
def machine() -> Iterator[Machine]:
    # Not in pytest's own folder: every other pytest that starts closes that one to PostgreSQL's user.
    folder = Path(tempfile.mkdtemp(prefix="machine-"))
    machine = Machine(folder)
    yield machine
    for process in machine.started:
        if process.poll() is None:
            process.kill()
        process.communicate()
    with suppress(AssertionError):
        eventually(machine.is_quiet)
    for pid in machine.servers():
        with suppress(ProcessLookupError):
            os.kill(pid, SIGKILL)
    shutil.rmtree(folder)
