"""Runs several programs side by side: their lines with a name in front, the dead ones again, all of them stopped together.

Knows nothing of Django. Each program leads a process group. The supervisor adopts what its programs leave behind
(PR_SET_CHILD_SUBREAPER), so that a browser or an ffmpeg never outlives it; when it is killed itself, the kernel tells
the programs.
"""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from config.keeper import die_with_parent

PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a program that ran for so long starts anew without a pause
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    name: str
    command: str
    """A shell line of one command."""
    env: Mapping[str, str] = field(default_factory=dict)
    starts_late: bool = False
    """Not before `start_late()`: starting many at once makes each of them slow."""
    stops_last: bool = False
    """Others may still need it while they finish."""


@dataclass(slots=True)
class Running:
    program: Program
    process: subprocess.Popen[str]
    reader: threading.Thread
    started_at: float = field(default_factory=time.monotonic)


class Supervisor:
    def __init__(self, programs: Iterable[Program], *, cwd: Path, out: TextIO, drain_seconds: float = 60.0) -> None:
        self.programs = list(programs)
        self.cwd = cwd
        self.out = out
        self.drain_seconds = drain_seconds
        self.is_stopping = False
        self._hurry = False
        self._running: dict[str, Running] = {}
        self._due: dict[str, float] = {}
        self._pauses: dict[str, float] = {}
        self._writing = threading.Lock()
        self._width = max((len(program.name) for program in self.programs), default=0)
        self._strangers = set(children())  # processes that were there before us, such as the engines' keeper
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)

    def handle_signals(self) -> None:
        """The first SIGINT or SIGTERM drains, the next one hurries."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        self._hurry = self.is_stopping
        self.is_stopping = True

    def start(self, name: str) -> None:
        """Call from the main thread only: the programs are tied to the life of the thread that started them."""
        program = next(program for program in self.programs if program.name == name)
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {program.command}"],
            cwd=self.cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,  # a Ctrl-C is for us; we pass on a SIGTERM
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        reader = threading.Thread(target=self._read, args=(name, process), name=f"read-{name}", daemon=True)
        reader.start()
        self._running[name] = Running(program, process, reader)

    def start_late(self) -> None:
        self._plan(self.programs)

    def _plan(self, programs: Iterable[Program]) -> None:
        for program in programs:
            if program.name not in self._running:
                self._due.setdefault(program.name, 0.0)

    def run_until(self, is_reached: Callable[[], bool] = lambda: False) -> bool:
        """Start what is to run and mind it, until `is_reached()` or a signal; return whether it was reached."""
        self._plan(program for program in self.programs if not program.starts_late)
        while not self.is_stopping:
            now = time.monotonic()
            for name in [name for name, at in self._due.items() if at <= now]:
                del self._due[name]
                self.start(name)
            self._mind_the_dead()
            self._bury_orphans()
            if is_reached():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def shut_down(self) -> None:
        """SIGTERM, patience, SIGKILL. Returns when nothing of it is left."""
        self.is_stopping = True
        deadline = time.monotonic() + self.drain_seconds
        for is_last in (False, True):
            group = [run for run in self._running.values() if run.program.stops_last is is_last]
            for run in group:
                self._signal(run, signal.SIGTERM)
            while any(run.process.poll() is None for run in group) and time.monotonic() < deadline and not self._hurry:
                time.sleep(POLL_SECONDS)
            for run in group:
                if run.process.poll() is None:
                    self.say(f"{run.program.name} is still busy; ending it")
                self._end_group(run)
        self._end_orphans()
        for run in self._running.values():
            run.reader.join(timeout=1)
        self._running.clear()

    def say(self, text: str) -> None:
        self._write("up", text)

    def _mind_the_dead(self) -> None:
        for name, run in list(self._running.items()):
            if (code := run.process.poll()) is None:
                continue
            self._end_group(run)  # its children work without a master: their jobs are rescued
            run.reader.join(timeout=1)  # its last words come before ours
            del self._running[name]
            if time.monotonic() - run.started_at > STEADY_SECONDS:
                self._pauses.pop(name, None)
            pause = self._pauses.get(name, 1.0)
            self._pauses[name] = min(pause * 2, LONGEST_PAUSE_SECONDS)
            self._due[name] = time.monotonic() + pause
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            self.say(f"{name} ended {how}; starting it again in {pause:.0f} s")

    @staticmethod
    def _signal(run: Running, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            run.process.send_signal(number)

    @staticmethod
    def _end_group(run: Running) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait()

    def _orphans(self) -> list[int]:
        known = self._strangers | {run.process.pid for run in self._running.values()}
        return [pid for pid in children() if pid not in known]

    def _bury_orphans(self) -> None:
        for pid in self._orphans():
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)

    def _end_orphans(self) -> None:
        while orphans := self._orphans():  # ending one may reveal its children
            for pid in orphans:
                with suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)

    def _read(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._write(name, line.rstrip())

    def _write(self, name: str, text: str) -> None:
        label = f"{name:<{self._width}} |"
        if self.out.isatty():
            names = [program.name for program in self.programs]
            colour = COLOURS[names.index(name) % len(COLOURS)] if name in names else 1
            label = f"\033[{colour}m{label}\033[0m"
        with self._writing, suppress(BrokenPipeError):
            self.out.write(f"{label} {text}\n")
            self.out.flush()


def children() -> list[int]:
    """Processes whose parent is this one, adopted ones included."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            found += [int(pid) for pid in (task / "children").read_text().split()]
    return found


def read_procfile(path: Path) -> dict[str, str]:
    """Name and shell line of each process type, `release` included."""
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.split(":", 1) for line in lines if line and not line.startswith("#"))
    return {name.strip(): command.strip() for name, command in pairs}
