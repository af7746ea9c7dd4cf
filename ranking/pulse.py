"""Counters carried forward and scored: the stored side of ranking.scoring, set-based for a page or for everything."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from ranking import coefficients
from ranking.models import Family, ModelState, RankingModel
from ranking.scoring import sql
from ranking.scoring.model import HEADS, Model
from ranking.scoring.state import METRICS

EPOCH_HOURS = "extract(epoch FROM {})::float8 / 3600"
MOST_ROUNDS = 2000
"""Snapshots of one video applied in one call; the rest follow at the next."""


@dataclass(frozen=True, slots=True)
class Active:
    """An active model beside its row."""

    row: RankingModel
    model: Model


def active_models() -> dict[str, Active]:
    """By family. The shipped ones become rows at the first call, so that every score can name its version."""
    rows = {row.family: row for row in RankingModel.objects.filter(state=ModelState.ACTIVE)}
    for family in Family.values:
        if family not in rows and (shipped := coefficients.shipped(family)) is not None:
            rows[family], _created = RankingModel.objects.get_or_create(
                family=family,
                state=ModelState.ACTIVE,
                defaults={
                    "origin": "shipped",
                    "data": shipped.to_json(),
                    "alert_threshold": shipped.thresholds.alert,
                    "watch_threshold": shipped.thresholds.watch,
                },
            )
    return {family: Active(row, Model.from_json(row.data)) for family, row in rows.items()}


def advance(video_ids: Collection[int] | None = None) -> int:
    """Apply the snapshots not applied yet (of these videos, or of all), oldest first, and score; return how many.

    Each round applies at most one snapshot per video in one statement, so usually there is one round. Two workers
    at once do no harm: a state moves only forward from the one that was read.
    """
    kits = _kits()
    if not kits:
        return 0
    which = "" if video_ids is None else "AND v.id = ANY(%(ids)s)"
    applied = 0
    for _round in range(MOST_ROUNDS):
        with connection.cursor() as cursor:
            cursor.execute(_advance_sql(which), {"ids": list(video_ids or ()), **kits})
            count = cursor.rowcount
        if count <= 0:
            break
        applied += count
    return applied


def rescore(family: str) -> int:
    """Score every video of a family anew with its active model; return how many.

    One transaction with the activation of that model: nobody ever sees old scores among new ones.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_rescore_sql(), {"family": family, **_kits()})
        return cursor.rowcount


def _kits() -> dict[str, Any]:
    """What the statements need of the models: parallel arrays with a place per family."""
    active = active_models()
    if not active:
        return {}
    chosen = [active[family] for family in sorted(active)]
    kits: dict[str, Any] = {
        "families": [kit.model.family for kit in chosen],
        "model_ids": [kit.row.pk for kit in chosen],
        "horizons": [kit.model.horizon for kit in chosen],
        "places": [METRICS.index(kit.model.primary) + 1 for kit in chosen],
        # A model fitted on our own history needs no bringing to size.
        "typicals": [kit.model.typical if kit.row.origin == "shipped" else None for kit in chosen],
        "limits": _table([[kit.model.guard.limits.get(metric) for metric in METRICS] for kit in chosen]),
    }
    for head in HEADS:
        kits[head] = _table([[kit.model.heads[head].intercept, *kit.model.heads[head].weights] for kit in chosen])
    return kits


def _table(rows: Sequence[Sequence[float | None]]) -> list[str]:
    """Arrays of unequal meaning travel as array literals, for unnest() would flatten a matrix."""
    return ["{" + ",".join("NULL" if value is None else repr(float(value)) for value in row) + "}" for row in rows]


_KITS = """
    kits AS (
        SELECT family, model_id, horizon, place, typical, limits::float8[] AS limits,
               virality::float8[] AS w_virality, breakout::float8[] AS w_breakout, surge::float8[] AS w_surge
        FROM unnest(%(families)s::text[], %(model_ids)s::bigint[], %(horizons)s::float8[], %(places)s::int[],
                    %(typicals)s::float8[], %(limits)s::text[], %(virality)s::text[], %(breakout)s::text[],
                    %(surge)s::text[])
            AS kit (family, model_id, horizon, place, typical, limits, virality, breakout, surge)
    )"""
_SCALE = "coalesce(kit.typical / nullif(usual.median_size, 0), 1)"
_USUAL = """LEFT JOIN ranking_baseline usual
            ON usual.platform = v.platform AND usual.family = kit.family AND usual.age_bucket = -1"""


