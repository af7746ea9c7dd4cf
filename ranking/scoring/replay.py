"""Series run through the state machine: one row per snapshot, as arrays, for fitting and for judging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranking.scoring import features
from ranking.scoring.series import Item
from ranking.scoring.state import METRICS, Guard, VideoState, advance, excess_growth, is_believable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(slots=True)
class Replay:
    """Rows are snapshots, items after one another, each in order of time. NaN: not known."""

    primary: str
    horizon: float
    item: Ints
    at: Floats
    age: Floats
    size: Floats
    """The primary counter where it is believed: a glitch to 0 is no loss, and what follows it no gain."""
    first_seen: Floats
    """When the row's item was seen first."""
    vectors: Floats
    """One column per feature."""
    counts: Floats
    """One column per metric."""
    corroborated: Bools
    """Two counters or more rose at this snapshot, and none was clipped."""

    def __len__(self) -> int:
        return len(self.at)


def family_of(items: Sequence[Item]) -> str:
    """ "views" if half of the snapshots that show anything show some: a few stray ones do not make a platform that shows them."""
    shown = [bool(s.counts.get("views")) for item in items for s in item.snapshots if any(s.counts.values())]
    return "views" if shown and 2 * sum(shown) >= len(shown) else "reactions"


def usual_interval(items: Sequence[Item]) -> float:
    """The median time between an item's snapshots, hours; 24 where no item has two."""
    gaps = [later.at - earlier.at for item in items for earlier, later in zip(item.snapshots, item.snapshots[1:], strict=False)]
    return float(np.median(gaps)) if gaps else 24.0


def horizon_for(interval: float) -> float:
    """How far ahead to look with data of that interval, hours: a day, or three steps where they are hours or less."""
    return 24.0 if interval > 8 else max(3 * interval, 3.0)


def fit_guard(items: Sequence[Item], *, horizon: float, until: float = np.inf) -> Guard:
    """Per metric the 99th percentile of its excess growth, from the snapshots up to `until`."""
    excess: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for item in items:
        state: VideoState | None = None
        for snapshot in item.snapshots:
            if snapshot.at > until:
                break
            if state is not None:
                for metric, value in excess_growth(state, snapshot.counts).items():
                    excess[metric].append(value)
            state = advance(
                state,
                snapshot.counts,
                at=snapshot.at,
                age=item.age(snapshot.at),
                horizon=horizon,
                guard=Guard(),
            )
    return Guard({metric: float(np.quantile(values, 0.99)) for metric, values in excess.items() if len(values) > 50})


def replay(
    items: Sequence[Item], *, horizon: float, guard: Guard, primary: str, scale: Callable[[Item], float] = lambda _item: 1.0
) -> Replay:
    rows: list[tuple[int, float, float, float, float, bool]] = []
    vectors: list[list[float]] = []
    counts: list[list[float]] = []
    for number, item in enumerate(items):
        state: VideoState | None = None
        own_scale = scale(item)
        for snapshot in item.snapshots:
            age = item.age(snapshot.at)
            known = None if state is None else state.metrics.get(primary)
            size = snapshot.counts.get(primary) if is_believable(primary, snapshot.counts, known) else None
            state = advance(state, snapshot.counts, at=snapshot.at, age=age, horizon=horizon, guard=guard)
            vectors.append(
                features.vector(state, age=age, followers=snapshot.followers, horizon=horizon, primary=primary, scale=own_scale)
            )
            counts.append([_or_nan(snapshot.counts.get(metric)) for metric in METRICS])
            rows.append(
                (
                    number,
                    snapshot.at,
                    _or_nan(age),
                    _or_nan(size),
                    state.first_at,
                    state.moving >= 2 and not state.is_clipped,
                )
            )
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return Replay(
        primary=primary,
        horizon=horizon,
        item=table[:, 0].astype(np.int64),
        at=table[:, 1],
        age=table[:, 2],
        size=table[:, 3],
        first_seen=table[:, 4],
        vectors=np.array(vectors, dtype=np.float64).reshape(-1, len(features.NAMES)),
        counts=np.array(counts, dtype=np.float64).reshape(-1, len(METRICS)),
        corroborated=table[:, 5].astype(bool),
    )


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)
