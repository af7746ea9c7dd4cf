"""What topics, authors and sounds do as a whole: how many of their videos surge, and how fast they rise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy

from catalog.cards import Card, cards
from ranking.baselines import AGE_EDGES_HOURS
from ranking.scoring import sql
from ranking.scoring.state import METRICS

PERIODS = {"24h": timedelta(hours=24), "7d": timedelta(days=7)}
DEFAULT_PERIOD = "24h"
YOUNGER_THAN = timedelta(days=14)
MOST_VIDEOS = 10_000
"""Looked at, the latest published first."""
LEAST_VIDEOS = 3
"""Of a group, before it is one."""
MOST_GROUPS = 24
EXAMPLES = 3
HELD_BACK = 5
"""A group's share is ordered as if it had so many more videos of the usual share: one lucky video in three is no trend."""

LIKES = METRICS.index("likes") + 1

# How the videos of `seen` are grouped: a table expression that gives each its `key`, and the key's words and id.
GROUPS: dict[str, tuple[Any, str, str, str]] = {
    "topics": (
        gettext_lazy("Topics"),
        "CROSS JOIN LATERAL (SELECT DISTINCT lower(tag) AS key FROM unnest(seen.hashtags) AS tag) AS grouping",
        "key",
        "0::bigint",
    ),
    "authors": (
        gettext_lazy("Authors"),
        "JOIN LATERAL (SELECT seen.author_id AS key) AS grouping ON seen.author_id IS NOT NULL",
        "(SELECT coalesce(nullif(a.name, ''), a.handle) FROM crawler_author a WHERE a.id = key)",
        "key",
    ),
    "sounds": (
        gettext_lazy("Sounds"),
        "JOIN LATERAL (SELECT seen.sound_id AS key) AS grouping ON seen.sound_id IS NOT NULL",
        "(SELECT coalesce(nullif(t.title, ''), t.external_id) FROM crawler_sound t WHERE t.id = key)",
        "key",
    ),
    "sources": (
        gettext_lazy("Your sources"),
        """JOIN LATERAL (
            SELECT shown.source_id AS key FROM crawler_sourcevideo shown JOIN crawler_source s ON s.id = shown.source_id
            WHERE shown.video_id = seen.id AND s.workspace_id = %(workspace)s
        ) AS grouping ON true""",
        "(SELECT s.value FROM crawler_source s WHERE s.id = key)",
        "key",
    ),
}

_TRENDS = f"""
    WITH latest AS MATERIALIZED (
        SELECT id, platform, author_id, sound_id, hashtags, published_at FROM crawler_video v
        WHERE coalesce(published_at, first_seen_at) > %(oldest)s
        ORDER BY coalesce(published_at, first_seen_at) DESC, id DESC LIMIT %(most_videos)s
    ), counted AS (
        SELECT latest.*, s.last_at, coalesce(s.raw[{sql.VIEWS}], 0) > 0 AS has_views,
               CASE WHEN s.raw[{sql.VIEWS}] > 0 THEN s.fast[{sql.VIEWS}] ELSE s.fast[{LIKES}] END AS rate,
               CASE WHEN s.raw[{sql.VIEWS}] > 0 THEN s.raw[{sql.VIEWS}] ELSE s.raw[{LIKES}] END AS size
        FROM latest JOIN ranking_counterstate s ON s.video_id = latest.id
        WHERE s.last_at > %(since)s
    ), seen AS MATERIALIZED (
        SELECT counted.*, (1 + rate) / exp(usual.median_rate) AS times_usual, surge.video_id IS NOT NULL AS has_surged,
               coalesce(score.reach, 0) AS reach
        FROM counted
        LEFT JOIN ranking_score score ON score.video_id = counted.id
        LEFT JOIN (SELECT DISTINCT video_id FROM ranking_surge WHERE alerted_at > %(since)s) surge
            ON surge.video_id = counted.id
        LEFT JOIN ranking_baseline usual ON usual.platform = counted.platform
            AND usual.family = CASE WHEN has_views THEN 'views' ELSE 'reactions' END
            AND usual.age_bucket = width_bucket(
                extract(epoch FROM counted.last_at - counted.published_at)::float8 / 3600, %(edges)s::float8[])
    ), grouped AS (
        SELECT key, count(*) AS videos, count(*) FILTER (WHERE has_surged) AS surges,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY rate) AS per_hour,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY 24 * rate / size) FILTER (WHERE size > 0) AS per_day,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY times_usual) AS times_usual,
               (array_agg(id ORDER BY has_surged DESC, reach DESC, id))[:{EXAMPLES}] AS examples
        FROM seen {{grouping}} GROUP BY key HAVING count(*) >= %(least)s
    ), ordered AS (
        SELECT *, (surges + {HELD_BACK} * usual.share) / (videos + {HELD_BACK}) AS held_back
        FROM grouped, (SELECT count(*) FILTER (WHERE has_surged)::float8 / greatest(count(*), 1) AS share FROM seen) usual
        ORDER BY held_back DESC, times_usual DESC NULLS LAST, videos DESC, key LIMIT %(most)s
    )
    SELECT {{words}}, {{id}}, videos, surges, per_hour, per_day, times_usual, examples FROM ordered
    ORDER BY held_back DESC, times_usual DESC NULLS LAST, videos DESC, key
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    name: str
    id: int
    """Of the author, sound or source; 0 for a topic, which is its name."""
    videos: int
    """Seen in the period."""
    surges: int
    """Of them, alerted in the period."""
    per_hour: float | None
    """Median rise of views, or of likes where no views are shown. The other medians are of the same counter."""
    per_day: float | None
    """Median rise relative to what there is: 0.5 is half again within a day."""
    times_usual: float | None
    """Median of the rise over what is usual at each video's age on its platform."""
    examples: list[Card]

    @property
    def share(self) -> float:
        return self.surges / self.videos


def trends(by: str, period: str = DEFAULT_PERIOD, *, workspace_id: int | None = None, most: int = MOST_GROUPS) -> list[Trend]:
    """Two statements. `by` is one of GROUPS; "sources" are those of the workspace, of which strangers see none."""
    _label, grouping, words, its_id = GROUPS[by]
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _TRENDS.format(grouping=grouping, words=words, id=its_id),
            {
                "oldest": now - YOUNGER_THAN,
                "since": now - PERIODS[period],
                "most_videos": MOST_VIDEOS,
                "edges": list(AGE_EDGES_HOURS),
                "least": LEAST_VIDEOS,
                "most": most,
                "workspace": workspace_id,
            },
        )
        rows = cursor.fetchall()
    shown = (
        {card.id: card for card in cards([video_id for row in rows for video_id in row[-1]], sparklines=False)} if rows else {}
    )
    return [
        Trend(
            name=name or "–",
            id=its_id,
            videos=videos,
            surges=surges,
            per_hour=per_hour,
            per_day=per_day,
            times_usual=times,
            examples=[shown[video_id] for video_id in examples if video_id in shown],
        )
        for name, its_id, videos, surges, per_hour, per_day, times, examples in rows
    ]
