"""What staff do to many rows at once: asked first where it harms, refused with a reason, remembered by whom."""

from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crawler.models import CrawlJob, Source
from downloads.models import DownloadJob
from jobs.listing import CappedPaginator
from jobs.models import State
from tests.factories import AuthorFactory, CrawlJobFactory, DownloadJobFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db
DOWNLOADS = "/admin/downloads/downloadjob/"
SOURCES = "/admin/crawler/source/"


def act(client, url, action, rows, **more):
    return client.post(url, {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], **more}, follow=True)


def states(model=DownloadJob):
    return list(model.objects.order_by("pk").values_list("state", flat=True))


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_many_failed_jobs_run_again(staff_client, staff):
    jobs = DownloadJobFactory.create_batch(3, failed=True)

    response = act(staff_client, DOWNLOADS, "run_again", jobs)

    assert states() == [State.PENDING] * 3
    assert said(response) == ["3 jobs changed."]
    assert DownloadJob.objects.first().history[-1]["by"] == str(staff)


def test_what_has_ended_is_not_asked_about(staff_client):
    ended, live = DownloadJobFactory(completed=True), DownloadJobFactory()

    mixed = act(staff_client, DOWNLOADS, "cancel", [ended, live]).content.decode()
    assert "1 job would stop for good." in mixed
    assert "nothing to cancel" in act(staff_client, DOWNLOADS, "cancel", [ended]).content.decode()


def test_cancelling_asks_first(staff_client):
    jobs = [DownloadJobFactory(), DownloadJobFactory(running=True)]

    asked = act(staff_client, DOWNLOADS, "cancel", jobs)
    assert "2 jobs would stop for good." in asked.content.decode()
    assert states() == [State.PENDING, State.RUNNING]

    act(staff_client, DOWNLOADS, "cancel", jobs, confirmed="yes")
    assert states() == [State.CANCELLED, State.CANCELLED]


def test_what_makes_no_sense_is_refused_with_its_reason(staff_client):
    jobs = [DownloadJobFactory(), DownloadJobFactory(completed=True)]

    response = act(staff_client, DOWNLOADS, "pause", jobs)

    assert "1 job changed." in said(response)
    assert any("completed" in sentence for sentence in said(response))


def test_paused_jobs_are_resumed(staff_client):
    job = DownloadJobFactory(paused=True)

    act(staff_client, DOWNLOADS, "resume", [job])

    job.refresh_from_db()
    assert job.paused_at is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state__exact": "failed"}, 2),
        ({"state__exact": "failed", "error_code": "blocked"}, 1),
        ({"error_code": "no_such_code"}, 0),
        ({"outcome": "blocked"}, 1),
        ({"q": "verification"}, 1),
        ({"nonsense": "1"}, 4),
    ],
)
def test_jobs_are_found_by_state_code_outcome_and_words(staff_client, query, found):
    CrawlJobFactory(completed=True)
    CrawlJobFactory()
    CrawlJobFactory(failed=True, error_code="blocked", outcome="blocked", error="A verification page.")
    CrawlJobFactory(failed=True, error_code="unreachable")

    response = staff_client.get("/admin/crawler/crawljob/", query, follow=True)

    assert response.context["cl"].result_count == found


def test_the_buttons_of_a_job_act_on_it_alone(staff_client):
    failed, other = DownloadJobFactory(failed=True), DownloadJobFactory(failed=True)
    inline = {"requests-TOTAL_FORMS": "0", "requests-INITIAL_FORMS": "0"}

    staff_client.post(f"{DOWNLOADS}{failed.pk}/change/", {"priority": "5", "downloads_downloadjob_run_this_again": "1", **inline})

    failed.refresh_from_db()
    assert (failed.state, failed.priority) == (State.PENDING, 5)
    other.refresh_from_db()
    assert other.state == State.FAILED


def test_a_state_cannot_be_typed(staff_client):
    job = DownloadJobFactory()

    staff_client.post(
        f"{DOWNLOADS}{job.pk}/change/",
        {"priority": "5", "state": "completed", "requests-TOTAL_FORMS": "0", "requests-INITIAL_FORMS": "0"},
    )

    assert states() == [State.PENDING]


def test_many_sources_are_looked_at_now(staff_client):
    sources = SourceFactory.create_batch(3)

    act(staff_client, SOURCES, "scan_now", sources)

    assert CrawlJob.objects.filter(state=State.PENDING).count() == 3


def test_pausing_sources_is_remembered(staff_client, staff):
    sources = SourceFactory.create_batch(2)

    act(staff_client, SOURCES, "pause", sources)

    assert Source.objects.filter(is_active=True).count() == 0
    entry = LogEntry.objects.get()
    assert entry.user == staff
    assert entry.get_change_message() == f"Pause: {sources[0].pk}, {sources[1].pk}"


