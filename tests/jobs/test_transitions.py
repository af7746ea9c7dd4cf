"""Every act in every state, and what an act on an old sight of the row does: nothing."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from jobs.errors import InvalidTransition, LeaseLost
from jobs.models import FINAL, Event, State
from jobs.statements import HISTORY_LENGTH
from tests.jobs.app.models import Chore, Entry
from tests.jobs.conftest import claim

pytestmark = pytest.mark.django_db


def put_into(state):
    job = claim()
    match state:
        case State.PENDING:
            job.snooze(timedelta(0))
        case State.RETRYING:
            job.fail("network", retry_after=timedelta(0))
        case State.COMPLETED:
            job.complete("ok")
        case State.FAILED:
            job.give_up("gone")
        case State.CANCELLED:
            job.cancel()
    assert job.state == state
    return job


ACTS = {
    "complete": lambda job: job.complete("ok"),
    "fail": lambda job: job.fail("network", code="network"),
    "give_up": lambda job: job.give_up("gone"),
    "snooze": lambda job: job.snooze(timedelta(minutes=1)),
    "cancel": lambda job: job.cancel(by="ann"),
    "pause": lambda job: job.pause(by="ann"),
    "resume": lambda job: job.resume(by="ann"),
    "run_again": lambda job: job.run_again(by="ann"),
}
P, R, Y, C, F, X = State.PENDING, State.RUNNING, State.RETRYING, State.COMPLETED, State.FAILED, State.CANCELLED
LEADS_TO = {
    "complete": {R: C},
    "fail": {R: Y},
    "give_up": {R: F},
    "snooze": {R: P},
    "cancel": {P: X, R: X, Y: X},
    "pause": {P: P, Y: Y},
    "resume": {P: P, Y: Y},
    "run_again": {P: P, Y: P, C: P, F: P, X: P},
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("act", ACTS)
def test_each_act_is_done_where_it_makes_sense_and_refused_elsewhere(act, state):
    job = put_into(state)
    before = Chore.objects.values().get(pk=job.pk)

    if state in LEADS_TO[act]:
        ACTS[act](job)
        expected = LEADS_TO[act][state]
    else:
        with pytest.raises(InvalidTransition, match="cannot be"):
            ACTS[act](job)
        expected = state
        assert Chore.objects.values().get(pk=job.pk) == before

    row = Chore.objects.get(pk=job.pk)
    assert row.state == job.state == expected
    assert (row.finalized_at is not None) == (expected in FINAL)
    assert (row.lease_until is not None) == (expected == State.RUNNING)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", State)
def test_an_instance_knows_after_an_act_what_the_row_says(act, state):
    job = put_into(state)
    if state not in LEADS_TO[act]:
        return

    ACTS[act](job)

    row = Chore.objects.get(pk=job.pk)
    names = [field.attname for field in Chore._meta.concrete_fields]
    assert {name: getattr(job, name) for name in names} == {name: getattr(row, name) for name in names}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_on_an_old_sight_of_the_row_changes_nothing(act):
    job = claim()
    old = {P: put_into(P), Y: put_into(Y), C: put_into(C), R: job}[next(iter(LEADS_TO[act]))]
    now = Chore.objects.get(pk=old.pk)
    if now.state == State.RUNNING:
        now.fail("lost", retry_after=timedelta(0))
    elif now.state == State.COMPLETED:
        now.run_again()
    Chore.objects.claim(only=now.pk)  # by another worker
    before = Chore.objects.values().get(pk=old.pk)

    with pytest.raises(InvalidTransition, match="changed by someone else"):
        ACTS[act](old)

    assert Chore.objects.values().get(pk=old.pk) == before


def test_a_failure_with_attempts_left_is_retried_and_the_last_one_is_final():
    job = claim(max_attempts=2)

    job.fail("reset", code="network", outcome="unreachable", retry_after=timedelta(0))
    assert (job.state, job.attempt, job.error_code, job.outcome) == (State.RETRYING, 1, "network", "unreachable")

    job = Chore.objects.claim(only=job.pk)
    job.fail("reset", code="network")
    assert (job.state, job.attempt, job.finalized_at is not None) == (State.FAILED, 2, True)


def test_a_snooze_gives_the_attempt_back_and_a_claim_takes_it_again():
    job = claim(max_attempts=1)

    for _ in range(3):
        job.snooze(timedelta(0), error="429", code="rate_limited", outcome="limited")
        assert (job.state, job.attempt, job.error_code) == (State.PENDING, 0, "rate_limited")
        job = Chore.objects.claim(only=job.pk)

    assert (job.attempt, job.fence) == (1, 4)


def test_the_fence_grows_at_every_claim_and_never_goes_back():
    job = claim()
    job.cancel()
    job.run_again()
    assert (job.attempt, job.fence) == (0, 1)

    again = Chore.objects.claim(only=job.pk)

    assert (again.attempt, again.fence) == (1, 2)


def test_pauses_from_outside_cannot_push_a_job_out_of_time():
    job = claim()

    job.fail("later", retry_after=timedelta.max)

    assert timedelta(days=6) < job.scheduled_at - timezone.now() <= timedelta(days=7, seconds=5)


def test_run_again_starts_over_with_all_attempts():
    job = put_into(State.FAILED)

    job.run_again(by="ann")

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.attempt, row.error, row.error_code, row.finalized_at) == (State.PENDING, 0, "", "", None)
    assert row.history[-1]["by"] == "ann"


def test_run_again_makes_a_waiting_job_due_and_ends_its_pause():
    job = claim()
    job.fail("network", retry_after=timedelta(hours=1))
    job.pause()

    job.run_again()

    assert list(Chore.objects.due()) == [job]
    assert job.attempt == 1


def test_run_again_is_refused_while_another_one_like_it_is_alive():
    job = claim(name="kitchen")
    job.complete()
    Chore.objects.create(name="kitchen")

    with pytest.raises(InvalidTransition, match="another one like it"):
        job.run_again()

    assert job.state == Chore.objects.get(pk=job.pk).state == State.COMPLETED


def test_history_keeps_the_last_entries_with_who_and_why():
    job = claim(worker="w1")
    job.fail("reset by peer", code="network", retry_after=timedelta(0))
    for number in range(HISTORY_LENGTH):
        (job.pause if number % 2 == 0 else job.resume)(by=f"person {number}")

    history = Chore.objects.get(pk=job.pk).history

    assert len(history) == HISTORY_LENGTH
    assert history[0] == {"at": history[0]["at"], "event": Event.PAUSED, "by": "person 0", "attempt": 1}
    assert history[-1]["by"] == f"person {HISTORY_LENGTH - 1}"


def test_history_says_what_failed_and_by_which_worker():
    made = Chore.objects.create()
    job = Chore.objects.claim(only=made.pk, worker="crawl-2")

    job.fail("reset by peer", code="network")

    assert job.history[-1] | {"at": ""} == {
        "at": "",
        "event": Event.FAILED,
        "by": "crawl-2",
        "attempt": 1,
        "code": "network",
        "error": "reset by peer",
    }


@pytest.mark.parametrize(
    "text",
    ["nul \0 in it", "half a pair \ud83d", "x" * 1_000_000, "‮ right to left", "%s %(id)s {} \\u0000"],
    ids=["nul", "surrogate", "long", "rtl", "format"],
)
def test_whatever_the_words_the_end_is_recorded(text):
    job = claim()
    job.report(note=text)

    job.fail(text, code=text, outcome=text, retry_after=timedelta(0))
    job.pause(by=text)

    row = Chore.objects.get(pk=job.pk)
    assert row.state == State.RETRYING
    assert len(row.error) <= 2000
    assert row.error.startswith(text[:4])
    assert len(str(row.history)) < 2000


# -- fenced --------------------------------------------------------------------------------------------


def test_a_result_and_the_end_of_its_job_are_committed_together():
    job = claim()

    with job.fenced():
        Entry.objects.create(chore=job.pk, fence=job.fence)
        job.complete("done")

    assert Chore.objects.get(pk=job.pk).state == State.COMPLETED
    assert Entry.objects.count() == 1


def test_after_a_rollback_the_instance_is_running_again_and_can_fail():
    job = claim()

    def half() -> None:
        with job.fenced():
            Entry.objects.create(chore=job.pk, fence=job.fence)
            job.facts = {"half": "done"}
            job.complete("done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()

    assert Entry.objects.count() == 0
    assert (job.state, job.outcome, job.facts) == (State.RUNNING, "", {})
    job.fail("division", code="internal")
    assert Chore.objects.get(pk=job.pk).state == State.RETRYING


@pytest.mark.parametrize("how", ["cancel", "rescue", "taken over", "deleted"])
def test_a_worker_that_lost_its_job_writes_nothing(how):
    job = claim()
    now = Chore.objects.get(pk=job.pk)
    if how == "cancel":
        now.cancel()
    elif how == "deleted":
        now.delete()
    else:
        now.fail("worker lost", retry_after=timedelta(0))
        if how == "taken over":
            Chore.objects.claim(only=job.pk)

    with pytest.raises(LeaseLost), job.fenced():
        pytest.fail("the block was entered")
    with pytest.raises(LeaseLost):
        job.report(progress=50)
    with pytest.raises(InvalidTransition):
        job.complete()
    assert Chore.objects.complete_all([(job, "ok")]) == []


# -- rows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"state": State.COMPLETED, "finalized_at": None},
        {"state": State.PENDING, "finalized_at": timezone.now()},
        {"state": State.RUNNING, "lease_until": None},
        {"state": State.PENDING, "lease_until": timezone.now()},
    ],
    ids=["final without its time", "time without being final", "running without lease", "lease without running"],
)
def test_the_database_refuses_a_row_that_contradicts_itself(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Chore.objects.create(**fields)


def test_saving_an_old_instance_does_not_turn_back_the_job():
    old = Chore.objects.create()
    Chore.objects.claim(only=old.pk)

    old.facts, old.priority = {"room": "kitchen"}, 7
    old.save()

    row = Chore.objects.get(pk=old.pk)
    assert (row.state, row.fence, row.attempt) == (State.RUNNING, 1, 1)
    assert (row.facts, row.priority) == ({"room": "kitchen"}, 7)


def test_the_times_of_a_new_job_are_the_databases_whatever_this_machine_believes(time_machine):
    time_machine.move_to("2031-05-05")

    job = Chore.objects.create()
    several = Chore.objects.bulk_create([Chore(), Chore()])

    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp(), clock_timestamp()")
        before, after = cursor.fetchone()
    assert all(before <= at <= after for each in (job, *several) for at in (each.scheduled_at, each.created_at))
    assert Chore.objects.due().count() == 3
