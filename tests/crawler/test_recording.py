import threading
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from unittest import mock

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from crawler.models import Author, MetricSnapshot, Sound, SourceVideo, Video
from crawler.partitions import DEFAULT, TABLE, ensure_partitions
from crawler.providers.base import AuthorData, Counts, MediaURL, SlideData, SoundData, VideoData
from crawler.recording import record
from crawler.signals import videos_observed
from tests.factories import SourceFactory

pytestmark = pytest.mark.django_db


def video(number=1, **changes):
    return VideoData(
        **{
            "platform": "douyin",
            "external_id": f"7400000000000000{number:03}",
            "kind": "clip",
            "url": f"https://www.douyin.com/video/{number}",
            "title": f"猫 {number} 😀",
            "author": AuthorData(external_id="a1", handle="cook", name="Cook", followers=10),
            "sound": SoundData(external_id="s1", title="Sound", duration_seconds=15.0),
            "hashtags": ("猫", 'food, "quoted" {x}'),
            "media": (MediaURL(url="https://v.test/1.mp4", height=1920, expires_at=datetime(2027, 1, 1, tzinfo=UTC)),),
            "duration_ms": 15000,
            "counts": Counts(views=None, likes=5, comments=0),
            **changes,
        }
    )


def test_a_page_becomes_rows():
    source, at = SourceFactory(), timezone.now()

    recorded = record(
        [video(1), video(2, kind="carousel", media=(), slides=(SlideData(urls=("https://p.test/1",)),))], source=source, at=at
    )

    assert recorded.new == 2
    clip, carousel = Video.objects.order_by("external_id")
    assert (clip.title, clip.hashtags, clip.author.name, clip.sound.title) == (
        "猫 1 😀",
        ["猫", 'food, "quoted" {x}'],
        "Cook",
        "Sound",
    )
    assert clip.media == [
        {
            "url": "https://v.test/1.mp4",
            "expires_at": "2027-01-01T00:00:00+00:00",
            "width": None,
            "height": 1920,
            "bitrate": None,
            "codec": "",
            "size": None,
        }
    ]
    assert carousel.slides == [{"urls": ["https://p.test/1"], "width": None, "height": None}]
    assert (Author.objects.count(), Sound.objects.count(), SourceVideo.objects.filter(source=source).count()) == (1, 1, 2)
    snapshot = MetricSnapshot.objects.get(video=clip)
    assert (snapshot.observed_at, snapshot.views, snapshot.likes, snapshot.comments, snapshot.followers) == (at, None, 5, 0, 10)


def test_what_a_later_answer_leaves_out_stays_as_it_was():
    first = timezone.now()
    record([video(counts=Counts(views=100, likes=5), width=1080)], source=None, at=first)

    bare = VideoData(platform="douyin", external_id=video().external_id, kind="clip", url="", counts=Counts(likes=3))
    recorded = record([bare], source=None, at=first + timedelta(hours=1))

    row = Video.objects.get()
    assert recorded.new == 0
    assert (row.title, row.width, row.author.name, row.sound.title, row.duration_ms) == ("猫 1 😀", 1080, "Cook", "Sound", 15000)
    assert (row.hashtags[0], row.media[0]["height"], row.url) == ("猫", 1920, "https://www.douyin.com/video/1")
    assert (row.views, row.likes) == (100, 3)
    assert (row.first_seen_at, row.last_seen_at) == (first, first + timedelta(hours=1))
    assert [(s.views, s.likes) for s in MetricSnapshot.objects.order_by("observed_at")] == [(100, 5), (None, 3)]


def test_one_run_observes_a_video_once_however_often_it_meets_it():
    began = timezone.now()
    record([video()], source=None, at=began, since=began)
    record([video(counts=Counts(likes=6)), video(2)], source=None, at=began + timedelta(minutes=1), since=began)

    assert MetricSnapshot.objects.count() == 2
    assert Video.objects.get(external_id=video().external_id).likes == 6

    record([video()], source=None, at=began + timedelta(hours=1), since=began + timedelta(hours=1))
    assert MetricSnapshot.objects.count() == 3


def test_a_page_that_names_a_video_twice_records_it_once():
    record([video(), video()], source=SourceFactory(), at=timezone.now())

    assert (Video.objects.count(), MetricSnapshot.objects.count(), SourceVideo.objects.count()) == (1, 1, 1)


def test_two_sources_share_a_video():
    at = timezone.now()
    for source in (SourceFactory(), SourceFactory()):
        record([video()], source=source, at=at, since=at)

    assert (Video.objects.count(), SourceVideo.objects.count(), MetricSnapshot.objects.count()) == (1, 2, 1)


def test_a_video_that_is_seen_again_is_no_longer_gone():
    record([video()], source=None, at=timezone.now())
    Video.objects.update(gone_at=timezone.now(), gone_reason="deleted")

    record([video()], source=None, at=timezone.now())

    assert (Video.objects.get().gone_at, Video.objects.get().gone_reason) == (None, "")


def test_it_is_told_in_the_same_transaction_and_survives_a_listener_that_fails():
    heard = []

    def listen(video_ids, at, **_):
        heard.append((Video.objects.filter(pk__in=video_ids).count(), at))
        raise RuntimeError("a listener's own trouble")

    at = timezone.now()
    videos_observed.connect(listen)
    try:
        record([video(1), video(2)], source=None, at=at)
    finally:
        videos_observed.disconnect(listen)

    assert heard == [(2, at)]
    assert Video.objects.count() == 2


