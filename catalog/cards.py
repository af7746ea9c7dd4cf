"""What a card shows, as one statement reads it: the video, its author, score, cover and download, and lately its growth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from catalog.filters import MAX_BIGINT
from downloads import storage
from downloads.processing.containers import extension_of
from ranking.scoring.classic import WINDOW

SPARKLINE_POINTS = 24
SPARKLINE_PERIOD = timedelta(days=14)
"""Older partitions are not even looked at."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A verified object of ours, as much of it as a link needs."""

    sha256: str
    mime: str
    name: str
    """What it is called when it is saved, without its extension."""
    width: int | None = None
    height: int | None = None
    copies: tuple[StoredFile, ...] = ()
    """Of a picture: its thumbnails, the smaller one first."""

    @property
    def small(self) -> StoredFile:
        """The smallest there is."""
        return self.copies[0] if self.copies else self

    @property
    def srcset(self) -> str:
        """The thumbnails, for the srcset of a picture's source; empty where there are none."""
        return ", ".join(f"{copy.link} {copy.width}w" for copy in self.copies)

    @property
    def filename(self) -> str:
        return f"{self.name}.{extension_of(self.mime)}"

    @property
    def link(self) -> str:
        """Made when asked for: it expires."""
        return storage.link(self.sha256, self.mime, self.filename)


@dataclass(frozen=True, slots=True)
class Point:
    at: datetime
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    id: int
    platform: str
    external_id: str
    kind: str
    url: str
    title: str
    category: str
    """The slug, as links have it."""
    category_name: str
    hashtags: list[str]
    duration_ms: int | None
    width: int | None
    height: int | None
    published_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    author_id: int | None
    author_name: str
    author_handle: str
    author_is_verified: bool
    sound_id: int | None
    virality: float | None
    """Chance of a top-5 % gain in the next day; None: no model has spoken of it yet. `breakout`: of a relative one."""
    breakout: float | None
    reach: float | None
    """Chance of reaching the top level: what surges are foretold by."""
    score: float | None
    """The classic one."""
    momentum: float | None
    is_surging: bool
    surging_since: datetime | None
    cover_state: str
    """ready, pending, failed, removed (by retention) or none (the platform shows none)."""
    cover: StoredFile | None
    avatar: StoredFile | None
    download_status: str
    """pending (nobody asked), queued, downloading, ready or error."""
    download_progress: int
    sparkline: tuple[Point, ...] = ()
    """Views, or likes where no views are shown; oldest first."""

    @property
    def momentum_spans_a_day(self) -> bool:
        """Else the momentum is only what came since the first look."""
        return self.last_seen_at - self.first_seen_at >= WINDOW


# Slides come by themselves: ready to be saved are those that somebody asked for.
IS_READY = """EXISTS (SELECT FROM downloads_asset f WHERE f.video_id = v.id AND f.state = 'ready'
                  AND (f.role IN ('video', 'audio') OR (f.role = 'slide' AND EXISTS (
                      SELECT FROM downloads_downloadjob d WHERE d.video_id = v.id AND d.state = 'completed'))))"""

# `v` is the video. One video has few downloads; a live one says more than one that ended, a newer one more than an older one.
DOWNLOAD_STATUS = f"""CASE WHEN {IS_READY} THEN 'ready' ELSE coalesce((
    SELECT CASE j.state WHEN 'running' THEN 'downloading' WHEN 'failed' THEN 'error'
                        WHEN 'pending' THEN 'queued' WHEN 'retrying' THEN 'queued' END
    FROM downloads_downloadjob j WHERE j.video_id = v.id
    ORDER BY j.state IN ('completed', 'failed', 'cancelled'), j.id DESC LIMIT 1), 'pending') END"""

COLUMNS = {
    "id": "v.id",
    "platform": "v.platform",
    "external_id": "v.external_id",
    "kind": "v.kind",
    "url": "v.url",
    "title": "v.title",
    "category": "v.category",
    "category_name": "coalesce(category.name, v.category)",
    "hashtags": "v.hashtags",
    "duration_ms": "v.duration_ms",
    "width": "v.width",
    "height": "v.height",
    "published_at": "v.published_at",
    "first_seen_at": "v.first_seen_at",
    "last_seen_at": "v.last_seen_at",
    "gone_at": "v.gone_at",
    "views": "v.views",
    "likes": "v.likes",
    "comments": "v.comments",
    "shares": "v.shares",
    "saves": "v.saves",
    "author_id": "v.author_id",
    "author_name": "coalesce(nullif(a.name, ''), a.handle, '')",
    "author_handle": "coalesce(a.handle, '')",
    "author_is_verified": "coalesce(a.is_verified, false)",
    "sound_id": "v.sound_id",
    "virality": "s.virality",
    "breakout": "s.breakout",
    "reach": "s.reach",
    "score": "s.classic",
    "momentum": "s.momentum",
    "is_surging": "coalesce(s.is_surging, false)",
    "surging_since": "s.surging_since",
    "download_status": DOWNLOAD_STATUS,
    "download_progress": """coalesce((SELECT max(j.progress) FROM downloads_downloadjob j
                                      WHERE j.video_id = v.id AND j.state = 'running'), 0)""",
    "cover_state": """CASE WHEN cover.id IS NOT NULL THEN 'ready' WHEN cover_asset.state IN ('failed', 'removed')
                      THEN cover_asset.state WHEN v.cover_url = '' THEN 'none' ELSE 'pending' END""",
}
"""What documents may hold too."""
_NAMES = tuple(COLUMNS)
# Of the object that is named, joined with its thumbnails as <name>_small and <name>_medium.
PICTURE = "{0}.sha256, {0}.mime, {0}.width, {0}.height, {0}_small.sha256, {0}_small.width, {0}_medium.sha256, {0}_medium.width"

