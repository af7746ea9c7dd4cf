"""The scorers judged on any series, split by time: what they say at a moment against what came true later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ranking import coefficients
from ranking.scoring import fitting, judging, labels, replay, rivals
from ranking.scoring.classic import Weights
from ranking.scoring.judging import Ranked, Warned
from ranking.scoring.model import Model, primary_of
from ranking.scoring.replay import Replay
from ranking.scoring.rivals import Scores
from ranking.scoring.series import Item

TRAIN_SHARE = 0.6
CLASSIC_SURGE = 0.5
"""The classic rule: a rise of the score by half within 24 h."""
SCORERS = ("classic", "momentum", "velocity", "decay", "shipped", "default")


@dataclass(frozen=True, slots=True)
class Result:
    virality: Ranked
    breakout: Ranked
    surge: Warned


@dataclass(slots=True)
class Report:
    """What was judged, on how much, and how each scorer did."""

    family: str
    horizon: float
    split_at: float
    """Hours since 1970: training looks at nothing later, test items were first seen no earlier."""
    train_rows: int
    test_rows: int
    test_items: int
    level: float
    note: str = ""
    results: dict[str, Result] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Split:
    at: float
    train: np.ndarray
    test: np.ndarray
    """Rows of items first seen at or after the split; no item is in both."""


def split(rows: Replay) -> Split:
    """By time, at the 60 % quantile of the snapshots; train rows have their whole horizon before it."""
    ordered = np.sort(rows.at)
    at = float(ordered[int(len(ordered) * TRAIN_SHARE)])
    return Split(at=at, train=rows.at + rows.horizon <= at, test=rows.first_seen >= at)


def backtest(
    items: Sequence[Item],
    *,
    scorers: Sequence[str] = SCORERS,
    weights: Weights | None = None,
    horizon: float | None = None,
    progress: Callable[[str], None] = lambda _step: None,
) -> Report:
    """Judge `scorers` on `items`. Raises fitting.TooLittle where the series cannot be split into train and test."""
    items = [item for item in items if item.snapshots]
    family = replay.family_of(items)
    primary = primary_of(family)
    horizon = horizon or replay.horizon_for(replay.usual_interval(items))
    times = np.sort([snapshot.at for item in items for snapshot in item.snapshots])
    if not len(times):
        raise fitting.TooLittle("The series holds no snapshots.")
    split_at = float(times[int(len(times) * TRAIN_SHARE)])

    progress("fit")
    before = [Item(i.key, i.published, i.category, [s for s in i.snapshots if s.at <= split_at]) for i in items]
    before = [item for item in before if item.snapshots]
    guard = replay.fit_guard(before, horizon=horizon)
    train = replay.replay(before, horizon=horizon, guard=guard, primary=primary)
    note = ""
    shipped = coefficients.shipped(family)
    try:
        model = fitting.fit_rows(train, guard=guard, family=family)
    except fitting.TooLittle as error:
        if shipped is None:
            raise
        model, note = shipped, f"{error} The shipped coefficients were judged instead."

    progress("replay")
    rows = replay.replay(items, horizon=horizon, guard=model.guard, primary=primary)
    parts = split(rows)
    gain = labels.gains(rows)
    block = labels.blocks(rows.at, horizon)
    tested = parts.test & ~np.isnan(gain)
    report = Report(
        family=family,
        horizon=horizon,
        split_at=split_at,
        train_rows=int((parts.train & ~np.isnan(gain)).sum()),
        test_rows=int(tested.sum()),
        test_items=len(np.unique(rows.item[tested])),
        level=model.level,
        note=note,
    )
    if not tested.any():
        raise fitting.TooLittle("No item first seen after the split has a later snapshot to judge by.")
    virality = labels.top_by_gain(gain, block, tested)
    breakout = labels.top_by_relative_gain(gain, rows.size, model.typical, block, tested)
    run = 3 if horizon >= 24 else 12
    for name in scorers:
        progress(name)
        if name == "shipped":
            if shipped is None:
                continue
            # As on a new platform: nothing is fitted, sizes are brought to those that the coefficients know.
            at_size = {"guard": shipped.guard, "primary": primary, "scale": shipped.typical / max(model.typical, 1.0)}
            told, told_before = (_heads(shipped, replay.replay(some, horizon=horizon, **at_size)) for some in (items, before))
        else:
            told, told_before = (_scores(name, some, model, weights or Weights()) for some in (rows, train))
        alarm, _limit = (
            (told.surge >= CLASSIC_SURGE, 0.0)
            if name == "momentum"
            else judging.calibrated_alarm(told.surge, train, told_before.surge, model.level, fitting.ALERT_PRECISION)
        )
        report.results[name] = Result(
            virality=judging.ranked(told.virality, virality, block, tested, run=run),
            breakout=judging.ranked(told.breakout, breakout, block, tested, run=run),
            surge=judging.warned(rows, alarm, model.level, parts.test),
        )
    return report


def _scores(name: str, rows: Replay, model: Model, weights: Weights) -> Scores:
    match name:
        case "classic":
            return rivals.classic(rows, weights)
        case "momentum":
            return rivals.momentum(rows, weights)
        case "velocity":
            return rivals.velocity(rows, model.typical)
        case "decay":
            return rivals.decay(rows)
        case "default":
            return _heads(model, rows)
        case _:
            raise ValueError(f"Unknown scorer {name!r}. Known: {', '.join(SCORERS)}.")


def _heads(model: Model, rows: Replay) -> Scores:
    virality, breakout, surge = (fitting.logits(model.heads[head], rows.vectors) for head in ("virality", "breakout", "surge"))
    return Scores(virality, breakout, surge)
