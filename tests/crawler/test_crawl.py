"""Looking at sources, with a provider that answers as told: what is kept, how far, and how a broken look goes on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crawler import services
from crawler.models import CrawlJob, MetricSnapshot, Outcome, SourceVideo, Video
from crawler.providers.base import Counts
from crawler.providers.errors import Unreachable
from jobs.models import State
from tests.crawler.looks import look, work
from tests.crawler.told import told_source, video
from tests.factories import CrawlJobFactory

# The claim goes by the database's clock, which stands still within a transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_look_stores_what_it_saw_and_says_how_it_went(told):
    told.pages = [(video(1), video(2)), (video(3),)]
    source = told_source()

    job = look(source)

    assert (job.state, job.outcome, job.pages, job.cursor) == (State.COMPLETED, "ok", 2, None)
    assert job.counts == {"seen": 3, "new": 3, "clip": 3, "live": 2}
    assert (source.outcome, source.failures_in_a_row) == (Outcome.OK, 0)
    assert source.last_good_at == source.last_run_at is not None
    assert SourceVideo.objects.filter(source=source).count() == MetricSnapshot.objects.count() == 3


def test_nothing_found_is_empty_and_not_good(told):
    told.pages = [()]
    source = told_source()

    assert look(source).outcome == "empty"
    assert (source.outcome, source.last_good_at) == (Outcome.EMPTY, None)


def test_no_more_pages_are_read_than_the_source_wants(told):
    told.pages = [(video(n),) for n in range(9)]

    assert look(told_source(pages_per_run=4)).pages == 4
    assert told.closed == 1


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({"min_likes": 5}, {"3", "4", "5"}),
        ({"min_views": 100}, {"1", "2", "3", "5"}),
        ({"min_height": 720}, {"1", "3", "4", "5"}),
        ({"max_age_days": 7}, {"2", "3", "4", "5"}),
        ({"kinds": ["carousel"]}, {"5"}),
        ({"kinds": []}, set()),
        ({"max_age_days": 2**31 - 1}, {"1", "2", "3", "4", "5"}),
    ],
)
def test_the_filters_let_through_what_fits_and_what_is_not_shown(told, limits, kept):
    now = timezone.now()
    told.pages = [
        (
            video(1, counts=Counts(likes=4), published_at=now - timedelta(days=30)),
            video(2, counts=Counts(likes=4), height=480),
            video(3, counts=Counts(likes=5), published_at=now - timedelta(days=6)),
            video(4, counts=Counts(views=99), height=720),
            video(5, kind="carousel", counts=Counts()),
        )
    ]

    job = look(told_source(**limits))

    assert set(Video.objects.values_list("external_id", flat=True)) == kept
    assert (job.counts["seen"], job.counts.get("filtered", 0)) == (5, 5 - len(kept))
    assert job.outcome == "ok"


def test_one_bad_item_among_many_fails_alone(told):
    bad = (video(""), video("../../x"), video(5, kind="live"))
    told.pages = [(*bad[:1], *(video(n) for n in range(100, 199)), *bad[1:])]

    job = look(told_source())

    assert Video.objects.count() == 99
    assert (job.outcome, job.counts["malformed"], len(job.errors)) == ("ok", 3, 3)


def test_hostile_values_are_stored_mended(told):
    told.pages = [
        (
            video(1, title="\x00" + "猫" * 10_000, hashtags=("\ud800", "ok"), flags=("x" * 500,) * 90),
            video(2, title="\u202egnp.exe", url="javascript:alert(1)", counts=Counts(likes=-4, views=2**70), width=2**60),
            video(
                3,
                cover_url="https://told.test/" + "x" * 9000,
                duration_ms=2**40,
                published_at=timezone.now() + timedelta(days=9999),
            ),
        )
    ]

    assert look(told_source()).counts["new"] == 3
    assert [len(v.title) for v in Video.objects.order_by("external_id")] == [2000, 7, 0]


# -- resuming --------------------------------------------------------------------------------------


def test_a_broken_run_goes_on_behind_its_last_page_and_doubles_nothing(told):
    told.pages = [(video(1),), (video(2), video(1)), Unreachable("lost"), (video(4),)]
    source = told_source(pages_per_run=9)
    job = look(source)
    assert (job.state, job.outcome, job.pages) == (State.RETRYING, "unreachable", 2)
    assert source.outcome == Outcome.UNREACHABLE

    told.pages[2] = (video(3), video(2))
    job.run_again()
    work()

    job.refresh_from_db()
    source.refresh_from_db()
    assert told.cursors == [None, {"at": 2}]
    assert (job.state, job.outcome, job.pages, job.counts["seen"]) == (State.COMPLETED, "ok", 4, 6)
    assert MetricSnapshot.objects.count() == Video.objects.count() == 4
    assert source.outcome == Outcome.OK


def test_a_run_that_was_killed_after_its_last_page_only_says_so(told):
    job = CrawlJobFactory(
        source=told_source(),
        cursor={"since": timezone.now().isoformat(), "position": None, "is_over": True},
        pages=1,
        counts={"seen": 3},
    )

    work()

    job.refresh_from_db()
    assert (job.state, job.outcome, job.pages, told.cursors) == (State.COMPLETED, "ok", 1, [])


@pytest.mark.parametrize(
    "cursor", [{"position": {"at": 1}}, {"since": "nonsense"}, {"since": "2020-01-01T00:00:00Z", "is_over": True}, [], "x"]
)
def test_a_place_that_is_old_or_unreadable_begins_anew(told, cursor):
    told.pages = [(video(1),)]
    job = CrawlJobFactory(source=told_source(), cursor=cursor, pages=7, counts={"seen": 9})

    work()

    job.refresh_from_db()
    assert (told.cursors, job.pages, job.counts["seen"]) == ([None], 1, 1)


def test_a_second_look_observes_again(told):
    told.pages = [(video(1),)]
    source = told_source()
    look(source)
    look(source)

    assert (Video.objects.count(), MetricSnapshot.objects.count()) == (1, 2)


def test_a_worker_that_lost_its_job_writes_nothing_more(told):
    source = told_source()

    def pages():
        yield video(1)
        CrawlJob.objects.get().cancel(by="staff")
        yield video(2)

    told.pages = [(video(1),), pages()]
    job = services.scan_now(source)
    work()

    job.refresh_from_db()
    assert (job.state, job.pages) == (State.CANCELLED, 1)
    assert list(Video.objects.values_list("external_id", flat=True)) == ["1"]
    assert told.closed == 1


def test_a_source_that_is_deleted_under_a_look_ends_it_quietly(told):
    source = told_source()

    def pages():
        source.delete()
        yield video(1)

    told.pages = [pages()]
    services.scan_now(source)
    work()

    assert (CrawlJob.objects.count(), Video.objects.count()) == (0, 0)
