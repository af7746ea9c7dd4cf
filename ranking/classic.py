"""The classic score stored: one statement for a page of videos or for all of them."""

from collections.abc import Collection, Mapping
from typing import Any

from constance.utils import get_values_for_keys
from django.db import connection

from ranking.scoring.classic import WINDOW, Weights

SETTINGS = ["CLASSIC_WEIGHT_VIEWS", "CLASSIC_WEIGHT_LIKES", "CLASSIC_WEIGHT_SHARES"]

# `pair` is a video's newest observation beside the one to compare it with: the newest that is a day older, or else its oldest.
_PAIRS_OF_SOME = """
        SELECT v.id AS video_id, now.observed_at,
               now.views AS v1, now.likes AS l1, now.shares AS s1,
               was.views AS v0, was.likes AS l0, was.shares AS s0
        FROM crawler_video v
        CROSS JOIN LATERAL (
            SELECT * FROM crawler_metricsnapshot s WHERE s.video_id = v.id
            ORDER BY s.observed_at DESC LIMIT 1
        ) now
        LEFT JOIN LATERAL (
            (SELECT 1 AS rank, s.* FROM crawler_metricsnapshot s
             WHERE s.video_id = v.id AND s.observed_at <= now.observed_at - %(window)s
             ORDER BY s.observed_at DESC LIMIT 1)
            UNION ALL
            (SELECT 2, s.* FROM crawler_metricsnapshot s
             WHERE s.video_id = v.id AND s.observed_at > now.observed_at - %(window)s AND s.observed_at < now.observed_at
             ORDER BY s.observed_at LIMIT 1)
            ORDER BY rank LIMIT 1
        ) was ON true
        WHERE v.id = ANY(%(ids)s)
"""
# The same for a range of ids, by reading their snapshots once. Arrays compare by their first element, the time.
_PAIRS_OF_RANGE = """
        SELECT video_id, observed_at, now[2] AS v1, now[3] AS l1, now[4] AS s1, was[2] AS v0, was[3] AS l0, was[4] AS s0
        FROM (
            SELECT video_id, max(newest) AS observed_at, max(told) AS now,
                   coalesce(max(told) FILTER (WHERE observed_at <= newest - %(window)s),
                            min(told) FILTER (WHERE observed_at < newest)) AS was
            FROM (
                SELECT video_id, observed_at, max(observed_at) OVER (PARTITION BY video_id) AS newest,
                       ARRAY[extract(epoch FROM observed_at), views, likes, shares]::float8[] AS told
                FROM crawler_metricsnapshot WHERE video_id BETWEEN %(first)s AND %(last)s
            ) AS told GROUP BY video_id
        ) AS paired
        JOIN crawler_video v ON v.id = paired.video_id
"""
# A NULL counter is not shown: the CASEs give its weight to the others, and leave it out of the comparison.
_RANK = """
    WITH pair AS ({pairs}
    ), summed AS (
        SELECT video_id, observed_at,
            coalesce(v1, 0) * %(views)s::float8 + coalesce(l1, 0) * %(likes)s::float8
                + coalesce(s1, 0) * %(shares)s::float8 AS points,
            CASE WHEN v1 IS NULL THEN 0 ELSE %(views)s::float8 END + CASE WHEN l1 IS NULL THEN 0 ELSE %(likes)s::float8 END
                + CASE WHEN s1 IS NULL THEN 0 ELSE %(shares)s::float8 END AS shown,
            coalesce(v1 + 0 * v0, 0) * %(views)s::float8 + coalesce(l1 + 0 * l0, 0) * %(likes)s::float8
                + coalesce(s1 + 0 * s0, 0) * %(shares)s::float8 AS comparable_now,
            coalesce(v0 + 0 * v1, 0) * %(views)s::float8 + coalesce(l0 + 0 * l1, 0) * %(likes)s::float8
                + coalesce(s0 + 0 * s1, 0) * %(shares)s::float8 AS comparable_then
        FROM pair
    ), scored AS (
        SELECT video_id, observed_at,
            CASE WHEN shown > 0 THEN points * %(total)s::float8 / shown ELSE 0 END AS classic,
            CASE WHEN comparable_then > 0 THEN comparable_now / comparable_then - 1 END AS momentum
        FROM summed
    )
    INSERT INTO ranking_score (video_id, classic, momentum, is_surging, observed_at)
    SELECT video_id, classic, momentum, false, observed_at FROM scored
    WHERE NOT EXISTS (  -- asked before the conflict: a conflict locks the row, and locks are written to the log
        SELECT FROM ranking_score same WHERE same.video_id = scored.video_id
          AND (same.observed_at, same.classic, same.momentum)
              IS NOT DISTINCT FROM (scored.observed_at, scored.classic, scored.momentum)
    )
    ORDER BY video_id
    ON CONFLICT (video_id) DO UPDATE SET
        classic = excluded.classic, momentum = excluded.momentum, observed_at = excluded.observed_at
"""


def weights() -> Weights:
    """As staff set them. Negative ones count as 0; all 0 means the defaults, for a score must order something."""
    values: Mapping[str, float] = get_values_for_keys(SETTINGS)
    views, likes, shares = (max(values[name], 0.0) for name in SETTINGS)
    return Weights(views=views, likes=likes, shares=shares) if views + likes + shares > 0 else Weights()


def score(video_ids: Collection[int]) -> int:
    """Score these videos; return how many scores changed."""
    return _score(_PAIRS_OF_SOME, {"ids": list(video_ids)})


def score_range(first: int, last: int) -> int:
    """Score the videos with these ids and all between; return how many scores changed."""
    return _score(_PAIRS_OF_RANGE, {"first": first, "last": last})


def _score(pairs: str, parameters: dict[str, Any]) -> int:
    chosen = weights()
    parameters |= {
        "window": WINDOW,
        "views": chosen.views,
        "likes": chosen.likes,
        "shares": chosen.shares,
        "total": chosen.views + chosen.likes + chosen.shares,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RANK.format(pairs=pairs), parameters)
        changed: int = cursor.rowcount
    return changed
