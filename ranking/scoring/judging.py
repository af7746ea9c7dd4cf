"""How well scores foretold: average precision per block, precision at the top, and alarms before the event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking.scoring import labels
from ranking.scoring.replay import Bools, Floats, Ints, Replay

DRAWS = 300


@dataclass(frozen=True, slots=True)
class Ranked:
    """Averages over blocks, with the 95 % interval of a moving-block bootstrap."""

    pr_auc: float
    precision_at_5: float
    low: float
    high: float
    by_block: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Warned:
    precision: float | None
    recall: float | None
    lead_hours: float | None
    """Mean over the items that reached the level; one never alarmed counts as 0."""
    events: int
    alarms: int


def average_precision(label: Bools, score: Floats) -> float:
    """Equal scores share one precision, that of taking them all: their order says nothing, and earns nothing."""
    order = np.argsort(-score, kind="stable")
    hits, last = np.cumsum(label[order]), _last_of_equals(score[order])
    return float((hits[last] / (last + 1))[label[order]].sum() / label.sum())


def precision_at_top(label: Bools, score: Floats) -> float:
    """Of the first 5 %; of equal scores at its edge, what a blind choice among them would bring."""
    order, most = np.argsort(-score, kind="stable"), max(1, round(labels.TOP * len(score)))
    hits, scores = label[order], score[order]
    end = int(_last_of_equals(scores)[most - 1]) + 1
    start = int(np.flatnonzero(scores == scores[most - 1])[0])
    return float((hits[:start].sum() + (most - start) * hits[start:end].mean()) / most)


def _last_of_equals(ordered: Floats) -> Ints:
    """For each place of an ordered array the last place of the same value."""
    ends = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
    told: Ints = np.repeat(ends, np.diff(np.r_[-1, ends]))
    return told


def ranked(score: Floats, label: Bools, block: Ints, among: Bools, *, run: int) -> Ranked:
    """Judge an order within each block; `run` is how many blocks in a row the bootstrap draws together."""
    areas, tops = [], []
    score = np.where(np.isnan(score), -np.inf, score)
    for rows in labels.block_rows(block, among):
        if len(rows) < labels.LEAST_IN_BLOCK or not label[rows].any():
            continue
        areas.append(average_precision(label[rows], score[rows]))
        tops.append(precision_at_top(label[rows], score[rows]))
    if not areas:
        return Ranked(float("nan"), float("nan"), float("nan"), float("nan"))
    low, high = interval(np.array(areas), run)
    return Ranked(float(np.mean(areas)), float(np.mean(tops)), low, high, tuple(areas))


def interval(values: Floats, run: int) -> tuple[float, float]:
    """95 % interval of the mean, by drawing runs of neighbouring blocks with replacement. Deterministic."""
    draw, length = np.random.default_rng(0), len(values)
    run = max(1, min(run, length))
    starts = draw.integers(0, length - run + 1, size=(DRAWS, -(-length // run)))
    means = values[(starts[..., None] + np.arange(run)).reshape(DRAWS, -1)[:, :length]].mean(1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def warned(rows: Replay, alarm: Bools, level: float, among: Bools) -> Warned:
    """Judge alarms per item: only those before its event count, the first one gives the lead."""
    reached = labels.reached_at(rows, level)
    counts = alarm & (rows.at < reached)
    events = alarms = right = 0
    lead = 0.0
    for start, end in labels.item_spans(rows.item):
        if not among[start]:
            continue
        event = reached[start]
        if np.isfinite(event) and rows.at[start] < event:
            events += 1
        elif np.isfinite(event):
            continue  # above the level at its first sighting: nobody could have warned
        raised = np.flatnonzero(counts[start:end])
        if len(raised):
            alarms += 1
            if np.isfinite(event):
                right += 1
                lead += float(event - rows.at[start + raised[0]])
    return Warned(
        precision=right / alarms if alarms else None,
        recall=right / events if events else None,
        lead_hours=lead / events if events else None,
        events=events,
        alarms=alarms,
    )
