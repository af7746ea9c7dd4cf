"""A real Chromium before a live server; videos as the sample platform tells them; a worker that does the downloads."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from crawler.cleaning import clean_external
from crawler.models import Video
from crawler.providers.douyin_parser import parse_listing
from crawler.recording import record
from downloads.models import AssetJob
from jobs import kinds, lifecycle
from jobs.models import FINAL
from jobs.runner import drain
from scripts.screenshots import ARGUMENTS, browser_path
from tests.downloads.conftest import use_media
from tests.factories import SourceFactory
from tests.sample import Sample

HOURS = 5
PATIENCE = 240.0
"""Seconds for work in the background; a machine may be busy with other things."""
expect.set_options(timeout=30_000)
T = TypeVar("T")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a file of tests. While it lives its loop does too, in the tests' own thread: the ORM is used beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
            yield browser
            browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
    yield context.new_page()
    context.close()


def apart(work: Callable[[], T]) -> T:
    """Do it in a thread without a loop, as all of the product's code runs."""

    def whole() -> T:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(whole).result()


@pytest.fixture
def site(live_server: Any, settings: Any, tmp_path: Path, sample: Sample) -> Iterator[str]:
    """The address of our pages. Files go to a folder of the test; Douyin is the sample platform."""
    use_media(settings, f"file:{tmp_path / 'media'}")
    settings.TEMP_DIR = tmp_path / "tmp"
    settings.DOUYIN_URL = sample.web_url
    settings.FETCH_ALLOWED_HOSTS = [
        f"{host}:{urlsplit(url).port}" for url in (sample.web_url, sample.cdn_url) for host in ("localhost", "127.0.0.1")
    ]
    settings.EVENTS_URL = f"ws://localhost:{urlsplit(live_server.url).port}/ws/events"  # nobody answers: pages must do without
    sample.clear_faults()
    yield live_server.url
    sample.clear_faults()


@pytest.fixture
def seen(site: str, sample: Sample) -> Callable[..., list[Video]]:
    """`seen("猫", …)`: what a crawl of these words would have recorded, twice, with some hours of growth between."""

    def see(*topics: str) -> list[Video]:
        ids: list[int] = []
        for topic in topics:
            source = SourceFactory(value=topic)
            for hours_ago in (HOURS, 0):
                now = timezone.now()
                listing = parse_listing(sample.search(topic), base_url=sample.web_url, now=now)
                at = now - timedelta(hours=hours_ago)
                recorded = record([clean_external(video, now) for video in listing.videos], source=source, at=at, since=at)
                ids += recorded.video_ids
                if hours_ago:
                    sample.advance(HOURS)
        return list(Video.objects.filter(pk__in=ids).order_by("pk"))

    return lambda *topics: apart(lambda: see(*topics))


@contextmanager
def working(*names: str) -> Iterator[None]:
    """Jobs of these kinds are done in a thread, as `manage.py work` would. Nothing of it outlives the block."""
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.wait(0.1):
                close_old_connections()
                for name in names:
                    drain(kinds.get(name), seconds=20)
        finally:
            connection.close()

    thread = threading.Thread(target=work, name="test-worker")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        lifecycle.stop()  # what it is at is handed back, and nothing more is claimed
        thread.join(PATIENCE)
        lifecycle.resume()
        assert not thread.is_alive(), "it works on beside the next test"


@pytest.fixture
def worker(site: str) -> Iterator[None]:
    with working("download", "asset"):
        yield


@pytest.fixture
def trouble(page: Page) -> list[str]:
    """What the page complained of: errors of scripts, refused content. The events' silence is no complaint."""
    found: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "WebSocket" not in message.text:
            found.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def covers_are_done() -> bool:
    return not AssetJob.objects.exclude(state__in=FINAL).exists()