JOINS = """
    JOIN crawler_video v ON v.id = page.id
    LEFT JOIN ranking_score s ON s.video_id = v.id
    LEFT JOIN crawler_author a ON a.id = v.author_id
    LEFT JOIN analysis_category category ON category.slug = v.category
    LEFT JOIN downloads_asset cover_asset ON cover_asset.video_id = v.id AND cover_asset.role = 'cover'
        AND cover_asset.quality = '' AND cover_asset.position = 0
    LEFT JOIN downloads_storedobject cover ON cover.id = cover_asset.object_id AND cover_asset.state <> 'removed'
"""
# `page` is chosen first and alone: the joins are then made for its rows only, whatever the planner believes.
_CARDS = f"""
    WITH page AS MATERIALIZED ({{page}})
    SELECT {", ".join(COLUMNS.values())}, {PICTURE.format("cover")}, avatar.sha256, avatar.mime, page.key
    FROM page {JOINS}
    LEFT JOIN downloads_storedobject cover_small ON cover_small.id = cover.small_id
    LEFT JOIN downloads_storedobject cover_medium ON cover_medium.id = cover.medium_id
    LEFT JOIN downloads_asset avatar_asset ON avatar_asset.author_id = a.id AND avatar_asset.role = 'avatar'
        AND avatar_asset.state <> 'removed'
    LEFT JOIN downloads_storedobject avatar ON avatar.id = avatar_asset.object_id
    ORDER BY page.key DESC, page.id DESC
"""

_SPARKLINES = """
    SELECT wanted.id, lately.observed_at, lately.views, lately.likes
    FROM unnest(%(ids)s::bigint[]) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT observed_at, views, likes FROM crawler_metricsnapshot m
        WHERE m.video_id = wanted.id AND m.observed_at > %(since)s
        ORDER BY m.observed_at DESC LIMIT %(points)s
    ) AS lately
    ORDER BY wanted.id, lately.observed_at
"""


def read(page: str, params: dict[str, Any]) -> list[tuple[Any, Card]]:
    """The cards that the statement `page` chooses (columns id and key), each with its sort key, by key and id downwards."""
    with connection.cursor() as cursor:
        cursor.execute(_CARDS.format(page=page), params)
        return [(row[-1], _card(row)) for row in cursor.fetchall()]


def cards(video_ids: Sequence[int], *, sparklines: bool = True) -> list[Card]:
    """In the order given; ids that do not exist are left out."""
    chosen = "SELECT id, -place AS key FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS wanted (id, place)"
    ids = [video_id for video_id in video_ids if 0 <= video_id <= MAX_BIGINT]
    found = [card for _, card in read(chosen, {"ids": ids})]
    return with_sparklines(found) if sparklines else found


def card(video_id: int) -> Card | None:
    return next(iter(cards([video_id])), None)


def with_sparklines(shown: Sequence[Card]) -> list[Card]:
    """The same cards with their recent growth, by one statement for all."""
    if not shown:
        return []
    since = timezone.now() - SPARKLINE_PERIOD
    observed: dict[int, list[tuple[datetime, int | None, int | None]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SPARKLINES, {"ids": [card.id for card in shown], "since": since, "points": SPARKLINE_POINTS})
        for video_id, at, views, likes in cursor.fetchall():
            observed.setdefault(video_id, []).append((at, views, likes))
    return [replace(card, sparkline=_line(observed.get(card.id, []))) for card in shown]


def _line(observed: list[tuple[datetime, int | None, int | None]]) -> tuple[Point, ...]:
    """One counter all along: views, where any observation has them."""
    has_views = any(views is not None for _, views, _ in observed)
    counted = ((at, views if has_views else likes) for at, views, likes in observed)
    return tuple(Point(at, count) for at, count in counted if count is not None)


def _card(row: tuple[Any, ...]) -> Card:
    values = dict(zip(_NAMES, row, strict=False))
    *cover, avatar_sha256, avatar_mime, _key = row[len(_NAMES) :]
    return Card(
        **values,
        cover=picture(cover, f"cover-{row[0]}"),
        avatar=StoredFile(avatar_sha256, avatar_mime, f"avatar-{values['author_id']}") if avatar_sha256 else None,
    )


def picture(columns: Sequence[Any], name: str) -> StoredFile | None:
    """A picture with its thumbnails from the columns of PICTURE; None: there is none."""
    sha256, mime, width, height, *thumbnails = columns
    if sha256 is None:
        return None
    pairs = zip(thumbnails[::2], thumbnails[1::2], strict=True)
    copies = tuple(StoredFile(copy, "image/webp", name, across) for copy, across in pairs if copy)
    return StoredFile(sha256, mime, name, width, height, copies)
