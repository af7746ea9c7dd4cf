"""The record of upkeep: rows, pulses, one at a time, and trimming."""

from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from monitoring import passes, tasks
from monitoring.models import Pass, Pulse
from monitoring.passes import only_one, record
from tests.factories import DownloadJobFactory, PassFactory, SourceFactory

pytestmark = pytest.mark.django_db


def test_a_pass_leaves_a_row_with_its_counts():
    with record("cleanup") as counts:
        counts["videos"] = 3

    row = Pass.objects.get()
    assert (row.name, row.counts, row.error) == ("cleanup", {"videos": 3}, "")
    assert row.ended_at is not None
    assert row.ended_at >= row.started_at


def test_a_pass_is_visible_while_it_runs():
    with record("cleanup"):
        assert Pass.objects.get().ended_at is None


def test_a_failed_pass_keeps_its_error_and_lets_it_rise():
    with pytest.raises(ValueError, match="bad"), record("cleanup"):
        raise ValueError("bad")

    assert Pass.objects.get().error == "ValueError: bad"
    assert Pulse.objects.get().error == "ValueError: bad"
    assert Pulse.objects.get().ended_well_at is None


@pytest.mark.parametrize(("counts", "rows"), [({}, 0), ({"started": 0}, 0), ({"started": 1}, 1)])
def test_a_quiet_pass_leaves_a_row_only_when_it_did_something(counts, rows):
    with record("sources", quiet=True) as counted:
        counted.update(counts)

    assert Pass.objects.count() == rows
    assert Pulse.objects.get().name == "sources"


def test_a_quiet_pass_that_fails_leaves_a_row():
    with pytest.raises(ValueError, match="bad"), record("sources", quiet=True):
        raise ValueError("bad")

    assert Pass.objects.get().error == "ValueError: bad"


def test_a_good_run_after_a_bad_one_clears_the_pulse():
    with pytest.raises(ValueError, match="bad"), record("sources", quiet=True):
        raise ValueError("bad")
    with record("sources", quiet=True):
        pass

    assert Pulse.objects.get().error == ""


@pytest.mark.django_db(transaction=True)
def test_only_one_is_inside_at_a_time():
    other = connections.create_connection("default")
    other.settings_dict["NAME"] = connections["default"].settings_dict["NAME"]
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('pass:cleanup', 0))")
        with only_one("cleanup") as is_ours:
            assert not is_ours
        with only_one("monitoring") as is_ours:
            assert is_ours
        cursor.execute("SELECT pg_advisory_unlock_all()")  # closing alone frees it a little later
    other.close()

    with only_one("cleanup") as is_ours:
        assert is_ours


def test_old_rows_are_trimmed_and_the_newest_stay(monkeypatch):
    monkeypatch.setattr(passes, "MOST_PER_NAME", 3)
    with record("cleanup", quiet=True):
        pass
    old = PassFactory(started_at=timezone.now() - timedelta(days=31))
    recent = PassFactory.create_batch(5)
    other = PassFactory(name="sweep")

    assert passes.trim() == 3
    assert set(Pass.objects.all()) == {*recent[2:], other}
    assert old not in Pass.objects.all()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, ""),
        ({"rescued_crawl": 2, "nudged_crawl": 0}, "rescued crawl 2"),
        ({"not_ok": ["storage", "jobs"], "parts": 12}, "not ok storage, jobs · parts 12"),
    ],
)
def test_what_a_pass_did_is_said_on_one_line(counts, words):
    assert passes.in_words(counts) == words


def test_dispatching_rescues_lost_jobs_and_says_how_many():
    DownloadJobFactory(lost=True)

    tasks.dispatch_jobs()

    assert Pass.objects.get(name="jobs").counts["rescued_download"] == 1


def test_due_sources_are_started_and_counted():
    SourceFactory()

    tasks.dispatch_sources()

    assert Pass.objects.get(name="sources").counts == {"started": 1}


def test_every_task_of_the_schedule_exists_and_runs():
    from celery import current_app

    from config.schedule import SCHEDULE

    current_app.loader.import_default_modules()
    for periodic in SCHEDULE:
        current_app.tasks[periodic.task]()

    assert {"jobs", "sources", "monitoring", "cleanup", "sweep", "partitions", "housekeeping"} <= set(
        Pulse.objects.values_list("name", flat=True)
    )
