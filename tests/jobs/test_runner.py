"""How work ends, and what its end becomes when the worker, the database or the deadline is in the way."""

import dataclasses
import logging
from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError, connection

from jobs import kinds, lifecycle, runner
from jobs.errors import InvalidTransition, LeaseLost, PermanentError, Snooze, TransientError
from jobs.lease import keeper
from jobs.models import State
from jobs.runner import drain, run, run_all
from jobs.signals import job_changed
from tests.jobs.app.models import Chore, Entry
from tests.jobs.app.work import record
from tests.jobs.conftest import claim, until

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def kind(**changes):
    return dataclasses.replace(kinds.get("chore"), **changes)


def raising(error):
    def work(job):
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "state", "attempt", "code", "outcome"),
    [
        (PermanentError("gone", code="gone", outcome="missing"), State.FAILED, 1, "gone", "missing"),
        (PermanentError("no"), State.FAILED, 1, "permanent", ""),
        (TransientError("reset", code="network"), State.RETRYING, 1, "network", ""),
        (TransientError("busy", retry_after=MINUTE), State.RETRYING, 1, "transient", ""),
        (Snooze("429", retry_after=MINUTE, code="rate_limited", outcome="limited"), State.PENDING, 0, "rate_limited", "limited"),
        (OSError("reset"), State.RETRYING, 1, "internal", ""),
        (OperationalError("deadlock"), State.RETRYING, 1, "database", ""),
        (InvalidTransition("of some other job"), State.RETRYING, 1, "internal", ""),
        (AssertionError("\0"), State.RETRYING, 1, "internal", ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_error_has_its_end(error, state, attempt, code, outcome):
    job = claim()

    run(job, raising(error), kind())

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.attempt, row.error_code, row.outcome) == (state, attempt, code, outcome)
    assert row.history[-1]["attempt"] == 1


@pytest.mark.parametrize(("returned", "outcome"), [("empty", "empty"), (None, ""), ("", "")])
def test_work_that_returns_has_completed_with_its_outcome(returned, outcome):
    job = claim()

    run(job, lambda _job: returned, kind())

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.outcome, row.progress) == (State.COMPLETED, outcome, 100)


def test_the_last_attempt_fails_for_good():
    job = claim(max_attempts=1)

    run(job, raising(OSError("reset")), kind())

    assert Chore.objects.get(pk=job.pk).state == State.FAILED


@pytest.mark.parametrize("error", [Snooze("later", retry_after=MINUTE), TransientError("late"), ValueError("late"), None])
def test_what_happens_after_a_job_completed_itself_changes_nothing(error):
    """The late report of a job in a worker that shuts down put it back into the queue once."""
    job = claim()

    def work(job):
        record(job)
        if error:
            raise error
        job.report(progress=100)

    run(job, work, kind())

    assert Chore.objects.get(pk=job.pk).state == State.COMPLETED
    assert Entry.objects.count() == 1


def test_a_result_that_cannot_be_written_is_a_failure_and_not_an_end():
    job = claim()

    def work(job):
        with job.fenced():
            job.complete("done")
            Entry.objects.create(chore=None)

    run(job, work, kind())

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.error_code) == (State.RETRYING, "internal")
    assert "IntegrityError" in row.error


@pytest.mark.parametrize("act", ["cancel", "delete"])
def test_a_job_taken_away_in_the_middle_ends_nothing(act, caplog):
    job = claim()

    def work(job):
        getattr(Chore.objects.get(pk=job.pk), act)()
        job.report(progress=10)
        pytest.fail("report did not say so")

    run(job, work, kind())

    assert list(Chore.objects.values_list("state", flat=True)) == ([State.CANCELLED] if act == "cancel" else [])
    assert "no longer ours" in caplog.text


def test_a_job_cancelled_in_silence_is_not_completed_by_its_worker():
    job = claim()

    run(job, lambda job: Chore.objects.get(pk=job.pk).cancel(), kind())

    assert Chore.objects.get(pk=job.pk).state == State.CANCELLED