def test_nothing_seen_is_nothing_written(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert record([], source=None, at=timezone.now()).video_ids == []


def test_a_page_costs_one_statement_whatever_its_size(monkeypatch):
    source, at = SourceFactory(), timezone.now()
    monkeypatch.setattr(videos_observed, "receivers", [])

    # Below Django's cursor, which does not see what is prepared.
    with mock.patch.object(psycopg.Cursor, "execute", autospec=True, side_effect=psycopg.Cursor.execute) as executed:
        record([video(n, author=AuthorData(external_id=f"a{n}")) for n in range(50)], source=source, at=at)

    assert executed.call_count == 1
    assert Video.objects.count() == 50


def test_authors_and_sounds_that_several_videos_carry_are_written_once():
    """The last word of a page counts; a platform's ids are its own; a video may have neither."""
    page = [
        video(1, author=AuthorData(external_id="a1", name="Old", followers=1), sound=SoundData(external_id="s1", title="Old")),
        video(2, author=AuthorData(external_id="a2", name="Other"), sound=None),
        video(3, author=AuthorData(external_id="a1", name="New", followers=2), sound=SoundData(external_id="s1", title="New")),
        video(4, author=None, sound=SoundData(external_id="a1", is_original=True)),
        video(5, platform="tiktok", author=AuthorData(external_id="a1", is_verified=True)),
    ]

    record(page, source=None, at=timezone.now())

    assert list(
        Author.objects.order_by("platform", "external_id").values_list("platform", "external_id", "name", "is_verified")
    ) == [
        ("douyin", "a1", "New", False),
        ("douyin", "a2", "Other", False),
        ("tiktok", "a1", "", True),
    ]
    assert list(
        Sound.objects.order_by("platform", "external_id").values_list("platform", "external_id", "title", "is_original")
    ) == [
        ("douyin", "a1", "", True),
        ("douyin", "s1", "New", False),
        ("tiktok", "s1", "Sound", False),
    ]
    assert list(Video.objects.order_by("external_id").values_list("author__name", "sound__external_id")) == [
        ("New", "s1"),
        ("Other", None),
        ("New", "s1"),
        (None, "a1"),
        ("", "s1"),
    ]
    # A snapshot has the followers as its own video showed them.
    assert list(MetricSnapshot.objects.order_by("video__external_id").values_list("followers", flat=True)) == [
        1,
        None,
        2,
        None,
        None,
    ]


def test_values_arrive_as_they_were():
    """Times of any zone and fraction, numbers beyond 53 bits, and what JSON or SQL would have to escape."""
    zone = timezone.get_fixed_timezone(480)
    odd = "quote \" ' backslash \\ %s {curly} \t\n\u2028 猫😀"
    media = (
        MediaURL(url="https://v.test/?a=1&b=%7C", expires_at=datetime(2027, 1, 1, 8, 0, 0, 120, tzinfo=zone), size=2**60 + 1),
        MediaURL(url="https://v.test/2"),
    )
    published = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=zone)

    record(
        [
            video(
                title=odd,
                hashtags=(odd, "NULL", ""),
                flags=("a,b",),
                media=media,
                published_at=published,
                counts=Counts(views=2**60 + 1),
            )
        ],
        source=None,
        at=timezone.now(),
    )

    row = Video.objects.get()
    assert (row.title, row.hashtags, row.flags) == (odd, [odd, "NULL", ""], ["a,b"])
    assert (row.published_at, row.views) == (published, 2**60 + 1)
    assert row.media == [
        {**asdict(media[0]), "expires_at": media[0].expires_at.isoformat()},
        {**asdict(media[1]), "expires_at": None},
    ]
    assert MetricSnapshot.objects.get().views == 2**60 + 1


@pytest.mark.django_db(transaction=True)
def test_workers_that_record_the_same_videos_do_not_deadlock():
    """Each in another order, with the authors and sounds in yet another: the statement's own order must hold."""
    at, errors, gate = timezone.now(), [], threading.Barrier(4)

    def work(seed):
        try:
            videos = [
                video(n, author=AuthorData(external_id=f"a{n % 97}"), sound=SoundData(external_id=f"s{n % 89}"))
                for n in range(500)
            ]
            for turn in range(6):
                page = videos[:: 1 if (seed + turn) % 2 else -1]
                gate.wait(240)
                record(page, source=None, at=at + timedelta(seconds=seed * 100 + turn))
        except Exception as error:  # told in the assertion below
            errors.append(error)
            gate.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert (Video.objects.count(), Author.objects.count(), Sound.objects.count()) == (500, 97, 89)


# -- partitions ------------------------------------------------------------------------------------


def partition_of(when):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {TABLE} WHERE observed_at = %s", [when])
        return cursor.fetchone()[0]


def test_snapshots_find_the_partition_of_their_month():
    now = timezone.now()
    record([video()], source=None, at=now)

    assert partition_of(now) == f"{TABLE}_{now:%Y_%m}"


def test_rows_that_came_before_their_partition_move_into_it():
    now = timezone.now()
    ensure_partitions(now)  # a month may have begun since the tests did
    ancient = datetime(2020, 1, 31, 23, 59, 59, tzinfo=UTC)
    record([video()], source=None, at=ancient)
    record([video()], source=None, at=ancient + timedelta(seconds=1))
    assert partition_of(ancient) == DEFAULT

    made = ensure_partitions(now)

    assert made == [f"{TABLE}_2020_01", f"{TABLE}_2020_02"]
    assert partition_of(ancient) == f"{TABLE}_2020_01"
    assert partition_of(ancient + timedelta(seconds=1)) == f"{TABLE}_2020_02"
    assert ensure_partitions(now) == []


def test_partitions_are_made_ahead_over_the_end_of_a_year():
    made = ensure_partitions(datetime(2031, 11, 5, tzinfo=UTC))

    assert made == [f"{TABLE}_2031_11", f"{TABLE}_2031_12", f"{TABLE}_2032_01"]
