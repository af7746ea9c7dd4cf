"""The numbers that a model reads off a video's state: all its inputs, in one order, each told to people in one group."""

from math import exp, log1p

from ranking.scoring.state import FAST, METRICS, VideoState

CONTEXT = ("age", "age²", "unwatched", "followers")
"""unwatched: how much of the fast rate is still the mean since publication, 1 at the first sight.

No feature counts snapshots: who looks every ten minutes and who looks daily are told the same of the same video."""
PER_METRIC = ("total", "fast", "slow")
CROSSED = ("age×fast", "age×total", "fast²", "fast×total", "total²", "unwatched×fast", "unwatched×total", "unwatched×age")
PROJECTED = ("projected", "age×projected")
"""How large the primary counter is soon (SOON) if it goes on rising as fast. A sum of logarithms cannot say it, and without it a
video that is small and fast, as none is in series of daily snapshots, was believed too late."""
SOON = 4
"""This part of the horizon."""
NAMES: tuple[str, ...] = (
    *CONTEXT,
    *(f"{metric} {part}" for metric in METRICS for part in PER_METRIC),
    *CROSSED,
    *PROJECTED,
)

LEAST_EXPONENT = -100.0
"""Less is as good as nothing, and products with it would be too small for PostgreSQL."""


def group_of(name: str, primary: str) -> str:
    """Under which word a feature's share of a score is told: age, author, watching, or a metric."""
    if name in ("age", "age²", "unwatched×age"):
        return "age"
    if name == "followers":
        return "author"
    if name == "unwatched":
        return "watching"
    if name in (*CROSSED, *PROJECTED):
        return primary
    return name.split()[0]


def vector(
    state: VideoState,
    *,
    age: float | None,
    followers: int | None,
    horizon: float,
    primary: str,
    scale: float = 1.0,
) -> list[float]:
    """In the order of NAMES. Rates are per horizon; what is not known counts as 0. `age` is in hours.

    `scale` brings the counters of one platform to the size of those that the model was fitted on.
    """
    log_age = log1p(max(age, 0.0)) if age is not None else 0.0
    unwatched = exp(max((state.first_at - state.last_at) / (horizon / FAST), LEAST_EXPONENT))
    values = [log_age, log_age * log_age, unwatched, log1p(max(followers or 0, 0))]
    total = fast = projected = 0.0
    for metric in METRICS:
        known = state.metrics.get(metric)
        if known is None:
            values += (0.0, 0.0, 0.0)
            continue
        parts = (
            log1p(known.total * scale),
            log1p(known.fast * horizon * scale),
            log1p(known.slow * horizon * scale),
        )
        values += parts
        if metric == primary:
            total, fast = parts[0], parts[1]
            projected = log1p((known.total + known.fast * horizon / SOON) * scale)
    values += (
        log_age * fast,
        log_age * total,
        fast * fast,
        fast * total,
        total * total,
        unwatched * fast,
        unwatched * total,
        unwatched * log_age,
        projected,
        log_age * projected,
    )
    return values
