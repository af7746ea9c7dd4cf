"""The scorers on any series."""

import functools
import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ranking import learning
from ranking.backtest import SCORERS, Report, backtest
from ranking.models import Family
from ranking.scoring import plots, series
from ranking.scoring.fitting import TooLittle
from ranking.scoring.judging import Ranked
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
        failures: list[str] = []
        for name, read in self._series(options):
            try:
                report = self._judge(name, read(), options)
            except (OSError, series.Unusable, TooLittle) as error:  # the others can still be judged
                failures.append(f"{name}: {error.strerror if isinstance(error, OSError) and error.strerror else error}")
                continue
            finally:
                self._progress(name, "")
            told[name] = as_json(report)
            if not options["json"]:
                self._table(name, report)
            elif report.note:
                self.stderr.write(f"{name}: {report.note}")
            if options["plots"]:
                self._plot(name, report, options)
        if options["json"] and told:
            self.stdout.write(json.dumps(told, indent=1, allow_nan=False))
        if failures:
            raise CommandError("\n".join(failures))

    def _judge(self, name: str, items: list[Item], options: dict[str, Any]) -> Report:
        if options["hide_views"]:
            items = list(series.without_views(items))
        return backtest(
            items,
            scorers=options["scorer"] or SCORERS,
            horizon=options["horizon"],
            progress=functools.partial(self._progress, name),
        )

    def _plot(self, name: str, report: Report, options: dict[str, Any]) -> None:
        """Named as the file is, or as its whole path where several have that name."""
        short = Path(name).name
        is_alone = [path.name for path in options["files"]].count(short) < 2
        try:
            path = plots.save(report, options["plots"], short if is_alone else name)
        except OSError as error:
            raise CommandError(f"{options['plots']}: {error.strerror}") from error
        self.stderr.write(f"Saved {path}.")

    def _series(self, options: dict[str, Any]) -> Iterator[tuple[str, Callable[[], list[Item]]]]:
        """Each with its name, not read yet."""
        for path in options["files"]:
            yield str(path), functools.partial(self._read, path)
        if options["own"]:
            known = {family: items for family in Family.values if (items := learning.own_history(family))}
            yield from ((f"own history, {family}", functools.partial(list, items)) for family, items in known.items())
            if not known:
                yield "own history", list

    def _read(self, path: Path) -> list[Item]:
        self._progress(str(path), "read")
        read = series.read(path)
        if read.refused:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(read.refused.items()))
            self.stderr.write(f"{path}: of {read.rows} rows, not used: {reasons}.")
        return read.items

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
            surge = result.surge
            self.stdout.write(
                f"  {scorer:<10}{_area(result.virality):>26}{_told(result.virality.precision_at_5, 2):>8}"
                f"{_area(result.breakout):>26}{_told(surge.precision, 2):>9}{_told(surge.recall, 2):>8}"
                f"{_told(surge.lead_hours, 1):>8}"
            )
        if any(math.isnan(result.virality.pr_auc) for result in report.results.values()):
            self.stdout.write("  –: at no time were there enough items, some of them gaining, to compare.")
        self.stdout.write(f"  {result.surge.events} items reached the top level after their first sighting.")
        if "default" in report.results and not report.note:
            self.stdout.write("  default: fitted on the training rows, as the nightly refit does it.")
        if "shipped" in report.results:
            self.stdout.write("  shipped: what a new installation begins with, fitted elsewhere.")


def as_json(report: Report) -> dict[str, Any]:
    """{scorer: {"virality": {…}, "breakout": {…}, "surge": {…}}}; what cannot be told is null."""
    return {
        scorer: {
            "virality": {
                "pr_auc": _number(result.virality.pr_auc),
                "precision_at_5": _number(result.virality.precision_at_5),
            },
            "breakout": {
                "pr_auc": _number(result.breakout.pr_auc),
                "precision_at_5": _number(result.breakout.precision_at_5),
            },
            "surge": {
                "precision": result.surge.precision,
                "recall": result.surge.recall,
                "lead_hours": result.surge.lead_hours,
            },
        }
        for scorer, result in report.results.items()
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _area(ranked: Ranked) -> str:
    if math.isnan(ranked.pr_auc):
        return "–"
    return f"{ranked.pr_auc:.3f} [{ranked.low:.3f}, {ranked.high:.3f}]"


def _told(value: float | None, digits: int) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"
