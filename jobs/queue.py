"""Jobs seen together: which are due, claiming them, completing and rescuing many at once."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models, transaction
from django.db.models.functions import Now

from jobs import kinds, lease, statements
from jobs.retry import BASE_SECONDS
from jobs.signals import announce
from jobs.states import CLAIMABLE, LIVE, Event, State

if TYPE_CHECKING:
    from jobs.models import Job

J = TypeVar("J", bound="Job")

EVERYTHING = "-infinity"
FRONT_SECONDS = 1.0
COMPLETED: dict[str, Any] = {"progress": 100, "error": "", "error_code": "", "note": ""}
WORKER_LOST = "The worker stopped without saying how the job went."

_fronts: dict[type[models.Model], tuple[Any, float]] = {}
"""By model: the earliest `scheduled_at` of this process's last claim, and until when to rely on it."""


class JobQuerySet(models.QuerySet[J]):
    def live(self) -> Self:
        """Not ended yet."""
        return self.filter(state__in=LIVE)

    def due(self) -> Self:
        """May be claimed now. The kind's own pause is not looked at here, but at the claim."""
        return self.filter(state__in=CLAIMABLE, paused_at__isnull=True, scheduled_at__lte=Now())

    def waiting(self) -> Self:
        """Accepted and not being worked on."""
        return self.filter(state__in=CLAIMABLE)

    def stale(self) -> Self:
        """Held by a worker that stopped renewing its lease."""
        return self.filter(state=State.RUNNING, lease_until__lt=Now())

    # The others write their SQL themselves (jobs/statements.py): filters of the queryset do not apply to them.

    def claim(self, *, only: int | None = None, worker: str = "") -> J | None:
        """Take the next due job, or, if it is due, the one whose key is `only`. Safe to call from many workers at once.

        None if there is nothing to take, which is always so while the kind is paused.
        """
        claimed = self._claim(1, only=only, worker=worker)
        return claimed[0] if claimed else None

    def claim_batch(self, size: int, *, worker: str = "") -> list[J]:
        """Take up to `size` due jobs in one statement and one commit, most urgent first."""
        return self._claim(size, only=None, worker=worker)

    def _claim(self, size: int, *, only: int | None, worker: str) -> list[J]:
        kind = kinds.kind_of(self.model)
        if kind.most_running is None:
            return self._take(kind, size, only=only, worker=worker)
        # One claim at a time: two that counted at the same moment would together take one too many.
        most = kind.most_running()
        with transaction.atomic():
            room = statements.room(self.model._meta.db_table, kind.name, most)
            return self._take(kind, min(size, room), only=only, worker=worker) if room > 0 else []

    def _take(self, kind: kinds.JobKind, size: int, *, only: int | None, worker: str) -> list[J]:
        columns = _shape(self.model).columns
        sql = statements.claim(self.model._meta.db_table, columns, size, is_of_one=only is not None)
        facts: dict[str, Any] = {
            "kind": kind.name,
            "worker": worker or lease.worker_name(),
            "lease": lease.LEASE_SECONDS,
        }
        if only is not None:
            facts["id"] = only
        # Claims leave dead entries at the front of the index. While an old snapshot somewhere keeps them there, each claim
        # would wade through all of them; so it begins where this process's last one ended, and at the very front once a
        # second. The price: a job that comes in before that point waits for up to that second.
        front, until = _fronts.pop(self.model, (EVERYTHING, 0.0))
        if only is not None or time.monotonic() > until:
            front, until = EVERYTHING, time.monotonic() + FRONT_SECONDS
        jobs = self._fetch(sql, facts | {"front": front})
        if not jobs and front is not EVERYTHING:
            jobs = self._fetch(sql, facts | {"front": EVERYTHING})
        if jobs and only is None:
            _fronts[self.model] = (min(job.scheduled_at for job in jobs), until)
        jobs.sort(key=lambda job: (job.priority, job.scheduled_at, job.pk))
        return jobs

    def complete_all(self, results: Sequence[tuple[J, str]]) -> list[J]:
        """Complete many running jobs, each with its outcome, in one commit; return those that were still held."""
        parameters: dict[str, Any] = {
            "ids": statements.numbers(job.pk for job, _ in results),
            "fences": statements.numbers(job.fence for job, _ in results),
            "outcomes": json.dumps([statements.storable(outcome, 30) for _, outcome in results]),
            "entry": json.dumps({"event": Event.COMPLETED}),
        }
        ended = dict(statements.execute(statements.complete_all(self.model._meta.db_table), parameters))
        completed = [(job, outcome) for job, outcome in results if job.pk in ended]
        for job, outcome in completed:
            job._changed(**COMPLETED, state=State.COMPLETED, outcome=outcome, finalized_at=ended[job.pk])
        jobs = [job for job, _ in completed]
        announce(jobs)
        return jobs

    def rescue(self) -> list[J]:
        """Take back the jobs whose lease ran out: those with attempts left are retried soon, the others have failed."""
        entry = {"event": Event.WORKER_LOST, "code": "worker_lost"}
        parameters = {"base": BASE_SECONDS["worker_lost"], "error": WORKER_LOST, "entry": json.dumps(entry)}
        return self._fetch(statements.rescue(self.model._meta.db_table, _shape(self.model).columns), parameters)

    def _fetch(self, sql: str, parameters: dict[str, Any]) -> list[J]:
        """Run a statement that changes jobs and returns them whole; say that they changed."""
        shape = _shape(self.model)
        jobs = [
            self.model.from_db(DEFAULT_DB_ALIAS, shape.names, shape.convert(row)) for row in statements.execute(sql, parameters)
        ]
        announce(jobs)
        return jobs


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows of a model become instances, worked out once."""

    names: list[str]
    columns: tuple[str, ...]
    converted: list[tuple[int, Any, list[Any]]]
    """Position, field and converters of those values that are not what the driver returns, such as JSON."""

    def convert(self, row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        for position, expression, converters in self.converted:
            for converter in converters:
                values[position] = converter(values[position], expression, connection)
        return values


@cache
def _shape(model: "type[Job]") -> Shape:
    fields = model._meta.concrete_fields
    converted = [(place, field.cached_col, field.get_db_converters(connection)) for place, field in enumerate(fields)]
    return Shape(
        [field.attname for field in fields],
        tuple(str(field.column) for field in fields),
        [entry for entry in converted if entry[2]],
    )
