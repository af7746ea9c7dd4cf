"""A worker killed while it reads a profile page by page: another one goes on at its page, and nothing is stored twice."""

import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from django.db import connection

from config import engines
from config.settings import BASE_DIR
from crawler.models import AuthorSnapshot, CrawlJob, MetricSnapshot, Video
from crawler.services import scan_now
from jobs.models import State
from tests.crawler.test_kill import lose_lease, until
from tests.factories import SourceFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_killed_profile_run_resumes_at_its_page(sample, tmp_path):
    sample.clear_faults()
    sample._call("PUT", "/control/credits", {"left": 1000})
    url = urlsplit(engines.database_url())._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    own = {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TIKTOK_URL": sample.tiktok_url,
        "SCRAPECREATORS_URL": sample.scrapecreators_url,
        "SCRAPECREATORS_API_KEY": "sample-scrapecreators-key",
    }
    source = SourceFactory(platform="tiktok", kind="profile", value="meonhabo", pages_per_run=4)
    job = scan_now(source)

    def worker():
        with (tmp_path / "worker.log").open("ab") as log:
            command = [sys.executable, "manage.py", "work", "crawl", "--drain"]
            return subprocess.Popen(command, cwd=BASE_DIR, env=os.environ | own, stdout=log, stderr=log, start_new_session=True)

    def asked():
        """How many requests have begun; each is charged when it ends, though nobody waits for it any more."""
        return sample.get("/control/state.json")["faults"][0]["touched"]

    def left():
        return sample.get("/control/state.json")["scrapecreators_credits"]

    sample.set_fault("slow", places=["scrapecreators"], value=2)
    first = worker()
    try:
        until(lambda: asked() >= 4)  # the profile and two pages are kept, the third is on its way
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    interrupted = CrawlJob.objects.get(pk=job.pk)
    assert (interrupted.state, 2 <= interrupted.pages < 4) == (State.RUNNING, True)
    until(lambda: left() == 1000 - asked())
    charged = left()
    sample.clear_faults()

    lose_lease(job)
    assert worker().wait(240) == 0

    ended = CrawlJob.objects.get(pk=job.pk)
    assert (ended.state, ended.outcome, ended.pages, ended.attempt) == (State.COMPLETED, "ok", 4, 2), ended.error
    assert ended.counts["new"] == Video.objects.count() == MetricSnapshot.objects.count()
    assert AuthorSnapshot.objects.count() == 1
    # Only the pages that were missing were paid for again.
    spent = charged - left()
    assert spent == 4 - interrupted.pages
    assert ended.counts["credits"] == 5
