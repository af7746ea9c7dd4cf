"""Curves as SVG paths. Pure: numbers in, geometry out; templates only place it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

XY = tuple[float, float]
LETTER_WIDTH = 11

NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
TIME_STEPS = (
    *(timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=n) for n in (1, 2, 3, 6, 12)),
    *(timedelta(days=n) for n in (1, 2, 4, 7, 14, 30, 60, 120, 365)),
)


@dataclass(frozen=True, slots=True)
class Curve:
    line: str
    area: str


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    at: datetime
    value: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a line. `kind` is how it is drawn."""

    at: datetime
    words: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """Words at a moment, on the side of it where there is room; `row` tells them apart from those near by."""

    x: float
    at: datetime
    words: str
    anchor: str
    kind: str = ""
    row: int = 0

    @property
    def dy(self) -> str:
        """Below the top of the plot, in heights of the letters: they are larger on a phone."""
        return f"{0.85 + 1.25 * self.row:.2f}em"


@dataclass(frozen=True, slots=True)
class Chart:
    """In a view box of `width` by `height`; the plot lies between `left`, `top`, `right` and `bottom`."""

    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float
    curve: Curve
    dots: list[Dot]
    values: list[tuple[float, float]]
    """Grid lines: y and the number it stands for."""
    step: float
    """Between two grid lines."""
    times: list[Label]
    marks: list[Label]
    """Moments worth a line."""
    is_short: bool
    """Within some days: the hours of the ticks matter."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One thing of a scatter. `kind` is how it is drawn."""

    x: float
    y: float
    at: datetime
    value: int
    words: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Scatter:
    """Like a Chart, of things that are not joined; the scale is logarithmic."""

    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float
    spots: list[Spot]
    values: list[tuple[float, float]]
    times: list[Label]
    level: float | None
    """Where the line of what is usual lies."""
    is_short: bool


def sparkline(
    history: Sequence[tuple[datetime, float]], *, width: float = 100, height: float = 28, floor: float = 3
) -> Curve | None:
    """A wave of a history, oldest first, over the whole width; None where it spans no time. A flat one is a calm sea."""
    if len(history) < 2 or history[0][0] >= history[-1][0]:
        return None
    begins, period = history[0][0], history[-1][0] - history[0][0]
    low, high = min(value for _, value in history), max(value for _, value in history)
    span = high - low
    room = height - floor
    points = [
        (width * ((at - begins) / period), height - floor / 2 - (room * 0.92 * (value - low) / span if span else 0))
        for at, value in history
    ]
    return _curve(points, height)


def growth(
    history: Sequence[tuple[datetime, int]],
    *,
    marks: Sequence[Mark] = (),
    width: int = 720,
    height: int = 280,
) -> Chart | None:
    """A counter over time, in order; None for fewer than two observations. The scale starts at 0 only where growth fills it."""
    if len(history) < 2 or history[0][0] >= history[-1][0]:
        return None
    left, top, right, bottom = 60.0, 14.0, width - 10.0, height - 30.0
    begins, ends = history[0][0], history[-1][0]
    seconds = (ends - begins).total_seconds()
    low, high = min(value for _, value in history), max(value for _, value in history)
    floor = 0 if low < (high - low) * 2 else low - (high - low) * 0.15
    ticks = nice_ticks(floor, high)
    floor, ceiling = min(floor, ticks[0]), max(high, ticks[-1])

    def x_of(at: datetime) -> float:
        return left + (right - left) * (at - begins).total_seconds() / seconds

    def y_of(value: float) -> float:
        return bottom - (bottom - top) * (value - floor) / ((ceiling - floor) or 1)

    def label(at: datetime, words: str, room: float) -> Label:
        x = round(x_of(at), 1)
        near_end = x > right - room
        return Label(x, at, words, "end" if near_end else "start" if words or x < left + room else "middle")

    dots = [Dot(round(x_of(at), 1), round(y_of(value), 1), at, value) for at, value in history]
    return Chart(
        width=width,
        height=height,
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        curve=_curve([(dot.x, dot.y) for dot in dots], bottom),
        dots=dots,
        values=[(round(y_of(value), 1), value) for value in ticks],
        step=ticks[1] - ticks[0],
        times=[label(at, "", 40) for at in time_ticks(begins, ends)],
        marks=_apart(
            [replace(label(mark.at, mark.words, 120), kind=mark.kind) for mark in marks if begins <= mark.at <= ends], left, right
        ),
        is_short=ends - begins < timedelta(days=4),
    )


