"""What runs in the sandbox can reach nothing, use little, and dies with its time."""

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from downloads.processing import sandbox, seccomp
from downloads.processing.sandbox import MIB, Finished, Limits, Mounts

SHELL = "/usr/bin/sh"
PATIENCE = 120.0
"""Seconds; a machine may be busy with other things for all but one of them."""
_ALLOW_ALL = struct.pack("=HBBI", 0x06, 0, 0, 0x7FFF0000)


def sh(script: str, *, limits: Limits | None = None, mounts: Mounts | None = None) -> Finished:
    return sandbox.run([SHELL, "-c", script], mounts or Mounts(), limits or Limits(wall_seconds=PATIENCE, may_fork=True))


def python(code: str, limits: Limits | None = None) -> Finished:
    interpreter, view = sandbox._interpreter()
    return sandbox.run([interpreter, "-I", "-S", "-c", code], Mounts(reads=view), limits or Limits(wall_seconds=PATIENCE))


def test_it_runs_and_says_what_came_of_it() -> None:
    finished = sh("echo out; echo err >&2; exit 3")

    assert (finished.returncode, finished.stdout, finished.last_words, finished.ok) == (3, b"out\n", "err", False)


def test_there_is_no_network_even_without_the_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(seccomp, "program", lambda **_: _ALLOW_ALL)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        finished = python(f"import socket; s = socket.socket(); print('made'); s.connect(('127.0.0.1', {port})); print('in')")

    assert finished.stdout == b"made\n"
    assert "unreachable" in finished.stderr or "refused" in finished.stderr


@pytest.mark.parametrize("path", ["/etc/passwd", "/root", "/home", "/proc/1/environ", "/var", str(Path.cwd())])
def test_no_file_of_this_machine_is_seen(path: str) -> None:
    assert sh(f"ls {path}").returncode != 0


def test_only_what_was_given_is_seen_and_it_cannot_be_changed(tmp_path: Path) -> None:
    given, other = tmp_path / "given", tmp_path / "other"
    given.write_text("mine")
    other.write_text("secret")

    finished = sh("cat /in/file; echo x >> /in/file; ls /in", mounts=Mounts(reads={"/in/file": given}))

    assert finished.stdout == b"minefile\n"
    assert given.read_text() == "mine"


def test_it_writes_into_its_folder_and_nowhere_else(tmp_path: Path) -> None:
    finished = sh("echo hi > /out/file; echo no > /usr/no; echo no > /usr/bin/no", mounts=Mounts(output=tmp_path))

    assert finished.returncode != 0
    assert (tmp_path / "file").read_text() == "hi\n"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_environment_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "s3cret")

    assert b"s3cret" not in sh("env").stdout


def test_time_ends_it_with_all_its_children() -> None:
    mark = f"31{os.getpid() % 1000:03d}"
    started = time.monotonic()

    finished = sh(f"sleep {mark} & setsid sleep {mark} & sleep {mark}", limits=Limits(wall_seconds=0.5, may_fork=True))

    assert finished.stopped_by == "time"
    assert time.monotonic() - started < PATIENCE  # they would sleep for hours
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and _running(mark):
        time.sleep(0.02)
    assert _running(mark) == ""


def _is_inside(mark: str) -> bool:
    """Whether it sleeps by now: bubblewrap, whose command line has the words too, is tied to the worker a little later."""
    return bool(subprocess.run(["pgrep", "-f", f"^/usr/bin/sleep {mark}"], capture_output=True, check=False).stdout)


def _running(mark: str) -> str:
    return subprocess.run(["pgrep", "-f", f"sleep {mark}"], capture_output=True, text=True, check=False).stdout


def test_too_much_output_ends_it() -> None:
    finished = sh("yes", limits=Limits(wall_seconds=PATIENCE, output=MIB, may_fork=True))

    assert (finished.stopped_by, finished.stdout) == ("output", b"")


def test_what_is_said_on_stderr_is_kept_short() -> None:
    finished = sh("yes 2>/dev/null | head -c 3000000 >&2; echo end >&2")

    assert len(finished.stderr) <= 16384
    assert finished.last_words == "end"


def test_memory_is_bounded() -> None:
    finished = python("x = bytearray(900 * 2**20)", Limits(wall_seconds=PATIENCE, memory=256 * MIB))

    assert not finished.ok
    assert "MemoryError" in finished.stderr


def test_processor_time_is_bounded() -> None:
    finished = python("while True: pass", Limits(wall_seconds=PATIENCE, cpu_seconds=1))

    assert finished.stopped_by == "signal"


def test_the_size_of_files_is_bounded(tmp_path: Path) -> None:
    limits = Limits(wall_seconds=PATIENCE, file_size=MIB, may_fork=True)

    sh("head -c 5000000 /dev/zero > /out/big", mounts=Mounts(output=tmp_path), limits=limits)

    assert (tmp_path / "big").stat().st_size <= MIB


@pytest.mark.parametrize(
    "act",
    ["os.fork()", "os.posix_spawn('/usr/bin/true', ['true'], {})", "socket.socket()", "socket.socketpair()"],
)
def test_a_decoder_makes_no_process_and_no_socket(act: str) -> None:
    finished = python(f"import os, _socket as socket; {act}; print('done')")

    assert finished.stdout == b""
    assert "PermissionError" in finished.stderr


def test_a_decoder_may_have_threads() -> None:
    code = "import threading; t = threading.Thread(target=print, args=['hi']); t.start(); t.join()"

    assert python(code).stdout == b"hi\n"


def test_no_further_namespace_and_no_privilege() -> None:
    assert sh("unshare -U true").returncode != 0
    assert sh("mount -t tmpfs x /out").returncode != 0
    assert python("import os; os.setuid(0)").returncode != 0


def test_a_worker_that_is_killed_takes_its_sandbox_along(tmp_path: Path) -> None:
    mark = f"32{os.getpid() % 1000:03d}"
    code = (
        "from downloads.processing.sandbox import run, Mounts, Limits;"
        f"run(['/usr/bin/sleep', '{mark}'], Mounts(), Limits(wall_seconds=3600))"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[2])
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not _is_inside(mark):
        time.sleep(0.02)
    assert _is_inside(mark)

    worker.kill()
    worker.wait()

    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and _running(mark):
        time.sleep(0.02)
    assert _running(mark) == ""


def test_without_bubblewrap_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox._bubblewrap.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    try:
        with pytest.raises(sandbox.Unavailable, match="apt-get install bubblewrap"):
            sh("true")
    finally:
        sandbox._bubblewrap.cache_clear()


def test_where_no_namespace_can_be_made_the_mend_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    sandbox._bubblewrap.cache_clear()
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    try:
        with pytest.raises(sandbox.Unavailable, match="unprivileged user namespaces") as caught:
            sh("true")
    finally:
        sandbox._bubblewrap.cache_clear()
    assert caught.value.code == "sandbox_unavailable"


def test_an_ordinary_person_has_a_sandbox_too() -> None:
    if os.getuid() != 0:
        pytest.skip("we are one")
    form = sandbox._bubblewrap()
    finished = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *form, "--", "/usr/bin/true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