def test_past_its_deadline_a_job_ends_with_that_reason():
    job = claim()

    run(job, lambda job: job.report(progress=1), kind(deadline=timedelta(0)))

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.error_code) == (State.RETRYING, "deadline")


def test_a_worker_that_shuts_down_hands_its_job_back_at_the_next_report():
    job = claim()

    def work(job):
        lifecycle.stop()
        job.report(progress=10)

    run(job, work, kind())

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.attempt, row.error_code) == (State.PENDING, 0, "handed_back")
    assert list(Chore.objects.due()) == [row]


def test_a_worker_that_shuts_down_begins_nothing_more_of_its_batch():
    Chore.objects.bulk_create([Chore() for _ in range(5)])
    begun = []

    def work(job):
        begun.append(job)
        lifecycle.stop()

    run_all(Chore.objects.claim_batch(5), work, kind(batch=5))

    assert len(begun) == 1
    assert sorted(Chore.objects.values_list("state", "attempt")) == [(State.COMPLETED, 1)] + [(State.PENDING, 0)] * 4
    assert drain(kind()) == 0


def test_reports_are_written_once_a_second_with_the_latest_words(monkeypatch):
    job, clock = claim(), iter([100.0, 100.1, 100.2, 101.3])
    monkeypatch.setattr("jobs.models.time.monotonic", lambda: next(clock))
    seen = []

    for progress, note in [(5, "a"), (150, "b"), (None, "c"), (None, None)]:
        job.report(progress=progress, note=note)
        row = Chore.objects.get(pk=job.pk)
        seen.append((row.progress, row.note))

    assert seen == [(5, "a"), (5, "a"), (5, "a"), (100, "c")]


def test_a_report_renews_the_lease():
    job = claim()
    before = job.lease_until

    job.report(progress=1)

    assert Chore.objects.get(pk=job.pk).lease_until > before


# -- batches -------------------------------------------------------------------------------------------


def test_a_batch_is_recorded_together_and_each_failure_by_itself():
    Chore.objects.bulk_create([Chore(facts={"n": n}) for n in range(6)])

    def work(job):
        match job.facts["n"]:
            case 1:
                raise PermanentError("gone")
            case 3:
                record(job)
            case 4:
                Chore.objects.get(pk=job.pk).cancel()
        return f"n{job.facts['n']}"

    run_all(Chore.objects.claim_batch(10), work, kind(batch=10))

    assert list(Chore.objects.order_by("pk").values_list("state", "outcome")) == [
        (State.COMPLETED, "n0"),
        (State.FAILED, ""),
        (State.COMPLETED, "n2"),
        (State.COMPLETED, "done"),
        (State.CANCELLED, "cancelled"),
        (State.COMPLETED, "n5"),
    ]


def test_jobs_of_a_batch_that_wait_for_their_turn_keep_their_leases():
    Chore.objects.bulk_create([Chore() for _ in range(3)])
    jobs = Chore.objects.claim_batch(3)
    renewed = []

    def work(job):
        Chore.objects.update(lease_until=jobs[0].started_at)
        keeper.renew()
        renewed.append(Chore.objects.stale().count())

    run_all(jobs, work, kind(batch=3))

    assert renewed == [0, 0, 0]


# -- drain ---------------------------------------------------------------------------------------------


def test_drain_does_what_is_due_and_says_how_many(settings):
    Chore.objects.bulk_create([Chore() for _ in range(4)])
    Chore.objects.create(scheduled_at="2100-01-01T00:00Z")
    claims = []

    assert drain(kind(), most=3, on_claim=lambda: claims.append(Entry.objects.count())) == 3
    assert drain(kind()) == 1
    assert drain(kind()) == 0

    assert claims == [0, 1, 2]  # each time before the work
    assert Entry.objects.count() == 4


