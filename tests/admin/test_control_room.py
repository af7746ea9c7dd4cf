"""The dashboard and what staff do from it."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from downloads.models import DownloadJob
from jobs.models import PausedKind
from monitoring import health, tasks
from monitoring.models import Level, Part
from tests.factories import (
    CrawlJobFactory,
    DownloadJobFactory,
    ExtractorFactory,
    PausedKindFactory,
    SourceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def fill(times):
    """Rows of every sort that the dashboard shows."""
    for _ in range(times):
        SourceFactory(blocked=True)
        SourceFactory(looked_at=True)
        CrawlJobFactory(failed=True, error_code="blocked", error="The platform shows a verification page.")
        DownloadJobFactory(failed=True, error_code="gone", error="<script>alert(1)</script>")
        DownloadJobFactory(retrying=True)
        DownloadJobFactory(scheduled_at=timezone.now() - timedelta(minutes=30))
    tasks.dispatch_jobs()
    tasks.look()


def test_the_dashboard_says_what_is_wrong_and_why(staff_client):
    fill(2)

    page = staff_client.get("/admin/").content.decode()

    assert "blocked" in page
    assert "The platform shows a verification page." in page
    assert "30 min" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_the_banner_leads_to_where_something_can_be_done(staff_client):
    SourceFactory.create_batch(2, outcome="login_required")
    hidden = SourceFactory(looked_at=True)
    way = ExtractorFactory(
        name="ytdlp", failures=1, cooling_until=timezone.now() + timedelta(minutes=5), last_error="not_media: x"
    )
    tasks.look()

    response = staff_client.get("/admin/")
    links = dict(link for wrong in response.context["dashboard"]["wrong"] for link in wrong.links)

    listed = staff_client.get(links["Douyin: 2 login required"]).context["cl"].result_list
    assert len(listed) == 2
    assert hidden not in listed
    assert links["Browser sessions"] == reverse("admin:crawler_browsersession_changelist")
    assert way in staff_client.get(links["Extractors"]).context["cl"].result_list
    assert f'href="{links["Extractors"]}"' in response.content.decode()


def test_the_dashboard_says_when_it_was_checked_and_when_counted(staff_client):
    assert "checked " not in staff_client.get("/admin/").content.decode()
    tasks.look()
    checked = timezone.now() - timedelta(hours=30)
    Part.objects.update(checked_at=checked)

    page = " ".join(staff_client.get("/admin/").content.decode().split())

    assert f"checked {checked:%-d %b, %H:%M:%S}," in page
    assert f"Library <small>as of {checked:%-d %b, %H:%M:%S} UTC</small>" in page
    counted = re.search(r"counted (\d\d:\d\d:\d\d) UTC", page)
    assert counted is not None
    assert counted[1] != f"{checked:%H:%M:%S}"


def test_the_dashboard_asks_no_more_when_there_is_more(staff_client, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    fill(1)
    with CaptureQueriesContext(
        connection,
    ) as few:
        staff_client.get("/admin/")
    fill(30)
    with CaptureQueriesContext(connection) as many:
        staff_client.get("/admin/")

    assert len(many) == len(few) <= 40


def test_the_dashboard_of_an_empty_house_works(staff_client):
    assert "No pass has run yet." in staff_client.get("/admin/").content.decode()


@pytest.mark.parametrize(
    ("level", "shown", "headline", "wrong"),
    [
        (Level.OK, Level.DEGRADED, "Crawls are paused. Downloads are paused.", []),
        (Level.DOWN, Level.DOWN, "Something stands still.", ["x.", "Crawls are paused.", "Downloads are paused."]),
    ],
)
def test_what_is_paused_is_said_first_and_is_no_alarm(staff_client, monkeypatch, level, shown, headline, wrong):
    monkeypatch.setattr(health, "report", lambda: [health.Finding("redis", level, "x.")])
    assert staff_client.get("/admin/").context["dashboard"]["level"] == level
    PausedKindFactory(kind="download")
    PausedKindFactory(kind="crawl")

    response = staff_client.get("/admin/")

    said = response.context["dashboard"]
    assert (said["level"], str(said["headline"])) == (shown, headline)
    assert [str(finding.sentence) for finding in said["wrong"]] == wrong
    assert headline in response.content.decode()


def test_numbers_of_trouble_stand_in_the_sidebar(staff_client):
    fill(3)

    groups = staff_client.get("/admin/").context["sidebar_navigation"]

    badges = {str(item["title"]): item.get("badge") for group in groups for item in group["items"]}
    assert badges["Downloads"] == 3


def test_the_sidebar_names_a_list_as_its_own_page_does(staff_client):
    groups = staff_client.get("/admin/").context["sidebar_navigation"]
    names = {item["link"]: str(item["title"]) for group in groups for item in group["items"]}

    lists = {f"/admin/{model._meta.label_lower.replace('.', '/')}/": model for model in admin.site._registry}
    assert len(names.keys() & lists.keys()) > 30
    for link in names.keys() & lists.keys():
        assert names[link] == capfirst(str(lists[link]._meta.verbose_name_plural))
    settings = staff_client.get("/admin/constance/config/")
    assert (names["/admin/constance/config/"], str(settings.context["title"])) == ("Settings", "settings")
    assert "Constance" not in re.sub(r"<script.*?</script>|<style.*?</style>", "", settings.content.decode(), flags=re.DOTALL)


def test_staff_see_only_what_they_may():
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_workspace"))
    client = Client()
    client.force_login(person)

    groups = client.get("/admin/").context["sidebar_navigation"]

    assert [str(item["title"]) for group in groups for item in group["items"]] == ["Control room", "Workspaces"]
    assert "Pause</button>" not in client.get("/admin/").content.decode()


def test_a_kind_is_paused_and_resumed_and_the_trail_says_by_whom(staff_client, staff):
    address = reverse("admin:pause_kind", args=["download"])

    staff_client.post(address, {"act": "pause"})
    assert PausedKind.objects.get().kind == "download"
    DownloadJobFactory()
    assert DownloadJob.objects.claim() is None
    staff_client.post(address, {"act": "resume"})

    assert PausedKind.objects.count() == 0
    assert [entry.user for entry in LogEntry.objects.all()] == [staff, staff]


def test_pausing_twice_keeps_the_first_reason(staff_client):
    PausedKindFactory(reason="The storage is being moved.")

    staff_client.post(reverse("admin:pause_kind", args=["download"]), {"act": "pause"})

    assert PausedKind.objects.get().reason == "The storage is being moved."


@pytest.mark.parametrize(("kind", "status"), [("download", 302), ("nothing", 404)])
def test_only_kinds_that_exist_are_paused(staff_client, kind, status):
    assert staff_client.post(reverse("admin:pause_kind", args=[kind]), {"act": "pause"}).status_code == status


def test_pausing_needs_a_permission_a_post_and_a_token(staff):
    address = reverse("admin:pause_kind", args=["download"])
    weak, strict = Client(), Client(enforce_csrf_checks=True)
    weak.force_login(UserFactory(is_staff=True))
    strict.force_login(staff)

    assert weak.post(address, {"act": "pause"}).status_code == 403
    assert strict.get(address).status_code == 405
    assert strict.post(address, {"act": "pause"}).status_code == 403
    assert PausedKind.objects.count() == 0


def test_settings_changed_in_the_admin_leave_a_trail(staff_client, staff):
    page = staff_client.get("/admin/constance/config/")
    form = page.context["form"]
    data = {name: form.initial[name] for name in form.fields if name in form.initial}
    data |= {"RETENTION_DAYS": "45"}

    staff_client.post("/admin/constance/config/", data)

    from constance import config

    assert config.RETENTION_DAYS == 45
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr, entry.get_change_message()) == (staff, "RETENTION_DAYS", "30 → 45")


@pytest.mark.parametrize(
    ("name", "value"), [("RETENTION_DAYS", "0"), ("RETENTION_SAMPLE_PERCENT", "101"), ("SURGE_MOMENTUM", "nan")]
)
def test_settings_have_bounds(staff_client, name, value):
    page = staff_client.get("/admin/constance/config/")
    form = page.context["form"]
    data = {field: form.initial[field] for field in form.fields if field in form.initial} | {name: value}

    staff_client.post("/admin/constance/config/", data)

    assert LogEntry.objects.count() == 0


def test_classic_weights_are_not_all_zero(staff_client):
    form = staff_client.get("/admin/constance/config/").context["form"]
    data = {field: form.initial[field] for field in form.fields if field in form.initial}
    data |= dict.fromkeys(("CLASSIC_WEIGHT_VIEWS", "CLASSIC_WEIGHT_LIKES", "CLASSIC_WEIGHT_SHARES"), "0")

    page = staff_client.post("/admin/constance/config/", data)

    assert "One of the three weights must be above 0." in page.content.decode()
    assert LogEntry.objects.count() == 0


def test_the_admin_has_a_policy_of_its_own_and_pages_keep_the_strict_one(staff_client):
    inside = staff_client.get("/admin/")["Content-Security-Policy"]
    outside = staff_client.get("/health")["Content-Security-Policy"]

    assert "'unsafe-eval'" in inside
    assert "script-src 'self' 'unsafe-inline'" not in inside
    assert "unsafe" not in outside


def test_schedules_offer_upkeep_only_and_no_arguments(staff_client):
    page = staff_client.get("/admin/django_celery_beat/periodictask/add/")
    form = page.context["adminform"].form

    names = [name for name, _label in form.fields["task"].choices]
    assert names
    assert all(name.startswith("monitoring.tasks.") for name in names)
    assert not {"args", "kwargs", "queue"} & set(form.fields)
