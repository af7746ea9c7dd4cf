"""Surges: foretold by the surge head, confirmed by counters that move together, followed to their end.

One row per surge. It opens as "watch" or, once two counters or more rise and none of them alone, as an alert; it peaks when
the rise per hour has halved; it clears when the probability stays below 0.7 of its threshold for two observations. Whether the
video then reached the top level is written down too, so that precision and lead are counted and not claimed.
"""

from collections.abc import Collection

from constance.utils import get_values_for_keys
from django.db import connection

from ranking import pulse
from ranking.scoring import sql
from ranking.scoring.state import METRICS

HYSTERESIS = 0.7
CLEAR_AFTER = 2
PEAK_SHARE = 0.5
LIKES = METRICS.index("likes") + 1

# What is known of each video at its newest observation. `primary` is views where they are shown, else likes.
_NOW = f"""
    now AS MATERIALIZED (
        SELECT s.video_id, s.last_at AS at, score.reach, score.model_id, model.alert_threshold, model.watch_threshold,
               coalesce(nullif(s.raw[{sql.VIEWS}], 0), s.raw[{LIKES}]) AS size,
               CASE WHEN s.raw[{sql.VIEWS}] > 0 THEN s.fast[{sql.VIEWS}] ELSE s.fast[{LIKES}] END AS rate,
               coalesce(usual.level, (model.data ->> 'level')::float8) AS level,
               s.moving >= 2 AND NOT s.is_clipped AS confirmed, s.moving, s.is_clipped, s.snapshots,
               s.snapshots > 1 OR v.published_at IS NOT NULL AS known_rate, score.momentum,
               -- Over the level at the first sighting already: nobody could have foretold it.
               s.snapshots > 1 AND NOT EXISTS (
                   SELECT FROM crawler_metricsnapshot first
                   WHERE first.video_id = s.video_id AND first.observed_at = s.first_at
                     AND coalesce(nullif(first.views, 0), first.likes) >= coalesce(usual.level, (model.data ->> 'level')::float8)
               ) AS below_before
        FROM ranking_counterstate s
        JOIN ranking_score score ON score.video_id = s.video_id
        JOIN ranking_rankingmodel model ON model.id = score.model_id
        JOIN crawler_video v ON v.id = s.video_id
        LEFT JOIN ranking_baseline usual ON usual.platform = v.platform AND usual.age_bucket = -1
            AND usual.family = CASE WHEN s.raw[{sql.VIEWS}] > 0 THEN 'views' ELSE 'reactions' END
        WHERE {{which}}
    )"""

_FOLLOW = f"""
    WITH {_NOW}, followed AS (
        SELECT surge.id, now.*,
               CASE WHEN now.reach < {HYSTERESIS} * CASE WHEN surge.alerted_at IS NULL THEN now.watch_threshold
                         ELSE now.alert_threshold END
                    THEN surge.low_streak + 1 ELSE 0 END AS low,
               greatest(surge.top_rate, now.rate) AS top,
               surge.alerted_at IS NULL AND now.confirmed AND now.reach >= now.alert_threshold AS alerts
        FROM ranking_surge surge JOIN now USING (video_id)
        WHERE surge.state <> 'cleared' AND surge.observed_at < now.at
    )
    UPDATE ranking_surge AS surge SET
        observed_at = followed.at,
        highest = greatest(surge.highest, followed.reach),
        top_rate = followed.top,
        low_streak = followed.low,
        alerted_at = CASE WHEN followed.alerts THEN followed.at ELSE surge.alerted_at END,
        probability = CASE WHEN followed.alerts THEN followed.reach ELSE surge.probability END,
        confirmed_at = CASE WHEN followed.confirmed THEN coalesce(surge.confirmed_at, followed.at)
                            ELSE surge.confirmed_at END,
        reached_at = CASE WHEN followed.size >= surge.level THEN coalesce(surge.reached_at, followed.at)
                          ELSE surge.reached_at END,
        peaked_at = CASE WHEN followed.rate < {PEAK_SHARE} * followed.top THEN coalesce(surge.peaked_at, followed.at)
                         ELSE surge.peaked_at END,
        cleared_at = CASE WHEN followed.low >= {CLEAR_AFTER} THEN followed.at END,
        state = CASE WHEN followed.low >= {CLEAR_AFTER} THEN 'cleared'
                     WHEN surge.alerted_at IS NULL AND NOT followed.alerts THEN 'watch'
                     WHEN followed.rate < {PEAK_SHARE} * followed.top THEN 'peaked'
                     ELSE 'open' END
    FROM followed WHERE surge.id = followed.id
"""

