"""The life of jobs as a state machine on PostgreSQL: any order of what workers, persons and the clock may do.

A small model in Python says what must be true after each step. Workers keep their instances for ever, so most of what they
do, they do too late; persons act on what they saw some steps ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jobs import queue
from jobs.errors import InvalidTransition, LeaseLost
from jobs.models import FINAL, PausedKind, State
from jobs.statements import HISTORY_LENGTH
from tests.jobs.app.models import Chore, Entry
from tests.jobs.app.work import record
from tests.jobs.conftest import expire, make_due

NOW, LATER = timedelta(0), timedelta(hours=1)
WORKERS = st.sampled_from(["w1", "w2", "w3"])
MOST_JOBS = 4  # few, so that all meet on the same ones


@dataclass
class Truth:
    """What a row must say."""

    max_attempts: int
    priority: int
    state: State = State.PENDING
    attempt: int = 0
    fence: int = 0
    is_due: bool = True
    is_paused: bool = False
    is_expired: bool = False
    done: int = 0
    """How often its work was recorded."""

    def is_claimable(self) -> bool:
        return self.state in (State.PENDING, State.RETRYING) and self.is_due and not self.is_paused

    def is_held_by(self, job: Chore) -> bool:
        return self.state == State.RUNNING and self.fence == job.fence

    def end_attempt(self, *, is_due: bool) -> None:
        self.state = State.RETRYING if self.attempt < self.max_attempts else State.FAILED
        self.is_due = is_due


def roll_back(job: Chore) -> None:
    """Record the work, and fail before the commit."""
    try:
        with job.fenced():
            Entry.objects.create(chore=job.pk, fence=job.fence)
            job.complete("done")
            raise ZeroDivisionError
    except ZeroDivisionError:
        return


class Life(RuleBasedStateMachine):
    claims = Bundle("claims")
    """Jobs as their workers hold them, most of them lost long ago."""
    sights = Bundle("sights")
    """Jobs as persons have seen them."""

    @initialize(target=sights, most=st.lists(st.integers(1, 4), min_size=2, max_size=3))
    def begin(self, most: list[int]) -> object:
        Chore.objects.all().delete()
        Entry.objects.all().delete()
        queue._fronts.clear()
        self.truth: dict[int, Truth] = {}
        return multiple(*(self.enqueue(each, 50, True) for each in most))

    # -- what the house does

    @precondition(lambda self: len(self.truth) < MOST_JOBS)
    @rule(target=sights, most=st.integers(1, 3), priority=st.sampled_from([10, 50]), is_due=st.booleans())
    def enqueue(self, most: int, priority: int, is_due: bool) -> Chore:
        job: Chore = Chore.objects.create(max_attempts=most, priority=priority)
        self.truth[job.pk] = Truth(most, priority, is_due=is_due)
        if not is_due:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE chores_chore SET scheduled_at = now() + interval '1 hour' WHERE id = %s", [job.pk])
        return job

    @rule(what=st.sampled_from(["pauses end", "rescue", "both"]))
    def time_passes(self, what: str) -> None:
        if what != "pauses end":
            self.rescue()
        if what != "rescue":
            self.pauses_end()

    def pauses_end(self) -> None:
        make_due()
        for truth in self.truth.values():
            truth.is_due = True

    @rule()
    def claim_while_the_kind_is_paused(self) -> None:
        pause = PausedKind.objects.create(kind="chore")
        assert Chore.objects.claim_batch(9) == []
        pause.delete()

    @rule(claim=claims, then=st.sampled_from(["nothing", "rescued", "rescued long ago"]))
    def a_worker_falls_silent(self, claim: Chore, then: str) -> None:
        truth = self.truth[claim.pk]
        if truth.is_held_by(claim):
            expire(claim)
            truth.is_expired = True
        if then != "nothing":
            self.rescue()
        if then == "rescued long ago":
            self.pauses_end()

    def rescue(self) -> None:
        lost = {pk: truth for pk, truth in self.truth.items() if truth.state == State.RUNNING and truth.is_expired}

        rescued = Chore.objects.rescue()

        assert {job.pk for job in rescued} == set(lost)
        for truth in lost.values():
            truth.is_expired = False
            truth.end_attempt(is_due=False)

    # -- what workers do

    @rule(target=claims, worker=WORKERS)
    def claim_one(self, worker: str) -> object:
        queue._fronts.clear()
        claimable = [pk for pk, truth in self.truth.items() if truth.is_claimable()]

        job = Chore.objects.claim(worker=worker)

        if job is None:
            assert not claimable
            return multiple()
        assert job.priority == min(self.truth[pk].priority for pk in claimable)
        self.was_claimed(job, worker)
        return job

    @rule(target=claims, size=st.integers(1, 4), worker=WORKERS)
    def claim_some(self, size: int, worker: str) -> object:
        are_claimable = any(truth.is_claimable() for truth in self.truth.values())

        jobs = Chore.objects.claim_batch(size, worker=worker)

        assert bool(jobs) == are_claimable
        assert len({job.pk for job in jobs}) == len(jobs) <= size
        for job in jobs:
            self.was_claimed(job, worker)
        return multiple(*jobs)

    def was_claimed(self, job: Chore, worker: str) -> None:
        truth = self.truth[job.pk]
        assert truth.is_claimable()
        truth.state, truth.is_expired = State.RUNNING, False
        truth.attempt += 1
        truth.fence += 1
        assert (job.attempt, job.fence, job.worker) == (truth.attempt, truth.fence, worker)

    def works(self, claim: Chore, act: object, *arguments: object, **options: object) -> bool:
        """Do a worker's act; it must succeed exactly when that worker still holds the job."""
        assert callable(act)
        is_held = self.truth[claim.pk].is_held_by(claim)
        if self.truth[claim.pk].state == State.RUNNING == claim.state and not is_held:
            event("too late, and another one holds it")
        try:
            act(*arguments, **options)
        except (LeaseLost, InvalidTransition):
            assert not is_held
            return False
        assert is_held
        return True

    @rule(claim=claims)
    def report(self, claim: Chore) -> None:
        claim._reported_at = -1e9
        if self.works(claim, claim.report, progress=50, note="half"):
            self.truth[claim.pk].is_expired = False

    @rule(
        claim=claims,
        how=st.sampled_from(["record", "roll back", "complete", "fail", "give up", "snooze"]),
        pause=st.sampled_from([NOW, LATER]),
    )
    def end(self, claim: Chore, how: str, pause: timedelta) -> None:
        truth = self.truth[claim.pk]
        match how:
            case "record":
                if self.works(claim, record, claim):
                    truth.state = State.COMPLETED
                    truth.done += 1
            case "roll back":
                self.works(claim, roll_back, claim)
            case "complete":
                if self.works(claim, claim.complete, "ok"):
                    truth.state = State.COMPLETED
            case "fail":
                if self.works(claim, claim.fail, "reset", code="network", retry_after=pause):
                    truth.end_attempt(is_due=pause == NOW)
            case "give up":
                if self.works(claim, claim.give_up, "gone", code="gone"):
                    truth.state = State.FAILED
            case "snooze":
                if self.works(claim, claim.snooze, pause, code="rate_limited"):
                    truth.state, truth.is_due = State.PENDING, pause == NOW
                    truth.attempt -= 1

    @rule(some=st.lists(claims, min_size=1, max_size=4, unique_by=lambda job: job.pk))
    def complete_many(self, some: list[Chore]) -> None:
        held = [job for job in some if self.truth[job.pk].is_held_by(job)]
        believed = [job for job in some if job.state == State.RUNNING]

        assert Chore.objects.complete_all([(job, "ok") for job in believed]) == held

        for job in held:
            self.truth[job.pk].state = State.COMPLETED

    # -- what persons do

    @rule(sight=sights, looks_first=st.booleans(), act=st.sampled_from(["cancel", "pause", "resume", "run_again", "save"]))
    def act(self, sight: Chore, looks_first: bool, act: str) -> None:
        truth = self.truth[sight.pk]
        if looks_first:
            sight = Chore.objects.get(pk=sight.pk)
        if act == "save":
            sight.save()  # which must turn nothing back
            return
        possible = {
            "cancel": truth.state not in FINAL,
            "pause": truth.state in (State.PENDING, State.RETRYING),
            "resume": truth.state in (State.PENDING, State.RETRYING),
            "run_again": truth.state != State.RUNNING,
        }[act]
        is_as_seen = (sight.state, sight.fence) == (truth.state, truth.fence)
        try:
            getattr(sight, act)(by="ann")
        except InvalidTransition:
            assert not (possible and is_as_seen)
            return
        assert possible
        assert is_as_seen
        if act == "run_again":
            truth.attempt = 0 if truth.state in FINAL else truth.attempt
            truth.state, truth.is_due = State.PENDING, True
        elif act == "cancel":
            truth.state = State.CANCELLED
        truth.is_paused = act == "pause"

    def teardown(self) -> None:
        for truth in getattr(self, "truth", {}).values():
            event(f"ended {truth.state}")

    # -- what must always be so

    @invariant()
    def the_rows_say_what_happened(self) -> None:
        rows = {row.pk: row for row in Chore.objects.all()}
        assert set(rows) == set(self.truth), "a job was lost, or made of nothing"
        entries = list(Entry.objects.values_list("chore", "fence"))
        assert len(set(entries)) == len(entries), "one holder recorded its work twice"
        for pk, truth in self.truth.items():
            row = rows[pk]
            assert (row.state, row.fence, row.attempt) == (truth.state, truth.fence, truth.attempt)
            assert (row.paused_at is not None) == (truth.is_paused and row.state not in FINAL)
            assert row.attempt <= row.max_attempts
            assert (row.finalized_at is not None) == (row.state in FINAL)
            assert (row.lease_until is not None) == (row.state == State.RUNNING)
            assert len(row.history) <= HISTORY_LENGTH
            assert [chore for chore, _fence in entries].count(pk) == truth.done, "the work is recorded once per completion"


@pytest.mark.django_db(transaction=True)
def test_no_order_of_events_loses_doubles_or_revives_a_job():
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=100,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
