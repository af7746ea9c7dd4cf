"""Orders to measure ours against: the classic formula, its momentum, plain velocity, and a decay by age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking.scoring import labels
from ranking.scoring.classic import WINDOW, Weights
from ranking.scoring.replay import Floats, Replay
from ranking.scoring.state import LEAST_AGE_HOURS, METRICS

WINDOW_HOURS = WINDOW.total_seconds() / 3600


@dataclass(frozen=True, slots=True)
class Scores:
    """What a scorer says of each row; `surge` orders rows for alarms."""

    virality: Floats
    breakout: Floats
    surge: Floats


def classic(rows: Replay, weights: Weights) -> Scores:
    score = classic_score(rows.counts, weights)
    return Scores(score, score, score)


def classic_score(counts: Floats, weights: Weights) -> Floats:
    """ranking.scoring.classic over arrays: hidden counters give their weight to the others."""
    wanted = np.array([getattr(weights, metric, 0.0) for metric in METRICS])
    shown = ~np.isnan(counts)
    total = (shown * wanted).sum(1)
    points = np.nansum(counts * wanted, axis=1)
    score: Floats = np.divide(points * wanted.sum(), total, out=np.zeros(len(counts)), where=total > 0)
    return score


def momentum(rows: Replay, weights: Weights) -> Scores:
    """Relative change of the classic score within 24 h; 0 where there is nothing to compare with."""
    change = np.zeros(len(rows))
    for start, end in labels.item_spans(rows.item):
        at = rows.at[start:end]
        for row in range(1, end - start):
            before = int(np.searchsorted(at, at[row] - WINDOW_HOURS, side="right")) - 1
            pair = rows.counts[[start + max(before, 0), start + row]]
            pair = np.where(np.isnan(pair).any(0), np.nan, pair)
            was, now = classic_score(pair, weights)
            change[start + row] = now / was - 1 if was > 0 else 0.0
    return Scores(change, change, change)


def velocity(rows: Replay, typical: float) -> Scores:
    """The last rise per hour; at the first sighting the mean rate so far. For breakouts, over the size."""
    age = np.where(np.isnan(rows.age), rows.horizon, rows.age)
    rate = np.nan_to_num(rows.size) / np.maximum(age, LEAST_AGE_HOURS)
    known = np.flatnonzero(~np.isnan(rows.size))
    pair = np.flatnonzero(rows.item[known[1:]] == rows.item[known[:-1]])
    before, later = known[pair], known[pair + 1]
    rate[later] = np.maximum(rows.size[later] - rows.size[before], 0) / (rows.at[later] - rows.at[before])
    return Scores(rate, rate / np.maximum(np.nan_to_num(rows.size) + typical, 1.0), rate)


def decay(rows: Replay) -> Scores:
    """Counters over (age + 2) hours to the power 1.8, as news sites order; relative to size it is the decay alone."""
    age = np.where(np.isnan(rows.age), rows.at - rows.first_seen, rows.age)
    factor = (age + 2) ** -1.8
    score = np.nan_to_num(rows.size) * factor
    return Scores(score, factor, score)
