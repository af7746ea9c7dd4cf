"""Rows that only grow are trimmed; what a person still has to deal with stays."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone
from knox.models import AuthToken

from crawler.models import CrawlJob
from downloads.models import DownloadJob
from monitoring.housekeeping import keep_house
from tests.factories import CrawlJobFactory, DownloadJobFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=91)


def test_ended_crawls_are_forgotten_and_failed_ones_are_not():
    CrawlJobFactory(completed=True, finalized_at=LONG_AGO)
    CrawlJobFactory(cancelled=True, finalized_at=LONG_AGO)
    failed = CrawlJobFactory(failed=True, finalized_at=LONG_AGO)
    recent = CrawlJobFactory(completed=True)
    waiting = CrawlJobFactory(created_at=LONG_AGO)

    counts = keep_house(NOW)

    assert counts["crawl_jobs"] == 2
    assert set(CrawlJob.objects.all()) == {failed, recent, waiting}


def test_downloads_stay_because_histories_refer_to_them():
    DownloadJobFactory(completed=True, finalized_at=LONG_AGO)

    keep_house(NOW)

    assert DownloadJob.objects.count() == 1


def test_expired_sessions_and_tokens_go(user):
    Session.objects.create(session_key="old", session_data="", expire_date=NOW - timedelta(days=1))
    Session.objects.create(session_key="new", session_data="", expire_date=NOW + timedelta(days=1))
    AuthToken.objects.create(user=user, expiry=timedelta(seconds=-1))
    AuthToken.objects.create(user=user)

    assert keep_house(timezone.now()) == {"sessions": 1, "tokens": 1}


def test_the_audit_trail_is_kept_for_two_years(user):
    old = LogEntry.objects.create(user=user, action_flag=CHANGE, object_repr="x")
    LogEntry.objects.filter(pk=old.pk).update(action_time=NOW - timedelta(days=731))
    LogEntry.objects.create(user=user, action_flag=CHANGE, object_repr="y")

    assert keep_house(NOW) == {"audit_entries": 1}
