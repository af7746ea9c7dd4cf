"""One part of the house, and one entry of the audit trail, as people read them."""

import re

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.urls import reverse
from django.utils import timezone

from monitoring import tasks
from monitoring.models import Part
from tests.factories import DownloadJobFactory

pytestmark = pytest.mark.django_db
BADGE = r"<span\s+class=\"[^\"]*{colour}[^\"]*\"[^>]*>\s*{text}\s*</span>"


def open_part(client, level="ok", **facts):
    now = timezone.now()
    part = Part.objects.create(name="part", level=level, sentence="So it is.", facts=facts, checked_at=now, since=now)
    return client.get(reverse("admin:monitoring_part_change", args=[part.pk])).content.decode()


@pytest.mark.parametrize(("level", "colour"), [("ok", "green"), ("degraded", "orange"), ("down", "red")])
def test_the_state_is_a_badge_in_the_list_and_on_the_page(staff_client, level, colour):
    page = open_part(staff_client, level)
    listed = staff_client.get(reverse("admin:monitoring_part_changelist")).content.decode()

    for shown in (page, listed):
        assert re.search(BADGE.format(colour=colour, text=level), shown)
    assert "(&#x27;" not in page


@pytest.mark.parametrize(
    ("facts", "rows"),
    [
        ({"data_free_bytes": 43 * 1024**3}, ["free for the data 43.0\xa0GB"]),
        ({"active": 12345, "login_required": 7}, ["active 12,345", "login required 7"]),
        ({"names": ["crawl@a", "media@b"]}, ["names crawl@a, media@b"]),
        ({"something_new": "<b>"}, ["something new &lt;b&gt;"]),
        ({"videos": 3, "ended": {"crawl": {"completed": 5, "cancelled": 0}}}, ["completed cancelled", "Crawls 5 0"]),
        ({}, ["–"]),
    ],
)
def test_facts_are_named_and_sizes_are_readable(staff_client, facts, rows):
    words = re.sub(r"</?(?:table|tr|t[dh])\b[^>]*>", " ", open_part(staff_client, **facts))

    for row in rows:
        assert row in re.sub(" +", " ", words)


def test_the_kinds_of_jobs_are_lines_of_one_table(staff_client):
    DownloadJobFactory.create_batch(3, failed=True)
    tasks.look()

    page = staff_client.get(reverse("admin:monitoring_part_change", args=["jobs"])).content.decode()

    assert "failed in 24 hours" in page
    assert re.search(r"<th[^>]*>Downloads</th><td[^>]*>download</td>", page)
    assert "&#x27;kind&#x27;" not in page


def test_an_entry_of_the_audit_trail_shows_its_act_as_a_badge(staff_client, staff):
    entry = LogEntry.objects.create(user=staff, action_flag=CHANGE, object_repr="a thing")

    page = staff_client.get(reverse("admin:admin_logentry_change", args=[entry.pk])).content.decode()

    assert re.search(BADGE.format(colour="blue", text="changed"), page)
    assert "(&#x27;" not in page
