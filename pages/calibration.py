"""How foretold and observed go together, as geometry. Pure: numbers in, places out; the template only draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

SIZE = 320.0
LEFT, TOP, RIGHT, BOTTOM = 46.0, 24.0, 296.0, 274.0
"""The plot in its view box of SIZE by SIZE; the rest is for the axes' words."""


@dataclass(frozen=True, slots=True)
class Place:
    """A group of surges that were foretold with about the same chance."""

    x: float
    y: float
    low: float
    high: float
    """Ends of the interval in which their true share lies, nineteen times of twenty."""
    radius: float
    predicted: float
    observed: float
    surges: int


def places(bins: Sequence[tuple[float, int, int]]) -> list[Place]:
    """Of (mean chance foretold, surges, how many came true); empty bins are left out."""
    most = max((surges for _predicted, surges, _true in bins), default=0)
    found = []
    for predicted, surges, came_true in bins:
        if surges <= 0:
            continue
        low, high = wilson(came_true, surges)
        found.append(
            Place(
                x=x_of(predicted),
                y=y_of(came_true / surges),
                low=y_of(low),
                high=y_of(high),
                radius=round(4 + 5 * sqrt(surges / most), 1),
                predicted=predicted,
                observed=came_true / surges,
                surges=surges,
            )
        )
    return found


def x_of(chance: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * chance, 1)


def y_of(chance: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * chance, 1)


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share: sane for few, for none and for all."""
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    reach = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - reach), min(1.0, middle + reach)
