"""Run a program over a hostile file where it can harm nothing: no network, no other file, bounded in everything.

bubblewrap gives the child its own user, mount, network, process and IPC namespaces: it sees /usr and the files it was
given, all read-only, and at most one folder to write to. prlimit bounds memory, processor time and file size; a filter
of system calls keeps it from making processes and sockets. The child and everything it started die together: on
time-out, on too much output, and with the worker (one killed in the first milliseconds leaves the child to its limits).
There is no way round: where bubblewrap cannot work, `Unavailable` says what to mend.
"""

import compileall
import importlib.util
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from downloads.processing import seccomp
from jobs.errors import TransientError

MIB = 1024 * 1024
INSIDE = Path(__file__).parent / "inside"
"""The scripts that run in the sandbox; they import nothing of ours."""


class Unavailable(TransientError):
    """The sandbox cannot be made on this machine; the message names the mend."""

    code = "sandbox_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use. `memory` bounds what it may write to; address space may be twice that."""

    wall_seconds: float = 60
    cpu_seconds: int = 60
    memory: int = 1024 * MIB
    file_size: int = 4096 * MIB
    open_files: int = 64
    may_fork: bool = False
    output: int = 8 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a run ended. `stopped_by` is "" when it ended by itself, else "time", "output" or "signal"."""

    returncode: int
    stdout: bytes
    stderr: str
    seconds: float
    stopped_by: str = ""

    @property
    def ok(self) -> bool:
        return self.returncode == 0 and not self.stopped_by

    @property
    def last_words(self) -> str:
        """The last line that it said on stderr, for a person: at most 300 characters."""
        return (self.stderr.strip().splitlines() or [""])[-1][-300:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounts:
    """What the child sees beside /usr: paths inside -> paths outside. `output` appears as /out, writable."""

    reads: Mapping[str, Path] = field(default_factory=dict)
    output: Path | None = None


def run(argv: Sequence[str], mounts: Mounts, limits: Limits) -> Finished:
    """Run `argv` in the sandbox until it ends or breaks a limit.

    Raises Unavailable where no sandbox can be made. A child that crashes or is stopped is an answer, not an error.
    """
    filtering = seccomp.program(may_fork=limits.may_fork)
    reading, writing = os.pipe()
    try:
        os.write(writing, filtering)  # some hundred bytes: a pipe takes them at once
        os.close(writing)
        options = ["--seccomp", str(reading)] if filtering else []
        return _watch([*_bubblewrap(), *_view(mounts), *options, "--", *_prlimit(limits), *argv], limits, reading)
    finally:
        os.close(reading)


def run_script(name: str, arguments: Sequence[str], mounts: Mounts, limits: Limits, *, packages: Sequence[str] = ()) -> Finished:
    """Run `inside/<name>.py` by a bare interpreter that can import the standard library and `packages` only."""
    interpreter, view = _interpreter()
    reads = {**view, **_package_view(tuple(packages)), "/job/script.py": INSIDE / f"{name}.py", **mounts.reads}
    argv = [interpreter, "-I", "-S", "-B", "/job/script.py", *arguments]
    return run(argv, Mounts(reads=reads, output=mounts.output), limits)


def check() -> None:
    """Make an empty sandbox, for `doctor`. Raises Unavailable."""
    _bubblewrap.cache_clear()
    _bubblewrap()


def _prlimit(limits: Limits) -> list[str]:
    # Inside the new user namespace, so that the number of processes counts this sandbox's own.
    return [
        "/usr/bin/prlimit",
        f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + 1}",
        f"--as={2 * limits.memory}",
        f"--data={limits.memory}",
        f"--fsize={limits.file_size}",
        "--nproc=64",  # the kernel does not hold root to it: the filter does
        f"--nofile={limits.open_files}",
        "--core=0",
    ]


def _view(mounts: Mounts) -> Iterator[str]:
    for inside, outside in mounts.reads.items():
        yield from ("--ro-bind", str(outside), inside)
    if mounts.output is not None:
        yield from ("--bind", str(mounts.output), "/out", "--chdir", "/out")


@cache
def _bubblewrap() -> tuple[str, ...]:
    """The start of every command line: the strictest form that this kernel allows, tried once."""
    found = shutil.which("bwrap")
    if found is None or shutil.which("prlimit") is None:
        raise Unavailable("bubblewrap is not installed, and media is never opened without it: apt-get install bubblewrap")
    common = [
        *("--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"),
        *("--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LANG", "C.UTF-8", "--setenv", "MALLOC_ARENA_MAX", "2"),
        *("--ro-bind", "/usr", "/usr"),
        *_system_folders(),
        *("--dev", "/dev"),
    ]
    own_user = [found, "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"]
    forms = ([*own_user, "--disable-userns", *common], [*own_user, *common], [found, "--unshare-all", *common])
    complaint = ""
    for form in forms:
        tried = subprocess.run([*form, "--", "/usr/bin/true"], capture_output=True, text=True, check=False, timeout=20)
        if tried.returncode == 0:
            return tuple(form)
        complaint = complaint or tried.stderr.strip()
    raise Unavailable(
        f"bubblewrap cannot make a sandbox here ({complaint[:200]}). Allow unprivileged user namespaces: "
        "sysctl -w kernel.unprivileged_userns_clone=1 (Ubuntu: kernel.apparmor_restrict_unprivileged_userns=0); "
        "in a container, run it with --security-opt seccomp=unconfined or as root with CAP_SYS_ADMIN."
    )


def _system_folders() -> Iterator[str]:
    for name in ("lib", "lib64", "lib32", "bin"):
        folder = Path("/", name)
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))
    # Debian reaches libblas and others, which ffmpeg needs to start, through these links.
    for name in ("/etc/alternatives", "/etc/ld.so.cache"):
        if Path(name).exists():
            yield from ("--ro-bind", name, name)


@cache
def _interpreter() -> tuple[str, Mapping[str, Path]]:
    """This Python without the virtual environment, and what must be visible for it to start."""
    prefix = Path(sys.base_prefix).resolve()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = prefix / "bin" / version
    if prefix.is_relative_to("/usr"):
        return str(python), {}
    return str(python), {str(path): path for path in (python, prefix / "lib") if path.exists()}


@cache
def _package_view(packages: tuple[str, ...]) -> Mapping[str, Path]:
    """Where each package and its bundled libraries appear: /packages/<name>, compiled so that starting is quick."""
    view: dict[str, Path] = {}
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise Unavailable(f"The Python package {package} is not installed: run make setup")
        folder = Path(spec.submodule_search_locations[0])
        if os.access(folder, os.W_OK):
            compileall.compile_dir(folder, maxlevels=3, quiet=2)
        view[f"/packages/{folder.name}"] = folder
        for libraries in (*folder.parent.glob(f"{package}.libs"), *folder.parent.glob(f"{package.lower()}*.libs")):
            view[f"/packages/{libraries.name}"] = libraries
        for module in folder.parent.glob(f"_{package}.*.so"):  # pillow_heif keeps its compiled half beside itself
            view[f"/packages/{module.name}"] = module
    return view


def _watch(command: Sequence[str], limits: Limits, filter_pipe: int) -> Finished:
    started = time.monotonic()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=(filter_pipe,),
    ) as child:
        try:
            stdout, stderr, stopped_by = _read(child, started + limits.wall_seconds, limits.output)
            if not stopped_by:
                child.wait(timeout=max(0.1, started + limits.wall_seconds - time.monotonic()))
        except subprocess.TimeoutExpired:
            stopped_by = "time"
        finally:
            _kill(child)
    # bubblewrap reports a child that died of a signal as 128 + its number.
    if not stopped_by and child.returncode > 128:
        stopped_by = "signal"
    return Finished(
        returncode=child.returncode,
        stdout=stdout,
        stderr=stderr.decode("utf-8", "replace"),
        seconds=time.monotonic() - started,
        stopped_by=stopped_by,
    )


def _read(child: subprocess.Popen[bytes], deadline: float, most: int) -> tuple[bytes, bytes, str]:
    """Both pipes until they close: stdout up to `most` bytes, of stderr the last 16 KiB."""
    assert child.stdout is not None
    assert child.stderr is not None
    stdout, stderr = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ, stdout)
        selector.register(child.stderr, selectors.EVENT_READ, stderr)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return bytes(stdout), bytes(stderr), "time"
            for key, _events in selector.select(left):
                pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
                chunk = os.read(pipe.fileno(), 65536)
                if not chunk:
                    selector.unregister(pipe)
                key.data.extend(chunk)
            if len(stdout) > most:
                return b"", bytes(stderr), "output"
            del stderr[:-16384]
    return bytes(stdout), bytes(stderr), ""


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the whole group; its first process is the init of the sandbox, so nothing in it survives."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
