"""The buttons of a form: asked first where it harms, offered where it can be done, and remembered by name once done."""

from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crawler.models import CrawlJob
from downloads.models import AssetState
from jobs.models import State
from ranking.pulse import active_models
from tests.factories import (
    AssetFactory,
    CategoryFactory,
    CrawlJobFactory,
    DownloadJobFactory,
    ExtractorFactory,
    PeriodicTaskFactory,
    ProviderPauseFactory,
    RankingModelFactory,
    ReuploadFactory,
    SourceFactory,
    UserFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db
DOWNLOADS = "/admin/downloads/downloadjob/"
RUN_AGAIN = {"crawler_crawljob_run_this_again": "1"}


def page_of(job):
    return reverse(f"admin:{job._meta.app_label}_{job._meta.model_name}_change", args=[job.pk])


def cancel_of(job):
    return reverse(f"admin:{job._meta.app_label}_{job._meta.model_name}_cancel_this", args=[job.pk])


def said(response):
    return [str(message) for message in response.context["messages"]]


def trail():
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


def state(job):
    job.refresh_from_db()
    return job.state


def act(client, url, action, rows, **more):
    return client.post(url, {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], **more}, follow=True)


def form_of(client, url):
    form = client.get(url).context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    values = {name: value for name, value in values.items() if value is not None}
    if moment := values.pop("next_run_at", None):
        values |= {"next_run_at_0": f"{moment:%Y-%m-%d}", "next_run_at_1": f"{moment:%H:%M:%S}"}
    return values


@pytest.mark.parametrize("trait", ["running", "retrying", "paused"])
def test_cancelling_a_job_asks_first_then_says_it_once(staff_client, staff, trait):
    job = DownloadJobFactory(**{trait: True})

    assert cancel_of(job) in staff_client.get(page_of(job)).content.decode()
    asked = staff_client.get(cancel_of(job)).content.decode()
    assert "1 job would stop for good." in asked
    assert f'href="{page_of(job)}"' in asked
    assert state(job) != State.CANCELLED
    answer = staff_client.post(cancel_of(job), {"confirmed": "yes"}, follow=True)

    assert state(job) == State.CANCELLED
    assert answer.request["PATH_INFO"] == page_of(job)
    assert said(answer) == ["1 job changed."]
    assert trail() == ["Cancel this job"]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (staff, str(job.pk))


@pytest.mark.parametrize("trait", ["completed", "failed", "cancelled"])
def test_cancelling_is_not_offered_for_what_has_ended(staff_client, trait):
    job = DownloadJobFactory(**{trait: True})

    assert cancel_of(job) not in staff_client.get(page_of(job)).content.decode()
    late = staff_client.post(cancel_of(job), {"confirmed": "yes"}, follow=True)  # from a page opened before it ended

    assert state(job) == getattr(State, trait.upper())
    assert len(said(late)) == 1
    assert "cannot be" in said(late)[0]
    assert trail() == []
    assert said(staff_client.get(cancel_of(job), follow=True)) == ["These have ended: there is nothing to cancel."]


def test_a_job_that_runs_is_not_offered_to_run_again(staff_client):
    running, failed = CrawlJobFactory(running=True), CrawlJobFactory(failed=True)

    assert "run_this_again" not in staff_client.get(page_of(running)).content.decode()
    assert "run_this_again" in staff_client.get(page_of(failed)).content.decode()


def test_who_may_only_look_cancels_nothing():
    job = DownloadJobFactory()
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_downloadjob"))
    client = Client()
    client.force_login(person)

    assert cancel_of(job) not in client.get(page_of(job)).content.decode()
    assert client.post(cancel_of(job), {"confirmed": "yes"}).status_code == 403
    assert state(job) == State.PENDING


def test_there_is_no_such_job_to_cancel(staff_client):
    assert staff_client.get(f"{DOWNLOADS}999999/cancel_this/").status_code == 302
    assert staff_client.get(f"{DOWNLOADS}none/cancel_this/").status_code == 302


def test_running_again_from_a_form_is_remembered_by_its_name(staff_client):
    job = CrawlJobFactory(failed=True, priority=100)

    answer = staff_client.post(page_of(job), {"priority": "100", **RUN_AGAIN}, follow=True)

    assert state(job) == State.PENDING
    assert said(answer) == ["1 job changed."]
    assert trail() == ["Run again now"]


def test_what_was_typed_beside_the_button_is_remembered_too(staff_client):
    job = CrawlJobFactory(failed=True, priority=100)

    staff_client.post(page_of(job), {"priority": "5", **RUN_AGAIN})

    assert trail() == ["Run again now", "Changed Priority."]


