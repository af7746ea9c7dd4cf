"""What is remembered of a video's counters: a few numbers per metric, updated once per snapshot in O(1).

Exact for irregular intervals. The same update is written once more in SQL (ranking/scoring/sql.py), and tests hold the two
together to 1e-6. Times are hours (any epoch); counters are cumulative.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, expm1, log

METRICS = ("views", "likes", "comments", "shares")
SMALL = 20.0
"""Added to counters before a logarithm of their growth, so that 1 → 3 is not a tripling worth reporting."""
FAST = 12
"""The fast rate forgets within this part of the horizon. Of a surge that takes an hour or two, a quarter of a day's memory
would show a fifth; series of daily snapshots tell no difference."""
LEAST_AGE_HOURS = 1.0
"""Age assumed at least, when the first sighting's mean rate is taken as the rate."""

Counts = Mapping[str, int | None]


@dataclass(slots=True)
class MetricState:
    """One counter: as last seen (`raw`, at `at`), its `total` without resets and bots, and its rate per hour.

    `fast` forgets within a twelfth of the horizon (FAST), `slow` within the horizon.
    """

    raw: int
    at: float
    total: float
    fast: float
    slow: float
    seen: int = 1


@dataclass(slots=True)
class VideoState:
    first_at: float
    last_at: float
    snapshots: int = 1
    metrics: dict[str, MetricState] = field(default_factory=dict)
    moving: int = 0
    """How many counters rose at the last snapshot."""
    is_clipped: bool = False
    """Whether a counter rose at the last snapshot by more than its siblings allow: a bot, perhaps."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How much faster than its siblings' median (in log growth) a counter may honestly rise between snapshots."""

    limits: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A counter that always lagged behind its siblings has a limit below 0; to believe less than no rise would take away
        from its total and turn its rates negative."""
        object.__setattr__(self, "limits", {metric: max(limit, 0.0) for metric, limit in self.limits.items()})

    def most(self, metric: str, raw: int, sibling_growth: float | None) -> float | None:
        """The largest believable increment, or None where nothing is known."""
        limit = self.limits.get(metric)
        if limit is None or sibling_growth is None:
            return None
        return (raw + SMALL) * expm1(min(sibling_growth + limit, 50.0))


def is_believable(metric: str, counts: Counts, before: MetricState | None) -> bool:
    """Whether a counter says something: it is shown, it did not fall to 0, and it is not 0 beside reactions."""
    value = counts.get(metric)
    if value is None or value < 0:
        return False
    if value == 0 and before is not None and before.raw > 0:
        return False
    reactions = any((counts.get(other) or 0) > 0 for other in METRICS if other != "views")
    return not (metric == "views" and value == 0 and reactions)


def advance(
    state: VideoState | None,
    counts: Counts,
    *,
    at: float,
    age: float | None,
    horizon: float,
    guard: Guard,
) -> VideoState:
    """The state after a snapshot taken at `at`, of a video then `age` hours old (None: unknown).

    A snapshot that is not newer than the last one changes nothing. `state` itself is changed and returned.
    """
    if state is None:
        state = VideoState(first_at=at, last_at=at)
    elif at <= state.last_at:
        return state
    else:
        state.last_at = at
        state.snapshots += 1

    believed = [metric for metric in METRICS if is_believable(metric, counts, state.metrics.get(metric))]
    growth: dict[str, float] = {}
    for metric in believed:
        if (before := state.metrics.get(metric)) is not None:
            risen = max(_count(counts, metric) - before.raw, 0)
            growth[metric] = log((before.raw + risen + SMALL) / (before.raw + SMALL))

    state.moving, state.is_clipped = 0, False
    for metric in believed:
        value, before = _count(counts, metric), state.metrics.get(metric)
        if before is None:
            rate = value / max(horizon if age is None else age, LEAST_AGE_HOURS)
            state.metrics[metric] = MetricState(raw=value, at=at, total=float(value), fast=rate, slow=rate)
            continue
        increment = float(max(value - before.raw, 0))
        state.moving += increment > 0
        most = guard.most(metric, before.raw, median([growth[other] for other in growth if other != metric]))
        if most is not None and increment > most:
            increment, state.is_clipped = most, True
        elapsed = at - before.at
        rate = increment / elapsed
        before.fast += (1 - exp(-elapsed / (horizon / FAST))) * (rate - before.fast)
        before.slow += (1 - exp(-elapsed / horizon)) * (rate - before.slow)
        before.total += increment
        before.raw, before.at = value, at
        before.seen += 1
    return state


def median(values: Sequence[float]) -> float | None:
    if not values:
        return None
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def excess_growth(before: VideoState, counts: Counts) -> dict[str, float]:
    """Each counter's log growth over the median of its siblings': what the guard's limits are quantiles of."""
    growth = {}
    for metric in METRICS:
        was = before.metrics.get(metric)
        if was is not None and is_believable(metric, counts, was):
            risen = max(_count(counts, metric) - was.raw, 0)
            growth[metric] = log((was.raw + risen + SMALL) / (was.raw + SMALL))
    excess = {}
    for metric, own in growth.items():
        siblings = median([growth[other] for other in growth if other != metric])
        if siblings is not None:
            excess[metric] = own - siblings
    return excess


def _count(counts: Counts, metric: str) -> int:
    value = counts[metric]
    assert value is not None  # is_believable said so
    return value
