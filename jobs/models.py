"""The life of a unit of work, as a row. Stages inherit `Job`; Celery only says "look".

pending ──claim──> running ──complete──> completed
   ^  ^               │ ├──fail, give_up──> failed        (wants a person)
   │  └──snooze───────┘ └──fail──> retrying ──claim──> running …
   │       (no attempt used)
   └── run_again ── completed | failed | cancelled        cancel: from any state that is not final
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from psycopg import errors

from jobs import kinds, lease, lifecycle, statements
from jobs.errors import HandedBack, InvalidTransition, LeaseLost
from jobs.fields import DatabaseTimeField
from jobs.nudge import nudge
from jobs.queue import COMPLETED, JobQuerySet
from jobs.retry import backoff, bounded
from jobs.signals import announce
from jobs.states import CLAIMABLE, FINAL, LIVE, POSSIBLE_IN, Event, State

__all__ = ["CLAIMABLE", "FINAL", "LIVE", "Event", "Job", "JobQuerySet", "PausedKind", "State"]

REPORT_EVERY_SECONDS = 1.0
LENGTHS = {"outcome": 30, "error_code": 40, "error": 2000, "note": 200}
HISTORY_ERROR_LENGTH = 300


class PausedKind(models.Model):
    """While a row exists, no job of that kind is claimed. What runs already goes on."""

    kind = models.CharField(_("kind"), max_length=30, primary_key=True, choices=kinds.choices)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    paused_at = models.DateTimeField(_("paused"), auto_now_add=True)

    class Meta:
        verbose_name = _("paused kind of job")
        verbose_name_plural = _("paused kinds of job")

    def __str__(self) -> str:
        return self.kind


class Job(models.Model):
    """One unit of work. Nobody assigns `state`: the methods below are its only doors."""

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING, editable=False)
    outcome = models.CharField(_("outcome"), max_length=30, blank=True, help_text=_("How it ended, in the stage's own word."))
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error = models.TextField(_("error"), blank=True)
    priority = models.SmallIntegerField(_("priority"), default=50, help_text=_("Lower runs first."))
    scheduled_at = DatabaseTimeField(_("next attempt"))
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
    created_at = DatabaseTimeField(_("created"), editable=False)
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
            # Finds the running ones for rescue too. With an index on lease_until, each renewal would write to all indexes.
            models.Index(fields=["state", "-id"], name="%(class)s_state"),
        ]

    _reported_at = 0.0
    """When report() last wrote, by time.monotonic()."""

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def save(self, *args: Any, **options: Any) -> None:
        """Of an existing row, writes what the stage added, and nothing of the job's life: others change that meanwhile."""
        if not self._state.adding and options.get("update_fields") is None:
            loaded = (field for field in self._meta.concrete_fields if field.attname in self.__dict__)
            options["update_fields"] = [field.name for field in loaded if not field.primary_key and field.name not in LIFE]
        super().save(*args, **options)

    # -- what a worker does ------------------------------------------------------------------------

    def report(self, *, progress: int | None = None, note: str | None = None) -> None:
        """Say how far the work is, which also proves that it lives and renews the lease.

        Call it often: it writes at most once a second, then the latest of what was said. Raises LeaseLost when this
        worker no longer holds the job, and Snooze when the worker is shutting down and hands the job back.
        """
        lease.keeper.touch(self)
        if lifecycle.is_stopping():
            raise HandedBack
        if progress is not None:
            self.progress = max(0, min(100, progress))
        if note is not None:
            self.note = statements.storable(note, LENGTHS["note"])
        now = time.monotonic()
        if now - self._reported_at < REPORT_EVERY_SECONDS:
            return
        facts = {"id": self.pk, "fence": self.fence, "lease": lease.LEASE_SECONDS, "progress": self.progress, "note": self.note}
        if not statements.execute(statements.report(self._meta.db_table), facts):
            raise LeaseLost(f"{self} is no longer held by this worker")
        self._reported_at = now
        announce([self])

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """A transaction that commits only if this worker still holds the job. Raises LeaseLost otherwise.

        `complete()` inside it commits the end of the job together with its result; if the transaction is rolled back, this
        instance is as it was before. Keep it short, and no network inside: nobody else can change the row meanwhile.
        """
        before = self.__dict__.copy()
        try:
            with transaction.atomic():
                if not self._held().select_for_update(no_key=True).values_list("pk").first():
                    raise LeaseLost(f"{self} is no longer held by this worker")
                yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def complete(self, outcome: str = "") -> None:
        self._move(Event.COMPLETED, State.COMPLETED, outcome=outcome, **COMPLETED)

    def fail(self, error: str, *, code: str = "internal", outcome: str = "", retry_after: timedelta | None = None) -> None:
        """Try again after a pause, or give up when the attempts are spent."""
        if self.attempt >= self.max_attempts:
            self.give_up(error, code=code, outcome=outcome)
            return
        pause = self._backoff(code) if retry_after is None else bounded(retry_after)
        self._move(Event.FAILED, State.RETRYING, error=error, error_code=code, outcome=outcome, scheduled_at=pause)

    def _backoff(self, code: str) -> timedelta:
        first = kinds.kind_of(type(self)).first_pause
        if first is None:
            return backoff(self.attempt, code)
        # Promised as it is, so nothing is taken off by chance; the kind's cap keeps them from coming back all at once.
        return backoff(self.attempt, base=first, jitter=0)

    def give_up(self, error: str, *, code: str = "permanent", outcome: str = "") -> None:
        """Failed for good: only a person makes it run again."""
        self._move(Event.GAVE_UP, State.FAILED, error=error, error_code=code, outcome=outcome)

    def snooze(self, retry_after: timedelta, *, error: str = "", code: str = "", outcome: str = "") -> None:
        """Back to pending until later, without using up the attempt."""
        self._move(
            Event.SNOOZED,
            State.PENDING,
            error=error,
            error_code=code,
            outcome=outcome,
            scheduled_at=bounded(retry_after),
            attempt=max(self.attempt - 1, 0),
        )

    # -- what a person does ------------------------------------------------------------------------

    def cancel(self, *, by: str = "") -> None:
        """Stop it now; a worker in the middle of it finds out at its next report and writes nothing."""
        self._move(Event.CANCELLED, State.CANCELLED, by=by, outcome="cancelled", paused_at=False)

    def pause(self, *, by: str = "") -> None:
        """Keep it from being claimed until resumed. Refused for a job that runs or has ended."""
        self._move(Event.PAUSED, State(self.state), by=by, paused_at=True)

    def resume(self, *, by: str = "") -> None:
        self._move(Event.RESUMED, State(self.state), by=by, paused_at=False)
        nudge(kinds.kind_of(type(self)).name)

    def run_again(self, *, by: str = "") -> None:
        """Start over with all attempts; a waiting one loses its remaining pause instead. Refused for one that runs."""
        anew: dict[str, Any] = {}
        if self.state in FINAL:
            anew = {"attempt": 0, "outcome": "", "progress": 0, "error": "", "error_code": ""}
        try:
            with transaction.atomic():
                self._move(Event.RUN_AGAIN, State.PENDING, by=by, scheduled_at=timedelta(0), paused_at=False, **anew)
        except IntegrityError as error:
            if not isinstance(error.__cause__, errors.UniqueViolation):
                raise
            raise InvalidTransition(gettext("%(job)s cannot run again: another one like it is alive.") % {"job": self}) from error
        nudge(kinds.kind_of(type(self)).name)

    # -- how a state changes -----------------------------------------------------------------------

    def _held(self) -> JobQuerySet[Self]:
        rows: JobQuerySet[Self] = type(self)._default_manager.all()  # type: ignore[assignment]  # see objects
        return rows.filter(pk=self.pk, state=State.RUNNING, fence=self.fence)

    def _move(self, event: Event, to: State, *, by: str | None = None, **changes: Any) -> None:
        """Compare and swap: one UPDATE that matches only the row as this process last saw it.

        Of the changes, `scheduled_at` is a pause from now on and `paused_at` a truth value: the database knows the time.
        """
        if self.state not in POSSIBLE_IN[event]:
            facts = {"job": self, "state": State(self.state).label, "event": event.label}
            raise InvalidTransition(gettext("%(job)s is %(state)s and cannot be %(event)s.") % facts)
        changes |= {name: statements.storable(changes[name], length) for name, length in LENGTHS.items() if name in changes}
        entry = {
            "event": event,
            "attempt": self.attempt,
            "by": self.worker if by is None else statements.storable(by, 150),
            "code": changes.get("error_code"),
            "error": changes.get("error", "")[:HISTORY_ERROR_LENGTH],
        }
        swap = {
            "id": self.pk,
            "fence": self.fence,
            "was": self.state,
            "state": to,
            "is_final": to in FINAL,
            "entry": json.dumps({name: value for name, value in entry.items() if value}),
        }
        columns = tuple(changes)
        rows = statements.execute(statements.move(self._meta.db_table, columns), changes | swap)
        if not rows:
            raise InvalidTransition(gettext("%(job)s was changed by someone else.") % {"job": self})
        times = dict(zip(statements.times(columns), rows[0], strict=True))
        self._changed(**changes | times | {"state": to})
        announce([self])

    def _changed(self, **values: Any) -> None:
        """The row was written: this instance follows."""
        for name, value in values.items():
            setattr(self, name, value)
        self.lease_until = None
        self.__dict__.pop("history", None)  # read again if somebody asks


LIFE = {field.name for field in Job._meta.local_fields} - {"priority", "max_attempts"}
"""What only claims, reports and transitions write."""
