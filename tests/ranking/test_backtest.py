"""The back-test: what it reads, that it never looks ahead, and that the default scorer reaches its figures."""

import csv
import gzip
import json
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from ranking.backtest import SCORERS, backtest
from ranking.scoring import fitting, labels, replay, series
from ranking.scoring.series import COLUMNS, Item, Snapshot
from ranking.scoring.state import METRICS, Guard

START = 480_000.0


def grown(number: int, *, seed: int = 1, days: int = 12) -> list[Item]:
    """Items whose rise at first tells how far they will go, seen twice a day for a week."""
    draw = random.Random(seed)
    items = []
    for item in range(number):
        born, pace = START + draw.uniform(0, 24 * days), draw.lognormvariate(4, 1.3)
        snapshots = []
        for step in range(1, 15):
            age = 12.0 * step
            likes = int(pace * 60 * (1 - math.exp(-age / 60)) * draw.uniform(0.97, 1.03))
            counts = {"views": likes * 12, "likes": likes, "comments": likes // 9, "shares": likes // 20}
            snapshots.append(Snapshot(born + age, counts, draw.randint(10, 10**6)))
        items.append(Item(f"v{item}", born, "", snapshots))
    return items


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return grown(400)


def test_training_sees_nothing_after_the_split(items: list[Item]) -> None:
    times = np.sort([s.at for item in items for s in item.snapshots])
    split = float(times[int(len(times) * 0.6)])
    changed = [
        Item(i.key, i.published, "", [s if s.at <= split else Snapshot(s.at, dict.fromkeys(METRICS, 7), 1) for s in i.snapshots])
        for i in items
    ]

    before, after = (fitting.fit(some, horizon=24, family="views", until=split) for some in (items, changed))

    assert before == after


def test_features_do_not_change_when_every_later_counter_is_multiplied(items: list[Item]) -> None:
    moment = START + 24 * 8
    changed = [Item(i.key, i.published, "", [_times(s, 7) if s.at > moment else s for s in i.snapshots]) for i in items]

    before, after = (replay.replay(some, horizon=24, guard=Guard(), primary="views") for some in (items, changed))

    past = before.at <= moment
    assert np.abs(before.vectors[past] - after.vectors[past]).max() == 0
    assert np.abs(before.vectors[~past] - after.vectors[~past]).max() > 0


def _times(snapshot: Snapshot, factor: int) -> Snapshot:
    return Snapshot(snapshot.at, {m: None if c is None else c * factor for m, c in snapshot.counts.items()}, snapshot.followers)


def test_no_item_is_in_both_parts_and_training_ends_before_the_test_begins(items: list[Item]) -> None:
    report = backtest(items, scorers=["default"])
    rows = replay.replay(items, horizon=report.horizon, guard=Guard(), primary="views")
    train = rows.at + report.horizon <= report.split_at
    test = rows.first_seen >= report.split_at

    assert not set(rows.item[train]) & set(rows.item[test])
    assert (rows.at[train] + report.horizon).max() <= rows.at[test].min()


def test_the_default_scorer_beats_the_classic_formula(items: list[Item]) -> None:
    report = backtest(items)

    classic, default = report.results["classic"], report.results["default"]
    assert set(report.results) == set(SCORERS)
    assert default.virality.pr_auc > classic.virality.pr_auc
    assert default.breakout.pr_auc > classic.breakout.pr_auc


def test_hidden_views_are_never_used(items: list[Item]) -> None:
    hidden = list(series.without_views(items))

    report = backtest(hidden, scorers=["default"])

    assert report.family == "reactions"


@pytest.mark.parametrize(
    ("name", "hide_views", "virality", "breakout", "recall", "lead"),
    [
        # The lower ends of the intervals that the method was published with on these series.
        ("youtube_us_daily", False, 0.681, 0.393, 0.80, 35.0),
        ("reddit_hourly", False, 0.774, 0.546, 0.93, 3.6),
        ("bilibili_popular_daily_part1", False, 0.462, 0.433, 0.80, 34.0),
        ("bilibili_popular_daily_part1", True, 0.550, 0.452, 0.85, 37.0),
    ],
)
def test_figures_on_real_series(
    shared_dir: Path, name: str, hide_views: bool, virality: float, breakout: float, recall: float, lead: float
) -> None:
    items = series.read(shared_dir / "timeseries" / f"{name}.csv.gz").items
    report = backtest(list(series.without_views(items)) if hide_views else items, scorers=["classic", "default"])

    classic, default = report.results["classic"], report.results["default"]
    assert default.virality.pr_auc >= virality
    assert default.breakout.pr_auc >= breakout
    assert default.surge.recall is not None
    assert default.surge.lead_hours is not None
    assert classic.surge.lead_hours is not None
    assert default.surge.recall >= recall
    assert default.surge.lead_hours >= lead > classic.surge.lead_hours * 0.9


# -- files ----------------------------------------------------------------------------------------------------


def write(path: Path, rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> Path:
    with gzip.open(path, "wt", newline="") if path.suffix == ".gz" else path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_rows(items: list[Item]) -> Iterator[dict[str, Any]]:
    for item in items:
        for snapshot in item.snapshots:
            yield {
                "item": item.key,
                "observed_at": _text(snapshot.at),
                "published_at": _text(item.published or 0),
                "followers": snapshot.followers,
                **snapshot.counts,
            }


def _text(hours: float) -> str:
    return datetime.fromtimestamp(round(hours * 3600), UTC).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("name", "hide_views"),
    [("youtube_us_daily", True), ("bilibili_popular_daily_part1", True), ("bilibili_popular_daily_part1", False)],
)
def test_what_is_shipped_foretells_where_no_publish_time_is_known(shared_dir: Path, name: str, hide_views: bool) -> None:
    items = [Item(i.key, None, i.category, i.snapshots) for i in series.read(shared_dir / "timeseries" / f"{name}.csv.gz").items]
    surge = backtest(list(series.without_views(items)) if hide_views else items, scorers=["shipped"]).results["shipped"].surge

    assert surge.recall is not None
    assert surge.recall > 0.7
    assert surge.precision is not None
    assert surge.precision > 0.4


def test_rows_may_be_doubled_unordered_and_damaged(tmp_path: Path) -> None:
    good = {"item": "a", "observed_at": "2024-01-01T00:00:00Z", "likes": 5}
    path = write(
        tmp_path / "series.csv",
        [
            {**good, "observed_at": "2024-01-03T00:00:00Z", "likes": 9},
            good,
            {**good, "likes": 6},
            {**good, "item": ""},
            {**good, "observed_at": "yesterday"},
            {**good, "observed_at": (datetime.now(UTC) + timedelta(days=40)).isoformat()},
            {**good, "item": "b", "likes": -3, "comments": "many", "shares": str(10**30), "views": "1.0"},
            {**good, "item": "c", "likes": "", "published_at": "2030-01-01"},
        ],
    )

    read = series.read(path)

    by_key = {item.key: item for item in read.items}
    assert [s.counts["likes"] for s in by_key["a"].snapshots] == [6, 9]
    assert by_key["b"].snapshots[0].counts == {"views": 1, "likes": None, "comments": None, "shares": None}
    assert by_key["c"].age(by_key["c"].snapshots[0].at) is None
    assert read.refused == {
        "no item": 1,
        "no time": 1,
        "in the future": 1,
        "negative": 1,
        "not a number": 1,
        "too large": 1,
    }


def test_the_command_prints_json_of_every_scorer(tmp_path: Path, items: list[Item], capsys: Any) -> None:
    path = write(tmp_path / "series.csv.gz", as_rows(items))

    call_command("backtest", str(path), "--json", "--plots", str(tmp_path / "plots"))

    told = json.loads(capsys.readouterr().out)[str(path)]
    assert set(told) == set(SCORERS)
    for scorer in ("classic", "velocity", "default"):
        assert 0 < told[scorer]["virality"]["pr_auc"] <= 1
        assert told[scorer]["breakout"].keys() >= {"pr_auc", "precision_at_5"}
        assert told[scorer]["surge"].keys() >= {"precision", "recall", "lead_hours"}
    assert (tmp_path / "plots" / "series_csv_gz.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "lacks the columns"),
        (b"a,b\n1,2\n", "lacks the columns"),
        (b"item,observed_at,likes\n", "no snapshots"),
        (b"item,observed_at,likes\na,2024-01-01T00:00:00Z,5\n", "has a later snapshot"),
        (b"\x00\xff\xfe" * 50, "lacks the columns"),
    ],
)
def test_a_file_that_cannot_be_judged_says_why(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "series.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=says):
        call_command("backtest", str(path))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("backtest", str(tmp_path / "none.csv"))


def test_gains_come_from_the_snapshot_nearest_to_the_horizon() -> None:
    snapshots = [Snapshot(START + hour, {"likes": likes}) for hour, likes in [(0, 100), (20, 190), (26, 230), (80, 500)]]
    rows = replay.replay([Item("a", None, "", snapshots)], horizon=24, guard=Guard(), primary="likes")

    gain = labels.gains(rows)

    assert gain[0] == pytest.approx(130 * 24 / 26)
    assert np.isnan(gain[1:]).all()  # 60 hours later is not a day later, and the last one has no later
