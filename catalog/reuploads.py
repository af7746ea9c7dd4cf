"""The same video elsewhere: what it is a re-upload of, and who posted it too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

MOST = 50

# The earliest post of the group, then the others in the order of posting. Links that were dismissed count for nothing.
_GROUP = """
    WITH first AS (
        SELECT coalesce((SELECT original_id FROM analysis_reupload WHERE video_id = %(video)s AND dismissed_at IS NULL),
                        %(video)s) AS id
    ), posts AS (
        SELECT first.id, own.kind, own.distance, true AS is_original
        FROM first JOIN analysis_reupload own ON own.video_id = %(video)s AND own.dismissed_at IS NULL
        UNION ALL
        SELECT r.video_id, r.kind, r.distance, false FROM analysis_reupload r
        WHERE r.original_id IN (SELECT id FROM first UNION SELECT %(video)s) AND r.dismissed_at IS NULL
            AND r.video_id <> %(video)s
    )
    SELECT v.id, v.platform, v.title, v.url, coalesce(v.published_at, v.first_seen_at), v.published_at, v.author_id,
           coalesce(nullif(a.name, ''), a.handle, ''), posts.kind, posts.distance, posts.is_original
    FROM posts JOIN crawler_video v ON v.id = posts.id LEFT JOIN crawler_author a ON a.id = v.author_id
    ORDER BY posts.is_original DESC, 5, v.id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Repost:
    """Another post of the same video."""

    id: int
    platform: str
    title: str
    url: str
    at: datetime
    """When it was posted, or first seen where that is not known."""
    published_at: datetime | None
    author_id: int | None
    author_name: str
    kind: str
    """equal_bytes or similar_pictures: how this post was found to be the original's, or the other way round."""
    distance: int
    """Bits of 64 by which its pictures differ."""
    is_original: bool
    """The earliest post of them all, of which the others are re-uploads."""


def reposts(video_id: int) -> list[Repost]:
    """The other posts of the same video, the original first where this is none. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_GROUP, {"video": video_id, "most": MOST})
        return [Repost(*row) for row in cursor.fetchall()]
