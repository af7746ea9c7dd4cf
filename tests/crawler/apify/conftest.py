"""A sound that is watched, and the service that reads it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crawler import sounds
from crawler.models import CrawlJob
from jobs import kinds
from jobs.runner import drain
from tests.crawler.apify.fake_apify import TOKEN, fake_apify, item
from tests.factories import WorkspaceFactory

SOUND = "7016547803243022337"
LINK = f"https://www.tiktok.com/music/wave-{SOUND}"


@pytest.fixture
def service(settings):
    settings.APIFY_API_TOKEN = TOKEN
    settings.SITE_URL = "http://localhost:8000"
    with fake_apify() as server:
        settings.APIFY_URL = server.url
        server.items = [item(number, SOUND) for number in range(1, 8)]
        yield server


@pytest.fixture
def source(service):
    source, _is_new = sounds.add_sound(LINK, workspace=WorkspaceFactory())
    return source


def work():
    """The next look at the sound, whatever its pause; returns its job as it then is."""
    CrawlJob.objects.waiting().update(scheduled_at=timezone.now() - timedelta(seconds=1))
    assert drain(kinds.get("crawl"), most=1) == 1
    return CrawlJob.objects.order_by("-pk").first()
