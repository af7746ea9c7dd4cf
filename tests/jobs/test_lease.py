"""Leases kept by the keeper, lost by silence, and taken back by rescue. No test waits: renew() is called by hand."""

import threading
import time
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from jobs import services
from jobs.errors import DeadlinePassed, InvalidTransition, LeaseLost
from jobs.lease import Keeper, worker_name
from jobs.models import Event, State
from tests.jobs.app.models import Chore
from tests.jobs.conftest import claim, expire
from tests.jobs.test_claims import address

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def keeper(monkeypatch):
    """A keeper whose thread is started and never gets to renew by itself."""
    monkeypatch.setattr("jobs.lease.RENEW_EVERY_SECONDS", 3600)
    return Keeper()


@pytest.fixture
def clock(monkeypatch):
    """The keeper's own clock; `clock[0]` is what it shows."""
    shown = [time.monotonic()]
    monkeypatch.setattr("jobs.lease.time.monotonic", lambda: shown[0])
    return shown


def is_renewed(keeper, job):
    expire(job)
    keeper.renew()
    return not Chore.objects.stale().filter(pk=job.pk).exists()


def test_the_keeper_renews_what_is_held_and_nothing_else(keeper):
    held, other = claim(), claim()

    with keeper.holding(held, stall_after=MINUTE, deadline=HOUR):
        assert is_renewed(keeper, held)
        assert not is_renewed(keeper, other)
    assert not is_renewed(keeper, held)


def test_a_silent_job_is_left_to_expire_and_one_that_reports_again_in_time_is_renewed(keeper, clock):
    job = claim()

    with keeper.holding(job, stall_after=2 * MINUTE, deadline=HOUR):
        clock[0] += 119
        assert is_renewed(keeper, job)
        clock[0] += 2
        assert not is_renewed(keeper, job)
        keeper.touch(job)
        assert is_renewed(keeper, job)


def test_a_job_past_its_deadline_is_left_to_expire_however_much_it_reports(keeper, clock):
    job = claim()

    with keeper.holding(job, stall_after=HOUR, deadline=10 * MINUTE):
        clock[0] += 601
        with pytest.raises(DeadlinePassed):
            keeper.touch(job)
        assert not is_renewed(keeper, job)


@pytest.mark.parametrize("how", ["cancelled", "rescued", "taken over", "deleted"])
def test_a_job_that_is_no_longer_ours_is_noticed_at_the_next_round(keeper, how):
    job = claim()
    with keeper.holding(job, stall_after=HOUR, deadline=HOUR):
        if how == "cancelled":
            Chore.objects.get(pk=job.pk).cancel()
        elif how == "deleted":
            Chore.objects.filter(pk=job.pk).delete()
        else:
            expire(job)
            Chore.objects.rescue()
            if how == "taken over":
                Chore.objects.get(pk=job.pk).run_again()
                assert Chore.objects.claim(only=job.pk).fence == 2

        keeper.touch(job)  # not known yet
        keeper.renew()
        with pytest.raises(LeaseLost):
            keeper.touch(job)


def test_a_renewal_by_an_old_holder_does_not_prolong_the_new_ones_lease(keeper):
    old = claim()
    expire(old)
    Chore.objects.rescue()
    Chore.objects.get(pk=old.pk).run_again()
    new = Chore.objects.claim(only=old.pk)

    with keeper.holding(old, stall_after=HOUR, deadline=HOUR):
        assert not is_renewed(keeper, new)


@pytest.mark.django_db(transaction=True)
def test_a_neighbour_that_is_locked_does_not_keep_the_others_from_being_renewed(keeper):
    busy, other = claim(), claim()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")

    with keeper.holding(busy, stall_after=HOUR, deadline=HOUR), keeper.holding(other, stall_after=HOUR, deadline=HOUR):
        expire(busy)
        with psycopg.connect(**address()) as its_thread:
            its_thread.execute("SELECT 1 FROM chores_chore WHERE id = %s FOR UPDATE", [busy.pk])
            assert is_renewed(keeper, other)
            assert Chore.objects.rescue() == []  # nor can it be rescued meanwhile
        keeper.touch(busy)  # not taken for lost
        assert is_renewed(keeper, busy)


def test_one_thread_keeps_all_and_a_forked_child_starts_its_own(keeper, monkeypatch):
    def keepers():
        return [thread for thread in threading.enumerate() if thread.name == "lease-keeper" and thread not in before]

    before = threading.enumerate()
    first, second = claim(), claim()

    with keeper.holding(first, stall_after=HOUR, deadline=HOUR), keeper.holding(second, stall_after=HOUR, deadline=HOUR):
        assert len(keepers()) == 1
    monkeypatch.setattr("jobs.lease.os.getpid", lambda: -1)
    with keeper.holding(first, stall_after=HOUR, deadline=HOUR):
        assert len(keepers()) == 2


