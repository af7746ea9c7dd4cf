"""What a workspace watches, side by side: how each source is, what it yields, what it costs.

narrowed(workspace_id, …) -> QuerySet[Source]     the list, narrowed and ordered
census(workspace_id) -> Census                    how many there are of each sort; one statement
lately(source_ids) -> dict[int, Lately]           the runs of each, and what they brought; one statement
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Case, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crawler.access import provider_name
from crawler.models import CrawlJob, Outcome, ProviderPause, Source, SourceKind
from crawler.pauses import paused
from jobs.models import FINAL

RUNS_SHOWN = 20
MOST_RUNS = 400
"""Looked at for what a source yields and costs: those of a week, no further back than this."""
PERIOD = timedelta(days=7)

WELL = (Outcome.OK, Outcome.EMPTY)
HEALTH: dict[str, tuple[Any, Q]] = {
    "troubled": (gettext_lazy("In trouble"), Q(is_active=True) & ~Q(outcome__in=(Outcome.NEVER, *WELL))),
    "ok": (gettext_lazy("Well"), Q(is_active=True, outcome__in=WELL)),
    "never": (gettext_lazy("Not scanned yet"), Q(is_active=True, outcome=Outcome.NEVER)),
    "paused": (gettext_lazy("Paused"), Q(is_active=False)),
}
"""Each source is in exactly one of these. A link is looked at once, and has no schedule that could be paused."""
SORTS: dict[str, Any] = {
    "trouble": gettext_lazy("Trouble first"),
    "name": gettext_lazy("Name"),
    "next": gettext_lazy("Next scan"),
    "last_good": gettext_lazy("Longest without a good scan"),
    "yield": gettext_lazy("Most new videos"),
    "cost": gettext_lazy("Most credits"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    state: str
    outcome: str
    seen: int
    new: int

    @property
    def is_over(self) -> bool:
        return self.state in FINAL

    @property
    def went_well(self) -> bool:
        return self.state == "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """Of one source."""

    runs: tuple[Run, ...] = ()
    """The latest, oldest first."""
    looks: int = 0
    """Runs within PERIOD; the other figures are theirs."""
    seen: int = 0
    new: int = 0
    credits: int = 0

    @property
    def live(self) -> Run | None:
        return next((run for run in reversed(self.runs) if not run.is_over), None)

    @property
    def failed(self) -> int:
        """Of the runs shown."""
        return sum(run.is_over and not run.went_well for run in self.runs)

    @property
    def shown_new(self) -> int:
        return sum(run.new for run in self.runs)


@dataclass(frozen=True, slots=True)
class Census:
    health: Counter[str] = field(default_factory=Counter)
    """Without links."""
    kinds: Counter[str] = field(default_factory=Counter)
    platforms: Counter[str] = field(default_factory=Counter)
    pauses: list[tuple[ProviderPause, int]] = field(default_factory=list)
    """Providers that are asked nothing at present, and how many of these sources they would read."""

    @property
    def links(self) -> int:
        return self.kinds[SourceKind.URL]

    @property
    def all(self) -> int:
        return self.kinds.total()


def narrowed(
    workspace_id: int,
    *,
    platform: str = "",
    kind: str = "",
    health: str = "",
    outcome: str = "",
    own: bool | None = None,
    words: str = "",
    sort: str = "trouble",
) -> QuerySet[Source]:
    """Links are listed only where `kind` asks for them: each import leaves one, and they would hide what is watched."""
    found = Source.objects.filter(workspace=workspace_id).select_related("sound")
    found = found.filter(kind=kind) if kind else found.exclude(kind=SourceKind.URL)
    if platform:
        found = found.filter(platform=platform)
    if health:
        found = found.filter(HEALTH[health][1])
    if outcome:
        found = found.filter(outcome=outcome)
    if own is not None:
        found = found.filter(is_own=own)
    if words:
        found = found.filter(Q(value__icontains=words) | Q(sound__title__icontains=words))
    return _ordered(found, sort)


def _ordered(found: QuerySet[Source], sort: str) -> QuerySet[Source]:
    by_name = ("platform", "kind", "value", "pk")
    if sort == "trouble":
        places = [When(condition, then=Value(place)) for place, (_words, condition) in enumerate(HEALTH.values())]
        return found.annotate(place=Case(*places, default=Value(len(places)))).order_by("place", *by_name)
    if sort == "next":
        return found.order_by("-is_active", "next_run_at", "pk")
    if sort == "last_good":
        return found.order_by(F("last_good_at").asc(nulls_first=True), "pk")
    if sort in ("yield", "cost"):
        name = "new" if sort == "yield" else "credits"
        return found.annotate(figure=Coalesce(Subquery(_sum_of(name)), Value(0))).order_by("-figure", *by_name)
    return found.order_by(*by_name)


def _sum_of(name: str) -> QuerySet[Any, Any]:
    runs = CrawlJob.objects.filter(source=OuterRef("pk"), created_at__gt=timezone.now() - PERIOD).order_by()
    count = Cast(KeyTextTransform(name, "counts"), BigIntegerField())
    summed: QuerySet[Any, Any] = runs.values("source").annotate(figure=Sum(count)).values("figure")
    return summed


def census(workspace_id: int) -> Census:
    """Two statements."""
    sorts = [When(condition, then=Value(name)) for name, (_words, condition) in HEALTH.items()]
    rows = (
        Source.objects.filter(workspace=workspace_id)
        .annotate(health=Case(*sorts, default=Value("")))
        .values("platform", "kind", "health")
        .annotate(count=Count("pk"))
        .order_by()
    )
    counted, concerned = Census(), Counter[str]()
    for row in rows:
        counted.kinds[row["kind"]] += row["count"]
        if row["kind"] != SourceKind.URL:
            counted.health[row["health"]] += row["count"]
            counted.platforms[row["platform"]] += row["count"]
            concerned[provider_name(row["platform"], row["kind"])] += row["count"]
    counted.pauses.extend((pause, concerned[name]) for name, pause in paused().items() if concerned[name])
    return counted


_LATELY = """
    SELECT wanted.id, lately.*
    FROM unnest(%(ids)s::bigint[]) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE created_at > %(since)s), sum(seen) FILTER (WHERE created_at > %(since)s),
               sum(new) FILTER (WHERE created_at > %(since)s), sum(credits) FILTER (WHERE created_at > %(since)s),
               json_agg(json_build_array(state, outcome, seen, new) ORDER BY id DESC) FILTER (WHERE place <= %(shown)s)
        FROM (
            SELECT id, created_at, state, outcome, coalesce((counts ->> 'seen')::bigint, 0) AS seen,
                   coalesce((counts ->> 'new')::bigint, 0) AS new, coalesce((counts ->> 'credits')::bigint, 0) AS credits,
                   row_number() OVER (ORDER BY id DESC) AS place
            FROM crawler_crawljob WHERE source_id = wanted.id ORDER BY id DESC LIMIT %(most)s
        ) AS runs
    ) AS lately
"""


def lately(source_ids: Sequence[int]) -> dict[int, Lately]:
    with connection.cursor() as cursor:
        cursor.execute(
            _LATELY, {"ids": list(source_ids), "since": timezone.now() - PERIOD, "shown": RUNS_SHOWN, "most": MOST_RUNS}
        )
        rows = cursor.fetchall()
    return {
        source_id: Lately(
            looks=looks,
            seen=int(seen or 0),
            new=int(new or 0),
            credits=int(credits or 0),
            runs=tuple(Run(state=s, outcome=o, seen=n, new=m) for s, o, n, m in reversed(_parsed(runs))),
        )
        for source_id, looks, seen, new, credits, runs in rows
    }


def _parsed(runs: Any) -> list[Any]:
    """Of a raw cursor JSON arrives as text or parsed, as Django has set the connection up."""
    return json.loads(runs) if isinstance(runs, str) else runs or []
