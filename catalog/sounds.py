"""What a watched sound's videos add up to, and how its use grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from catalog.cards import Card, cards
from crawler.models import SoundSnapshot, Source

MOST_POINTS = 80
SORTS = {
    "views": "v.views",
    "likes": "v.likes",
    "comments": "v.comments",
    "shares": "v.shares",
    "published": "v.published_at",
}
TOTAL_NAMES = ("videos", "authors", "views", "likes", "comments", "shares", "average_views", "median_views")

_TOTALS = """
    SELECT w.source_id, count(*), count(DISTINCT v.author_id), sum(v.views), sum(v.likes), sum(v.comments), sum(v.shares),
           avg(v.views)::float8, percentile_cont(0.5) WITHIN GROUP (ORDER BY v.views)
    FROM crawler_sourcevideo w JOIN crawler_video v ON v.id = w.video_id
    WHERE w.source_id = ANY(%(sources)s) GROUP BY w.source_id
"""

# Of many videos one in so many is drawn, the last always: the curve is the same.
_PUBLISHED = """
    WITH told AS (
        SELECT v.published_at AS at, row_number() OVER (ORDER BY v.published_at, v.id) AS n, count(*) OVER () AS total
        FROM crawler_sourcevideo w JOIN crawler_video v ON v.id = w.video_id
        WHERE w.source_id = %(source)s AND v.published_at IS NOT NULL
    )
    SELECT at, n FROM told WHERE n = 1 OR n = total OR n %% greatest(1, total / %(most)s) = 0 ORDER BY n
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Of the videos that a source has shown. Sums and averages are None where no video shows the counter."""

    videos: int = 0
    authors: int = 0
    views: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    average_views: float | None = None
    median_views: float | None = None


def totals(sources: Sequence[int]) -> dict[int, Totals]:
    """By source, for many at once; those that have shown nothing are there too. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, {"sources": list(sources)})
        found = {row[0]: Totals(**dict(zip(TOTAL_NAMES, _plain(row[1:]), strict=True))) for row in cursor.fetchall()}
    return {source: found.get(source, Totals()) for source in sources}


def _plain(values: Sequence[Any]) -> list[Any]:
    """Sums arrive as Decimal."""
    return [value if value is None or isinstance(value, float) else int(value) for value in values]


def uses_over_time(source: Source) -> list[tuple[datetime, int]]:
    """How many videos used the sound, as its platform counted at each of our runs; oldest first."""
    if source.sound_id is None:
        return []
    rows = SoundSnapshot.objects.filter(sound=source.sound_id).order_by("-observed_at").values_list("observed_at", "uses")
    return list(rows[: MOST_POINTS * 4])[::-1]


def published_over_time(source_id: int) -> list[tuple[datetime, int]]:
    """How many of the videos we know were published by each moment; oldest first, MOST_POINTS or a few more."""
    with connection.cursor() as cursor:
        cursor.execute(_PUBLISHED, {"source": source_id, "most": MOST_POINTS})
        points = dict(cursor.fetchall())  # of several at one moment, the last
    return list(points.items())


def top_videos(source_id: int, sort: str = "views", *, most: int = 50) -> list[Card]:
    """The videos that a source has shown, the greatest first by one of SORTS; what is not shown comes last."""
    key = SORTS[sort]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT v.id FROM crawler_sourcevideo w JOIN crawler_video v ON v.id = w.video_id
                WHERE w.source_id = %(source)s ORDER BY {key} DESC NULLS LAST, v.id DESC LIMIT %(most)s""",
            {"source": source_id, "most": most},
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    shown = {card.id: card for card in cards(ids, sparklines=False)} if ids else {}
    return [shown[pk] for pk in ids if pk in shown]
