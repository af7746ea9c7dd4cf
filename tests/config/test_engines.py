"""The embedded servers: there when used, gone when not, whatever was killed in between."""

import os
import signal

import pytest

from config import engines
from tests.config.conftest import Machine, eventually


def test_the_servers_start_at_first_use_keep_their_data_and_leave_with_the_last_user(machine: Machine) -> None:
    first = machine.use()
    second = machine.use()
    assert machine.servers()

    first.communicate("\n")
    assert machine.ask() == "42 True"  # the second still uses them

    second.communicate("\n")
    eventually(machine.is_quiet)
    assert (machine.paths.cluster / "PG_VERSION").read_text().strip() == "18"


def test_many_programs_at_once_start_one_pair_of_servers(machine: Machine) -> None:
    programs = [machine.python("from config import engines\nengines.use()\nprint('ready')\ninput()") for _ in range(6)]

    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"

    postmasters = [line for line in machine.servers().values() if "bin/postgres -D" in line]
    redises = [line for line in machine.servers().values() if "redis-server" in line]
    assert (len(postmasters), len(redises)) == (1, 1)


def test_nothing_stays_behind_when_the_only_user_is_killed(machine: Machine) -> None:
    user = machine.use()

    user.kill()

    eventually(machine.is_quiet)


@pytest.mark.parametrize("victim", ["postgres -D", "redis-server"])
def test_a_killed_server_is_started_again_for_those_who_use_it(machine: Machine, victim: str) -> None:
    machine.use()
    (pid,) = [pid for pid, line in machine.servers().items() if victim in line]

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: any(victim in line and other != pid for other, line in machine.servers().items()))
    eventually(lambda: engines.keeper_state(machine.paths) == engines.READY)
    assert machine.ask() == "42 True"


def test_a_killed_keeper_takes_its_servers_along_and_the_next_user_starts_anew(machine: Machine) -> None:
    machine.use()
    (pid,) = [pid for pid, line in machine.servers().items() if "postgres -D" in line]
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123  (not a file of ours)
        keeper = int(stat.read().rsplit(")", 1)[1].split()[1])

    os.kill(keeper, signal.SIGKILL)

    eventually(lambda: not machine.servers())
    assert machine.ask() == "42 True"


def test_a_pid_file_left_by_a_killed_server_does_not_stop_the_next_start(machine: Machine) -> None:
    machine.use().communicate("\n")
    eventually(machine.is_quiet)
    stale = f"{os.getpid()}\n{machine.paths.cluster}\n1700000000\n5432\n{machine.paths.sockets}\n\n  1 1\nready   \n"
    pid_file = machine.paths.cluster / "postmaster.pid"
    pid_file.write_text(stale)  # the number is ours: alive, and no PostgreSQL

    assert machine.ask() == "42 True"


def test_a_cluster_whose_making_was_cut_short_is_made_again(machine: Machine) -> None:
    half = machine.paths.data_dir / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    assert machine.ask() == "42 True"


def test_only_their_owner_reaches_the_servers(machine: Machine) -> None:
    machine.use()

    assert machine.paths.sockets.stat().st_mode & 0o077 == 0
    assert machine.paths.cluster.stat().st_mode & 0o077 == 0


def test_a_server_that_cannot_start_is_an_error_with_the_reason(machine: Machine) -> None:
    machine.paths.cluster.mkdir()
    (machine.paths.cluster / "PG_VERSION").write_text("9.6\n")

    said = machine.ask()

    assert "EngineError: PostgreSQL or Redis did not start" in said
    assert "PG_VERSION" in said or "not compatible" in said or "configuration file" in said
