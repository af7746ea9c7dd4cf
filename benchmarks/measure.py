"""What the benchmarks share: contestants take turns, so that a machine's mood strikes all of them alike."""

import os
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping

Contestants = Mapping[str, Callable[[], float]]
"""Name and a function that does the work once and returns a figure."""


def setup_django() -> None:
    """Settings of the environment, quiet logs."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("LOG_LEVEL", "warning")
    import django

    django.setup()


def take_turns(contestants: Contestants, *, rounds: int) -> dict[str, list[float]]:
    """Run all in turns, once unmeasured to warm up; every second round runs backwards."""
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        names = list(contestants)
        for name in names if number % 2 else reversed(names):
            figure = contestants[name]()
            if number:
                figures[name].append(figure)
    return figures


def ratio(figures: Mapping[str, list[float]], name: str, floor: str) -> float:
    """The median over the rounds of one contestant's figure by its floor's in the same round."""
    return statistics.median(a / b for a, b in zip(figures[name], figures[floor], strict=True))


def p50(values: Iterable[float]) -> float:
    return statistics.median(values)


def show(title: str, rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table whose first row is its head."""
    lines = [tuple(map(str, row)) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    sys.stdout.write(f"\n{title}\n")
    for line in lines:
        sys.stdout.write("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n")
    sys.stdout.flush()
