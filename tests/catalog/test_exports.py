"""A list as a file: everything that matches once, in order, safe in a spreadsheet, in bounded memory."""

import csv
import io
import json
import re
import tracemalloc
from datetime import UTC, datetime

import pytest
from constance import config

from catalog.exports import BATCH, BOM, EXPORTED, cell, export
from catalog.feed import feed
from catalog.filters import Filters
from crawler.models import Video
from tests.factories import ScoreFactory, SoundFactory, SourceVideoFactory, VideoFactory

pytestmark = pytest.mark.django_db

NEWEST = Filters(ordering="-published_at")


def rows_of(filters=NEWEST):
    text = b"".join(export(filters).stream("csv")).decode()
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline="")))


def document_of(filters=NEWEST):
    return json.loads(b"".join(export(filters).stream("json")))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("＝1+1", "'＝1+1"),
        ("＠x", "'＠x"),
        ("1=1", "1=1"),
        ("街头美食", "街头美食"),
        (-5, -5),
        (0, 0),
        (None, ""),
        (True, "true"),
        (["a b", "c,#d", "街头"], '["a b","c,#d","街头"]'),
        ([], "[]"),
        (datetime(2026, 11, 21, 8, 30, 5, 999, tzinfo=UTC), "2026-11-21T08:30:05Z"),
    ],
)
def test_a_cell_is_safe_and_says_what_it_means(value, written):
    assert cell(value) == written


def test_a_row_is_whole_in_both_formats():
    score = ScoreFactory(
        surging=True, virality=0.25, classic=12.5, video__title='=cmd|\' /C calc\'!A0\n"quoted", 街头',
        video__hashtags=["美食", "street food"],
        video__external_id="7300000000000000001", video__sound=SoundFactory(title="@sound"), video__author__handle="+handle",
        video__comments=None,
    )  # fmt: skip

    [row], document = rows_of(), document_of()

    assert list(row) == list(EXPORTED) == list(document["videos"][0])
    assert row["title"].startswith("'=cmd|")
    assert (row["sound_title"], row["author_handle"]) == ("'@sound", "'+handle")
    assert row["external_id"] == "7300000000000000001"
    assert (row["comments"], row["views"], row["is_surging"], row["hashtags"]) == ("", "10000", "true", '["美食","street food"]')
    assert row["published_at"].endswith("Z")
    [told] = document["videos"]
    assert told["title"] == score.video.title
    assert (told["id"], told["external_id"]) == (str(score.video.pk), "7300000000000000001")
    assert (told["comments"], told["virality"], told["score"], told["hashtags"]) == (None, 0.25, 12.5, ["美食", "street food"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["published_at"])
    assert (document["count"], document["is_capped"], document["note"]) == (1, False, "")
    assert document["filters"] == {"ordering": "-published_at"}


@pytest.mark.parametrize("ordering", ["-published_at", "-views", "-virality", "-score"])
def test_it_holds_what_the_feed_shows_in_the_feeds_order(ordering):
    for n in range(30):
        ScoreFactory(virality=n / 31, classic=n % 7, video__views=n % 5 * 100, video__title=f"cat {n}")
    filters = Filters(ordering=ordering, min_views=100)

    expected = [str(card.id) for card in feed(filters, limit=100).cards]

    assert [row["id"] for row in rows_of(filters)] == expected
    assert len(expected) == 24


def test_filters_narrow_it_and_a_search_too():
    wanted = SourceVideoFactory(video__title="one cat and 街头美食", video__category="food")
    VideoFactory(title="one cat elsewhere")
    for filters in (
        Filters(source=wanted.source_id, ordering="-published_at"),
        Filters(author=wanted.video.author_id, ordering="-published_at"),
        Filters(category="food", ordering="-published_at"),
        Filters(q="街头", ordering="-published_at"),
    ):
        assert [row["id"] for row in rows_of(filters)] == [str(wanted.video_id)]


def test_an_export_of_nothing_is_a_file_all_the_same():
    assert rows_of() == []
    assert document_of()["videos"] == []


def test_a_longer_list_ends_at_the_cap_and_says_so():
    config.EXPORT_MOST_ROWS = 3
    for _ in range(5):
        VideoFactory()

    found = export(NEWEST)

    assert len(found.ids) == 3
    assert re.fullmatch(r"groundswell-videos-[\d-]+-first-3\.csv", found.filename("csv"))
    told = json.loads(b"".join(found.stream("json")))
    assert (told["count"], told["is_capped"]) == (3, True)
    assert "More match than the 3 rows" in told["note"]
    assert len(rows_of()) == 3


def test_what_moves_in_the_order_while_it_is_read_is_written_once():
    many = [VideoFactory(views=n) for n in range(5)]
    found = export(Filters(ordering="-views"))
    parts = found.stream("json")
    head = next(parts)

    Video.objects.filter(pk=many[0].pk).update(views=10**6)
    Video.objects.filter(pk=many[1].pk).delete()
    told = json.loads(head + b"".join(parts))

    assert [video["id"] for video in told["videos"]] == [str(v.pk) for v in (many[4], many[3], many[2], many[0])]


def test_memory_does_not_grow_with_the_list(django_assert_max_num_queries):
    author = VideoFactory().author
    Video.objects.bulk_create(
        Video(platform="douyin", external_id=f"x{n}", url="https://x.example/", title="words " * 20, author=author)
        for n in range(BATCH * 12)
    )
    tracemalloc.start()
    peaks = []
    with django_assert_max_num_queries(20):
        for _part in export(NEWEST).stream("csv"):
            peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()

    assert len(peaks) == 14
    assert peaks[-1] < peaks[2] * 1.5
