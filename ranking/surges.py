"""Surges: foretold by the surge head, confirmed by counters that move together, followed to their end.

One row per surge. It opens as "watch" or, once two counters or more rise and none of them alone, as an alert; it peaks when
the rise per hour has halved; it clears when the probability stays below 0.7 of its threshold for two observations. Whether the
video then reached the top level is written down too, so that precision and lead are counted and not claimed. One that leaps
up to the level between two looks is alerted as well, being news, but not counted as foretold.
"""

from collections.abc import Collection, Mapping

from django.db import connection, transaction

from ranking import classic, pulse
from ranking.models import Surge, SurgeState
from ranking.pulse import NEARLY
from ranking.scoring import sql
from ranking.scoring.state import METRICS

HYSTERESIS = 0.7
CLEAR_AFTER = 2
PEAK_SHARE = 0.5
MOST_ROUNDS = 2000
"""Snapshots of one video applied in one call; the rest follow at the next."""
LIKES = METRICS.index("likes") + 1

# What is known of each video at its newest observation. `size` and `rate` are of views where they are shown, else of likes.
# $1 the videos, $2 whether again, $3 the classic rule's momentum; $4 models, $5 their alert and $6 watch thresholds, $7 levels.
_FOLLOW = f"""
    WITH now AS MATERIALIZED (
        SELECT s.video_id, s.first_at, s.last_at AS at, score.reach, score.momentum, score.model_id,
               model.alert_threshold, model.watch_threshold,
               coalesce(nullif(s.raw[{sql.VIEWS}], 0), s.raw[{LIKES}]) AS size,
               CASE WHEN s.raw[{sql.VIEWS}] > 0 THEN s.fast[{sql.VIEWS}] ELSE s.fast[{LIKES}] END AS rate,
               coalesce(usual.level, model.level) AS level, before.size AS size_before,
               s.moving >= 2 AND NOT s.is_clipped AS confirmed, s.moving, s.is_clipped, s.snapshots,
               s.snapshots > 1 OR v.published_at IS NOT NULL AS known_rate
        FROM ranking_counterstate s
        JOIN ranking_score score ON score.video_id = s.video_id
        JOIN unnest($4::bigint[], $5::float8[], $6::float8[], $7::float8[])
             AS model (id, alert_threshold, watch_threshold, level) ON model.id = score.model_id
        JOIN crawler_video v ON v.id = s.video_id
        LEFT JOIN ranking_baseline usual ON usual.platform = v.platform AND usual.age_bucket = -1
            AND usual.family = CASE WHEN s.raw[{sql.VIEWS}] > 0 THEN 'views' ELSE 'reactions' END
        LEFT JOIN LATERAL (  -- of those that are as good as there: whether they were so within two days, dips apart
            SELECT max(coalesce(nullif(snap.views, 0), snap.likes)) AS size FROM crawler_metricsnapshot snap
            WHERE snap.video_id = s.video_id AND snap.observed_at < s.last_at
              AND snap.observed_at >= greatest(s.first_at, s.last_at - interval '48 hours')
              AND coalesce(nullif(s.raw[{sql.VIEWS}], 0), s.raw[{LIKES}]) >= {NEARLY} * coalesce(usual.level, model.level)
        ) before ON true
        WHERE s.video_id = ANY($1::bigint[])
    ), followed AS (
        SELECT surge.id, now.*,
               CASE WHEN now.reach < {HYSTERESIS} * CASE WHEN surge.alerted_at IS NULL THEN now.watch_threshold
                         ELSE now.alert_threshold END
                    THEN surge.low_streak + (surge.observed_at < now.at)::int ELSE 0 END AS low,
               greatest(surge.top_rate, now.rate) AS top,
               surge.alerted_at IS NULL AND now.confirmed AND now.reach >= now.alert_threshold
                   AND least(now.size, now.size_before) < {NEARLY} * now.level AS alerts
        FROM ranking_surge surge JOIN now USING (video_id)
        WHERE surge.state <> 'cleared' AND (surge.observed_at < now.at OR $2)
    ), gone_on AS (
        UPDATE ranking_surge AS surge SET
            observed_at = followed.at,
            highest = greatest(surge.highest, followed.reach),
            -- What is foretold stands from the alert on; before, it follows what is known of the platform.
            level = CASE WHEN surge.alerted_at IS NULL THEN followed.level ELSE surge.level END,
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
        RETURNING surge.video_id
    ), opened AS (
        INSERT INTO ranking_surge (video_id, model_id, state, watched_at, alerted_at, confirmed_at, reached_at,
                                   probability, highest, level, top_rate, low_streak, evidence, observed_at)
        SELECT video_id, model_id,
               CASE WHEN confirmed AND reach >= alert_threshold THEN 'open' ELSE 'watch' END, at,
               CASE WHEN confirmed AND reach >= alert_threshold THEN at END,
               CASE WHEN confirmed THEN at END, CASE WHEN size >= level THEN at END, reach, reach, level, rate, 0,
               jsonb_build_object('size', size, 'per_hour', rate, 'moving', moving, 'clipped', is_clipped,
                                  'snapshots', snapshots, 'alert_threshold', alert_threshold,
                                  'watch_threshold', watch_threshold), at
        FROM now
        WHERE reach >= watch_threshold AND known_rate AND least(size, size_before) < {NEARLY} * level
          AND NOT EXISTS (
              SELECT FROM ranking_surge old WHERE old.video_id = now.video_id
              AND (old.state <> 'cleared' OR old.watched_at > now.at - interval '24 hours')
          )
        ORDER BY video_id
        ON CONFLICT DO NOTHING
        RETURNING video_id
    ), milestones AS (
        INSERT INTO ranking_milestone AS old (video_id, level, reached_at, classic_at)
        SELECT video_id, level, CASE WHEN reaches THEN at END, CASE WHEN calls THEN at END
        FROM (  -- only what is news: a conflict writes a lock, whether it then changes the row or not
            SELECT now.*, coalesce(now.momentum >= $3::float8, false) AND known.classic_at IS NULL AS calls,
                   now.size >= now.level AND now.snapshots > 1 AND known.reached_at IS NULL AND NOT EXISTS (
                       -- There at its first sighting, or nearly: nobody could have foretold it.
                       SELECT FROM crawler_metricsnapshot first
                       WHERE first.video_id = now.video_id AND first.observed_at = now.first_at
                         AND coalesce(nullif(first.views, 0), first.likes) >= {NEARLY} * now.level
                   ) AS reaches
            FROM now LEFT JOIN ranking_milestone known USING (video_id)
            WHERE now.size >= now.level OR now.momentum >= $3
            OFFSET 0
        ) AS judged
        WHERE reaches OR calls
        ORDER BY video_id
        ON CONFLICT (video_id) DO UPDATE SET
            level = coalesce(old.level, excluded.level),
            reached_at = coalesce(old.reached_at, excluded.reached_at),
            classic_at = coalesce(old.classic_at, excluded.classic_at)
        WHERE (old.reached_at IS NULL AND excluded.reached_at IS NOT NULL)
           OR (old.classic_at IS NULL AND excluded.classic_at IS NOT NULL)
    )
    SELECT video_id, false FROM gone_on UNION ALL SELECT video_id, true FROM opened
"""

