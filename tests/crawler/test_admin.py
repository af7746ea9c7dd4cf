"""What staff do with sources and sessions in the admin."""

import json
from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crawler.models import BrowserSession, CrawlJob, MetricSnapshot, Source
from tests.factories import BrowserSessionFactory, CrawlJobFactory, SoundFactory, SourceFactory, VideoFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db
SOURCES = reverse("admin:crawler_source_changelist")
COOKIES = json.dumps([{"name": "sessionid", "value": "s3cret", "domain": ".douyin.com", "expires": 4_000_000_000}])


@pytest.fixture(autouse=True)
def _the_real_place(settings):
    settings.DOUYIN_URL = "https://www.douyin.com"


def act(client, action, *sources):
    return client.post(SOURCES, {"action": action, ACTION_CHECKBOX_NAME: [s.pk for s in sources]}, follow=True)


def test_sources_are_looked_at_in_bulk(staff_client, staff):
    sources = [SourceFactory(), SourceFactory(is_active=False)]

    page = act(staff_client, "scan_now", *sources).content.decode()

    assert "2 sources will be looked at" in page
    assert {job.requested_by for job in CrawlJob.objects.all()} == {staff}


def test_sources_are_paused_and_resumed_in_bulk(staff_client):
    first, second = SourceFactory(), SourceFactory(is_active=False)

    assert "1 source changed" in act(staff_client, "pause", first, second).content.decode()
    assert not Source.objects.filter(is_active=True).exists()
    act(staff_client, "resume", first, second)
    assert Source.objects.filter(is_active=True).count() == 2


def test_the_list_tells_blocked_from_empty(staff_client):
    SourceFactory(blocked=True, outcome_detail="The platform shows a captcha. <b>")
    SourceFactory(outcome="empty")

    page = staff_client.get(SOURCES).content.decode()

    assert "blocked" in page
    assert "The platform shows a captcha. &lt;b&gt;" in page
    assert "empty" in page


@pytest.mark.parametrize("name", ["crawler_source", "crawler_crawljob"])
def test_a_sound_is_listed_by_its_title_whatever_is_listed_without_further_questions(
    staff_client, name, django_assert_max_num_queries
):
    def watched(n):
        sound = SoundFactory(title=f"Wave {n}")
        CrawlJobFactory(source__platform="tiktok", source__kind="sound", source__value=sound.external_id, source__sound=sound)

    watched(1)
    with CaptureQueriesContext(connection) as few:
        page = staff_client.get(reverse(f"admin:{name}_changelist")).content.decode()
    for n in range(2, 6):
        watched(n)

    with django_assert_max_num_queries(len(few)):
        assert "tiktok sound Wave 5" in staff_client.get(reverse(f"admin:{name}_changelist")).content.decode()
    assert "tiktok sound Wave 1" in page


def test_editing_a_source_does_not_undo_what_a_crawl_wrote_meanwhile(staff_client):
    source = SourceFactory()
    url = reverse("admin:crawler_source_change", args=[source.pk])
    form = staff_client.get(url).context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    values = {name: value for name, value in values.items() if value is not None}
    moment = values.pop("next_run_at")
    values |= {"pages_per_run": 7, "next_run_at_0": f"{moment:%Y-%m-%d}", "next_run_at_1": f"{moment:%H:%M:%S}"}
    Source.objects.filter(pk=source.pk).update(outcome="blocked", failures_in_a_row=3)

    answer = staff_client.post(url, values)

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    source.refresh_from_db()
    assert (source.pages_per_run, source.outcome, source.failures_in_a_row) == (7, "blocked", 3)


@pytest.mark.parametrize(
    "values",
    [
        *({"cron": "nonsense"}, {"interval_minutes": "0"}, {"value": "a\x00b"}, {"min_views": "-1"}),
        {"kind": "profile", "value": "http://127.0.0.1/x"},
    ],
)
def test_a_source_that_cannot_be_followed_is_refused(staff_client, values):
    form = {
        "workspace": WorkspaceFactory().pk,
        "platform": "douyin",
        "kind": "topic",
        "value": "猫",
        "interval_minutes": "60",
        "pages_per_run": "3",
        "kinds": "clip,carousel",
        "auto_download": "none",
        "next_run_at_0": "2026-11-20",
        "next_run_at_1": "12:00",
    }

    answer = staff_client.post(reverse("admin:crawler_source_add"), form | values)

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert not Source.objects.exists()


