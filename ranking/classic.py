"""The classic score stored: one statement for a page of videos or for all of them."""

from collections.abc import Mapping
from typing import Any

from constance.utils import get_values_for_keys
from django.db import connection

from ranking.scoring.classic import WINDOW, Weights

SETTINGS = ["CLASSIC_WEIGHT_VIEWS", "CLASSIC_WEIGHT_LIKES", "CLASSIC_WEIGHT_SHARES"]

# `pair` is a video's newest observation beside the one to compare it with: the newest that is a day older, or else its oldest.
# A NULL counter is not shown: the CASEs give its weight to the others, and leave it out of the comparison.
_RANK = """
    WITH pair AS (
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
        WHERE {which}
    ), summed AS (
        SELECT video_id, observed_at,
            coalesce(v1, 0) * %(views)s + coalesce(l1, 0) * %(likes)s + coalesce(s1, 0) * %(shares)s AS points,
            CASE WHEN v1 IS NULL THEN 0 ELSE %(views)s END + CASE WHEN l1 IS NULL THEN 0 ELSE %(likes)s END
                + CASE WHEN s1 IS NULL THEN 0 ELSE %(shares)s END AS shown,
            coalesce(v1 + 0 * v0, 0) * %(views)s + coalesce(l1 + 0 * l0, 0) * %(likes)s
                + coalesce(s1 + 0 * s0, 0) * %(shares)s AS comparable_now,
            coalesce(v0 + 0 * v1, 0) * %(views)s + coalesce(l0 + 0 * l1, 0) * %(likes)s
                + coalesce(s0 + 0 * s1, 0) * %(shares)s AS comparable_then
        FROM pair
    ), scored AS (
        SELECT video_id, observed_at,
            CASE WHEN shown > 0 THEN points * %(total)s / shown ELSE 0 END AS classic,
            CASE WHEN comparable_then > 0 THEN comparable_now / comparable_then - 1 END AS momentum
        FROM summed
    )
    INSERT INTO ranking_score AS old (video_id, classic, momentum, is_surging, observed_at)
    SELECT video_id, classic, momentum, false, observed_at FROM scored ORDER BY video_id
    ON CONFLICT (video_id) DO UPDATE SET
        classic = excluded.classic, momentum = excluded.momentum, observed_at = excluded.observed_at
    WHERE (old.observed_at, old.classic, old.momentum)
        IS DISTINCT FROM (excluded.observed_at, excluded.classic, excluded.momentum)
"""


def weights() -> Weights:
    """As staff set them. Negative ones count as 0; all 0 means the defaults, for a score must order something."""
    values: Mapping[str, float] = get_values_for_keys(SETTINGS)
    views, likes, shares = (max(values[name], 0.0) for name in SETTINGS)
    return Weights(views=views, likes=likes, shares=shares) if views + likes + shares > 0 else Weights()


def score(which: str, parameters: dict[str, Any]) -> int:
    """Score the videos `v` for which the SQL condition `which` holds; return how many scores changed."""
    chosen = weights()
    parameters |= {
        "window": WINDOW,
        "views": chosen.views,
        "likes": chosen.likes,
        "shares": chosen.shares,
        "total": chosen.views + chosen.likes + chosen.shares,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RANK.format(which=which), parameters)
        changed: int = cursor.rowcount
    return changed
