"""What is looked at, and when: by schedule, when somebody asks, and from a list or link that somebody brings."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from crawler import services
from crawler.models import CrawlJob, Source
from crawler.outbound import ForbiddenAddress
from crawler.providers.errors import Gone
from jobs.models import State
from tests.crawler.looks import work
from tests.crawler.told import video
from tests.factories import CrawlJobFactory, SourceFactory, WorkspaceFactory

# The claim goes by the database's clock, which stands still within a transaction.
pytestmark = pytest.mark.django_db(transaction=True)


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
