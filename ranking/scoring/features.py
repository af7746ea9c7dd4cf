"""The numbers that a model reads off a video's state: all its inputs, in one order, each told to people in one group."""

from math import log1p

from ranking.scoring.state import METRICS, VideoState

CONTEXT = ("age", "age²", "first", "followers", "span", "snapshots")
PER_METRIC = ("total", "fast", "slow")
CROSSED = ("age×fast", "age×total", "fast²", "fast×total", "total²", "first×fast", "first×total", "first×age")
NAMES: tuple[str, ...] = (
    *CONTEXT,
    *(f"{metric} {part}" for metric in METRICS for part in PER_METRIC),
    *CROSSED,
)


def group_of(name: str, primary: str) -> str:
    """Under which word a feature's share of a score is told: age, author, watching, or a metric."""
    if name in ("age", "age²", "first×age"):
        return "age"
    if name == "followers":
        return "author"
    if name in ("first", "span", "snapshots"):
        return "watching"
    if name in CROSSED:
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
    first = 1.0 if state.snapshots == 1 else 0.0
    values = [
        log_age,
        log_age * log_age,
        first,
        log1p(max(followers or 0, 0)),
        log1p(state.last_at - state.first_at),
        log1p(state.snapshots),
    ]
    total = fast = 0.0
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
    values += (
        log_age * fast,
        log_age * total,
        fast * fast,
        fast * total,
        total * total,
        first * fast,
        first * total,
        first * log_age,
    )
    return values