_MARK = """
    UPDATE ranking_score AS score SET
        is_surging = surging.since IS NOT NULL, surging_since = surging.since,
        surged_at = CASE WHEN surging.since IS NOT NULL THEN score.observed_at ELSE score.surged_at END
    FROM (
        SELECT video_id, max(alerted_at) FILTER (WHERE state = 'open') AS since
        FROM ranking_surge WHERE video_id = ANY(%s) GROUP BY video_id
    ) AS surging
    WHERE score.video_id = surging.video_id
      AND (score.is_surging, score.surging_since) IS DISTINCT FROM (surging.since IS NOT NULL, surging.since)
"""


def follow(video_ids: Collection[int], active: Mapping[str, pulse.Active], rules: classic.Rules, *, again: bool = False) -> int:
    """Open, follow and close surges by the newest observations of these videos; return how many opened.

    `again`: also those that these observations were judged by already, because their scores have changed since.
    """
    models = list(active.values())
    parameters = [
        list(video_ids),
        again,
        rules.surge_momentum,
        [model.row.pk for model in models],
        [model.row.alert_threshold for model in models],
        [model.row.watch_threshold for model in models],
        [model.model.level for model in models],
    ]
    with transaction.atomic():
        touched = pulse.execute(_FOLLOW, parameters)
        if touched:
            with connection.cursor() as cursor:
                cursor.execute(_MARK, [[video_id for video_id, _is_new in touched]])
    return sum(is_new for _video_id, is_new in touched)


def judge_again() -> None:
    """What is live, by scores that changed without an observation: with a new model, or a new top level."""
    live = Surge.objects.exclude(state=SurgeState.CLEARED).values_list("video_id", flat=True)
    follow(live, pulse.active_models(), classic.rules(), again=True)


def observe(video_ids: Collection[int]) -> int:
    """Apply what is new of these videos, oldest first, and follow their surges; return how many snapshots were applied."""
    active, rules = pulse.active_models(), classic.rules()
    applied, left = 0, video_ids
    for _round in range(MOST_ROUNDS):
        with transaction.atomic():
            step = pulse.step(left, active, rules)
            if step.notable:
                follow(step.notable, active, rules)
        applied, left = applied + step.applied, step.unfinished
        if not left:
            break
    return applied