def test_work_that_cannot_be_imported_claims_nothing():
    Chore.objects.create()

    with pytest.raises(ImportError):
        drain(kind(work="tests.jobs.app.nothing.here"))

    assert Chore.objects.get().attempt == 0


# -- the house is told ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_every_change_is_told_after_its_commit_and_a_receiver_that_fails_harms_nobody(caplog):
    told = []

    def receive(job, **_):
        told.append((job.state, connection.in_atomic_block, Chore.objects.get(pk=job.pk).state))
        raise ZeroDivisionError

    job_changed.connect(receive, sender=Chore)
    try:
        Chore.objects.create()
        drain(kind())
        Chore.objects.get().run_again()
        lost = Chore.objects.claim()
        Chore.objects.update(lease_until=lost.started_at)
        Chore.objects.rescue()
    finally:
        job_changed.disconnect(receive, sender=Chore)

    states = [State.RUNNING, State.COMPLETED, State.PENDING, State.RUNNING, State.RETRYING]
    assert told == [(state, False, state) for state in states]


# -- the database goes away ----------------------------------------------------------------------------


def end_connection():
    """As a restart of PostgreSQL would."""
    given = connection.get_connection_params()
    names = ("dbname", "host", "port", "user", "password")
    with psycopg.connect(**{name: given[name] for name in names if name in given}) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    until(lambda: connection.connection.pgconn.status != 0 or _is_dead())


def _is_dead():
    try:
        connection.connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


@pytest.mark.django_db(transaction=True)
def test_work_that_outlives_its_connection_is_recorded_all_the_same(caplog):
    job = claim()

    def work(job):
        end_connection()
        return "done"

    run(job, work, kind())

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.outcome) == (State.COMPLETED, "done")


@pytest.mark.django_db(transaction=True)
def test_work_that_loses_its_connection_is_tried_again():
    job = claim()

    def work(job):
        end_connection()
        Entry.objects.count()

    run(job, work, kind())

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.error_code) == (State.RETRYING, "database")


@pytest.mark.django_db(transaction=True)
def test_a_connection_lost_before_the_commit_leaves_neither_result_nor_end():
    job = claim()

    def work(job):
        with job.fenced():
            Entry.objects.create(chore=job.pk, fence=job.fence)
            job.complete("done")
            end_connection()

    run(job, work, kind())

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.error_code, Entry.objects.count()) == (State.RETRYING, "database", 0)


@pytest.mark.django_db(transaction=True)
def test_an_end_that_cannot_be_recorded_for_as_long_as_the_lease_is_left_to_rescue(monkeypatch, caplog):
    job, clock = claim(), iter(range(0, 10_000, 25))
    monkeypatch.setattr("jobs.runner.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("jobs.runner.time.sleep", lambda _seconds: None)
    tries = []

    def gone():
        tries.append(1)
        raise OperationalError("the server is starting up")

    runner._record(gone, {"job": job.pk})

    assert len(tries) == 3
    assert "could not be recorded" in caplog.text
    assert Chore.objects.get(pk=job.pk).state == State.RUNNING


def test_what_kills_the_process_is_not_caught():
    job = claim()

    with pytest.raises(SystemExit):
        run(job, raising(SystemExit()), kind())

    assert Chore.objects.get(pk=job.pk).state == State.RUNNING
    with pytest.raises(LeaseLost):  # nothing is left in the keeper; rescue takes it back
        keeper_has(job)


def keeper_has(job):
    if (job._meta.label, job.pk, job.fence) not in keeper._held:
        raise LeaseLost


def test_failures_are_logged_with_their_facts(caplog):
    job = claim()

    with caplog.at_level(logging.INFO):
        run(job, raising(PermanentError("gone", code="gone")), kind())

    [entry] = [entry for entry in caplog.records if entry.name == "jobs.runner"]
    assert (entry.job, entry.kind, entry.attempt, entry.code) == (job.pk, "chore", 1, "gone")
