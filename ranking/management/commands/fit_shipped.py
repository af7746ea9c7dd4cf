"""Fit the coefficients that come with the product."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ranking import coefficients
from ranking.scoring import fitting, series

HORIZON_HOURS = 24.0


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
            model = fitting.fit(items, horizon=HORIZON_HOURS, family=family)
            path = options["out"] / f"{family}.json"
            path.write_text(json.dumps(model.to_json(), indent=1) + "\n")
            self.stdout.write(f"{path.name}: fitted on {read.rows} snapshots of {len(items)} items.")
