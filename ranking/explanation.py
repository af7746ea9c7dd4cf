"""Why a video scores as it does: shares of the score in words, beside numbers that people can check."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import log

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
    """A counter's rise, and how it compares with what is usual at this age on this platform."""

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
    """By video id, for those that have a score; three queries whatever the number."""
    states = CounterState.objects.filter(video_id__in=video_ids).select_related("video__author", "video__score")
    active = pulse.active_models()
    usual = {(b.platform, b.family, b.age_bucket): b for b in Baseline.objects.all()}
    told = {}
    for row in states:
        score: Score | None = getattr(row.video, "score", None)
        family = Family.VIEWS if row.shows_views else Family.REACTIONS
        if score is None or score.virality is None or family not in active:
            continue
        told[row.video_id] = _explain(row, score, active[family], usual, head)
    return told


def _explain(
    row: CounterState,
    score: Score,
    active: pulse.Active,
    usual: dict[tuple[str, str, int], Baseline],
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
            Rate(metric, state.metrics[metric].fast, state.metrics[metric].total) for metric in METRICS if metric in state.metrics
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
