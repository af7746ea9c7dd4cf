"""A profile as its own pages and answers show it: who it is, how its followers and videos do, what stands out.

profile(author_id) -> Profile | None      five statements, whatever the profile has
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from catalog.cards import Point
from catalog.filters import MAX_BIGINT
from catalog.kept import Kept, of_author
from catalog.outliers import LEAST_VIDEOS, RIPE_HOURS, Course, Verdict, compare, median_of
from crawler.models import Author

MOST_VIDEOS = 200
"""Compared with each other, the latest published first."""
MOST_POINTS = 400
"""Of followers over time."""
AGE_STEPS_HOURS = (1, 2, 3, 4, 6, 9, 12, 18, 24, 36, 48, 72, 96, 120, 144, 168)
"""One look of each step of a young video's life is enough to compare others with it."""
RHYTHM_OF = 30
"""Latest videos that tell how often is posted."""
WEEKS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """One video of the profile, and how it does beside the others."""

    id: int
    title: str
    kind: str
    published_at: datetime
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    is_surging: bool
    verdict: Verdict | None

    @property
    def engagement(self) -> float | None:
        """Reactions per view."""
        reactions = [count for count in (self.likes, self.comments, self.shares, self.saves) if count is not None]
        return sum(reactions) / self.views if self.views and reactions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often is posted, as far as was seen."""

    gap: timedelta
    """Median between one video and the next."""
    weeks: list[int]
    """Videos in each of the last weeks, oldest first; the last one ends now."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    author: Author
    avatar: Kept
    seen: int
    """Videos of the profile that were seen, compared or not."""
    followers: list[Point]
    """Oldest first."""
    metric: str
    """What videos are compared by: views, or likes where no views are shown."""
    videos: list[Performance]
    """The latest published first."""
    median: float | None
    """None: too few videos to speak of one."""
    at: datetime

    @cached_property
    def above(self) -> list[Performance]:
        """Far more than the profile's others at a like age, the farthest first."""
        found = [video for video in self.videos if video.verdict and video.verdict.is_above]
        return sorted(found, key=lambda video: -video.verdict.times if video.verdict else 0)

    @cached_property
    def below(self) -> list[Performance]:
        found = [video for video in self.videos if video.verdict and video.verdict.is_below]
        return sorted(found, key=lambda video: video.verdict.times if video.verdict else 0)

    @property
    def compared(self) -> int:
        return sum(video.verdict is not None for video in self.videos)

    @property
    def least_videos(self) -> int:
        return LEAST_VIDEOS + 1

    @cached_property
    def engagement(self) -> float | None:
        """Median of reactions per view."""
        rates = [rate for video in self.videos if (rate := video.engagement) is not None]
        return statistics.median(rates) if rates else None

    @cached_property
    def reactions_per_follower(self) -> float | None:
        """Median of likes per follower: where no views are shown, the nearest thing to an engagement rate."""
        likes = [video.likes for video in self.videos if video.likes is not None]
        return statistics.median(likes) / self.author.followers if likes and self.author.followers else None

    @cached_property
    def rhythm(self) -> Rhythm | None:
        times = sorted((video.published_at for video in self.videos if video.published_at <= self.at), reverse=True)
        if len(times) < 3:
            return None
        gaps = [later - earlier for later, earlier in itertools.pairwise(times[:RHYTHM_OF])]
        weeks = [0] * WEEKS
        for published in times:
            ago = (self.at - published) // timedelta(weeks=1)
            if ago < WEEKS:
                weeks[WEEKS - 1 - ago] += 1
        return Rhythm(gap=timedelta(seconds=statistics.median(gap.total_seconds() for gap in gaps)), weeks=weeks)

    @property
    def followers_gained(self) -> int | None:
        """Over all that is shown of them."""
        return self.followers[-1].value - self.followers[0].value if len(self.followers) > 1 else None


class _Row(NamedTuple):
    """Of _VIDEOS; `published_at` is there only where it is dated, and the others are not gone on with."""

    id: int
    title: str
    kind: str
    published_at: datetime
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    is_surging: bool
    last_seen_at: datetime
    seen: int
    is_dated: bool


# What its videos showed of the followers reaches back to before the profile itself was first looked at.
_FOLLOWERS = """
    WITH own AS (
        SELECT observed_at, followers FROM crawler_authorsnapshot
        WHERE author_id = %(author)s AND followers IS NOT NULL ORDER BY observed_at DESC LIMIT %(most)s
    ), shown AS (
        SELECT m.observed_at, max(m.followers) AS followers
        FROM (
            SELECT id FROM crawler_video WHERE author_id = %(author)s ORDER BY id DESC LIMIT 30
        ) AS v
        CROSS JOIN LATERAL (
            SELECT observed_at, followers FROM crawler_metricsnapshot
            WHERE video_id = v.id AND followers IS NOT NULL ORDER BY observed_at DESC LIMIT %(most)s
        ) AS m
        WHERE m.observed_at < coalesce((SELECT min(observed_at) FROM own), 'infinity')
        GROUP BY m.observed_at ORDER BY m.observed_at DESC LIMIT %(most)s
    )
    SELECT observed_at, followers FROM own UNION ALL SELECT observed_at, followers FROM shown ORDER BY observed_at
"""

