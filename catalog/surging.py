"""Surges as people see them: those open now, past their peak, and watched, each with its card and what confirms it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from catalog.cards import Card, cards
from ranking.baselines import LEAST_VIDEOS
from ranking.explanation import Explanation, Rate, explain
from ranking.models import Surge

MOST_SHOWN = 24
"""Of each state; the headings count the others too."""
PEAKED_WITHIN = timedelta(days=1)
MOST_COUNTED = 1000
STATES = ("open", "peaked", "watch")
LEAST_RISE_PER_HOUR = 1.0
"""From here on a counter is said to confirm a surge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    card: Card
    state: str
    watched_at: datetime
    alerted_at: datetime | None
    confirmed_at: datetime | None
    peaked_at: datetime | None
    reached_at: datetime | None
    probability: float
    """Now; `at_alert` is what it was then."""
    at_alert: float
    level: float
    """What the primary counter is foretold to reach."""
    is_clipped: bool
    """One counter jumped alone at the latest look, and was not believed."""
    why: Explanation | None

    @property
    def began_at(self) -> datetime:
        """When it was alerted, or else first watched."""
        return self.alerted_at or self.watched_at

    @property
    def is_seen_once(self) -> bool:
        """Nothing can be known of how its counters move yet."""
        return len(self.card.sparkline) < 2

    @property
    def primary(self) -> Rate | None:
        """The counter whose rise is foretold: views, or likes where no views are shown."""
        return next((rate for rate in (self.why.rates if self.why else ()) if rate.metric in ("views", "likes")), None)

    @property
    def confirmed_by(self) -> list[str]:
        """The other counters that rise with it; empty while only one does."""
        if self.why is None or self.primary is None or self.confirmed_at is None:
            return []
        others = (rate for rate in self.why.rates if rate.metric != self.primary.metric)
        return [rate.metric for rate in others if rate.per_hour >= LEAST_RISE_PER_HOUR]


@dataclass(frozen=True, slots=True)
class Section:
    state: str
    shown: list[Foretold]
    count: int
    """Those that are not shown, too."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What stands between an empty page and its first surge."""

    since: datetime | None
    """When the first video was seen."""
    seen_twice: int
    """Videos; counts no further than MOST_COUNTED."""
    platforms: list[tuple[str, int]]
    """Where it is not known yet what is usual: the platform and how many of its videos are, of LEAST_VIDEOS."""
    least_videos: int
    first_alert_at: datetime | None
    last_alert_at: datetime | None


_LIVE = """
    SELECT * FROM (
        SELECT surge.state, surge.video_id, surge.watched_at, surge.alerted_at, surge.confirmed_at, surge.peaked_at,
               surge.reached_at, coalesce(score.reach, surge.probability), surge.probability, surge.level, counters.is_clipped,
               count(*) OVER (PARTITION BY surge.state),
               row_number() OVER (PARTITION BY surge.state ORDER BY coalesce(score.reach, 0) DESC, surge.id DESC) AS place
        FROM ranking_surge surge
        LEFT JOIN ranking_score score USING (video_id)
        LEFT JOIN ranking_counterstate counters USING (video_id)
        WHERE surge.state <> 'cleared' AND (surge.state <> 'peaked' OR surge.peaked_at > %(since)s)
    ) live
    WHERE place <= %(most)s ORDER BY place
"""

_WAITING = """
    SELECT (SELECT first_seen_at FROM crawler_video ORDER BY id LIMIT 1),
           (SELECT count(*) FROM (SELECT FROM ranking_counterstate WHERE snapshots > 1 LIMIT %(most)s) AS twice),
           (SELECT min(alerted_at) FROM ranking_surge WHERE alerted_at IS NOT NULL),
           (SELECT max(alerted_at) FROM ranking_surge WHERE alerted_at IS NOT NULL)
"""
_UNUSUAL = """
    SELECT platform, count(*) FROM (
        SELECT platform FROM crawler_video v
        WHERE NOT EXISTS (SELECT FROM ranking_baseline b WHERE b.platform = v.platform) LIMIT %(most)s
    ) AS unusual GROUP BY platform ORDER BY platform
"""


def surging(*, most: int = MOST_SHOWN) -> list[Section]:
    """In the order of STATES, the likeliest first; seven statements, whatever there is."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, {"since": timezone.now() - PEAKED_WITHIN, "most": most})
        rows = cursor.fetchall()
    ids = [row[1] for row in rows]
    shown = {card.id: card for card in cards(ids)} if ids else {}
    told = explain(ids, "surge") if ids else {}
    sections = {state: Section(state, [], 0) for state in STATES}
    for state, video_id, watched, alerted, confirmed, peaked, reached, now, then, level, clipped, count, _place in rows:
        if video_id not in shown:
            continue
        foretold = Foretold(
            card=shown[video_id],
            state=state,
            watched_at=watched,
            alerted_at=alerted,
            confirmed_at=confirmed,
            peaked_at=peaked,
            reached_at=reached,
            probability=now,
            at_alert=then,
            level=level,
            is_clipped=bool(clipped),
            why=told.get(video_id),
        )
        sections[state] = Section(state, [*sections[state].shown, foretold], count)
    return list(sections.values())


def waiting() -> Waiting:
    """Two bounded statements, for a page that has nothing else to say."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"most": MOST_COUNTED})
        since, twice, first_alert, last_alert = cursor.fetchone()
        cursor.execute(_UNUSUAL, {"most": MOST_COUNTED})
        platforms = [(platform, count) for platform, count in cursor.fetchall()]
    return Waiting(since, twice, platforms, LEAST_VIDEOS, first_alert, last_alert)


def surges_of(video_id: int, *, most: int = 5) -> Sequence[Surge]:
    """A video's own surges, the latest first."""
    return list(Surge.objects.filter(video=video_id).order_by("-watched_at")[:most])
