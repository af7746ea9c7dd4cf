"""The scorers on any series."""

import functools
import json
import math
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ranking import learning
from ranking.backtest import SCORERS, Report, backtest
from ranking.models import Family
from ranking.scoring import plots, series
from ranking.scoring.fitting import TooLittle
from ranking.scoring.series import Item


class Command(BaseCommand):
    help = "Judges every scorer on series of counters, split by time; the default one is fitted as the nightly refit does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="CSV or gzipped CSV in the series format")
        parser.add_argument("--own", action="store_true", help="judge on our own history too")
        parser.add_argument("--scorer", action="append", choices=SCORERS, help="only these (default: all)")
        parser.add_argument("--hide-views", action="store_true", help="as a platform without views would show them")
        parser.add_argument("--horizon", type=float, help="hours ahead (default: from the series' interval)")
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
        parser.add_argument("--plots", type=Path, help="save a plot per file into this folder")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["files"] and not options["own"]:
            raise CommandError("Name at least one FILE, or --own.")
        if options["horizon"] is not None and not 0 < options["horizon"] < 24 * 365:
            raise CommandError("--horizon is a number of hours above 0.")
        told: dict[str, dict[str, Any]] = {}
        for name, items in self._series(options):
            if options["hide_views"]:
                items = list(series.without_views(items))
            try:
                report = backtest(
                    items,
                    scorers=options["scorer"] or SCORERS,
                    horizon=options["horizon"],
                    progress=functools.partial(self._progress, name),
                )
            except TooLittle as error:
                raise CommandError(f"{name}: {error}") from error
            self._progress(name, "")
            told[name] = as_json(report)
            if not options["json"]:
                self._table(name, report)
            if options["plots"]:
                path = plots.save(report, options["plots"], name)
                self.stderr.write(f"Saved {path}.")
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=1))

    def _series(self, options: dict[str, Any]) -> Any:
        for path in options["files"]:
            self._progress(path.name, "read")
            try:
                read = series.read(path)
            except (OSError, ValueError, EOFError) as error:
                raise CommandError(f"{path}: {error}") from error
            if read.refused:
                reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(read.refused.items()))
                self.stderr.write(f"{path.name}: of {read.rows} rows, not used: {reasons}.")
            yield str(path), read.items
        if options["own"]:
            for family in Family.values:
                items: list[Item] = learning.own_history(family)
                if items:
                    yield f"own history, {family}", items

    def _progress(self, name: str, step: str) -> None:
        """One line that is written over, for people only."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r\033[K{name}: {step}" if step else "\r\033[K", ending="")
            self.stderr.flush()

    def _table(self, name: str, report: Report) -> None:
        self.stdout.write(
            f"\n{name}\n  {report.family}, horizon {report.horizon:g} h; {report.train_rows} training rows, "
            f"{report.test_rows} test rows of {report.test_items} items first seen after the split; "
            f"top level {report.level:,.0f}"
        )
        if report.note:
            self.stdout.write(f"  {report.note}")
        self.stdout.write(
            f"  {'scorer':<10}{'virality PR-AUC [95 %]':>26}{'P@5 %':>8}{'breakout PR-AUC [95 %]':>26}"
            f"{'surge P':>9}{'recall':>8}{'lead h':>8}"
        )
        for scorer, result in report.results.items():
            virality, breakout, surge = result.virality, result.breakout, result.surge
            self.stdout.write(
                f"  {scorer:<10}{virality.pr_auc:>10.3f} [{virality.low:.3f}, {virality.high:.3f}]"
                f"{virality.precision_at_5:>8.2f}{breakout.pr_auc:>10.3f} [{breakout.low:.3f}, {breakout.high:.3f}]"
                f"{'–' if surge.precision is None else f'{surge.precision:.2f}':>9}{surge.recall:>8.2f}"
                f"{surge.lead_hours:>8.1f}"
            )
        self.stdout.write(f"  {result.surge.events} items reached the top level after their first sighting.")
        self.stdout.write(
            "  default: fitted on the training rows, as the nightly refit does it. "
            "shipped: what a new installation begins with, fitted elsewhere."
        )


def as_json(report: Report) -> dict[str, Any]:
    """{scorer: {"virality": {…}, "breakout": {…}, "surge": {…}}}; what cannot be told is null."""
    return {
        scorer: {
            "virality": {
                "pr_auc": _number(result.virality.pr_auc),
                "precision_at_5": _number(result.virality.precision_at_5),
                "interval": [_number(result.virality.low), _number(result.virality.high)],
            },
            "breakout": {
                "pr_auc": _number(result.breakout.pr_auc),
                "precision_at_5": _number(result.breakout.precision_at_5),
                "interval": [_number(result.breakout.low), _number(result.breakout.high)],
            },
            "surge": {
                "precision": result.surge.precision,
                "recall": result.surge.recall,
                "lead_hours": result.surge.lead_hours,
                "events": result.surge.events,
            },
        }
        for scorer, result in report.results.items()
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
