"""Counters carried forward and scored: the stored side of ranking.scoring, set-based for a page or for everything."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import connection, transaction

from ranking import classic, coefficients
from ranking.models import Family, ModelState, RankingModel
from ranking.scoring import sql
from ranking.scoring.classic import METRICS as CLASSIC_METRICS
from ranking.scoring.classic import WINDOW
from ranking.scoring.model import Model
from ranking.scoring.state import METRICS


@dataclass(frozen=True, slots=True)
class Active:
    """An active model beside its row."""

    row: RankingModel
    model: Model


def active_models() -> dict[str, Active]:
    """By family. The shipped ones become rows at the first call, so that every score can name its version."""
    rows = {row.family: row for row in RankingModel.objects.filter(state=ModelState.ACTIVE).defer("data")}
    for family in Family.values:
        if family not in rows and (shipped := coefficients.shipped(family)) is not None:
            rows[family], _created = RankingModel.objects.get_or_create(
                family=family,
                state=ModelState.ACTIVE,
                defaults={
                    "origin": "shipped",
                    "data": shipped.to_json(),
                    "alert_threshold": round(shipped.thresholds.alert, 4),
                    "watch_threshold": round(shipped.thresholds.watch, 4),
                },
            )
    return {family: Active(row, _model(row)) for family, row in rows.items()}


_models: dict[int, Model] = {}  # a row's coefficients never change


def _model(row: RankingModel) -> Model:
    if row.pk not in _models:
        _models[row.pk] = Model.from_json(row.data)
    return _models[row.pk]


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did: how many snapshots it applied, and which of those videos must be looked at more closely."""

    applied: int
    notable: list[int]
    """Those with a surge, or that might have one now."""
    unfinished: list[int]
    """Those with more snapshots to apply."""


def step(video_ids: Collection[int], active: Mapping[str, Active], rules: classic.Rules) -> Step:
    """Apply to each of these videos the oldest snapshot not applied yet, and score it, in one statement.

    Two workers at once do no harm: a state moves only forward from the one that was read.
    """
    kits = _kits(active)
    if not kits or not video_ids:
        return Step(0, [], [])
    [(applied, notable, unfinished)] = execute(_step_sql(kits, rules), [sorted(video_ids)])
    return Step(applied, notable or [], unfinished or [])


def rescore(family: str) -> int:
    """Score every video of a family anew with its active model; return how many.

    One transaction with the activation of that model: nobody ever sees old scores among new ones.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_rescore_sql(_kits(active_models())), [family])
        scored: int = cursor.rowcount
    return scored


# Every row is looked up once, by an index whose order is the one asked for: nothing to memoize, to scan or to sort.
_PLANNED_ONCE = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', true)"
    for name, value in (
        ("plan_cache_mode", "force_generic_plan"),
        *((f"enable_{way}", "off") for way in ("memoize", "sort", "seqscan", "bitmapscan")),
    )
)


def execute(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a long statement, whose parameters are $1 and so on, within a transaction.

    Prepared, and planned once: planning costs more than a page of videos does. To look for %s in it would cost a tenth of that.
    """
    connection.ensure_connection()
    with psycopg.RawCursor(connection.connection) as cursor, connection.wrap_database_errors:
        cursor.execute(_PLANNED_ONCE)
        return cursor.execute(statement.encode(), parameters, prepare=True).fetchall()


@dataclass(frozen=True, slots=True)
class Kit:
    """What the statements need of one family's active model; hashable, so that the SQL is written once."""

    family: str
    model_id: int
    is_shipped: bool
    watch_threshold: float
    model: Model = field(compare=False)


def _kits(models: Mapping[str, Active]) -> tuple[Kit, ...]:
    return tuple(
        Kit(family, active.row.pk, active.row.origin == "shipped", active.row.watch_threshold, active.model)
        for family, active in sorted(models.items())
    )


_METRICS = range(1, len(METRICS) + 1)
_ARRAYS = {
    name: "ARRAY[" + ", ".join(f"{letter}{m}_" for m in _METRICS) + "]"
    for name, letter in (("raw", "x"), ("hour", "t"), ("total", "e"), ("fast", "f"), ("slow", "s"), ("seen", "n"))
}
NEARLY = 0.8
"""From this share of the top level on nothing is foretold, unless it was below when looked at before: it is as good as there."""
_SET_SCORE = "virality = scored.virality, breakout = scored.breakout, reach = scored.reach, model_id = scored.model_id"
_USUAL = """LEFT JOIN ranking_baseline usual
            ON usual.platform = v.platform AND usual.age_bucket = -1 AND usual.family = {family}"""


def _family(has_views: str) -> str:
    return f"CASE WHEN {has_views} THEN '{Family.VIEWS}' ELSE '{Family.REACTIONS}' END"


