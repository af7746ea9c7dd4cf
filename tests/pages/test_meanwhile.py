"""What ends while a page about it is made: the page shows its end, or asks again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from analysis.models import AnalysisJob
from crawler.models import CrawlJob, Source
from tests.factories import (
    AnalysisFactory,
    AnalysisJobFactory,
    AssetFactory,
    CrawlJobFactory,
    SlideTextFactory,
    SoundFactory,
    SourceFactory,
    VideoFactory,
)
from tests.pages.conftest import text_of

pytestmark = pytest.mark.django_db
ASKS_AGAIN = 'hx-trigger="every 3s'


@contextmanager
def after_the_first_look(table: str, act: Callable[[], object]) -> Iterator[None]:
    """Do it right after a table was read for the first time."""
    looks: list[str] = []

    def look(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if f'FROM "{table}"' in sql and not looks:
            looks.append(sql)
            act()
        return answer

    with connection.execute_wrapper(look):
        yield
    assert looks, f"{table} was not read"


@pytest.mark.parametrize("table", ["analysis_analysisjob", "analysis_analysis", "analysis_slidetext"])
@pytest.mark.parametrize("path", ["", "slides/"])
def test_a_reading_that_ends_meanwhile_brings_its_texts(client: Client, path: str, table: str) -> None:
    video = VideoFactory.create(carousel=True, slides=[{"urls": []}])
    AssetFactory.create(video=video, role="slide", quality="", position=0, object__mime="image/webp")
    AnalysisJobFactory.create(video=video, running=True)

    def end() -> None:
        AnalysisJob.objects.update(state="completed", lease_until=None, finalized_at=timezone.now())
        AnalysisFactory.create(video=video)
        SlideTextFactory.create(video=video, position=0, text="just read")

    with after_the_first_look(table, end):
        page = text_of(client.get(f"/videos/{video.pk}/{path}", headers={"HX-Request": "true"} if path else {}))

    assert "just read" in page or ASKS_AGAIN in page


@pytest.mark.parametrize("table", ["crawler_source", "crawler_crawljob"])
@pytest.mark.parametrize("path", ["/sources/{}/", "/sources/{}/runs/", "/sounds/{}/", "/sounds/{}/part/"])
def test_a_run_that_ends_meanwhile_says_how(member: Client, membership: Any, path: str, table: str) -> None:
    sound = SoundFactory.create(platform="tiktok", external_id="7")
    source = SourceFactory.create(
        workspace=membership.workspace, platform="tiktok", kind="sound", value="7", sound=sound, interval_minutes=60
    )
    CrawlJobFactory.create(source=source, running=True)

    def end() -> None:
        CrawlJob.objects.update(state="failed", lease_until=None, finalized_at=timezone.now())
        Source.objects.update(outcome="failed", outcome_detail="The actor failed.")

    with after_the_first_look(table, end):
        page = text_of(member.get(path.format(source.pk), headers={"HX-Request": "true"}))

    assert "The actor failed." in page or ASKS_AGAIN in page
