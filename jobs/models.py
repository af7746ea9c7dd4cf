"""The life of a unit of work, as a row. Stages inherit `Job`; Celery only says "look".

pending ──claim──> running ──complete──> completed
   ^  ^               │ ├──fail, give_up──> failed        (wants a person)
   │  └──snooze───────┘ └──fail──> retrying ──claim──> running …
   │       (no attempt used)
   └── run_again ── completed | failed | cancelled        cancel: from any state that is not final
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.db import IntegrityError, connections, models, router, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs import lease, lifecycle
from jobs.errors import InvalidTransition, LeaseLost, Snooze
from jobs.fields import append_history
from jobs.retry import backoff
from jobs.signals import job_changed


class State(models.TextChoices):
    PENDING = "pending", _("pending")  # may run at scheduled_at
    RUNNING = "running", _("running")  # a worker holds the lease
    RETRYING = "retrying", _("retrying")  # failed, will try again at scheduled_at
    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")  # gave up, wants a person
    CANCELLED = "cancelled", _("cancelled")  # a person stopped it


CLAIMABLE = (State.PENDING, State.RETRYING)
FINAL = (State.COMPLETED, State.FAILED, State.CANCELLED)
TRANSITIONS: dict[State, set[State]] = {
    State.PENDING: {State.PENDING, State.CANCELLED},
    State.RUNNING: {State.PENDING, State.RETRYING, State.COMPLETED, State.FAILED, State.CANCELLED},
    State.RETRYING: {State.PENDING, State.RETRYING, State.CANCELLED},
    State.COMPLETED: {State.PENDING},
    State.FAILED: {State.PENDING},
    State.CANCELLED: {State.PENDING},
}
"""What may follow what. Running is entered only by a claim, which is one SQL statement of its own."""

REPORT_EVERY_SECONDS = 1.0

J = TypeVar("J", bound="Job")


class PausedKind(models.Model):
    """While a row exists, no job of that kind is claimed. What runs already goes on."""

    kind = models.CharField(_("kind"), max_length=30, primary_key=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    paused_at = models.DateTimeField(_("paused"), auto_now_add=True)

    class Meta:
        verbose_name = _("paused kind of job")
        verbose_name_plural = _("paused kinds of job")

    def __str__(self) -> str:
        return self.kind


class JobQuerySet(models.QuerySet[J]):
    def live(self) -> Self:
        """Not ended yet."""
        return self.exclude(state__in=FINAL)

    def due(self) -> Self:
        """May be claimed now. The kind's own pause is not looked at here, but at the claim."""
        return self.filter(state__in=CLAIMABLE, paused_at__isnull=True, scheduled_at__lte=Now())

    def waiting(self) -> Self:
        """Accepted and not being worked on."""
        return self.filter(state__in=CLAIMABLE)

    def stale(self) -> Self:
        """Held by a worker that stopped renewing its lease."""
        return self.filter(state=State.RUNNING, lease_until__lt=Now())

    def claim(self, *, kind: str = "", worker: str = "") -> J | None:
        """Take the next due job, or None. Safe to call from many workers at once."""
        claimed = self.claim_batch(1, kind=kind, worker=worker)
        return claimed[0] if claimed else None

    def claim_batch(self, size: int, *, kind: str = "", worker: str = "") -> list[J]:
        """Take up to `size` due jobs in one statement and one commit, most urgent first.

        Nothing is claimed while `kind` is paused. The queryset's own filters do not apply: the
        statement is written out because its ORDER BY must match the partial index exactly.
        """
        connection = connections[router.db_for_write(self.model)]
        columns = [field.column for field in self.model._meta.concrete_fields]
        with connection.cursor() as cursor:
            cursor.execute(
                claim_sql(self.model._meta.db_table, tuple(columns)),
                {
                    "kind": kind,
                    "size": size,
                    "worker": worker or lease.worker_name(),
                    "lease": lease.LEASE_SECONDS,
                },
            )
            rows = cursor.fetchall()
        names = [field.attname for field in self.model._meta.concrete_fields]
        jobs = [self.model.from_db(connection.alias, names, row) for row in rows]
        jobs.sort(key=lambda job: (job.priority, job.scheduled_at, job.pk))
        for job in jobs:
            job_changed.send_robust(sender=self.model, job=job)
        return jobs


