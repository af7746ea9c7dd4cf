"""A look at a source, as a worker takes it."""

from crawler import services
from crawler.models import CrawlJob
from jobs import kinds
from jobs.runner import drain


def work():
    """Do the next due crawl."""
    assert drain(kinds.get("crawl"), most=1) == 1


def look(source, **how):
    """One look, asked for and done."""
    job = services.scan_now(source, **how)
    work()
    source.refresh_from_db()
    return CrawlJob.objects.get(pk=job.pk)