@functools.cache
def _advance_sql(which: str) -> str:
    metrics = range(1, len(METRICS) + 1)
    old = ", ".join(
        f"s.raw[{m}] AS x{m}, s.hour[{m}] AS t{m}, s.total[{m}] AS e{m}, s.fast[{m}] AS f{m}, "
        f"s.slow[{m}] AS s{m}, s.seen[{m}] AS n{m}, snap.{METRICS[m - 1]} AS v{m}"
        for m in metrics
    )
    arrays = {
        name: "ARRAY[" + ", ".join(f"{letter}{m}_" for m in metrics) + "]"
        for name, letter in (
            ("raw", "x"),
            ("hour", "t"),
            ("total", "e"),
            ("fast", "f"),
            ("slow", "s"),
            ("seen", "n"),
        )
    }
    hour = EPOCH_HOURS.format("snap.observed_at")
    return f"""
    WITH {_KITS}, next AS MATERIALIZED (
        SELECT v.id AS video_id, snap.observed_at AS at, {hour} AS hour, snap.followers,
               CASE WHEN v.published_at <= snap.observed_at
                    THEN {EPOCH_HOURS.format("(snap.observed_at - v.published_at)")} END AS age,
               coalesce(s.first_at, snap.observed_at) AS first_at,
               {EPOCH_HOURS.format("coalesce(s.first_at, snap.observed_at)")} AS first_hour,
               coalesce(s.snapshots, 0) + 1 AS snapshots_, s.last_at AS last_at,
               kit.model_id, kit.horizon, kit.limits, kit.place AS primary_place, {_SCALE} AS scale,
               kit.w_virality, kit.w_breakout, kit.w_surge, {old}
        FROM crawler_video v
        LEFT JOIN ranking_counterstate s ON s.video_id = v.id
        CROSS JOIN LATERAL (
            SELECT * FROM crawler_metricsnapshot snap
            WHERE snap.video_id = v.id AND snap.observed_at > coalesce(s.last_at, '-infinity')
            ORDER BY snap.observed_at LIMIT 1
        ) snap
        JOIN kits kit
            ON kit.family = CASE WHEN coalesce(s.raw[{sql.VIEWS}], snap.views) IS NULL THEN 'reactions' ELSE 'views' END
        {_USUAL}
        WHERE true {which}
    ), {sql.advanced("next")}, stored AS (
        INSERT INTO ranking_counterstate AS old
            (video_id, first_at, last_at, snapshots, moving, is_clipped, {", ".join(arrays)})
        SELECT video_id, first_at, at, snapshots_, moving_, clipped_, {", ".join(arrays.values())}
        FROM advanced ORDER BY video_id
        ON CONFLICT (video_id) DO UPDATE SET
            last_at = excluded.last_at, snapshots = excluded.snapshots, moving = excluded.moving,
            is_clipped = excluded.is_clipped, {", ".join(f"{name} = excluded.{name}" for name in arrays)}
        WHERE old.last_at < excluded.last_at AND old.snapshots = excluded.snapshots - 1
        RETURNING video_id
    ), {sql.featured()}
    UPDATE ranking_score AS score SET
        virality = {sql.probability("w_virality")},
        breakout = {sql.probability("w_breakout")},
        reach = {sql.probability("w_surge")},
        model_id = featured.model_id
    FROM featured JOIN stored USING (video_id)
    WHERE score.video_id = featured.video_id
    """


@functools.cache
def _rescore_sql() -> str:
    metrics = range(1, len(METRICS) + 1)
    state = ", ".join(f"s.raw[{m}] AS x{m}_, s.total[{m}] AS e{m}_, s.fast[{m}] AS f{m}_, s.slow[{m}] AS s{m}_" for m in metrics)
    return f"""
    WITH {_KITS}, kept AS (
        SELECT s.video_id, {EPOCH_HOURS.format("s.last_at")} AS hour,
               {EPOCH_HOURS.format("s.first_at")} AS first_hour, s.snapshots AS snapshots_, snap.followers,
               CASE WHEN v.published_at <= s.last_at
                    THEN {EPOCH_HOURS.format("(s.last_at - v.published_at)")} END AS age,
               kit.model_id, kit.horizon, kit.place AS primary_place, {_SCALE} AS scale,
               kit.w_virality, kit.w_breakout, kit.w_surge, {state}
        FROM ranking_counterstate s
        JOIN crawler_video v ON v.id = s.video_id
        JOIN crawler_metricsnapshot snap ON snap.video_id = s.video_id AND snap.observed_at = s.last_at
        JOIN kits kit
            ON kit.family = CASE WHEN s.raw[{sql.VIEWS}] IS NULL THEN 'reactions' ELSE 'views' END
        {_USUAL}
        WHERE kit.family = %(family)s
    ), {sql.featured("kept")}
    UPDATE ranking_score AS score SET
        virality = {sql.probability("w_virality")},
        breakout = {sql.probability("w_breakout")},
        reach = {sql.probability("w_surge")},
        model_id = featured.model_id
    FROM featured
    WHERE score.video_id = featured.video_id
    """