@functools.cache
def claim_sql(table: str, columns: tuple[str, ...]) -> str:
    # MATERIALIZED: as a plain sub-select the planner may run it again per row and claim more than LIMIT.
    return f"""
        WITH next AS MATERIALIZED (
            SELECT id FROM "{table}"
            WHERE state IN ('pending', 'retrying') AND paused_at IS NULL AND scheduled_at <= now()
              AND NOT EXISTS (SELECT 1 FROM jobs_pausedkind WHERE kind = %(kind)s)
            ORDER BY priority, scheduled_at, id
            LIMIT %(size)s
            FOR UPDATE SKIP LOCKED
        )
        UPDATE "{table}" AS job
        SET state = 'running', fence = fence + 1, attempt = attempt + 1, worker = %(worker)s,
            started_at = now(), lease_until = now() + make_interval(secs => %(lease)s),
            progress = 0, note = ''
        FROM next WHERE job.id = next.id
        RETURNING {", ".join(f'job."{column}"' for column in columns)}
    """


class Job(models.Model):
    """One unit of work. Nobody assigns `state`: the methods below are its only doors."""

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING, editable=False)
    outcome = models.CharField(_("outcome"), max_length=30, blank=True, help_text=_("How it ended, in the stage's own word."))
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error = models.TextField(_("error"), blank=True)
    priority = models.SmallIntegerField(_("priority"), default=50, help_text=_("Lower runs first."))
    scheduled_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    max_attempts = models.PositiveSmallIntegerField(_("most attempts"), default=5)
    fence = models.PositiveBigIntegerField(
        default=0, editable=False, help_text=_("Grows at every claim; voids the writes of a late worker.")
    )
    worker = models.CharField(_("worker"), max_length=120, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True, editable=False)
    progress = models.PositiveSmallIntegerField(_("progress"), default=0, help_text=_("Percent."))
    note = models.CharField(_("doing"), max_length=200, blank=True)
    history = models.JSONField(
        _("history"), default=list, blank=True, editable=False,
        help_text=_("The last 50 ends of an attempt and acts of a person, oldest first."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    finalized_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=FINAL, finalized_at__isnull=False) | (~Q(state__in=FINAL) & Q(finalized_at__isnull=True)),
                name="%(class)s_finalized_at_iff_final",
            ),
            models.CheckConstraint(
                condition=Q(state=State.RUNNING, lease_until__isnull=False)
                | (~Q(state=State.RUNNING) & Q(lease_until__isnull=True)),
                name="%(class)s_leased_iff_running",
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "scheduled_at", "id"],
                condition=Q(state__in=CLAIMABLE, paused_at__isnull=True),
                name="%(class)s_due",
            ),
            models.Index(fields=["lease_until"], condition=Q(state=State.RUNNING), name="%(class)s_leased"),
            models.Index(fields=["state", "-id"], name="%(class)s_state"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    # -- what a worker does ------------------------------------------------------------------------

    def report(self, *, progress: int | None = None, note: str | None = None) -> None:
        """Say how far the work is, which also proves that it lives and renews the lease.

        Call it often: it writes at most once a second. Raises LeaseLost when this worker no longer
        holds the job, and Snooze when the worker is shutting down and hands the job back.
        """
        lease.keeper.touch(self)
        if lifecycle.is_stopping():
            raise Snooze(
                "The worker is shutting down; the job goes on elsewhere.",
                retry_after=timedelta(0),
                code="handed_back",
            )
        now = time.monotonic()
        if now - getattr(self, "_reported_at", 0.0) < REPORT_EVERY_SECONDS:
            return
        self._reported_at = now
        changes: dict[str, Any] = {"lease_until": Now() + timedelta(seconds=lease.LEASE_SECONDS)}
        if progress is not None:
            changes["progress"] = self.progress = max(0, min(100, progress))
        if note is not None:
            changes["note"] = self.note = note[:200]
        if not self._held().update(**changes):
            raise LeaseLost(f"{self} is no longer held by this worker")
        self._announce()

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """A transaction that commits only if this worker still holds the job. Raises LeaseLost otherwise.

        Keep it short, and no network inside: the heartbeat waits for this row's lock.
        """
        with transaction.atomic():
            if not self._held().select_for_update().values_list("pk").first():
                raise LeaseLost(f"{self} is no longer held by this worker")
            yield

    def complete(self, outcome: str = "") -> None:
        self._move(State.COMPLETED, "completed", outcome=outcome, progress=100, error="", error_code="", note="")

    def fail(self, error: str, *, code: str = "internal", outcome: str = "", retry_after: timedelta | None = None) -> None:
        """Try again after a pause, or give up when the attempts are spent."""
        if self.attempt >= self.max_attempts:
            self.give_up(error, code=code, outcome=outcome)
            return
        pause = backoff(self.attempt, code) if retry_after is None else retry_after
        self._move(
            State.RETRYING,
            "failed",
            error=error,
            error_code=code,
            outcome=outcome,
            scheduled_at=Now() + pause,
        )

    def give_up(self, error: str, *, code: str = "permanent", outcome: str = "") -> None:
        """Failed for good: only a person makes it run again."""
        self._move(State.FAILED, "gave up", error=error, error_code=code, outcome=outcome)

    def snooze(self, retry_after: timedelta, *, error: str = "", code: str = "", outcome: str = "") -> None:
        """Back to pending until later, without using up the attempt."""
        self._move(
            State.PENDING,
            "snoozed",
            error=error,
            error_code=code,
            outcome=outcome,
            scheduled_at=Now() + retry_after,
            attempt=max(self.attempt - 1, 0),
        )

    # -- what a person does ------------------------------------------------------------------------

    def cancel(self, *, by: str = "") -> None:
        """Stop it now; a worker in the middle of it finds out at its next report and writes nothing."""
        self._move(State.CANCELLED, "cancelled", by=by, outcome="cancelled")

    def pause(self, *, by: str = "") -> None:
        """Keep it from being claimed until resumed. Refused for a job that runs or has ended."""
        self._require(CLAIMABLE, "paused")
        self._move(State(self.state), "paused", by=by, paused_at=Now())

    def resume(self, *, by: str = "") -> None:
        self._require(CLAIMABLE, "resumed")
        self._move(State(self.state), "resumed", by=by, paused_at=None)

    def run_again(self, *, by: str = "") -> None:
        """Start over with all attempts; a waiting one loses its remaining pause instead."""
        changes: dict[str, Any] = {"scheduled_at": Now(), "paused_at": None}
        if self.state in FINAL:
            changes |= {"attempt": 0, "outcome": "", "progress": 0, "error": "", "error_code": ""}
        try:
            with transaction.atomic():
                self._move(State.PENDING, "run again", by=by, **changes)
        except IntegrityError as error:
            raise InvalidTransition(f"{self} cannot run again: another one like it is alive") from error

    # -- how a state changes -----------------------------------------------------------------------

    def _held(self) -> JobQuerySet[Self]:
        rows: JobQuerySet[Self] = type(self)._default_manager.all()  # type: ignore[assignment]  # see objects
        return rows.filter(pk=self.pk, state=State.RUNNING, fence=self.fence)

    def _require(self, states: tuple[State, ...], verb: str) -> None:
        if self.state not in states:
            raise InvalidTransition(f"{self} is {self.state} and cannot be {verb}")

    def _move(self, to: State, event: str, *, by: str = "", **changes: Any) -> None:
        """Compare and swap: one UPDATE that matches only the row as this process last saw it."""
        if to not in TRANSITIONS[State(self.state)]:
            raise InvalidTransition(f"{self} is {self.state} and cannot become {to}")
        changes |= {
            "state": to,
            "lease_until": None,
            "finalized_at": Now() if to in FINAL else None,
            "history": append_history(
                event=event,
                attempt=self.attempt,
                by=by or self.worker,
                code=changes.get("error_code", ""),
                error=changes.get("error", ""),
            ),
        }
        if to in FINAL:
            changes["paused_at"] = None
        unchanged = Q(pk=self.pk, state=self.state, fence=self.fence)
        if not type(self)._default_manager.filter(unchanged).update(**changes):
            raise InvalidTransition(f"{self} was changed by someone else")
        for name, value in changes.items():
            if hasattr(value, "resolve_expression"):
                self.__dict__.pop(name, None)  # computed by the database: read again only if somebody asks
            else:
                setattr(self, name, value)
        self._announce()

    def _announce(self) -> None:
        sender = type(self)
        transaction.on_commit(lambda: job_changed.send_robust(sender=sender, job=self), robust=True)
