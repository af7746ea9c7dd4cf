"""Fit the coefficients that come with the product."""

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ranking import coefficients
from ranking.scoring import fitting, series
from ranking.scoring.series import Item, Snapshot

HORIZON_HOURS = 24.0


SMALLER = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0)
"""Sizes of the background's items, of those of the series."""


def unpopular(items: Sequence[Item], *, seed: int = 1) -> Iterator[Item]:
    """What a list of popular videos leaves out: the same shapes, far smaller, and some of them seen far younger."""
    draw = random.Random(seed)
    for item in items:
        first, factor = item.snapshots[0].at, draw.choice(SMALLER)
        published = item.published
        if published is not None and draw.random() < 0.7:
            published = first - (first - published) * draw.random() ** 3
        yield Item(
            item.key,
            published,
            item.category,
            [
                Snapshot(s.at, {m: None if c is None else int(c * factor) for m, c in s.counts.items()}, s.followers)
                for s in item.snapshots
            ],
        )


class Command(BaseCommand):
    help = "Fits both families (with views, and as if views were hidden) on a series that has views, and writes them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a CSV in the shared series format")
        parser.add_argument("--out", type=Path, default=coefficients.FOLDER)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            read = series.read(options["file"])
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        options["out"].mkdir(parents=True, exist_ok=True)
        for family, items in (("views", read.items), ("reactions", list(series.without_views(read.items)))):
            model = fitting.fit(items, horizon=HORIZON_HOURS, family=family, background=list(unpopular(items)))
            path = options["out"] / f"{family}.json"
            path.write_text(json.dumps(model.to_json(), indent=1) + "\n")
            self.stdout.write(f"{path.name}: fitted on {read.rows} snapshots of {len(items)} items.")
