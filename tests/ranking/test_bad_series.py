"""Series as they come: damaged files, counters that say nothing, places where nothing moves; no traceback, no false figure."""

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from ranking import coefficients, learning
from ranking.backtest import backtest
from ranking.scoring import fitting, judging, labels, replay, series
from ranking.scoring.series import Item, Snapshot
from ranking.scoring.state import METRICS, Guard
from tests.ranking.test_backtest import START, as_rows, grown, write


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return grown(120)


@pytest.fixture(scope="module")
def plain(items: list[Item], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = write(tmp_path_factory.mktemp("series") / "series.csv", as_rows(items))
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda text: gzip.compress(text.encode()), id="compressed, by another name"),
        pytest.param(lambda text: text.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16"),
        pytest.param(lambda text: text.replace("\r\n", "\r").encode(), id="carriage returns"),
        pytest.param(lambda text: text.replace(",", ";").encode(), id="semicolons"),
        pytest.param(lambda text: text.replace(",", "\t").encode(), id="tabs"),
        pytest.param(lambda text: text.replace("item,", " Item ,", 1).encode(), id="header with capitals and blanks"),
    ],
)
def test_a_table_is_read_whatever_wrote_it(plain: str, items: list[Item], tmp_path: Path, content: Any) -> None:
    path = tmp_path / "series.csv"
    path.write_bytes(content(plain))

    read = series.read(path)

    assert read.refused == {}
    assert len(read.items) == len(items)
    assert sum(len(item.snapshots) for item in read.items) == sum(len(item.snapshots) for item in items)


def test_a_plain_table_may_be_named_gz(plain: str, tmp_path: Path) -> None:
    path = tmp_path / "series.csv.gz"
    path.write_text(plain)

    assert series.read(path).refused == {}


def _damaged_within(text: str) -> bytes:
    packed = bytearray(gzip.compress(text.encode()))
    packed[200:260] = b"\xff" * 60
    return bytes(packed)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (_damaged_within, "damaged"),
        (lambda text: gzip.compress(text.encode())[:500], "damaged"),
        (lambda text: (text.replace("v0,", '"v0,', 1) + text).encode(), "field larger than"),
        (lambda text: text.replace("views,likes,comments,shares", "a,b,c,d", 1).encode(), "one at least of views"),
        (lambda text: b"item,observed_at,likes\na,2024-01-01,\nb,2024-01-01,\n", "no snapshots with a counter"),
    ],
)
def test_what_cannot_be_read_is_said_without_a_traceback(plain: str, tmp_path: Path, content: Any, says: str) -> None:
    path = tmp_path / "series.csv"
    path.write_bytes(content(plain))

    with pytest.raises(CommandError, match=says):
        call_command("backtest", str(path))


def test_one_counter_of_any_name_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_text("item,observed_at,views\na,2024-01-01T00:00:00Z,5\na,2024-01-02T00:00:00Z, \n")

    [item] = series.read(path).items

    assert [snapshot.counts["views"] for snapshot in item.snapshots] == [5, None]


def test_a_time_of_publishing_that_is_learnt_later_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_text(
        "item,observed_at,published_at,category,likes\n"
        "a,2024-01-02T00:00:00Z,,,5\na,2024-01-03T00:00:00Z,2024-01-01T00:00:00Z,music,6\n"
    )

    [item] = series.read(path).items

    assert item.age(item.snapshots[0].at) == 24
    assert item.category == "music"


def test_files_that_cannot_be_judged_do_not_hide_the_others(plain: str, tmp_path: Path, capsys: Any) -> None:
    good, empty = tmp_path / "good.csv", tmp_path / "empty.csv"
    good.write_text(plain)
    empty.write_text("")

    with pytest.raises(CommandError) as refused:
        call_command("backtest", str(empty), str(good), str(tmp_path / "none.csv"), "--json", "--scorer", "classic")

    assert list(json.loads(capsys.readouterr().out)) == [str(good)]
    assert str(empty) in str(refused.value)
    assert f"{tmp_path / 'none.csv'}: No such file" in str(refused.value)


