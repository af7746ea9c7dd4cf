"""Nudges: after the commit, coalesced, and harmless whatever becomes of Redis."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from config.settings import BASE_DIR
from jobs import nudge, services, tasks
from jobs.models import PausedKind, State
from tests.jobs.app.models import Chore, Entry
from tests.jobs.conftest import Redis, claim, expire


def is_in_flight():
    return bool(nudge._redis().exists(nudge._key("chore")))


@pytest.fixture(autouse=True)
def _none_in_flight():
    nudge.received("chore")


# -- with a Redis that answers -------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_nudge_goes_out_after_the_commit():
    with transaction.atomic():
        nudge.nudge("chore")
        assert not is_in_flight()

    assert is_in_flight()


@pytest.mark.django_db(transaction=True)
def test_a_nudge_of_a_transaction_that_failed_does_not_go_out():
    with transaction.atomic():
        nudge.nudge("chore")
        transaction.set_rollback(True)

    assert not is_in_flight()


@pytest.mark.django_db
def test_nudges_are_one_until_a_worker_looks():
    assert nudge.send("chore")
    assert not nudge.send("chore")

    nudge.received("chore")

    assert nudge.send("chore")


@pytest.mark.django_db(transaction=True)
def test_a_nudge_for_a_kind_that_does_not_exist_breaks_nothing():
    nudge.nudge("nothing")
    tasks.drain_kind("nothing")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["run_again", "resume"])
def test_a_job_that_a_person_sets_going_is_told_to_a_worker(act):
    job = Chore.objects.create()
    job.pause()
    assert not is_in_flight()

    getattr(job, act)()

    assert is_in_flight()


@pytest.mark.django_db(transaction=True)
def test_a_message_is_worked_off_and_wakes_another_worker_while_there_is_more():
    Chore.objects.bulk_create([Chore() for _ in range(3)])

    tasks.drain_kind("chore")

    assert Entry.objects.count() == 3
    assert is_in_flight()


@pytest.mark.django_db(transaction=True)
def test_a_message_that_finds_nothing_to_claim_wakes_nobody():
    """Else a paused kind with two due jobs keeps all workers busy with waking each other."""
    Chore.objects.bulk_create([Chore() for _ in range(3)])
    PausedKind.objects.create(kind="chore")

    tasks.drain_kind("chore")

    assert Entry.objects.count() == 0
    assert not is_in_flight()


@pytest.mark.django_db(transaction=True)
def test_the_dispatch_pass_finds_what_was_missed():
    assert services.dispatch() == {}
    job = claim()
    expire(job)
    Chore.objects.create()

    assert services.dispatch() == {"rescued_chore": 1, "nudged_chore": 1}
    assert Chore.objects.get(pk=job.pk).state == State.RETRYING

    nudge.received("chore")
    PausedKind.objects.create(kind="chore")
    assert services.dispatch() == {}


# -- with a Redis that does not ------------------------------------------------------------------------


class Nudger:
    """A process that nudges by the given Redis when told to."""

    def __init__(self, redis_url: str) -> None:
        env = {"REDIS_URL": redis_url, "DJANGO_SETTINGS_MODULE": "tests.settings", "LOG_LEVEL": "critical"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.nudger"],
            cwd=BASE_DIR,
            env=os.environ | env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def call(self, word: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture
def nudger(own_redis: Redis) -> Iterator[Nudger]:
    nudger = Nudger(own_redis.url)
    yield nudger
    nudger.process.kill()
    nudger.process.communicate()


def messages(server: Redis) -> Any:
    with server.client() as client:
        return client.llen("upkeep")


def test_a_nudge_never_raises_and_nobody_waits_for_it_long(nudger, own_redis):
    assert nudger.call("nudge")["answer"] is True
    assert messages(own_redis) == 1
    nudger.call("received")

    own_redis.send(signal.SIGSTOP)  # hung: it takes connections and does not answer
    hung, after_it, received = nudger.call("nudge"), nudger.call("nudge"), nudger.call("received")
    own_redis.send(signal.SIGCONT)
    assert (hung["answer"], after_it["answer"], received["answer"]) == (False, False, None)
    assert hung["seconds"] < 3  # the broker's own time-outs would add up to more
    assert after_it["seconds"] < hung["seconds"]

    nudger.call("forget")
    nudger.call("received")
    assert nudger.call("nudge")["answer"] is True

    own_redis.kill()
    nudger.call("forget")
    assert nudger.call("nudge")["answer"] is False
    assert nudger.call("received")["answer"] is None

    own_redis.start()  # and it has forgotten everything
    assert nudger.call("nudge")["answer"] is False  # resting
    nudger.call("forget")
    assert nudger.call("nudge")["answer"] is True
    assert messages(own_redis) == 1
