"""The classic formula, as people know it: a weighted sum of counters, and its change within a day. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

METRICS = ("views", "likes", "shares")
WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Of the classic score; at least one is positive."""

    views: float = 0.4
    likes: float = 0.4
    shares: float = 0.2

    @property
    def total(self) -> float:
        return self.views + self.likes + self.shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one counter adds to a score: `weight` already holds its share of the missing counters' weights."""

    metric: str
    count: int
    weight: float

    @property
    def points(self) -> float:
        return self.count * self.weight


def parts(counts: Mapping[str, int | None], weights: Weights) -> list[Part]:
    """The score taken apart. Counters that are None are not shown by the platform: the others share their weight."""
    shown = {metric: count for metric in METRICS if (count := counts.get(metric)) is not None}
    shown_total = sum(getattr(weights, metric) for metric in shown)
    if not shown_total:
        return []
    return [
        Part(metric=metric, count=count, weight=getattr(weights, metric) * weights.total / shown_total)
        for metric, count in shown.items()
    ]


def classic(counts: Mapping[str, int | None], weights: Weights) -> float:
    return sum(part.points for part in parts(counts, weights))


def momentum(now: Mapping[str, int | None], before: Mapping[str, int | None], weights: Weights) -> float | None:
    """Relative change of the score between two observations, over the counters that both show.

    None where nothing can be compared: no common counter, or a score of 0 before.
    """
    common = [metric for metric in METRICS if now.get(metric) is not None and before.get(metric) is not None]
    was = classic({metric: before[metric] for metric in common}, weights)
    if was <= 0:
        return None
    return classic({metric: now[metric] for metric in common}, weights) / was - 1
