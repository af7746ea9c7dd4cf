"""How coefficients and thresholds are found: logistic regression by Newton's method on what came true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ranking.scoring import labels, replay
from ranking.scoring.model import Head, Model, Thresholds, primary_of
from ranking.scoring.replay import Bools, Floats, Replay
from ranking.scoring.series import Item
from ranking.scoring.state import Guard

NEWTON_STEPS = 25
RIDGE = 1.0
"""Penalty on standardised weights: without it rare features run away."""
LEAST_ROWS = 300
LEAST_POSITIVES = 20
ALERT_PRECISION, WATCH_PRECISION = 0.5, 0.3


class TooLittle(ValueError):
    """There are not enough matured observations to fit anything on."""


def fit_head(vectors: Floats, label: Bools) -> Head:
    """Raises TooLittle unless both answers occur often enough."""
    positives = int(label.sum())
    if len(label) < LEAST_ROWS or min(positives, len(label) - positives) < LEAST_POSITIVES:
        raise TooLittle(f"{positives} of {len(label)} observations are positive: too few to learn from.")
    mean, spread = vectors.mean(0), vectors.std(0)
    varies = spread > 1e-9
    spread = np.where(varies, spread, 1.0)
    inputs = np.c_[np.ones(len(vectors)), np.where(varies, (vectors - mean) / spread, 0.0)]
    penalty = np.eye(inputs.shape[1]) * RIDGE
    penalty[0, 0] = 0
    weights = np.zeros(inputs.shape[1])
    for _step in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (chance - label) + penalty @ weights
        curvature = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + penalty
        change = np.linalg.solve(curvature, gradient)
        weights = weights - change
        if np.abs(change).max() < 1e-9:
            break
    raw = np.where(varies, weights[1:] / spread, 0.0)
    return Head(float(weights[0] - raw @ mean), tuple(float(weight) for weight in raw))


def logits(head: Head, vectors: Floats) -> Floats:
    told: Floats = head.intercept + vectors @ np.array(head.weights)
    return told


def fit(items: Sequence[Item], *, horizon: float, family: str, until: float = np.inf, background: Sequence[Item] = ()) -> Model:
    """A model of what is known at `until` (hours; nothing later is looked at). Raises TooLittle.

    `background` are items known to lead nowhere: where a series holds only popular ones, a model fitted on it
    alone knows nothing of the many others.
    """
    primary = primary_of(family)
    known = [Item(item.key, item.published, item.category, [s for s in item.snapshots if s.at <= until]) for item in items]
    known = [item for item in known if item.snapshots]
    guard = replay.fit_guard(known, horizon=horizon)
    rows = replay.replay(known, horizon=horizon, guard=guard, primary=primary)
    calm = replay.replay(background, horizon=horizon, guard=guard, primary=primary).vectors if background else None
    return fit_rows(rows, guard=guard, family=family, calm=calm)


def fit_rows(rows: Replay, *, guard: Guard, family: str, calm: Floats | None = None) -> Model:
    """`calm`: vectors of videos that lead nowhere, negative for every head."""
    gain = labels.gains(rows)
    block = labels.blocks(rows.at, rows.horizon)
    matured = labels.compared(block, ~np.isnan(gain))
    typical = labels.typical_size(rows)
    virality = labels.top_by_gain(gain, block, matured)
    breakout = labels.top_by_relative_gain(gain, rows.size, typical, block, matured)

    level = labels.top_level(rows, np.ones(len(rows), dtype=bool))
    reached = labels.reached_at(rows, level)
    open_ = (rows.at < reached) & ~np.isnan(rows.size)  # still below the level: there is something to foretell
    surge = np.isfinite(reached)
    heads = {
        name: fit_head(*_with_calm(rows.vectors[known], label[known], calm))
        for name, known, label in (
            ("virality", matured, virality),
            ("breakout", matured, breakout),
            ("surge", open_, surge),
        )
    }
    chance = 1 / (1 + np.exp(-np.clip(logits(heads["surge"], rows.vectors), -700, 700)))
    return Model(
        family=family,
        horizon=rows.horizon,
        heads=heads,
        means=tuple(float(mean) for mean in rows.vectors.mean(0)),
        guard=guard,
        thresholds=Thresholds(
            # 1: where no chance is precise enough, there is no alarm. JSON knows no infinity.
            alert=min(threshold(rows, chance, reached, ALERT_PRECISION), 1.0),
            watch=min(threshold(rows, chance, reached, WATCH_PRECISION), 1.0),
        ),
        level=level,
        typical=typical,
    )


def _with_calm(vectors: Floats, label: Bools, calm: Floats | None) -> tuple[Floats, Bools]:
    if calm is None:
        return vectors, label
    return np.vstack([vectors, calm]), np.r_[label, np.zeros(len(calm), dtype=bool)]


def threshold(rows: Replay, score: Floats, reached: Floats, precision: float) -> float:
    """The smallest score at which alarms before the event are right that often, per item; infinity if none is.

    An item is alarmed if any of its rows before the event scores as high; it is right if the event came.
    """
    best: list[tuple[float, bool]] = []
    alarmable = (rows.at < reached) & ~np.isnan(score)
    for start, end in labels.item_spans(rows.item):
        open_ = alarmable[start:end]
        if open_.any():
            best.append((float(score[start:end][open_].max()), bool(np.isfinite(reached[start]))))
    if not best:
        return np.inf
    best.sort(reverse=True)
    scores = np.array([score for score, _right in best])
    right = np.cumsum([right for _score, right in best])
    precise = right / np.arange(1, len(best) + 1) >= precision
    # The last row of equal scores carries their common precision; single lucky alarms at the top are no threshold.
    last_of_equals = np.r_[scores[1:] != scores[:-1], True]
    usable = np.flatnonzero(precise & last_of_equals & (right >= 3))
    return float(scores[usable[-1]]) if len(usable) else np.inf
