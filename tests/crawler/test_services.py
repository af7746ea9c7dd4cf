"""Looking at sources, with a provider that answers as told: what is kept, how far, and what a failure leaves behind."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from crawler import services
from crawler.models import CrawlJob, MetricSnapshot, Outcome, Source, SourceVideo, Video
from crawler.outbound import ForbiddenAddress
from crawler.providers import registry
from crawler.providers.base import Counts, MediaURL, Page, VideoData
from crawler.providers.errors import Blocked, Changed, Gone, LoginRequired, RateLimited, Unreachable
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.factories import CrawlJobFactory, SourceFactory, WorkspaceFactory

# The claim goes by the database's clock, which stands still within a transaction.
pytestmark = pytest.mark.django_db(transaction=True)


class Told:
    """Lists the pages it was given; a page may be an error, raised when its turn comes."""

    pages: list = []
    cursors: list = []
    closed = 0

    def crawl(self, query, access, *, cursor, pages):
        Told.cursors.append(cursor)
        begin = cursor["at"] if cursor else 0
        try:
            for at, page in enumerate(Told.pages[begin : begin + pages], start=begin):
                if isinstance(page, Exception):
                    raise page
                is_last = at + 1 == len(Told.pages)
                yield Page(videos=page, cursor=None if is_last else {"at": at + 1}, skipped={"live": 1})
        finally:
            Told.closed += 1

    def fetch_video(self, url, access):
        if isinstance(Told.pages[0], Exception):
            raise Told.pages[0]
        return Told.pages[0][0]

    def knows(self, url, base_url):
        return url.startswith("https://told.test/")


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS, "told", registry.Entry("Told", "tests.crawler.test_services:Told"))
    monkeypatch.setitem(registry.PLATFORMS, "told", registry.Platform("Told", "told"))
    Told.pages, Told.cursors, Told.closed = [], [], 0
    return Told


def video(number, **changes):
    return VideoData(
        **{
            "platform": "told",
            "external_id": str(number),
            "kind": "clip",
            "url": f"https://told.test/{number}",
            "counts": Counts(likes=number),
            "media": (MediaURL(url="https://told.test/1.mp4"),),
            **changes,
        }
    )


def work():
    """Do the next due crawl, as a worker does."""
    assert drain(kinds.get("crawl"), most=1) == 1


def look(source):
    """One look, asked for and done."""
    job = services.scan_now(source)
    work()
    source.refresh_from_db()
    return CrawlJob.objects.get(pk=job.pk)


def told_source(**changes):
    return SourceFactory(platform="told", **changes)


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


# -- outcomes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "state", "outcome"),
    [
        (Blocked("captcha"), State.FAILED, Outcome.BLOCKED),
        (LoginRequired("sign in"), State.FAILED, Outcome.LOGIN_REQUIRED),
        (Changed("shape"), State.FAILED, Outcome.CHANGED),
        (Gone("removed"), State.FAILED, Outcome.GONE),
        (Unreachable("dns"), State.RETRYING, Outcome.UNREACHABLE),
        (RateLimited("slower", retry_after=timedelta(minutes=7)), State.PENDING, Outcome.RATE_LIMITED),
    ],
)
def test_each_failure_is_its_own_outcome_and_never_empty(told, error, state, outcome):
    told.pages = [error]
    source = told_source()

    job = look(source)

    assert (job.state, job.outcome, job.error_code) == (state, error.outcome, error.code)
    assert (source.outcome, source.outcome_detail, source.failures_in_a_row) == (outcome, error.message, 1)
    assert source.last_run_at is not None
    assert source.last_good_at is None


def test_a_failure_of_our_own_shows_on_the_source_once_it_is_final(told):
    told.pages = [ZeroDivisionError("ours")]
    source = told_source()
    job = CrawlJobFactory(source=source, max_attempts=1)

    work()

    source.refresh_from_db()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "internal")
    assert source.outcome == Outcome.FAILED
    assert "ZeroDivisionError" in source.outcome_detail


@pytest.mark.parametrize("error", [Blocked("x"), LoginRequired("x")])
def test_a_refused_source_stays_away_for_longer_each_time(told, error):
    told.pages = [error]
    source = told_source(interval_minutes=60)
    waits = []
    for _ in range(3):
        look(source)
        waits.append(source.next_run_at - source.last_run_at)

    for wait, hours in zip(waits, (2, 4, 8), strict=True):
        assert timedelta(hours=hours) <= wait <= timedelta(hours=hours * 1.25)


def test_a_good_look_ends_the_row_of_failures(told):
    source = told_source(blocked=True)
    told.pages = [(video(1),)]

    look(source)

    assert (source.outcome, source.outcome_detail, source.failures_in_a_row) == (Outcome.OK, "", 0)


@pytest.mark.parametrize("cron", ["", "*/10 * * * *", "nonsense"])
@pytest.mark.parametrize("pages", [[(video(1),)], [()]])
def test_a_look_that_went_well_brings_the_schedule_back(told, cron, pages):
    told.pages = [Blocked("captcha")]
    source = told_source(cron=cron, interval_minutes=10)
    look(source)
    look(source)
    assert source.next_run_at > timezone.now() + timedelta(minutes=30)

    told.pages = pages
    look(source)

    assert (source.failures_in_a_row, source.next_run_at <= timezone.now() + timedelta(minutes=10)) == (0, True)
    assert source.next_run_at > timezone.now()


def test_a_look_that_went_well_puts_off_nothing(told):
    told.pages = [(video(1),)]
    soon = timezone.now() + timedelta(minutes=2)
    source = told_source(interval_minutes=60, next_run_at=soon)

    look(source)

    assert source.next_run_at == soon


def test_a_platform_that_asks_for_rest_gets_it_and_no_other_does(told):
    told.pages = [RateLimited("slower", retry_after=timedelta(minutes=30))]
    source, sibling, other = told_source(), told_source(), SourceFactory()
    waiting = CrawlJobFactory(source=sibling)
    elsewhere = CrawlJobFactory(source=other)
    before = timezone.now()

    look(source)

    for row in (waiting, elsewhere, sibling, other):
        row.refresh_from_db()
    assert waiting.scheduled_at >= before + timedelta(minutes=30)
    assert sibling.next_run_at >= before + timedelta(minutes=30)
    assert elsewhere.scheduled_at < before + timedelta(minutes=1)
    assert other.next_run_at < before + timedelta(minutes=1)
    assert CrawlJob.objects.get(source=source).attempt == 0


# -- when ------------------------------------------------------------------------------------------


def test_due_sources_are_looked_at_once_and_get_their_next_time():
    source = SourceFactory(cron="0 */2 * * *", next_run_at=timezone.now() - timedelta(days=3))
    SourceFactory(is_active=False)
    SourceFactory(next_run_at=timezone.now() + timedelta(minutes=1))

    assert services.dispatch_due_sources() == 1
    assert services.dispatch_due_sources() == 0

    source.refresh_from_db()
    assert CrawlJob.objects.get().source == source
    assert source.next_run_at > timezone.now()
    assert (source.next_run_at.minute, source.next_run_at.hour % 2) == (0, 0)


def test_a_source_that_is_still_looked_at_is_not_doubled():
    source = SourceFactory()
    services.scan_now(source)

    assert services.dispatch_due_sources() == 0
    assert CrawlJob.objects.count() == 1


def test_a_cron_line_written_past_the_form_does_not_stop_the_others():
    bad, good = SourceFactory(cron="nonsense", interval_minutes=30), SourceFactory()

    assert services.dispatch_due_sources() == 2

    bad.refresh_from_db()
    assert "cron" in bad.outcome_detail
    assert bad.next_run_at > timezone.now() + timedelta(minutes=29)
    assert CrawlJob.objects.filter(source=good).exists()


@pytest.mark.parametrize(
    "field",
    [
        {"cron": "* * *"},
        {"interval_minutes": 0},
        {"pages_per_run": 0},
        {"pages_per_run": 101},
        {"value": "a\x00b"},
        {"value": "\u202ex"},
        {"kind": "profile", "value": "http://127.0.0.1/x"},
        {"kind": "profile", "value": "../x"},
        {"kind": "profile", "value": "two words"},
    ],
)
def test_a_source_that_cannot_be_followed_is_refused_where_it_enters(field):
    with pytest.raises(ValidationError):
        SourceFactory.build(workspace=WorkspaceFactory(), **field).full_clean()


def test_a_profile_is_the_last_part_of_its_address():
    workspace = WorkspaceFactory()
    SourceFactory.build(workspace=workspace, kind="profile", value="MS4wLjABAAAA-x_9").full_clean()

    with pytest.raises(ValidationError, match="only its last part"):
        SourceFactory.build(workspace=workspace, kind="profile", value="http://127.0.0.1/x").full_clean()

    kept = SourceFactory(workspace=workspace, kind="profile", value="http://127.0.0.1/x")  # from before this was asked
    kept.full_clean()


def test_asking_twice_for_a_look_is_one_look_that_comes_sooner(user):
    source = SourceFactory()
    waiting = CrawlJobFactory(source=source, scheduled_at=timezone.now() + timedelta(hours=1))

    job = services.scan_now(source, by=user)

    assert job == waiting
    assert job.scheduled_at <= timezone.now()
    assert services.scan_now(source).pk == job.pk


# -- what ------------------------------------------------------------------------------------------


def test_topics_are_loaded_once(tmp_path):
    file, workspace = tmp_path / "topics.txt", WorkspaceFactory()
    file.write_text("\ufeff# what we watch\n猫\n\n  street   food \n猫\n\x00dance\n", "utf-8")

    assert services.load_topics(file, workspace) == (3, 3)
    assert services.load_topics(file, workspace) == (0, 3)
    assert set(Source.objects.values_list("value", flat=True)) == {"猫", "street food", "dance"}


def test_a_topic_of_absurd_length_is_named_by_its_line(tmp_path):
    file = tmp_path / "topics.txt"
    file.write_text("ok\n" + "x" * 501, "utf-8")

    with pytest.raises(ValidationError, match="Line 2"):
        services.load_topics(file, WorkspaceFactory())


def test_a_link_is_imported_by_whoever_knows_it(told, user):
    told.pages = [(video(7),)]
    workspace = WorkspaceFactory()

    job = services.import_url(" https://told.test/7 ", workspace=workspace, by=user)
    again = services.import_url("https://told.test/7", workspace=workspace)
    work()

    assert again == job
    assert (job.source.kind, job.source.is_active, job.requested_by) == ("url", False, user)
    job.refresh_from_db()
    assert job.state == State.COMPLETED
    assert services.imported_video(job).external_id == "7"


def test_a_link_without_a_video_fails_with_its_reason(told):
    told.pages = [Gone("The video was removed.")]

    job = services.import_url("https://told.test/7", workspace=WorkspaceFactory())
    work()

    job.refresh_from_db()
    assert (job.state, job.error_code, services.imported_video(job)) == (State.FAILED, "gone", None)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x", "http://localhost/x", "file:///etc/passwd", "", "https://told.example/" + "x" * 600]
)
def test_a_link_that_is_not_followed_is_refused_where_it_enters(url):
    with pytest.raises(ForbiddenAddress):
        services.import_url(url, workspace=SimpleNamespace(pk=1))
    assert not Source.objects.exists()
