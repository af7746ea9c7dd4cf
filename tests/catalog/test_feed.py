"""The feed on real PostgreSQL: order, keyset pages, filters, search, and what a card says."""

from datetime import UTC, datetime, timedelta

import pytest
from constance import config
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import cursors
from catalog.cards import cards
from catalog.cursors import InvalidCursor
from catalog.feed import feed
from catalog.filters import ORDERING_WORDS, ORDERINGS, Filters
from catalog.ordering import forget, ordering_of
from downloads.models import AssetRole
from tests.factories import (
    AssetFactory,
    AuthorFactory,
    DownloadJobFactory,
    MetricSnapshotFactory,
    ScoreFactory,
    SourceVideoFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db


def ids(filters, **options):
    return [card.id for card in feed(filters, **options).cards]


def walk(filters, limit):
    """All ids, page by page."""
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = feed(filters, cursor=cursor, limit=limit)
        found += [card.id for card in page.cards]
        cursor = page.next_cursor
    return found


@pytest.mark.parametrize("ordering", list(ORDERINGS))
def test_pages_join_without_gap_or_repeat_even_among_equals(ordering):
    made = [
        ScoreFactory(
            classic=classic,
            virality=None if classic == 0.3 else 1 / (1 + abs(classic)),
            breakout=None if views is None else 0.1 + 0.2,
            video__views=views,
            video__published_at=published,
        ).video_id
        for classic, views, published in [
            (5.5, 7, datetime(2026, 1, 1, tzinfo=UTC)),
            (5.5, None, None),
            (5.5, 7, datetime(2026, 1, 1, tzinfo=UTC)),
            (-0.0, 2**62, datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
            (1e300, None, None),
            (0.1 + 0.2, 0, datetime(2005, 1, 1, tzinfo=UTC)),
            (0.3, 0, None),
        ]
    ]

    whole = ids(Filters(ordering=ordering))

    assert sorted(whole) == sorted(made)
    for limit in (1, 2, 3, 7):
        assert walk(Filters(ordering=ordering), limit) == whole


def test_a_video_without_score_is_among_the_newest_but_not_among_the_rising():
    video = VideoFactory()

    assert ids(Filters(ordering="-published_at")) == [video.pk]
    assert ids(Filters()) == []


@pytest.fixture
def _settings_read_anew():
    forget()
    yield
    forget()


def test_rising_goes_by_virality_and_what_no_model_has_spoken_of_comes_last():
    unspoken = ScoreFactory(classic=1e9)
    calm, hot = ScoreFactory(classic=1e6, virality=0.01, breakout=0.9), ScoreFactory(classic=1, virality=0.7, breakout=0.1)

    assert ids(Filters()) == [hot.video_id, calm.video_id, unspoken.video_id]
    assert ids(Filters(ordering="-breakout")) == [calm.video_id, hot.video_id, unspoken.video_id]
    assert ids(Filters(ordering="-score")) == [unspoken.video_id, calm.video_id, hot.video_id]


@pytest.mark.usefixtures("_settings_read_anew")
@pytest.mark.parametrize(("word", "spelled"), ORDERING_WORDS.items())
def test_staff_choose_what_the_feed_is_ordered_by(word, spelled):
    for n in range(3):
        ScoreFactory(classic=n, virality=(0.5, 0.1, 0.9)[n], breakout=(0.1, 0.2, 0.3)[n], video__views=(5, 6, 4)[n])

    config.DEFAULT_ORDERING = word

    assert ids(Filters()) == ids(Filters(ordering=spelled)) == ids(Filters.parse({"ordering": word}))
    assert Filters().query() == {}


@pytest.mark.parametrize("count", [1, 40])
def test_a_page_takes_two_statements_whatever_it_shows(count):
    for _ in range(count):
        score = ScoreFactory(surging=True)
        MetricSnapshotFactory(video=score.video)
        AssetFactory(video=score.video, role=AssetRole.COVER, quality="", object__mime="image/webp")
        AssetFactory(of_author=True, author=score.video.author, object__mime="image/webp")
        DownloadJobFactory(video=score.video)

    ordering_of(Filters())  # the setting is read from time to time, not for each page
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = feed(Filters(), limit=50)

    assert len(page.cards) == count
    assert all(card.cover and card.avatar and card.sparkline and card.download_status == "queued" for card in page.cards)
    assert len(queries) == 2
    assert not any("COUNT(" in query["sql"].upper() for query in queries)


@pytest.mark.parametrize(
    "text",
    ["x", "", "W10", "e30", "é", "a" * 5000, "WyItc2NvcmUiLG51bGwsMV0", "WyItc2NvcmUiLDFlOTk5LDFd", "WyItc2NvcmUiLE5hTiwxXQ"],
)
def test_a_cursor_that_is_not_ours_is_refused(text):
    with pytest.raises(InvalidCursor):
        cursors.read(text, "-score")


@pytest.mark.parametrize(
    "packed",
    [("-published_at", "0001-01-01T00:00:00+14:00"), ("-published_at", "2026-01-01"), ("-views", 1.5), ("-views", 2**63)],
)
def test_a_cursor_with_an_impossible_key_is_refused(packed):
    text = str(cursors.Cursor(packed[0], packed[1], 1))
    with pytest.raises(InvalidCursor):
        cursors.read(text, packed[0])


def test_a_cursor_of_another_ordering_is_refused():
    for _ in range(2):
        ScoreFactory()
    cursor = feed(Filters(), limit=1).next_cursor

    with pytest.raises(InvalidCursor):
        feed(Filters(ordering="-views"), cursor=cursor or "")


def test_each_filter_keeps_what_it_names():
    author = AuthorFactory()
    kept = ScoreFactory(
        surging=True,
        classic=900,
        video__platform="tiktok",
        video__kind="carousel",
        video__author=author,
        video__category="food",
        video__hashtags=["美食", "Street"],
        video__views=5_000,
        video__published_at=datetime(2026, 5, 5, tzinfo=UTC),
        video__title="街头美食 Street Food",
    ).video
    ScoreFactory(classic=100, video__views=None, video__published_at=None)
    sighting = SourceVideoFactory(video=kept)

    for filters in (
        Filters(platform="tiktok"),
        Filters(kind="carousel"),
        Filters(author=author.pk),
        Filters(source=sighting.source_id),
        Filters(category="food"),
        Filters(hashtag="美食"),
        Filters(hashtag="Street"),
        Filters(min_views=5_000),
        Filters(min_score=900),
        Filters(surging=True),
        Filters(published_after=datetime(2026, 5, 5, tzinfo=UTC)),
        Filters(published_before=datetime(2026, 5, 6, tzinfo=UTC)),
        Filters(q="美食"),
    ):
        for ordering in ORDERINGS:
            assert ids(Filters.parse(filters.query() | {"ordering": ordering})) == [kept.pk], filters
    assert kept.pk not in ids(Filters(surging=False))


def test_the_download_of_a_card_is_said_and_can_be_filtered_by():
    pending = ScoreFactory(classic=5).video
    queued = ScoreFactory(classic=4).video
    DownloadJobFactory(video=queued, failed=True)
    DownloadJobFactory(video=queued, retrying=True)
    downloading = ScoreFactory(classic=3).video
    DownloadJobFactory(video=downloading, running=True, progress=42)
    ready = ScoreFactory(classic=2).video
    AssetFactory(video=ready)
    DownloadJobFactory(video=ready, failed=True, quality="720")
    error = ScoreFactory(classic=1).video
    DownloadJobFactory(video=error, cancelled=True)
    DownloadJobFactory(video=error, failed=True)
    expected = {"pending": pending, "queued": queued, "downloading": downloading, "ready": ready, "error": error}

    shown = feed(Filters(ordering="-score")).cards

    assert [card.download_status for card in shown] == list(expected)
    assert shown[2].download_progress == 42
    for status, video in expected.items():
        assert ids(Filters(download_status=status)) == [video.pk]


def test_the_growth_of_a_card_is_of_one_counter_and_recent():
    now = timezone.now()
    video = ScoreFactory().video
    for hours, views, likes in [(24 * 40, 1, 1), (3, None, 5), (2, 20, 6), (1, 30, 7)]:
        MetricSnapshotFactory(video=video, observed_at=now - timedelta(hours=hours), views=views, likes=likes)
    hidden = ScoreFactory(classic=1).video
    MetricSnapshotFactory(video=hidden, views=None, likes=9)

    lines = [[point.value for point in card.sparkline] for card in feed(Filters(ordering="-score")).cards]

    assert lines == [[20, 30], [9]]


def test_cards_come_in_the_order_asked_for_and_absurd_ids_are_left_out():
    first, second = VideoFactory(), VideoFactory()

    assert [card.id for card in cards([second.pk, 2**63, first.pk, -1])] == [second.pk, first.pk]
