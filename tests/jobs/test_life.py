"""The life of jobs as a state machine on PostgreSQL: any order of what workers, persons and the clock may do.

A small model in Python says what must be true after each step. Workers keep their instances for ever, so most of what they
do, they do too late; persons act on what they saw some steps ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
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
        return self.state == State.RUNNING == job.state and self.fence == job.fence

    def end_attempt(self, *, is_due: bool) -> None:
        self.state = State.RETRYING if self.attempt < self.max_attempts else State.FAILED
        self.is_due = is_due


class Life(RuleBasedStateMachine):
    claims = Bundle("claims")
    """Jobs as their workers hold them, most of them lost long ago."""
    sights = Bundle("sights")
    """Jobs as persons have seen them."""

    @initialize()
    def begin(self) -> None:
        Chore.objects.all().delete()
        Entry.objects.all().delete()
        PausedKind.objects.all().delete()
        queue._fronts.clear()
        self.truth: dict[int, Truth] = {}
        self.is_paused = False

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

    @rule()
    def pauses_are_over(self) -> None:
        make_due()
        for truth in self.truth.values():
            truth.is_due = True

    @rule(is_paused=st.booleans())
    def pause_the_kind(self, is_paused: bool) -> None:
        if is_paused:
            PausedKind.objects.get_or_create(kind="chore")
        else:
            PausedKind.objects.all().delete()
        self.is_paused = is_paused

    @rule(claim=claims)
    def a_worker_falls_silent(self, claim: Chore) -> None:
        truth = self.truth[claim.pk]
        if truth.is_held_by(claim):
            expire(claim)
            truth.is_expired = True

    @rule(is_long_ago=st.booleans())
    def rescue(self, is_long_ago: bool) -> None:
        lost = {pk: truth for pk, truth in self.truth.items() if truth.state == State.RUNNING and truth.is_expired}

        rescued = Chore.objects.rescue()

        assert {job.pk for job in rescued} == set(lost)
        for truth in lost.values():
            truth.is_expired = False
            truth.end_attempt(is_due=False)
        if is_long_ago:
            self.pauses_are_over()

    # -- what workers do

    @rule(target=claims, size=st.integers(1, 4), worker=st.sampled_from(["w1", "w2", "w3"]), has_just_looked=st.booleans())
    def claim(self, size: int, worker: str, has_just_looked: bool) -> object:
        if not has_just_looked:
            queue._fronts.clear()
        claimable = {pk for pk, truth in self.truth.items() if truth.is_claimable() and not self.is_paused}

        jobs = Chore.objects.claim_batch(size, worker=worker)

        assert bool(jobs) == bool(claimable)
        assert {job.pk for job in jobs} <= claimable
        assert len({job.pk for job in jobs}) == len(jobs) <= size
        if not has_just_looked and jobs:
            assert self.truth[jobs[0].pk].priority == min(self.truth[pk].priority for pk in claimable)
        for job in jobs:
            truth = self.truth[job.pk]
            truth.state, truth.is_expired = State.RUNNING, False
            truth.attempt += 1
            truth.fence += 1
            assert (job.attempt, job.fence, job.worker) == (truth.attempt, truth.fence, worker)
        return multiple(*jobs)

    def works(self, claim: Chore, act: object, *arguments: object, **options: object) -> bool:
        """Do a worker's act; it must succeed exactly when that worker still holds the job."""
        assert callable(act)
        is_held = self.truth[claim.pk].is_held_by(claim)
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

    @rule(claim=claims)
    def do_the_work(self, claim: Chore) -> None:
        if self.works(claim, record, claim):
            truth = self.truth[claim.pk]
            truth.state, truth.is_expired = State.COMPLETED, False
            truth.done += 1

    @rule(claim=claims)
    def do_the_work_and_be_rolled_back(self, claim: Chore) -> None:
        def half() -> None:
            with claim.fenced():
                Entry.objects.create(chore=claim.pk, fence=claim.fence)
                claim.complete("done")
                raise ZeroDivisionError

        try:
            self.works(claim, half)
        except ZeroDivisionError:
            assert self.truth[claim.pk].is_held_by(claim)

    @rule(claim=claims)
    def complete(self, claim: Chore) -> None:
        if self.works(claim, claim.complete, "ok"):
            self.truth[claim.pk].state = State.COMPLETED

    @rule(some=st.lists(claims, min_size=1, max_size=4, unique_by=lambda job: job.pk))
    def complete_many(self, some: list[Chore]) -> None:
        held = [job for job in some if self.truth[job.pk].is_held_by(job)]
        believed = [job for job in some if job.state == State.RUNNING]

        assert Chore.objects.complete_all([(job, "ok") for job in believed]) == held

        for job in held:
            self.truth[job.pk].state = State.COMPLETED

    @rule(claim=claims, pause=st.sampled_from([NOW, LATER]))
    def fail(self, claim: Chore, pause: timedelta) -> None:
        if self.works(claim, claim.fail, "reset", code="network", retry_after=pause):
            self.truth[claim.pk].end_attempt(is_due=pause == NOW)

    @rule(claim=claims)
    def give_up(self, claim: Chore) -> None:
        if self.works(claim, claim.give_up, "gone", code="gone"):
            self.truth[claim.pk].state = State.FAILED

    @rule(claim=claims, pause=st.sampled_from([NOW, LATER]))
    def snooze(self, claim: Chore, pause: timedelta) -> None:
        if self.works(claim, claim.snooze, pause, code="rate_limited"):
            truth = self.truth[claim.pk]
            truth.state, truth.is_due = State.PENDING, pause == NOW
            truth.attempt -= 1

    # -- what persons do

    @rule(target=sights, sight=consumes(sights))
    def look_again(self, sight: Chore) -> Chore:
        job: Chore = Chore.objects.get(pk=sight.pk)
        return job

    @rule(sight=sights, act=st.sampled_from(["cancel", "pause", "resume", "run_again"]))
    def act(self, sight: Chore, act: str) -> None:
        truth = self.truth[sight.pk]
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

    @precondition(lambda self: self.truth)
    @rule(sight=sights)
    def save_an_old_instance(self, sight: Chore) -> None:
        sight.save()

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
            max_examples=80,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