_OPEN = f"""
    WITH {_NOW}
    INSERT INTO ranking_surge (video_id, model_id, state, watched_at, alerted_at, confirmed_at, probability, highest,
                               level, top_rate, low_streak, evidence, observed_at)
    SELECT video_id, model_id,
           CASE WHEN confirmed AND reach >= alert_threshold THEN 'open' ELSE 'watch' END, at,
           CASE WHEN confirmed AND reach >= alert_threshold THEN at END,
           CASE WHEN confirmed THEN at END, reach, reach, level, rate, 0,
           jsonb_build_object('size', size, 'per_hour', rate, 'moving', moving, 'clipped', is_clipped,
                              'snapshots', snapshots, 'alert_threshold', alert_threshold,
                              'watch_threshold', watch_threshold), at
    FROM now
    WHERE reach >= watch_threshold AND known_rate AND size < level
      AND NOT EXISTS (
          SELECT FROM ranking_surge old WHERE old.video_id = now.video_id
          AND (old.state <> 'cleared' OR old.watched_at > now.at - interval '24 hours')
      )
    ORDER BY video_id
    ON CONFLICT DO NOTHING
"""

_MARK = """
    UPDATE ranking_score AS score SET
        is_surging = surging.since IS NOT NULL, surging_since = surging.since,
        surged_at = CASE WHEN surging.since IS NOT NULL THEN score.observed_at ELSE score.surged_at END
    FROM (
        SELECT score.video_id, max(surge.alerted_at) FILTER (WHERE surge.state = 'open') AS since
        FROM ranking_score score LEFT JOIN ranking_surge surge USING (video_id)
        WHERE {which} GROUP BY score.video_id
    ) AS surging
    WHERE score.video_id = surging.video_id
      AND (score.is_surging, score.surging_since) IS DISTINCT FROM (surging.since IS NOT NULL, surging.since)
"""


_MILESTONES = f"""
    WITH {_NOW}
    INSERT INTO ranking_milestone AS old (video_id, level, reached_at, classic_at)
    SELECT video_id, level, CASE WHEN size >= level AND below_before THEN at END,
           CASE WHEN momentum >= %s THEN at END
    FROM now WHERE (size >= level AND below_before) OR momentum >= %s
    ORDER BY video_id
    ON CONFLICT (video_id) DO UPDATE SET
        level = coalesce(old.level, excluded.level),
        reached_at = coalesce(old.reached_at, excluded.reached_at),
        classic_at = coalesce(old.classic_at, excluded.classic_at)
    WHERE (old.reached_at IS NULL AND excluded.reached_at IS NOT NULL)
       OR (old.classic_at IS NULL AND excluded.classic_at IS NOT NULL)
"""


def follow(video_ids: Collection[int] | None = None) -> int:
    """Open, follow and close surges by the newest observations (of these videos, or of all); return how many opened."""
    which, parameters = ("true", []) if video_ids is None else ("{}.video_id = ANY(%s)", [list(video_ids)])
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW.format(which=which.format("s")), parameters)
        cursor.execute(_OPEN.format(which=which.format("s")), parameters)
        opened: int = cursor.rowcount
        cursor.execute(_MARK.format(which=which.format("score")), parameters)
        rule = get_values_for_keys(["SURGE_MOMENTUM"])["SURGE_MOMENTUM"]
        cursor.execute(_MILESTONES.format(which=which.format("s")), [*parameters, rule, rule])
    return opened


def observe(video_ids: Collection[int] | None = None) -> int:
    """Carry the counters forward, then follow the surges; return how many snapshots were applied."""
    applied = pulse.advance(video_ids)
    follow(video_ids)
    return applied
