"""What came true: gains within the horizon, who was at the top of its time, and who reached the top level."""

from __future__ import annotations

import numpy as np

from ranking.scoring.replay import Bools, Floats, Ints, Replay

TOP = 0.05
LEAST_IN_BLOCK = 5
"""Among fewer rows the top says little; one alone would always be its own."""
TOLERANCE = 0.25
"""How far from the horizon's end the later snapshot may lie, in horizons."""


def gains(rows: Replay) -> Floats:
    """The primary counter's gain within the horizon, scaled from the snapshot nearest to its end; NaN: not observed."""
    gain = np.full(len(rows), np.nan)
    for start, end in item_spans(rows.item):
        at, size = rows.at[start:end], rows.size[start:end]
        known = np.flatnonzero(~np.isnan(size))
        if len(known) < 2:
            continue
        times = at[known]
        for row in known:
            wanted = at[row] + rows.horizon
            after = np.searchsorted(times, at[row], side="right")
            if after == len(times):
                break
            place = int(np.searchsorted(times[after:], wanted)) + after
            nearest = min(
                (other for other in (place - 1, place) if after <= other < len(times)),
                key=lambda other: abs(times[other] - wanted),
            )
            if abs(times[nearest] - wanted) <= TOLERANCE * rows.horizon + 1e-6:
                elapsed = times[nearest] - at[row]
                gain[start + row] = (size[known[nearest]] - size[row]) * rows.horizon / elapsed
    return gain


def item_spans(item: Ints) -> list[tuple[int, int]]:
    """First and past-last row of each item."""
    if not len(item):
        return []
    starts = np.flatnonzero(np.r_[True, item[1:] != item[:-1]])
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(item)], strict=True))


def blocks(at: Floats, horizon: float) -> Ints:
    """Which rows compete: those of the same day, or of the same third of a horizon of hours, but of no less than an hour."""
    return np.floor(at / block_hours(horizon)).astype(np.int64)


def block_hours(horizon: float) -> float:
    return 24.0 if horizon >= 24 else max(horizon / 3, 1.0)


def top_by_gain(gain: Floats, block: Ints, among: Bools) -> Bools:
    """Label "virality": gain in the top 5 % of its block."""
    return _top(gain, block, among)


def top_by_relative_gain(gain: Floats, size: Floats, typical: float, block: Ints, among: Bools) -> Bools:
    """Label "breakout": gain over (size + typical size) in the top 5 % of its block, and no less than the block's median gain."""
    relative = gain / np.maximum(np.nan_to_num(size) + typical, 1.0)
    for rows in block_rows(block, among):
        relative[rows] = np.where(gain[rows] >= np.median(gain[rows]), relative[rows], -np.inf)
    return _top(relative, block, among)


def block_rows(block: Ints, among: Bools) -> list[Ints]:
    """The rows of each block that are `among`."""
    rows = np.flatnonzero(among)
    order = rows[np.argsort(block[rows], kind="stable")]
    edges = np.flatnonzero(np.diff(block[order])) + 1
    return [part for part in np.split(order, edges) if len(part)]


def compared(block: Ints, among: Bools) -> Bools:
    """Those of `among` that have enough others beside them in their block."""
    told = np.zeros(len(block), dtype=bool)
    for rows in block_rows(block, among):
        told[rows] = len(rows) >= LEAST_IN_BLOCK
    return told


def _top(values: Floats, block: Ints, among: Bools) -> Bools:
    """The top 5 % of each block, of those that gained at all: where nothing moves, nothing is at the top."""
    label = np.zeros(len(values), dtype=bool)
    for rows in block_rows(block, among):
        most = max(1, round(TOP * len(rows)))
        label[rows[np.argsort(-values[rows], kind="stable")[:most]]] = True
    return label & (values > 0)


def reached_at(rows: Replay, level: float) -> Floats:
    """Per row the time at which its item's primary counter first is `level` or more; infinity: never seen there."""
    reached = np.full(len(rows), np.inf)
    for start, end in item_spans(rows.item):
        there = np.flatnonzero(rows.size[start:end] >= level)
        if len(there):
            reached[start:end] = rows.at[start + there[0]]
    return reached


def typical_size(rows: Replay) -> float:
    """The median of the primary counter; 0 where it is never shown."""
    sizes = rows.size[~np.isnan(rows.size)]
    return float(np.median(sizes)) if len(sizes) else 0.0


def top_level(rows: Replay, among: Bools) -> float:
    """What the final primary counter of one item in twenty reaches."""
    finals = []
    for start, end in item_spans(rows.item):
        sizes = rows.size[start:end][among[start:end]]
        sizes = sizes[~np.isnan(sizes)]
        if len(sizes):
            finals.append(sizes[-1])
    return float(np.quantile(finals, 1 - TOP)) if finals else np.inf