_VIDEOS = """
    WITH latest AS MATERIALIZED (
        SELECT v.*, count(*) OVER () AS seen FROM crawler_video v WHERE author_id = %(author)s
        ORDER BY published_at DESC NULLS LAST, id DESC LIMIT %(most)s
    )
    SELECT v.id, v.title, v.kind, v.published_at, v.views, v.likes, v.comments, v.shares, v.saves,
           coalesce(s.is_surging, false), v.last_seen_at, v.seen, v.published_at IS NOT NULL
    FROM latest v LEFT JOIN ranking_score s ON s.video_id = v.id
    ORDER BY v.published_at DESC NULLS LAST, v.id DESC
"""

_YOUTH = """
    SELECT wanted.id, young.age, young.views, young.likes
    FROM unnest(%(ids)s::bigint[], %(published)s::timestamptz[]) AS wanted (id, published_at)
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (step) age, views, likes FROM (
            SELECT extract(epoch FROM observed_at - wanted.published_at)::float8 / 3600 AS age, views, likes,
                   width_bucket(extract(epoch FROM observed_at - wanted.published_at)::float8 / 3600, %(steps)s::float8[]) AS step
            FROM crawler_metricsnapshot m
            WHERE m.video_id = wanted.id AND m.observed_at >= wanted.published_at
          AND m.observed_at <= wanted.published_at + make_interval(secs => 3600 * %(hours)s)
        ) AS looks ORDER BY step, age
    ) AS young
    ORDER BY wanted.id, young.age
"""


def profile(author_id: int) -> Profile | None:
    """None: there is no such author."""
    if not 0 <= author_id <= MAX_BIGINT:
        return None
    author = Author.objects.filter(pk=author_id).first()
    if author is None:
        return None
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOWERS, {"author": author_id, "most": MOST_POINTS})
        followers = [Point(at, count) for at, count in cursor.fetchall()]
        cursor.execute(_VIDEOS, {"author": author_id, "most": MOST_VIDEOS})
        rows = [_Row(*row) for row in cursor.fetchall()]
    dated = [row for row in rows if row.is_dated]
    metric = "views" if any(row.views is not None for row in dated) else "likes"
    courses = _courses(dated, metric)
    verdicts = compare(courses)
    return Profile(
        author=author,
        avatar=of_author(author),
        seen=rows[0].seen if rows else 0,
        followers=followers,
        metric=metric,
        videos=[_performance(row, verdicts.get(row.id)) for row in dated],
        median=median_of(courses),
        at=now,
    )


def _courses(rows: Sequence[_Row], metric: str) -> list[Course]:
    """What is counted of each video as it stands; and as it grew, where a young one is to be compared."""
    counted = [(row, count) for row in rows if (count := getattr(row, metric)) is not None]
    ages = {row.id: max((row.last_seen_at - row.published_at).total_seconds() / 3600, 0.0) for row, _count in counted}
    early: dict[int, list[tuple[float, int]]] = {}
    if any(age < RIPE_HOURS for age in ages.values()):
        early = _youth({row.id: row.published_at for row, _count in counted}, metric)
    courses = []
    for row, count in counted:
        looks = [(age, seen) for age, seen in early.get(row.id, []) if age < ages[row.id]]
        looks.append((ages[row.id], count))
        courses.append(Course(id=row.id, ages=[age for age, _ in looks], counts=[seen for _, seen in looks]))
    return courses


def _youth(published: dict[int, datetime], metric: str) -> dict[int, list[tuple[float, int]]]:
    """Age in hours and count, at the first look of each step of age."""
    found: dict[int, list[tuple[float, int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            _YOUTH,
            {
                "ids": list(published),
                "published": list(published.values()),
                "steps": [float(step) for step in AGE_STEPS_HOURS],
                "hours": RIPE_HOURS * 1.25,
            },
        )
        for video_id, age, views, likes in cursor.fetchall():
            if (count := views if metric == "views" else likes) is not None:
                found.setdefault(video_id, []).append((age, count))
    return found


def _performance(row: _Row, verdict: Verdict | None) -> Performance:
    names = (field.name for field in fields(Performance) if field.name != "verdict")
    return Performance(**{name: getattr(row, name) for name in names}, verdict=verdict)