def _constants(kits: tuple[Kit, ...]) -> str:
    """horizon, primary_place, scale and limit# of a row by its `family` and the platform's usual size."""
    scales = {
        # A model fitted on our own history needs no bringing to size.
        kit.family: f"coalesce({sql.number(kit.model.level)} / nullif(usual_level, 0), 1)" if kit.is_shipped else "1"
        for kit in kits
    }
    limits = {
        place: {kit.family: sql.number(kit.model.guard.limits.get(metric)) for kit in kits}
        for place, metric in enumerate(METRICS, start=1)
    }
    return ", ".join(
        (
            f"{sql.by_family({kit.family: sql.number(kit.model.horizon) for kit in kits})} AS horizon",
            f"{sql.by_family({kit.family: str(METRICS.index(kit.model.primary) + 1) for kit in kits})} AS primary_place",
            f"{sql.by_family(scales)} AS scale",
            *(f"{sql.by_family(values)} AS limit{place}" for place, values in limits.items()),
        )
    )


def _heads(kits: tuple[Kit, ...]) -> str:
    columns = {"virality": "virality", "breakout": "breakout", "surge": "reach"}
    return ", ".join(
        (
            *(
                f"{sql.probability({kit.family: kit.model.heads[head] for kit in kits})} AS {column}"
                for head, column in columns.items()
            ),
            f"{sql.by_family({kit.family: str(kit.model_id) for kit in kits})} AS model_id",
        )
    )


_NOW = {metric: f"v{METRICS.index(metric) + 1}" for metric in CLASSIC_METRICS}
_BEFORE = {metric: f"{metric}_before" for metric in CLASSIC_METRICS}
_DAY = f"interval '{WINDOW.total_seconds()} seconds'"


def _pending(kits: tuple[Kit, ...]) -> str:
    """Each video's oldest snapshot not applied yet, beside its state and the observation that the classic momentum compares with:
    the newest that is a day older, or else the oldest. Bounds on both sides spare looking into other months."""
    old = ", ".join(
        f"s.raw[{m}] AS x{m}, s.hour[{m}] AS t{m}, s.total[{m}] AS e{m}, s.fast[{m}] AS f{m}, "
        f"s.slow[{m}] AS s{m}, s.seen[{m}] AS n{m}, snap.{METRICS[m - 1]} AS v{m}"
        for m in _METRICS
    )
    before = ", ".join(
        f"CASE WHEN day.observed_at IS NULL THEN oldest.{metric} ELSE day.{metric} END AS {column}"
        for metric, column in _BEFORE.items()
    )
    family = _family(f"s.raw[{sql.VIEWS}] > 0 OR snap.views > 0")
    return f"""(
        SELECT *, {_constants(kits)} FROM (
            SELECT v.id AS video_id, s.ctid AS place, snap.observed_at AS at, {_hours("snap.observed_at")} AS hour,
                   snap.followers, snap.has_more,
                   CASE WHEN v.published_at <= snap.observed_at
                        THEN {_hours("(snap.observed_at - v.published_at)")} END AS age,
                   coalesce(s.first_at, snap.observed_at) AS first_at,
                   {_hours("coalesce(s.first_at, snap.observed_at)")} AS first_hour,
                   coalesce(s.snapshots, 0) + 1 AS snapshots_,
                   {family} AS family, usual.level AS usual_level, {old}, {before}
            FROM crawler_video v
            LEFT JOIN ranking_counterstate s ON s.video_id = v.id
            CROSS JOIN LATERAL (
                SELECT *, lead(observed_at) OVER (ORDER BY observed_at) IS NOT NULL AS has_more FROM (
                    SELECT observed_at, {", ".join(METRICS)}, followers FROM crawler_metricsnapshot snap
                    WHERE snap.video_id = v.id AND snap.observed_at > coalesce(s.last_at, '-infinity')
                    ORDER BY snap.observed_at LIMIT 2
                ) AS next_two ORDER BY observed_at LIMIT 1
            ) snap
            LEFT JOIN LATERAL (
                SELECT observed_at, {", ".join(_BEFORE)} FROM crawler_metricsnapshot day
                WHERE day.video_id = v.id AND day.observed_at >= s.first_at AND day.observed_at <= snap.observed_at - {_DAY}
                ORDER BY day.observed_at DESC LIMIT 1
            ) day ON true
            LEFT JOIN LATERAL (
                SELECT {", ".join(_BEFORE)} FROM crawler_metricsnapshot oldest
                WHERE day.observed_at IS NULL AND oldest.video_id = v.id
                    AND oldest.observed_at > snap.observed_at - {_DAY} AND oldest.observed_at < snap.observed_at
                ORDER BY oldest.observed_at LIMIT 1
            ) oldest ON true
            {_USUAL.format(family=family)}
            WHERE v.id = ANY($1::bigint[])
            OFFSET 0
        ) AS pending OFFSET 0)"""


