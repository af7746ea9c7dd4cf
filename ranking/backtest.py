"""The scorers judged on any series, split by time: what they say at a moment against what came true later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ranking import coefficients
from ranking.scoring import fitting, judging, labels, replay, rivals
from ranking.scoring.classic import Weights
from ranking.scoring.judging import Ranked, Warned
from ranking.scoring.model import HEADS, Model, primary_of
from ranking.scoring.replay import Bools, Ints, Replay
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
class Case:
    """A series made ready: what was known at the split, what came after, and what the scorers are judged by."""

    items: Sequence[Item]
    before: Sequence[Item]
    """The same items without the snapshots after the split."""
    rows: Replay
    train: Replay
    model: Model
    """Fitted on `train`; the shipped one where that is too little, its level and typical size those of `train`."""
    is_fitted: bool
    tested: Bools
    """Rows of items first seen at or after the split, whose gain is known."""
    later: Bools
    """All rows of those items."""
    block: Ints
    virality: Bools
    breakout: Bools


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
    if not any(any(count is not None for count in snapshot.counts.values()) for item in items for snapshot in item.snapshots):
        raise fitting.TooLittle("The series holds no snapshots with a counter.")
    family = replay.family_of(items)
    horizon = horizon or replay.horizon_for(replay.usual_interval(items))
    times = np.sort([snapshot.at for item in items for snapshot in item.snapshots])
    split_at = float(times[int(len(times) * TRAIN_SHARE)])

    progress("fit and replay")
    case, note = _prepare(items, family=family, horizon=horizon, split_at=split_at)
    report = Report(
        family=family,
        horizon=horizon,
        split_at=split_at,
        train_rows=int((~np.isnan(labels.gains(case.train))).sum()),
        test_rows=int(case.tested.sum()),
        test_items=len(np.unique(case.rows.item[case.tested])),
        level=case.model.level,
        note=note,
    )
    for name in scorers:
        progress(name)
        if (told := _told(name, case, weights or Weights())) is not None:
            report.results[name] = _judge(name, case, *told)
    return report


def _prepare(items: Sequence[Item], *, family: str, horizon: float, split_at: float) -> tuple[Case, str]:
    before = [Item(i.key, i.published, i.category, [s for s in i.snapshots if s.at <= split_at]) for i in items]
    before = [item for item in before if item.snapshots]
    guard, primary, note = replay.fit_guard(before, horizon=horizon), primary_of(family), ""
    train = replay.replay(before, horizon=horizon, guard=guard, primary=primary)
    try:
        model = fitting.fit_rows(train, guard=guard, family=family)
    except fitting.TooLittle as error:
        shipped = coefficients.shipped(family)
        if shipped is None:
            raise
        level = labels.top_level(train, np.ones(len(train), dtype=bool))
        model = replace(shipped, level=level, typical=labels.typical_size(train))
        note = f"{error} The shipped coefficients were judged instead."
    rows = replay.replay(items, horizon=horizon, guard=model.guard, primary=primary)
    gain, block = labels.gains(rows), labels.blocks(rows.at, horizon)
    later = rows.first_seen >= split_at
    tested = later & ~np.isnan(gain)
    if not tested.any():
        raise fitting.TooLittle("No item first seen after the split has a later snapshot to judge by.")
    case = Case(
        items=items,
        before=before,
        rows=rows,
        train=train,
        model=model,
        is_fitted=not note,
        tested=tested,
        later=later,
        block=block,
        virality=labels.top_by_gain(gain, block, tested),
        breakout=labels.top_by_relative_gain(gain, rows.size, model.typical, block, tested),
    )
    return case, note


def _judge(name: str, case: Case, told: Scores, told_before: Scores) -> Result:
    if name == "momentum":
        alarm = told.surge >= CLASSIC_SURGE  # the classic rule, as given; all others at a precision of one half
    else:
        reached = labels.reached_at(case.train, case.model.level)
        alarm = told.surge >= fitting.threshold(case.train, told_before.surge, reached, fitting.ALERT_PRECISION)
    run = 3 if case.rows.horizon >= 24 else max(1, round(12 / labels.block_hours(case.rows.horizon)))
    return Result(
        virality=judging.ranked(told.virality, case.virality, case.block, case.tested, run=run),
        breakout=judging.ranked(told.breakout, case.breakout, case.block, case.tested, run=run),
        surge=judging.warned(case.rows, alarm, case.model.level, case.later),
    )


def _told(name: str, case: Case, weights: Weights) -> tuple[Scores, Scores] | None:
    """What a scorer says of all rows, and of those before the split; None if there is nothing shipped."""
    match name:
        case "classic":
            return rivals.classic(case.rows, weights), rivals.classic(case.train, weights)
        case "momentum":
            return rivals.momentum(case.rows, weights), rivals.momentum(case.train, weights)
        case "velocity":
            return rivals.velocity(case.rows, case.model.typical), rivals.velocity(case.train, case.model.typical)
        case "decay":
            return rivals.decay(case.rows), rivals.decay(case.train)
        case "default" if case.is_fitted:
            return _heads(case.model, case.rows), _heads(case.model, case.train)
        case "default" | "shipped":
            return _shipped(case)
        case _:
            raise ValueError(f"Unknown scorer {name!r}. Known: {', '.join(SCORERS)}.")


def _shipped(case: Case) -> tuple[Scores, Scores] | None:
    """As on a new platform: nothing is fitted, sizes are brought to those that the coefficients know."""
    shipped = coefficients.shipped(case.model.family)
    if shipped is None:
        return None
    scale = shipped.level / max(case.model.level, 1.0)
    rows, train = (
        replay.replay(
            some,
            horizon=case.rows.horizon,
            guard=shipped.guard,
            primary=shipped.primary,
            scale=lambda _item: scale,
        )
        for some in (case.items, case.before)
    )
    return _heads(shipped, rows), _heads(shipped, train)


def _heads(model: Model, rows: Replay) -> Scores:
    virality, breakout, surge = (fitting.logits(model.heads[head], rows.vectors) for head in HEADS)
    return Scores(virality, breakout, surge)
