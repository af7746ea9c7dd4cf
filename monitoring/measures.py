"""Counts of what there is, for health, dashboard and metrics. Set-based, and cheap however many rows have ended."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, models
from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from crawler.models import Author, MetricSnapshot, Outcome, Sound, Source, Video
from downloads.models import Asset, AssetState, StoredObject
from jobs import kinds
from jobs.models import CLAIMABLE, PausedKind, State
from ranking.models import Score

COUNT_EXACTLY_BELOW = 100_000
TROUBLE = (Outcome.BLOCKED, Outcome.LOGIN_REQUIRED, Outcome.CHANGED, Outcome.UNREACHABLE, Outcome.RATE_LIMITED, Outcome.FAILED)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCounts:
    """The live and failed jobs of one kind. What has ended well is not counted: there may be millions."""

    kind: str
    queue: str
    is_paused: bool
    waiting: int
    """May run now."""
    later: int
    """Pending or retrying, but not due yet, or paused one by one."""
    running: int
    leased: int
    """Running under a lease that a living worker renews."""
    retrying: int
    failed: int
    failed_today: int
    oldest_seconds: float
    """How long the longest waiting one has been due."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def count_jobs() -> list[KindCounts]:
    """One query per kind, and one for the pauses."""
    now, counted = timezone.now(), []
    paused = set(PausedKind.objects.values_list("kind", flat=True))
    due = Q(state__in=CLAIMABLE, paused_at__isnull=True, scheduled_at__lte=now)
    for kind in kinds.all_kinds():
        live_or_failed = kind.get_model().objects.filter(state__in=[*CLAIMABLE, State.RUNNING, State.FAILED])
        facts = live_or_failed.aggregate(
            waiting=Count("pk", filter=due),
            later=Count("pk", filter=Q(state__in=CLAIMABLE) & ~due),
            running=Count("pk", filter=Q(state=State.RUNNING)),
            leased=Count("pk", filter=Q(state=State.RUNNING, lease_until__gt=now)),
            retrying=Count("pk", filter=Q(state=State.RETRYING)),
            failed=Count("pk", filter=Q(state=State.FAILED)),
            failed_today=Count("pk", filter=Q(state=State.FAILED, finalized_at__gt=now - DAY)),
            oldest=Min("scheduled_at", filter=due),
        )
        oldest = facts.pop("oldest")
        counted.append(
            KindCounts(
                kind=kind.name,
                queue=kind.queue,
                is_paused=kind.name in paused,
                oldest_seconds=(now - oldest).total_seconds() if oldest else 0.0,
                **facts,
            )
        )
    return counted


@dataclass(frozen=True, slots=True)
class Failure:
    kind: str
    error_code: str
    error: str
    count: int
    example: int
    """The newest job that failed so."""


def recent_failures(within: timedelta = DAY, most: int = 12) -> list[Failure]:
    """Why jobs failed for good lately, most frequent first; one query per kind."""
    found = []
    for kind in kinds.all_kinds():
        failed = kind.get_model().objects.filter(state=State.FAILED, finalized_at__gt=timezone.now() - within)
        rows = failed.values("error_code").annotate(count=Count("pk"), example=models.Max("pk"), sentence=models.Max("error"))
        found += [
            Failure(kind.name, row["error_code"], row["sentence"], row["count"], row["example"])
            for row in rows.order_by("-count")[:most]
        ]
    return sorted(found, key=lambda failure: -failure.count)[:most]


def count_sources() -> dict[str, int]:
    """Active sources by outcome, beside `paused` and `overdue`; one query."""
    now = timezone.now()
    rows = (
        Source.objects.values("outcome", "is_active")
        .annotate(count=Count("pk"), overdue=Count("pk", filter=Q(next_run_at__lt=now - timedelta(hours=1))))
        .order_by("outcome")
    )
    counts = {"active": 0, "paused": 0, "overdue": 0, "in_trouble": 0}
    for row in rows:
        if not row["is_active"]:
            counts["paused"] += row["count"]
            continue
        counts["active"] += row["count"]
        counts["overdue"] += row["overdue"]
        counts[row["outcome"] or "never"] = row["count"]
        if row["outcome"] in TROUBLE:
            counts["in_trouble"] += row["count"]
    return counts


def count_troubles() -> list[tuple[str, str, int]]:
    """Platform, outcome and number of the active sources in trouble, most frequent first; one query."""
    rows = Source.objects.filter(is_active=True, outcome__in=TROUBLE).values_list("platform", "outcome")
    return list(rows.annotate(count=Count("pk")).order_by("-count", "platform", "outcome"))


def count_library() -> dict[str, int]:
    """Videos, snapshots, objects and so on; estimates of the planner where there are many rows."""
    counts = {name: rough_count(model) for name, model in LIBRARY.items()}
    stored = StoredObject.objects.aggregate(bytes=Sum("size"))
    return counts | {"bytes": int(stored["bytes"] or 0)} | count_assets()


def count_assets() -> dict[str, int]:
    """Covers, slides, sounds and clips that are not there; an index knows them."""
    rows = Asset.objects.exclude(state=AssetState.READY).order_by().values_list("state").annotate(count=Count("pk"))
    counts = dict(rows)
    return {f"assets_{state}": counts.get(state, 0) for state in (AssetState.WANTED.value, AssetState.FAILED.value)}


LIBRARY: dict[str, type[models.Model]] = {
    "videos": Video,
    "snapshots": MetricSnapshot,
    "authors": Author,
    "sounds": Sound,
    "scores": Score,
    "objects": StoredObject,
}


def rough_count(model: type[models.Model]) -> int:
    """Exact for small tables; for others what the last ANALYZE saw, partitions included."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(reltuples), 0), bool_or(reltuples < 0) FROM pg_class
            WHERE relkind = 'r' AND (oid = %(table)s::regclass
                OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::regclass))
            """,
            {"table": model._meta.db_table},
        )
        estimate, is_unknown = cursor.fetchone()
    if is_unknown or estimate < COUNT_EXACTLY_BELOW:
        return model._default_manager.count()
    return int(estimate)


def count_ended(counted: list[KindCounts]) -> dict[str, dict[str, int]]:
    """Completed and cancelled jobs by kind: exact for small tables, for others the rest of an estimate."""
    ended = {}
    for counts in counted:
        model = kinds.get(counts.kind).get_model()
        total = rough_count(model)
        cancelled = model.objects.filter(state=State.CANCELLED).count()
        others = counts.waiting + counts.later + counts.running + counts.failed + cancelled
        ended[counts.kind] = {"completed": max(0, total - others), "cancelled": cancelled}
    return ended