def test_the_keepers_thread_outlives_any_error(keeper, monkeypatch, caplog):
    rounds = iter([RuntimeError("engines are starting"), ZeroDivisionError(), SystemExit()])

    def renew():
        raise next(rounds)

    monkeypatch.setattr("jobs.lease.time.sleep", lambda _seconds: None)
    monkeypatch.setattr(keeper, "renew", renew)
    monkeypatch.setattr("jobs.lease.connection.close", lambda: None)

    with pytest.raises(SystemExit):
        keeper._renew_forever()

    assert caplog.text.count("Leases could not be renewed") == 2


def test_a_workers_name_says_where_it_is(settings):
    settings.WORKER_ID = "x" * 300
    assert len(worker_name()) == 120
    settings.WORKER_ID = "crawler-7"
    assert worker_name().startswith("crawler-7:")
    assert worker_name().endswith(":MainThread")


# -- rescue --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "most", "state"),
    [(1, 5, State.RETRYING), (4, 5, State.RETRYING), (5, 5, State.FAILED), (1, 1, State.FAILED), (200, 30_000, State.RETRYING)],
)
def test_rescue_retries_while_attempts_are_left_and_fails_then(attempt, most, state):
    job = claim(attempt=attempt - 1, max_attempts=most)
    expire(job)

    [rescued] = Chore.objects.rescue()

    row = Chore.objects.get(pk=job.pk)
    assert (rescued.pk, rescued.state, row.state, row.attempt, row.fence) == (job.pk, state, state, attempt, 1)
    assert (row.finalized_at is not None, row.lease_until) == (state == State.FAILED, None)
    assert (row.error_code, row.error.endswith(".")) == ("worker_lost", True)
    assert row.history[-1] | {"at": ""} == {
        "at": "",
        "event": Event.WORKER_LOST,
        "attempt": attempt,
        "by": job.worker,
        "code": "worker_lost",
    }
    longest = timedelta(seconds=min(2 * 2 ** min(attempt - 1, 16), 3600))
    assert longest / 2 - timedelta(seconds=5) <= row.scheduled_at - timezone.now() <= longest


def test_rescue_leaves_alone_what_lives_and_what_does_not_run():
    running = claim()
    ended = claim()
    ended.complete()
    Chore.objects.create(scheduled_at="2001-01-01T00:00Z")

    assert Chore.objects.rescue() == []
    assert Chore.objects.get(pk=running.pk).state == State.RUNNING


def test_history_stays_bounded_however_often_a_job_is_rescued():
    job = claim(max_attempts=30_000, history=[{"event": "completed"}] * 49)

    for _ in range(3):
        expire(job)
        Chore.objects.rescue()
        Chore.objects.get(pk=job.pk).run_again()
        job = Chore.objects.claim(only=job.pk)

    assert len(Chore.objects.get(pk=job.pk).history) == 50


def test_a_worker_that_comes_back_after_its_rescue_changes_nothing():
    job = claim()
    expire(job)
    Chore.objects.rescue()

    with pytest.raises(InvalidTransition):
        job.complete()
    with pytest.raises(LeaseLost), job.fenced():
        pytest.fail("the block was entered")

    assert Chore.objects.get(pk=job.pk).state == State.RETRYING


def test_a_worker_that_is_late_but_not_rescued_yet_may_still_end_its_job():
    job = claim()
    expire(job)

    job.complete("late")

    assert Chore.objects.rescue() == []
    assert Chore.objects.get(pk=job.pk).state == State.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_a_lease_renewed_while_rescue_looks_is_not_taken():
    """The rescue sees the row as it was, waits for nobody, and must not take what it could not lock."""
    job = claim()
    expire(job)

    with psycopg.connect(**address()) as its_keeper:
        its_keeper.execute("UPDATE chores_chore SET lease_until = now() + interval '60 s' WHERE id = %s", [job.pk])
        assert Chore.objects.rescue() == []
    assert Chore.objects.rescue() == []
    assert Chore.objects.get(pk=job.pk).state == State.RUNNING


def test_rescue_of_all_kinds_counts_them(caplog):
    for _ in range(3):
        expire(claim())

    assert services.rescue() == {"chore": 3}
    assert services.rescue() == {}
    assert "Jobs rescued" in caplog.text
