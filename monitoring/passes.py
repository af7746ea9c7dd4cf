"""The record of upkeep: a row per pass, a pulse per task, and one pass of a kind at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from monitoring.models import Pass, Pulse

KEEP = timedelta(days=30)
MOST_PER_NAME = 2000


class record:  # reads as a verb: `with record("cleanup") as counts`
    """Record a pass: `with record("cleanup") as counts: counts["videos"] = 3`. Errors are recorded and go on rising.

    A quiet pass leaves a row only when it counted something or failed; its pulse is always kept.
    """

    def __init__(self, name: str, *, quiet: bool = False) -> None:
        self.name = name
        self.quiet = quiet
        self.counts: dict[str, Any] = {}
        self.row: Pass | None = None

    def __enter__(self) -> dict[str, Any]:
        self.started_at = timezone.now()
        if not self.quiet:  # visible while it runs; a row without an end was cut off
            self.row = Pass.objects.create(name=self.name, started_at=self.started_at)
        return self.counts

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        ended_at = timezone.now()
        sentence = "" if error is None else f"{type(error).__name__}: {error}"[:2000]
        if self.row is None and (sentence or any(self.counts.values())):
            self.row = Pass(name=self.name, started_at=self.started_at)
        if self.row is not None:
            self.row.ended_at, self.row.counts, self.row.error = ended_at, self.counts, sentence
            self.row.save()
        facts = {
            "ended_at": ended_at,
            "seconds": (ended_at - self.started_at).total_seconds(),
            "counts": self.counts,
            "error": sentence,
        }
        if not sentence:
            facts["ended_well_at"] = ended_at
        Pulse.objects.update_or_create(name=self.name, defaults=facts)


def last_good(name: str) -> datetime | None:
    """When the last pass of this name that ended well had begun to count; None: there was none."""
    pulse = Pulse.objects.filter(name=name).first()
    return pulse.ended_well_at if pulse else None


def in_words(counts: dict[str, Any]) -> str:
    """What a pass did, on one line; what it did not do is left out."""
    told = (
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list) else value)
        for name, value in counts.items()
        if value
    )
    return " · ".join(f"{name} {value}" for name, value in told)


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Whether nobody else, on any machine, is inside `only_one(name)` now. Ends with the connection, however that ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"pass:{name}"])
        mine: bool = cursor.fetchone()[0]
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"pass:{name}"])


def trim() -> int:
    """Forget rows older than KEEP, and of each name all but the newest MOST_PER_NAME; return how many."""
    deleted, _by_model = Pass.objects.filter(started_at__lt=timezone.now() - KEEP).delete()
    for name in Pulse.objects.values_list("name", flat=True):
        newest = Pass.objects.filter(name=name).order_by("-pk")
        last_kept = newest.values_list("pk", flat=True)[MOST_PER_NAME - 1 : MOST_PER_NAME].first()
        if last_kept is not None:
            more, _by_model = Pass.objects.filter(Q(name=name) & Q(pk__lt=last_kept)).delete()
            deleted += more
    return deleted