def test_a_refused_button_says_why_and_leaves_no_trail(staff_client):
    job = CrawlJobFactory(running=True, priority=100)

    answer = staff_client.post(page_of(job), {"priority": "100", **RUN_AGAIN}, follow=True)

    assert len(said(answer)) == 1
    assert "cannot be" in said(answer)[0]
    assert trail() == []


def test_a_look_from_the_form_of_a_source_is_remembered_by_its_name(staff_client):
    source = SourceFactory()

    answer = staff_client.post(
        page_of(source), form_of(staff_client, page_of(source)) | {"crawler_source_scan_this_now": "1"}, follow=True
    )

    assert said(answer) == ["1 source will be looked at."]
    assert trail()[0] == "Look at it now"
    assert "No fields changed." not in trail()
    assert CrawlJob.objects.get().source == source


def test_only_the_jobs_that_took_an_act_are_in_the_trail(staff_client):
    failed, running = DownloadJobFactory(failed=True), DownloadJobFactory(running=True)

    act(staff_client, DOWNLOADS, "run_again", [failed, running])
    act(staff_client, DOWNLOADS, "pause", [running])

    assert trail() == [f"Run again now: {failed.pk}"]


def test_a_list_with_nothing_to_cancel_leaves_no_trail(staff_client):
    act(staff_client, DOWNLOADS, "cancel", [DownloadJobFactory(completed=True)])

    assert trail() == []


def test_only_the_sources_that_changed_are_in_the_trail(staff_client):
    watched, still = SourceFactory(), SourceFactory(is_active=False)

    act(staff_client, "/admin/crawler/source/", "pause", [watched, still])
    act(staff_client, "/admin/crawler/source/", "pause", [still])

    assert trail() == [f"Pause: {watched.pk}"]


def _resting_and_awake():
    resting = ExtractorFactory(name="ytdlp", failures_in_a_row=3, cooling_until=timezone.now() + timedelta(minutes=5))
    return resting, ExtractorFactory(name="crawl_url")


def _with_and_without_an_address():
    video = VideoFactory(cover_url="https://p3.example.org/c.jpeg")
    failed = AssetFactory(video=video, role="cover", quality="", state=AssetState.FAILED, object=None)
    return failed, AssetFactory(role="cover", quality="", wanted=True)


def _off_and_on():
    return PeriodicTaskFactory(enabled=False), PeriodicTaskFactory(enabled=True)


@pytest.mark.parametrize(
    ("action", "told", "make"),
    [
        ("wake", "End the cool-down", _resting_and_awake),
        ("fetch_again", "Fetch again", _with_and_without_an_address),
        ("dismiss", "Not the same", lambda: (ReuploadFactory(), ReuploadFactory(dismissed_at=timezone.now()))),
        ("restore", "The same after all", lambda: (ReuploadFactory(dismissed_at=timezone.now()), ReuploadFactory())),
        ("enable_tasks", "Enable selected tasks", _off_and_on),
        ("disable_tasks", "Disable selected tasks", lambda: _off_and_on()[::-1]),
    ],
)
def test_only_the_rows_that_an_act_changed_are_in_the_trail(staff_client, action, told, make):
    changed, same = make()
    address = reverse(f"admin:{same._meta.app_label}_{same._meta.model_name}_changelist")

    act(staff_client, address, action, [same])
    act(staff_client, address, action, [changed, same])

    assert trail() == [f"{told}: {changed.pk}"]


def test_a_service_that_goes_on_is_in_the_trail_by_its_key(staff_client):
    pause = ProviderPauseFactory()

    act(staff_client, reverse("admin:crawler_providerpause_changelist"), "resume", [pause])

    assert trail() == [f"Resume: {pause.pk}"]


def test_only_the_model_that_became_active_is_in_the_trail(staff_client):
    models = {family: active.row for family, active in active_models().items()}
    earlier = RankingModelFactory(data=models["views"].data)
    address = reverse("admin:ranking_rankingmodel_changelist")

    act(staff_client, address, "refit", [models["views"]])  # there is no history
    act(staff_client, address, "make_active", [earlier, models["reactions"]])

    assert trail() == [f"Make active (score everything with it): {earlier.pk}"]


def test_a_refused_merge_leaves_no_trail(staff_client):
    act(staff_client, reverse("admin:analysis_category_changelist"), "merge", [CategoryFactory()])

    assert trail() == []
