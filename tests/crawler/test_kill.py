"""A crawl worker killed in the middle of a run: another one ends it, and nothing is stored twice."""

import os
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from config import engines
from config.settings import BASE_DIR
from crawler.models import CrawlJob, MetricSnapshot, Outcome, SourceVideo, Video
from crawler.services import scan_now
from jobs.models import State
from jobs.services import rescue
from tests.crawler.test_browser import alive, descendants
from tests.factories import SourceFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TOPIC = "猫"


@pytest.fixture
def worker(sample, tmp_path):
    """Starts `manage.py work crawl` as a process group of its own, on the tests' database."""
    started = []

    def start():
        url = urlsplit(engines.database_url())._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        own = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings", "DOUYIN_URL": sample.web_url}
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "work", "crawl", "--drain"],
                cwd=BASE_DIR,
                env=os.environ | own,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(process)
        return process

    sample.clear_faults()
    yield start
    sample.clear_faults()
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(is_so, seconds=120):
    ends_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends_at, "it did not come to that in time"
        time.sleep(0.02)


def lose_lease(job):
    """What a minute of silence does. What the killed one sent last may renew the lease after us: then another minute."""

    def is_rescued():
        CrawlJob.objects.filter(pk=job.pk).update(lease_until=timezone.now())
        return bool(rescue())

    until(is_rescued)
    CrawlJob.objects.filter(pk=job.pk).update(scheduled_at=timezone.now())


@pytest.mark.parametrize("pages", [0, 1])
def test_a_worker_killed_mid_page_loses_nothing_and_doubles_nothing(worker, sample, tmp_path, pages):
    sample.set_fault("slow", topic=TOPIC, places=["search"], value=2)  # so that the kill falls into a page
    source = SourceFactory(value=TOPIC, pages_per_run=50)
    job = scan_now(source)

    first = worker()

    def is_under_way():
        assert first.poll() is None, (tmp_path / "worker.log").read_text()
        row = CrawlJob.objects.get(pk=job.pk)
        return row.pages >= pages and row.state == State.RUNNING

    until(is_under_way)
    family = descendants(first.pid)
    first.kill()
    first.wait()
    sample.clear_faults()
    interrupted = CrawlJob.objects.get(pk=job.pk)
    assert interrupted.state == State.RUNNING
    lose_lease(job)
    second = worker()
    assert second.wait(240) == 0

    ended = CrawlJob.objects.get(pk=job.pk)
    source.refresh_from_db()
    assert (ended.state, ended.outcome, ended.attempt, source.outcome) == (State.COMPLETED, "ok", 2, Outcome.OK)
    assert ended.pages >= interrupted.pages >= pages
    there = {entry["id"] for entry in everything(sample)}
    assert set(Video.objects.values_list("external_id", flat=True)) == there
    assert MetricSnapshot.objects.count() == SourceVideo.objects.count() == len(there)
    assert ended.counts["seen"] == ended.counts["new"] == len(there)
    until(lambda: not alive(family))


def everything(sample):
    """All clips and carousels that the search lists, asked for without a browser."""
    sample.clear_faults()
    offset, found = 0, []
    while True:
        body = sample.search(TOPIC, offset)
        for card in body["data"]:
            post = card.get("aweme_info") or (card.get("aweme_mix_info") or {}).get("mix_items", [None])[0]
            if isinstance(post, dict) and post.get("video") and not post["is_ads"] and not post["status"]["is_delete"]:
                found.append({"id": post["aweme_id"]})
        offset = body["cursor"]
        if not body["has_more"]:
            return found