@pytest.mark.django_db
def test_an_installation_without_a_history_says_so(plain: str, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "series.csv"
    path.write_text(plain)

    with pytest.raises(CommandError, match=r"own history: .*no snapshots"):
        call_command("backtest", str(path), "--own", "--json", "--scorer", "classic")

    assert list(json.loads(capsys.readouterr().out)) == [str(path)]


def test_the_json_has_the_agreed_keys_and_no_others(plain: str, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "series.csv"
    path.write_text(plain)

    call_command("backtest", str(path), "--json", "--scorer", "velocity")

    told = json.loads(capsys.readouterr().out)[str(path)]["velocity"]
    assert {head: list(figures) for head, figures in told.items()} == {
        "virality": ["pr_auc", "precision_at_5"],
        "breakout": ["pr_auc", "precision_at_5"],
        "surge": ["precision", "recall", "lead_hours"],
    }


def test_two_files_of_one_name_get_a_picture_each(plain: str, tmp_path: Path) -> None:
    paths = [tmp_path / folder / "series.csv" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(plain)

    call_command("backtest", *map(str, paths), "--scorer", "classic", "--plots", str(tmp_path / "plots"))

    assert len(list((tmp_path / "plots").iterdir())) == 2


def test_where_nothing_moves_no_scorer_is_praised(items: list[Item], tmp_path: Path, capsys: Any) -> None:
    still = [
        Item(i.key, i.published, "", [Snapshot(s.at, dict.fromkeys(METRICS, 0), s.followers) for s in i.snapshots]) for i in items
    ]
    path = write(tmp_path / "still.csv", as_rows(still))

    call_command("backtest", str(path), "--json")
    call_command("backtest", str(path))

    out = capsys.readouterr().out
    told = json.JSONDecoder().raw_decode(out)[0][str(path)]
    for figures in told.values():
        assert figures["virality"] == figures["breakout"] == {"pr_auc": None, "precision_at_5": None}
        assert figures["surge"] == {"precision": None, "recall": None, "lead_hours": None}
    assert "nan" not in out
    assert "shipped coefficients were judged instead" in out
    assert "fitted on the training rows" not in out


def test_equal_scores_earn_no_more_than_chance() -> None:
    label = np.r_[np.ones(5, dtype=bool), np.zeros(95, dtype=bool)]  # what is asked for comes first in the file
    same, half = np.zeros(100), np.r_[np.ones(10), np.zeros(90)]

    assert judging.average_precision(label, same) == judging.precision_at_top(label, same) == 0.05
    assert judging.average_precision(label, half) == judging.precision_at_top(label, half) == 0.5
    assert judging.average_precision(label, -np.arange(100.0)) == judging.precision_at_top(label, -np.arange(100.0)) == 1


def test_a_glitch_to_zero_is_no_gain_when_it_is_over() -> None:
    seen = [(0, 900), (24, 0), (48, 1000)]
    glitch = [Snapshot(START + hour, {"views": None, "likes": likes}) for hour, likes in seen]
    rows = replay.replay([Item("a", None, "", glitch)], horizon=24, guard=Guard(), primary="likes")

    assert np.isnan(labels.gains(rows)).all()
    assert labels.top_level(rows, np.ones(3, dtype=bool)) == 1000


def test_a_few_stray_views_do_not_make_a_platform_that_shows_them(items: list[Item]) -> None:
    hidden = list(series.without_views(items))
    stray = hidden[0].snapshots[0]
    hidden[0].snapshots[0] = Snapshot(stray.at, {**stray.counts, "views": 12}, stray.followers)

    assert replay.family_of(hidden) == "reactions"
    assert replay.family_of(items) == "views"


def test_a_counter_that_never_moves_beside_others_that_always_do() -> None:
    """What its siblings' growth leaves it is less than nothing; its total must not shrink for that when they stop."""
    draw = random.Random(1)
    items = []
    for number in range(300):
        born, size = START + draw.uniform(0, 300), draw.randint(100, 10_000)
        last = 8 if number % 60 == 0 else 20
        counts = [size * (3 + min(step, last)) for step in range(20)]
        items.append(
            Item(
                str(number),
                born,
                "",
                [
                    Snapshot(born + 1 + 6 * step, {"views": count, "likes": count // 10, "comments": 3, "shares": 2}, 5)
                    for step, count in enumerate(counts)
                ],
            )
        )
    guard = replay.fit_guard([item for number, item in enumerate(items) if number % 60], horizon=18)

    rows = replay.replay(items, horizon=18, guard=guard, primary="views")

    assert np.isfinite(rows.vectors).all()
    assert backtest(items, scorers=["default"]).results["default"].virality.pr_auc > 0


def test_shipped_coefficients_that_stand_in_are_brought_to_the_size_of_the_series() -> None:
    small = grown(20)

    report = backtest(small, scorers=["default", "shipped"])

    assert "shipped coefficients" in report.note
    assert report.level <= max(s.counts["views"] or 0 for item in small for s in item.snapshots)
    assert report.results["default"] == report.results["shipped"]


def test_surges_that_nothing_foretells_leave_a_model_without_alarms() -> None:
    """Two surges are too few for any threshold. The model must be storable all the same, and JSON knows no infinity."""
    items = grown(300)
    for number, item in enumerate(items[:20]):
        for place, snapshot in enumerate(item.snapshots):
            if number < 18 or place == len(item.snapshots) - 1:
                item.snapshots[place] = Snapshot(snapshot.at, dict.fromkeys(METRICS, 10**9), snapshot.followers)

    model = fitting.fit(items, horizon=24, family="views")

    assert (model.thresholds.alert, model.thresholds.watch) == (1, 1)
    json.dumps(model.to_json(), allow_nan=False)


def test_models_are_held_against_each_other_alike_whatever_they_were_fitted_on() -> None:
    items, shipped = grown(300, days=20), coefficients.shipped("views")
    large = [
        Item(i.key, i.published, "p", [Snapshot(s.at, {m: (c or 0) * 500 for m, c in s.counts.items()}) for s in i.snapshots])
        for i in items
    ]
    usual = [Item(i.key, i.published, "p", [Snapshot(s.at, s.counts) for s in i.snapshots]) for i in items]
    split = START + 24 * 14
    assert shipped is not None
    shipped = replace(shipped, guard=Guard())

    told = learning.judge(shipped, usual, split, typical=100)
    same = told["virality"]["pr_auc"]

    assert learning.judge(replace(shipped, typical=1e9), usual, split, typical=100) == told
    scaled = learning.judge(shipped, large, split, typical=50_000, scales={"p": 1 / 500})
    assert scaled["virality"]["pr_auc"] == pytest.approx(same, abs=1e-3)


def test_those_with_hardly_anyone_beside_them_teach_nothing_about_the_top() -> None:
    """Of two, one is always first; a model fitted on that would call every second video viral."""
    draw = random.Random(2)
    pair = [
        Item(
            str(number),
            START,
            "",
            [Snapshot(START + 24 * day, {"views": None, "likes": day * (day + draw.randint(0, 40))}) for day in range(400)],
        )
        for number in range(2)
    ]

    with pytest.raises(fitting.TooLittle):
        fitting.fit(pair, horizon=24, family="reactions")