@functools.lru_cache(maxsize=8)
def _step_sql(kits: tuple[Kit, ...], rules: classic.Rules) -> str:
    level = f"coalesce(usual_level, {sql.by_family({kit.family: sql.number(kit.model.level) for kit in kits})})"
    watch = sql.by_family({kit.family: sql.number(kit.watch_threshold) for kit in kits})
    size, size_before = (f"coalesce(nullif(x{sql.VIEWS}{new}, 0), x{METRICS.index('likes') + 1}{new})" for new in ("_", ""))
    kept = {
        "last_at": "at",
        "snapshots": "snapshots_",
        "moving": "moving_",
        "is_clipped": "clipped_",
        **{name: name for name in _ARRAYS},
    }
    columns = [
        "virality",
        "breakout",
        "reach",
        "model_id",
        "classic",
        "momentum",
        *CLASSIC_METRICS,
        *_BEFORE.values(),
        "observed_at",
    ]
    return f"""
    WITH scored AS MATERIALIZED (
        SELECT video_id, place, at, first_at, snapshots_, moving_, clipped_, has_more, {watch} AS watch,
               least({size}, {size_before}) < {NEARLY} * {level} AS is_below,
               {size} >= {level} AND {size_before} < {level} AS arrives,
               {", ".join(f"{array} AS {name}" for name, array in _ARRAYS.items())}, {_heads(kits)},
               {sql.classic_score(rules.weights, _NOW)} AS classic,
               {sql.classic_momentum(rules.weights, _NOW, _BEFORE)} AS momentum,
               {", ".join(f"{column} AS {metric}" for metric, column in _NOW.items())}, {", ".join(_BEFORE.values())},
               at AS observed_at
        FROM {sql.featured(sql.advanced(_pending(kits)))} AS featured
    ), begun AS (
        INSERT INTO ranking_counterstate (video_id, first_at, {", ".join(kept)})
        SELECT video_id, first_at, {", ".join(kept.values())} FROM scored WHERE snapshots_ = 1 ORDER BY video_id
        ON CONFLICT (video_id) DO NOTHING
        RETURNING video_id
    ), gone_on AS (  -- in the order of ids, and after the new ones: two workers wait for each other, and never in a circle
        UPDATE ranking_counterstate AS old SET {", ".join(f"{column} = new.{value}" for column, value in kept.items())}
        FROM (SELECT * FROM scored WHERE snapshots_ > 1 ORDER BY video_id OFFSET (SELECT 0 * count(*) FROM begun)) AS new
        WHERE old.ctid = new.place AND old.snapshots = new.snapshots_ - 1  -- unless it has been moved on since it was read
        RETURNING old.video_id
    ), stored AS (
        SELECT video_id FROM begun UNION ALL SELECT video_id FROM gone_on
    ), added AS (
        INSERT INTO ranking_score (video_id, is_surging, {", ".join(columns)})
        SELECT video_id, false, {", ".join(columns)} FROM scored
        WHERE snapshots_ = 1 AND video_id IN (SELECT video_id FROM stored) ORDER BY video_id
        ON CONFLICT (video_id) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in columns)}
    ), changed AS (  -- an upsert would cost a lock more, written to the log, for each row that is there
        UPDATE ranking_score AS score SET {", ".join(f"{column} = scored.{column}" for column in columns)}
        FROM scored JOIN stored USING (video_id) WHERE score.video_id = scored.video_id AND scored.snapshots_ > 1
    )
    SELECT count(*),
           array_agg(video_id) FILTER (WHERE reach >= watch AND is_below OR arrives
               OR EXISTS (SELECT FROM ranking_surge surge WHERE surge.video_id = scored.video_id AND surge.state <> 'cleared')
               OR momentum >= {sql.number(rules.surge_momentum)} AND NOT EXISTS (
                   SELECT FROM ranking_milestone known WHERE known.video_id = scored.video_id AND known.classic_at IS NOT NULL
               )),
           array_agg(video_id) FILTER (WHERE has_more)
    FROM scored WHERE video_id IN (SELECT video_id FROM stored)
    """


@functools.lru_cache(maxsize=8)
def _rescore_sql(kits: tuple[Kit, ...]) -> str:
    state = ", ".join(f"s.raw[{m}] AS x{m}_, s.total[{m}] AS e{m}_, s.fast[{m}] AS f{m}_, s.slow[{m}] AS s{m}_" for m in _METRICS)
    family = _family(f"s.raw[{sql.VIEWS}] > 0")
    kept = f"""(
        SELECT *, {_constants(kits)} FROM (
            SELECT s.video_id, {_hours("s.last_at")} AS hour, {_hours("s.first_at")} AS first_hour,
                   snap.followers,
                   CASE WHEN v.published_at <= s.last_at THEN {_hours("(s.last_at - v.published_at)")} END AS age,
                   {family} AS family, usual.level AS usual_level, {state}
            FROM ranking_counterstate s
            JOIN crawler_video v ON v.id = s.video_id
            JOIN crawler_metricsnapshot snap ON snap.video_id = s.video_id AND snap.observed_at = s.last_at
            {_USUAL.format(family=family)}
            OFFSET 0
        ) AS kept WHERE family = %s OFFSET 0)"""
    return f"""
    WITH scored AS MATERIALIZED (
        SELECT video_id, {_heads(kits)} FROM {sql.featured(kept)} AS featured
    )
    UPDATE ranking_score AS score SET {_SET_SCORE} FROM scored WHERE score.video_id = scored.video_id
    """


def _hours(time: str) -> str:
    return f"date_part('epoch', {time}) / 3600"  # extract() goes through numeric