def test_rows_lead_to_each_other(staff_client):
    source = SourceFactory()
    job = CrawlJobFactory(source=source, counts={"seen": 5, "new": 1, "live": 2})
    CrawlJobFactory()

    page = staff_client.get(reverse("admin:crawler_crawljob_changelist"), {"source__id__exact": source.pk}).content.decode()

    assert "seen 5, new 1" in page
    assert f"/crawljob/{job.pk}/" in page
    assert page.count('name="_selected_action"') == 1
    for name in ("video", "crawljob"):
        assert staff_client.get(reverse(f"admin:crawler_{name}_changelist"), {"source__id__exact": "x"}).status_code in (200, 302)


def test_a_video_shows_its_observations_and_leads_only_to_the_web(staff_client):
    video = VideoFactory(url="javascript:alert(1)", title="<script>alert(1)</script>")
    MetricSnapshot.objects.create(video=video, observed_at=timezone.now(), views=None, likes=123_456)

    page = staff_client.get(reverse("admin:crawler_video_change", args=[video.pk])).content.decode()

    assert "123456" in page
    assert "<script>alert(1)" not in page
    assert 'href="javascript:' not in page


# -- sessions --------------------------------------------------------------------------------------


def test_pasted_cookies_are_kept_and_never_shown(staff_client):
    answer = staff_client.post(reverse("admin:crawler_browsersession_add"), {"platform": "douyin", "cookies": COOKIES})

    session = BrowserSession.objects.get()
    assert answer.status_code == 302
    assert session.storage_state["cookies"][0]["value"] == "s3cret"
    assert session.expires_at.year == 2096
    pages = [
        staff_client.get(reverse("admin:crawler_browsersession_change", args=[session.pk])),
        staff_client.get(reverse("admin:crawler_browsersession_changelist")),
    ]
    assert "s3cret" not in "".join(page.content.decode() for page in pages)
    assert "s3cret" not in "".join(entry.change_message for entry in LogEntry.objects.all())


def test_a_file_replaces_what_is_kept(staff_client):
    session = BrowserSessionFactory(platform="douyin")
    file = SimpleUploadedFile("cookies.txt", b".douyin.com\tTRUE\t/\tTRUE\t4000000000\tsid\tnew\n")

    staff_client.post(reverse("admin:crawler_browsersession_change", args=[session.pk]), {"file": file, "cookies": ""})

    session.refresh_from_db()
    assert [cookie["value"] for cookie in session.storage_state["cookies"]] == ["new"]


@pytest.mark.parametrize(
    "cookies", ["", "nonsense", '[{"name": "a", "value": "s3cret", "domain": "elsewhere.test"}]', "[" * 9000]
)
def test_what_is_not_cookies_is_refused(staff_client, cookies):
    answer = staff_client.post(reverse("admin:crawler_browsersession_add"), {"platform": "douyin", "cookies": cookies})

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert not BrowserSession.objects.exists()


def test_a_session_locked_with_another_key_can_still_be_replaced(staff_client, settings):
    session = BrowserSessionFactory(platform="douyin")
    settings.FIELD_ENCRYPTION_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    url = reverse("admin:crawler_browsersession_change", args=[session.pk])

    assert staff_client.get(url).status_code == 200
    assert staff_client.post(url, {"cookies": COOKIES}).status_code == 302
    assert BrowserSession.objects.get().storage_state["cookies"][0]["value"] == "s3cret"


@pytest.mark.parametrize("is_new", [True, False])
def test_new_cookies_make_due_what_wanted_a_login(staff_client, is_new):
    later = timezone.now() + timedelta(hours=20)
    waiting = SourceFactory.create_batch(2, outcome="login_required", next_run_at=later)
    others = [
        SourceFactory(outcome="blocked", next_run_at=later),
        SourceFactory(outcome="login_required", next_run_at=later, is_active=False),
        SourceFactory(outcome="login_required", next_run_at=later, platform="tiktok"),
    ]
    page = "admin:crawler_browsersession_add" if is_new else "admin:crawler_browsersession_change"
    url = reverse(page, args=[] if is_new else [BrowserSessionFactory(platform="douyin").pk])

    answer = staff_client.post(url, {"platform": "douyin", "cookies": COOKIES}, follow=True)

    assert "2 sources that wanted a login are looked at again now." in answer.content.decode()
    for source in [*waiting, *others]:
        source.refresh_from_db()
    assert all(source.next_run_at <= timezone.now() for source in waiting)
    assert [source.next_run_at for source in others] == [later] * 3


def test_a_form_without_cookies_moves_nothing(staff_client):
    later = timezone.now() + timedelta(hours=20)
    source = SourceFactory(outcome="login_required", next_run_at=later)
    session = BrowserSessionFactory(platform="douyin")

    answer = staff_client.post(reverse("admin:crawler_browsersession_change", args=[session.pk]), {"cookies": ""}, follow=True)

    assert "wanted a login" not in answer.content.decode()
    source.refresh_from_db()
    assert source.next_run_at == later
