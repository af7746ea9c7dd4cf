"""Why a video scores as it does: shares of the score in words, beside numbers that people can check."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import log

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ranking import pulse
from ranking.baselines import age_bucket
from ranking.models import Baseline, CounterState, Family, Score
from ranking.scoring import features
from ranking.scoring.model import Contribution
from ranking.scoring.state import METRICS, MetricState, VideoState

WORDS: dict[str, Promise] = {
    "age": _("age"),
    "author": _("author"),
    "watching": _("our observations"),
    "views": _("views"),
    "likes": _("likes"),
    "comments": _("comments"),
    "shares": _("shares"),
}
HEAD_COLUMNS = {"virality": "virality", "breakout": "breakout", "surge": "reach"}


@dataclass(frozen=True, slots=True)
class Rate:
    """A counter's rise as two observations show it; of a video seen once, its mean since it was published."""

    metric: str
    per_hour: float
    total: float


@dataclass(frozen=True, slots=True)
class Explanation:
    head: str
    probability: float
    contributions: tuple[Contribution, ...]
    """Against the platform's average video, largest first."""
    rates: tuple[Rate, ...]
    times_usual: float | None
    """The primary counter's rise over the median rise of its peers; None where too few videos are known."""
    robust_z: float | None
    is_of_same_age: bool
    """Whether the peers are the platform's videos of about this age, or all of them."""
    age_hours: float | None
    model_version: int
    model_origin: str
    is_fallback: bool
    """The platform has too few videos of its own yet: the shipped coefficients speak unscaled."""


def explain(video_ids: Collection[int], head: str = "virality") -> dict[int, Explanation]:
    """By video id, for those that have a score; four queries whatever the number."""
    states = CounterState.objects.filter(video_id__in=video_ids).select_related("video__author", "video__score")
    active = pulse.active_models()
    usual = {(b.platform, b.family, b.age_bucket): b for b in Baseline.objects.all()}
    rises = _rises(video_ids)
    told = {}
    for row in states:
        score: Score | None = getattr(row.video, "score", None)
        family = Family.VIEWS if row.shows_views else Family.REACTIONS
        if score is None or score.virality is None or family not in active:
            continue
        told[row.video_id] = _explain(row, score, active[family], usual, rises.get(row.video_id, {}), head)
    return told


_ROSE = ", ".join(
    f"now.{metric} - CASE WHEN hour_ago.observed_at IS NULL THEN oldest.{metric} ELSE hour_ago.{metric} END" for metric in METRICS
)
_RISES = f"""
    SELECT s.video_id, extract(epoch FROM s.last_at - coalesce(hour_ago.observed_at, oldest.observed_at))::float8 / 3600, {_ROSE}
    FROM ranking_counterstate s
    JOIN crawler_metricsnapshot now ON now.video_id = s.video_id AND now.observed_at = s.last_at
    LEFT JOIN LATERAL (
        SELECT * FROM crawler_metricsnapshot snap
        WHERE snap.video_id = s.video_id AND snap.observed_at <= s.last_at - interval '1 hour'
        ORDER BY snap.observed_at DESC LIMIT 1
    ) hour_ago ON true
    LEFT JOIN LATERAL (
        SELECT * FROM crawler_metricsnapshot snap
        WHERE hour_ago.observed_at IS NULL AND snap.video_id = s.video_id AND snap.observed_at < s.last_at
        ORDER BY snap.observed_at LIMIT 1
    ) oldest ON true
    WHERE s.video_id = ANY(%s) AND coalesce(hour_ago.observed_at, oldest.observed_at) IS NOT NULL
"""


def _rises(video_ids: Collection[int]) -> dict[int, dict[str, float]]:
    """Each counter's rise per hour, over the last hour or what is known of it. The rates within the state are slower to follow:
    they begin at the mean since the publication."""
    with connection.cursor() as cursor:
        cursor.execute(_RISES, [list(video_ids)])
        return {
            video_id: {metric: max(rise, 0) / hours for metric, rise in zip(METRICS, rises, strict=True) if rise is not None}
            for video_id, hours, *rises in cursor.fetchall()
        }


def _explain(
    row: CounterState,
    score: Score,
    active: pulse.Active,
    usual: dict[tuple[str, str, int], Baseline],
    rises: Mapping[str, float],
    head: str,
) -> Explanation:
    model, video = active.model, row.video
    age = None
    if video.published_at is not None and video.published_at <= row.last_at:
        age = (row.last_at - video.published_at).total_seconds() / 3600
    whole = usual.get((video.platform, model.family, -1))
    scale = model.level / whole.level if whole and whole.level and active.row.origin == "shipped" else 1.0
    state = video_state(row)
    vector = features.vector(
        state,
        age=age,
        followers=video.author.followers if video.author else None,
        horizon=model.horizon,
        primary=model.primary,
        scale=scale,
    )
    primary = state.metrics.get(model.primary)
    peers = usual.get((video.platform, model.family, age_bucket(age))) if age is not None else None
    of_same_age = peers is not None
    peers = peers or whole
    times = z = None
    if primary is not None and peers is not None:
        rate = log(1 + primary.fast)
        times = (1 + primary.fast) / (2.718281828459045**peers.median_rate)
        # 1.4826 makes the median absolute deviation comparable with a standard deviation.
        z = (rate - peers.median_rate) / max(1.4826 * peers.spread_rate, 0.05)
    return Explanation(
        head=head,
        probability=getattr(score, HEAD_COLUMNS[head]),
        contributions=tuple(model.explain(head, vector)),
        rates=tuple(
            Rate(metric, rises.get(metric, known.fast), known.total)
            for metric in METRICS
            if (known := state.metrics.get(metric)) is not None
        ),
        times_usual=times,
        robust_z=z,
        is_of_same_age=of_same_age,
        age_hours=age,
        model_version=active.row.pk,
        model_origin=active.row.origin,
        is_fallback=whole is None,
    )


def video_state(row: CounterState) -> VideoState:
    """The stored state as the pure code knows it."""
    metrics = {}
    for place, metric in enumerate(METRICS):
        if row.raw[place] is not None:
            metrics[metric] = MetricState(
                raw=row.raw[place],
                at=row.hour[place],
                total=row.total[place],
                fast=row.fast[place],
                slow=row.slow[place],
                seen=row.seen[place],
            )
    return VideoState(
        first_at=row.first_at.timestamp() / 3600,
        last_at=row.last_at.timestamp() / 3600,
        snapshots=row.snapshots,
        metrics=metrics,
        moving=row.moving,
        is_clipped=row.is_clipped,
    )


def in_words(contribution: Contribution) -> str:
    return f"{WORDS[contribution.group]} {contribution.points:+.1f}"
