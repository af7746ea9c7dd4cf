"""TikTok by ScrapeCreators, against the stand-in that is as strict as the catalogue, and against servers that lie."""

import pytest

from crawler import services
from crawler.models import AuthorSnapshot, CrawlJob, Source, Video
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.factories import SourceFactory

KEY = "sample-scrapecreators-key"
BUSY = "meonhabo"


@pytest.fixture
def tiktok(sample, settings):
    """The platform's TikTok, as settings know it."""
    settings.TIKTOK_URL = sample.tiktok_url
    settings.SCRAPECREATORS_URL = sample.scrapecreators_url
    settings.SCRAPECREATORS_API_KEY = KEY
    sample.clear_faults()
    yield sample
    sample.clear_faults()


def work(kind="crawl"):
    assert drain(kinds.get(kind), most=1) == 1


def look(source, **how) -> CrawlJob:
    job = services.scan_now(source, **how)
    work()
    source.refresh_from_db()
    job.refresh_from_db()
    return job


def watched(kind="profile", value="", **changes) -> Source:
    return SourceFactory(platform="tiktok", kind=kind, value=value, **changes)


# -- the whole way -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_profile_is_read_page_by_page_with_its_own_counters(tiktok):
    source = watched(value=BUSY, pages_per_run=2)

    job = look(source)

    assert (job.state, job.outcome, job.pages) == (State.COMPLETED, "ok", 2)
    assert job.counts["seen"] >= job.counts["new"] == Video.objects.count() > 10
    assert job.counts["credits"] == 3
    assert source.author.handle == BUSY
    snapshot = AuthorSnapshot.objects.get()
    assert (snapshot.author, snapshot.followers) == (source.author, source.author.followers)
    assert set(Video.objects.values_list("author", flat=True)) == {source.author_id}
