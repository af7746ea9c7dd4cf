"""What staff do to jobs, one or many, in the admin."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from crawler.models import CrawlJob
from jobs.admin import JobAdmin
from jobs.models import PausedKind, State
from tests.factories import CrawlJobFactory

pytestmark = pytest.mark.django_db
LIST = "admin:crawler_crawljob_changelist"


def act(client: Any, action: str, jobs: list[CrawlJob], **extra: Any) -> list[str]:
    """Do it to the selected jobs, sure of it; return what was said."""
    chosen = {"action": action, "_selected_action": [job.pk for job in jobs], "confirmed": "yes"}
    answer = client.post(reverse(LIST), {**chosen, **extra})
    assert answer.status_code == 302
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.mark.parametrize(
    ("action", "trait", "state"),
    [
        ("cancel", {"running": True}, State.CANCELLED),
        ("cancel", {"retrying": True}, State.CANCELLED),
        ("run_again", {"failed": True}, State.PENDING),
        ("run_again", {"cancelled": True}, State.PENDING),
    ],
)
def test_an_act_in_bulk_is_done_to_each_and_remembers_who(staff, staff_client, action, trait, state):
    jobs = [CrawlJobFactory(**trait) for _ in range(3)]

    said = act(staff_client, action, jobs)

    assert said == ["3 jobs changed."]
    for row in CrawlJob.objects.all():
        assert row.state == state
        assert row.history[-1]["by"] == str(staff)


def test_pause_and_resume(staff_client):
    job = CrawlJobFactory()

    act(staff_client, "pause", [job])
    assert CrawlJob.objects.due().count() == 0
    assert ">paused<" in staff_client.get(reverse(LIST)).content.decode().replace("\n", "").replace(" ", "")

    act(staff_client, "resume", [job])
    assert CrawlJob.objects.due().count() == 1


def test_what_makes_no_sense_is_refused_with_its_reason_and_stops_nothing(staff_client):
    jobs = [CrawlJobFactory(completed=True), CrawlJobFactory(), *(CrawlJobFactory(failed=True) for _ in range(7))]

    said = act(staff_client, "pause", jobs)

    assert said[0] == "1 job changed."
    assert len([sentence for sentence in said if "cannot be paused" in sentence]) == 5
    assert said[-1] == "… and 3 more."


def test_run_again_is_refused_while_another_look_at_the_source_is_alive(staff_client):
    ended = CrawlJobFactory(failed=True)
    CrawlJobFactory(source=ended.source)

    [said] = act(staff_client, "run_again", [ended])

    assert "another one like it is alive" in said
    assert CrawlJob.objects.get(pk=ended.pk).state == State.FAILED


def test_more_than_can_be_done_at_once_is_said(staff_client, monkeypatch):
    monkeypatch.setattr("jobs.admin.MOST_AT_ONCE", 2)
    jobs = [CrawlJobFactory() for _ in range(4)]

    said = act(staff_client, "cancel", jobs, select_across="1")

    assert said[0] == "2 jobs changed."
    assert "first 2" in said[1]
    assert CrawlJob.objects.waiting().count() == 2


@pytest.mark.parametrize("trait", ["running", "retrying", "completed", "failed", "cancelled", "paused", "lost"])
def test_list_and_form_show_a_job_in_any_state(staff_client, trait):
    job = CrawlJobFactory(
        **{trait: True}, error="Was <b>not</b> found", history=[{"at": "2026-01-02T03:04:05", "event": "gave up"}]
    )

    page = staff_client.get(reverse(LIST))
    form = staff_client.get(reverse("admin:crawler_crawljob_change", args=[job.pk]))

    assert (page.status_code, form.status_code) == (200, 200)
    assert b"<b>not</b>" not in page.content + form.content
    assert b"given up" in form.content


def test_the_form_changes_the_priority_and_nothing_that_a_worker_writes(staff_client, monkeypatch):
    job = CrawlJobFactory()
    save_model = JobAdmin.save_model

    def claimed_meanwhile(self: Any, request: Any, obj: Any, form: Any, change: bool) -> None:
        assert CrawlJob.objects.claim() == job
        save_model(self, request, obj, form, change)

    monkeypatch.setattr(JobAdmin, "save_model", claimed_meanwhile)
    staff_client.post(reverse("admin:crawler_crawljob_change", args=[job.pk]), {"priority": "7", "state": "completed"})

    row = CrawlJob.objects.get()
    assert (row.priority, row.state, row.fence) == (7, State.RUNNING, 1)


def test_jobs_are_neither_added_nor_deleted_by_hand(staff_client):
    job = CrawlJobFactory()

    assert staff_client.get(reverse("admin:crawler_crawljob_add")).status_code == 403
    assert staff_client.post(reverse("admin:crawler_crawljob_delete", args=[job.pk]), {"post": "yes"}).status_code == 403


def test_who_may_only_look_has_no_acts(client, user):
    from django.contrib.auth.models import Permission

    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_crawljob"))
    client.force_login(user)
    job = CrawlJobFactory()

    assert client.get(reverse(LIST)).status_code == 200
    client.post(reverse(LIST), {"action": "cancel", "_selected_action": [job.pk]})

    assert CrawlJob.objects.get().state == State.PENDING


def test_a_kind_is_paused_by_choosing_it(staff_client):
    add = reverse("admin:jobs_pausedkind_add")

    assert staff_client.post(add, {"kind": "no such kind"}).status_code == 200
    assert not PausedKind.objects.exists()
    staff_client.post(add, {"kind": "crawl", "reason": "painters"})

    assert PausedKind.objects.get().reason == "painters"
    CrawlJobFactory()
    assert CrawlJob.objects.claim() is None


def test_every_job_list_is_one_of_ours():
    from jobs import kinds

    for kind in kinds.all_kinds():
        if kind.name != "chore":
            assert isinstance(admin.site._registry[kind.get_model()], JobAdmin), kind.name


def test_the_next_attempt_is_a_time_or_now(staff_client):
    from django.contrib.admin import site

    shown = JobAdmin(CrawlJob, site).show_next
    assert str(shown(CrawlJobFactory())) == "now"
    assert shown(CrawlJobFactory(retrying=True)) > timezone.now()
    assert shown(CrawlJobFactory(completed=True)) == "–"