def scatter(
    things: Sequence[tuple[datetime, int, str, str]],
    *,
    usual: float | None = None,
    width: int = 720,
    height: int = 280,
) -> Scatter | None:
    """Counts (with words and a kind) at their moments, over powers of ten; None for fewer than two."""
    if len(things) < 2:
        return None
    left, top, right, bottom = 60.0, 14.0, width - 14.0, height - 30.0
    begins, ends = min(at for at, *_ in things), max(at for at, *_ in things)
    begins, ends = (begins, ends) if begins < ends else (begins - timedelta(hours=1), ends + timedelta(hours=1))
    counts = [max(value, 1) for _at, value, *_ in things] + ([max(usual, 1.0)] if usual is not None else [])
    low, high = math.floor(math.log10(min(counts))), math.ceil(math.log10(max(counts)))
    high = max(high, low + 1)

    def x_of(at: datetime) -> float:
        return round(left + (right - left) * ((at - begins) / (ends - begins)), 1)

    def y_of(value: float) -> float:
        return round(bottom - (bottom - top) * (math.log10(max(value, 1)) - low) / (high - low), 1)

    every = math.ceil((high - low + 1) / 6)
    return Scatter(
        width=width,
        height=height,
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        spots=[Spot(x_of(at), y_of(value), at, value, words, kind) for at, value, words, kind in things],
        values=[(y_of(10**power), 10**power) for power in range(low, high + 1, every)],
        times=[Label(x_of(at), at, "", "end" if x_of(at) > right - 40 else "middle") for at in time_ticks(begins, ends)],
        level=None if usual is None else y_of(usual),
        is_short=ends - begins < timedelta(days=4),
    )


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    value: int


def bars(values: Sequence[int], *, width: float = 240, height: float = 48, gap: float = 3) -> list[Bar]:
    """Side by side over the whole width; what is 0 is a line at the foot."""
    most = max([*values, 1])
    each = (width - gap * (len(values) - 1)) / max(len(values), 1)
    tall = [max(height * value / most, 1.5) for value in values]
    return [
        Bar(round(n * (each + gap), 1), round(height - h, 1), round(each, 1), round(h, 1), value)
        for n, (value, h) in enumerate(zip(values, tall, strict=True))
    ]


def _apart(labels: Sequence[Label], left: float, right: float) -> list[Label]:
    """Each on the side of its line, and in the first row, where no words of another lie and no other's line runs through them."""
    ordered = sorted(labels, key=lambda label: label.x)
    placed: list[Label] = []
    for n, label in enumerate(ordered):
        before, after = [other.x for other in ordered[:n]], [other.x for other in ordered[n + 1 :]]
        across = replace(label, anchor="start" if label.anchor == "end" else "end")
        sides = [label, *([across] if left <= _reach(across)[0] and _reach(across)[1] <= right else [])]
        clear = [side for side in sides if not _is_crossed(side, before, after)]
        places = (replace(side, row=row) for row in itertools.count() for side in clear or sides)
        placed.append(next(place for place in places if not any(_overlap(place, other) for other in placed)))
    return placed


def _is_crossed(label: Label, before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether a line drawn beside its own, which may be at the same place, runs through its words."""
    low, high = _reach(label)
    return any(low < x for x in before) if label.anchor == "end" else any(x < high for x in after)


def _overlap(one: Label, other: Label) -> bool:
    return one.row == other.row and _reach(one)[0] < _reach(other)[1] and _reach(other)[0] < _reach(one)[1]


def _reach(label: Label) -> XY:
    """About how far its words go, in the largest letters."""
    length = LETTER_WIDTH * (len(label.words) + 2)
    return (label.x - length, label.x) if label.anchor == "end" else (label.x, label.x + length)


def nice_ticks(low: float, high: float, *, about: int = 4) -> list[float]:
    """Round whole numbers that cover low to high, so far apart that a few digits tell them from each other."""
    if high <= low:
        high = low + 1
    raw = max((high - low) / about, high / 1000)
    power = 10.0 ** math.floor(math.log10(raw))
    step = max(1.0, next(power * nice for nice in NICE_STEPS if power * nice >= raw * 0.999))
    first = math.floor(low / step)
    return [step * n for n in range(first, math.ceil(high / step) + 1)]


def time_ticks(begins: datetime, ends: datetime, *, most: int = 5) -> list[datetime]:
    """Round moments (UTC) inside a period."""
    span = ends - begins
    step = next((step for step in TIME_STEPS if span / step <= most), TIME_STEPS[-1])
    midnight = begins.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + step * math.ceil((begins - midnight) / step)
    return [first + step * n for n in range(most + 1) if first + step * n <= ends]


def _curve(points: Sequence[XY], bottom: float) -> Curve:
    line = smooth_path(points)
    area = f"{line}L{points[-1][0]:.1f} {bottom:.1f}L{points[0][0]:.1f} {bottom:.1f}Z"
    return Curve(line, area)


def smooth_path(points: Sequence[XY]) -> str:
    """A cubic path through all points that never overshoots: a counter that only grows is drawn only growing."""
    slopes = [_slope(a, b) for a, b in itertools.pairwise(points)]
    tangents = [slopes[0], *(_between(a, b) for a, b in itertools.pairwise(slopes)), slopes[-1]]
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1), t0, t1 in zip(points, points[1:], tangents, tangents[1:], strict=False):
        third = (x1 - x0) / 3
        path.append(f"C{x0 + third:.1f} {y0 + third * t0:.1f} {x1 - third:.1f} {y1 - third * t1:.1f} {x1:.1f} {y1:.1f}")
    return "".join(path)


def _slope(a: XY, b: XY) -> float:
    return (b[1] - a[1]) / (b[0] - a[0]) if b[0] > a[0] else 0.0


def _between(before: float, after: float) -> float:
    """The harmonic mean where both rise or both fall, level where they differ (Fritsch and Carlson)."""
    return 2 * before * after / (before + after) if before * after > 0 else 0.0