def test_a_change_of_a_source_is_remembered(staff_client, staff):
    source = SourceFactory()
    url = reverse("admin:crawler_source_change", args=[source.pk])
    form = staff_client.get(url).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if name in form.fields and value is not None}
    data |= {"interval_minutes": 15, "next_run_at_0": "2026-11-21", "next_run_at_1": "10:00", "kinds": ["clip"]}

    response = staff_client.post(url, data)

    assert response.status_code == 302, response.context["adminform"].form.errors
    source.refresh_from_db()
    assert (source.interval_minutes, source.kinds) == (15, ["clip"])
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (staff, str(source.pk))
    assert "nterval" in entry.get_change_message()


@pytest.mark.parametrize("action", ["run_again", "cancel", "pause", "resume"])
def test_who_may_only_look_changes_nothing(action):
    job = DownloadJobFactory(failed=True)
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_downloadjob"))
    client = Client()
    client.force_login(person)

    act(client, DOWNLOADS, action, [job], confirmed="yes")

    assert states() == [State.FAILED]
    assert client.get(DOWNLOADS).status_code == 200


def test_hostile_titles_are_shown_and_do_nothing(staff_client):
    title = "<img src=x onerror=alert(1)>"
    DownloadJobFactory(video__title=title, failed=True, error=title, error_code="gone")

    for url in (DOWNLOADS, f"{DOWNLOADS}{DownloadJob.objects.get().pk}/change/", "/admin/", "/admin/crawler/video/"):
        assert "<img src=x" not in staff_client.get(url).content.decode()


def test_counting_stops_at_the_cap(monkeypatch):
    monkeypatch.setattr("jobs.listing.COUNTED_TO", 3)
    DownloadJobFactory.create_batch(5)

    assert CappedPaginator(DownloadJob.objects.order_by("pk"), 2).count == 3


@pytest.mark.parametrize("name", ["crawler/crawljob", "monitoring/part", "ranking/score"])
def test_a_list_offers_to_show_all_only_where_something_is_left_out(staff_client, name):
    whole, searched = staff_client.get(f"/admin/{name}/"), staff_client.get(f"/admin/{name}/?q=nothing-of-the-kind")

    assert "Show all" not in whole.content.decode()
    assert whole.context["cl"].search_fields == () or "0 results" in searched.content.decode()


def test_long_running_lists_say_how_old_a_job_is(staff_client):
    DownloadJobFactory(created_at=timezone.now() - timedelta(hours=5))

    assert "5\xa0hours" in staff_client.get(DOWNLOADS).content.decode()


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"outcome": "login_required", "error_code": "login_required", "error": "Sign in."}, "login_required: Sign in."),
        ({"outcome": "failed", "error_code": "truncated", "error": "Cut."}, "failed / truncated: Cut."),
        ({"error_code": "gone", "error": "word " * 60}, "gone: " + "word " * 30 + "…"),
        ({"error_code": "gone", "error": "x" * 200}, "gone: " + "x" * 152 + " …"),
    ],
)
def test_the_reason_names_a_code_once_and_ends_with_a_whole_word(staff_client, facts, shown):
    DownloadJobFactory(failed=True, **{"outcome": "", **facts})

    page = staff_client.get(DOWNLOADS)

    [job] = page.context["cl"].result_list
    assert page.context["cl"].model_admin.show_reason(job) == shown
    assert shown in page.content.decode()


@pytest.mark.parametrize("words", ["tiktok", "dancer", "Mei Ling", "waltz"])
def test_sources_are_found_by_platform_author_and_value(staff_client, words):
    author = AuthorFactory(platform="tiktok", handle="dancer_88", name="Mei Ling")
    wanted = SourceFactory(platform="tiktok", kind="profile", value="waltz", author=author)
    SourceFactory(value="other")

    assert list(staff_client.get(SOURCES, {"q": words}).context["cl"].result_list) == [wanted]


@pytest.mark.parametrize("words", ["login_required", "rate_lim", "sesame"])
def test_crawls_are_found_by_code_outcome_and_value(staff_client, words):
    source = SourceFactory(value="open sesame")
    wanted = CrawlJobFactory(source=source, failed=True, error_code="login_required", outcome="rate_limited", error="x")
    CrawlJobFactory(failed=True, error_code="gone", outcome="gone", error="x")

    assert list(staff_client.get("/admin/crawler/crawljob/", {"q": words}).context["cl"].result_list) == [wanted]
