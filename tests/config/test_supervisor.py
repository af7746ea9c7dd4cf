"""Several programs side by side: real ones, really killed."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from config.supervisor import read_procfile
from tests.config.conftest import eventually, processes_with


@pytest.fixture
def run_supervisor(tmp_path: Path):
    """Run `code` in a process of its own (the supervisor adopts orphans, which would confuse pytest's process)."""
    started = []

    def run(code: str) -> "subprocess.Popen[str]":
        script = tmp_path / "run.py"
        script.write_text(
            "import sys, pathlib\nfrom config.supervisor import Program, Supervisor\n"
            f"folder = pathlib.Path({str(tmp_path)!r})\n" + textwrap.dedent(code)
        )
        process = subprocess.Popen(
            [sys.executable, "-u", str(script)],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_a_program_that_dies_is_started_again_after_a_growing_pause(run_supervisor) -> None:
    process = run_supervisor(
        """
        s = Supervisor([Program(name="weak", command="sh -c 'echo born; exit 3'")], cwd=folder, out=sys.stdout)
        s.handle_signals()
        s.run_until()
        s.shut_down()
        """
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(5)]

    process.terminate()
    process.communicate(timeout=120)

    assert [line for line in lines if line.startswith("weak")] == ["weak | born"] * 3
    assert [line for line in lines if line.startswith("up")] == [
        "up   | weak ended with exit code 3; starting it again in 1 s",
        "up   | weak ended with exit code 3; starting it again in 2 s",
    ]


def test_sigterm_lets_programs_finish_and_the_one_that_others_need_goes_last(run_supervisor) -> None:
    finish = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('finished'), sys.exit()))\n"
        "print('on')\n"
        "time.sleep(600)"
    )
    process = run_supervisor(
        f"""
        import shlex
        line = shlex.join([{sys.executable!r}, '-u', '-c', {finish!r}])
        programs = [Program(name="site", command=line, stops_last=True), Program(name="work", command=line)]
        s = Supervisor(programs, cwd=folder, out=sys.stdout)
        s.handle_signals()
        s.run_until()
        s.shut_down()
        """
    )
    assert process.stdout is not None
    assert sorted(process.stdout.readline().strip() for _ in range(2)) == ["site | on", "work | on"]

    process.terminate()
    said, _ = process.communicate(timeout=120)

    assert said.splitlines() == ["work | finished", "site | finished"]
    assert process.returncode == 0


def test_what_does_not_stop_is_ended_together_with_what_it_left_behind(run_supervisor, tmp_path: Path) -> None:
    mark = f"mark-{tmp_path.name}-{os.getpid()}"
    stubborn = (
        "import signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"subprocess.Popen(['sh', '-c', 'sleep 600; : {mark}'], start_new_session=True)\n"
        "print('on')\n"
        "time.sleep(600)"
    )
    process = run_supervisor(
        f"""
        import shlex
        line = shlex.join([{sys.executable!r}, '-u', '-c', {stubborn!r}])
        s = Supervisor([Program(name="stubborn", command=line)], cwd=folder, out=sys.stdout, drain_seconds=0.5)
        s.handle_signals()
        s.run_until()
        s.shut_down()
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "stubborn | on"
    eventually(lambda: len(processes_with(mark)) >= 2)

    process.terminate()
    said, _ = process.communicate(timeout=120)

    assert "stubborn is still busy; ending it" in said
    assert processes_with(mark) == {}


def test_a_second_signal_hurries(run_supervisor) -> None:
    slow = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on'); time.sleep(600)"
    process = run_supervisor(
        f"""
        import shlex
        line = shlex.join([{sys.executable!r}, '-u', '-c', {slow!r}])
        s = Supervisor([Program(name="slow", command=line)], cwd=folder, out=sys.stdout)
        s.handle_signals()
        s.run_until()
        print("draining", flush=True)
        s.shut_down()
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "slow | on"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline().strip() == "draining"
    begun = time.monotonic()

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)

    assert time.monotonic() - begun < 40  # it had 60 s


def test_a_killed_supervisor_takes_its_programs_along(run_supervisor, tmp_path: Path) -> None:
    mark = f"mark-{tmp_path.name}-{os.getpid()}"
    process = run_supervisor(
        f"""
        import shlex
        line = shlex.join([{sys.executable!r}, '-u', '-c', "print('on'); import time; time.sleep(600)  # {mark}"])
        s = Supervisor([Program(name="child", command=line)], cwd=folder, out=sys.stdout)
        s.run_until()
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "child | on"

    process.kill()

    eventually(lambda: not processes_with(f"# {mark}"))


def test_a_procfile_is_names_and_shell_lines(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("# remark\n\nweb: gunicorn --bind 0.0.0.0:$PORT\nrelease:  python manage.py prepare \n")

    assert read_procfile(path) == {"web": "gunicorn --bind 0.0.0.0:$PORT", "release": "python manage.py prepare"}
