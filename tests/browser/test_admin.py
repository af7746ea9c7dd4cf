"""The admin's lists as staff see them: what is long breaks, and the list stays within its page."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page

from ranking.scoring.model import HEADS
from tests.browser.conftest import apart
from tests.factories import (
    PASSWORD,
    AssetJobFactory,
    CrawlJobFactory,
    RankingModelFactory,
    SourceFactory,
    UserFactory,
    WorkspaceFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "x" * 110
WIDER_THAN_ITS_ROOM = """() => {
  const list = document.querySelector("#result_list");
  const cells = [...list.querySelectorAll("th, td")].filter((cell) => cell.scrollWidth > cell.clientWidth + 1);
  return [...cells.map((cell) => cell.className), ...(list.offsetWidth > list.parentElement.clientWidth + 1 ? ["list"] : [])];
}"""


def fill():
    workspace = WorkspaceFactory(name=LONG[:80])
    source = SourceFactory(workspace=workspace, value=LONG * 2, outcome="failed", outcome_detail=LONG)
    CrawlJobFactory(source=source, failed=True, error_code="failed", outcome="failed", error=LONG)
    AssetJobFactory(asset__video__title=LONG, failed=True, error_code="failed", error=LONG)
    return UserFactory(is_staff=True, is_superuser=True)


def open_list(page: Page, site, staff, name):
    page.goto(f"{site}/accounts/login/?next=/admin/{name}/")
    page.locator("input[name=login]").fill(staff.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(f"{site}/admin/{name}/", wait_until="load")  # the whole of it: the login's address ends so too
    page.locator("#result_list .data-row, #result_list tbody tr").first.wait_for()


@pytest.mark.parametrize("name", ["crawler/source", "crawler/crawljob", "downloads/assetjob"])
def test_one_long_unbroken_value_does_not_widen_a_list(page: Page, site, name):
    open_list(page, site, apart(fill), name)

    assert page.evaluate(WIDER_THAN_ITS_ROOM) == []


def refitted():
    judged = {head: {"pr_auc": 0.7123, "precision_at_5": 0.5} for head in HEADS}
    evidence = {"candidate": judged, "current": judged, "current_version": 41, "items": 312}
    at = datetime(2026, 11, 21, 22, 58, tzinfo=UTC)
    RankingModelFactory(family="reactions", origin="refit", evidence=evidence, created_at=at, activated_at=at)
    RankingModelFactory(state="active", created_at=at, activated_at=at)
    return UserFactory(is_staff=True, is_superuser=True)


def test_models_with_their_figures_fit_a_laptops_screen(page: Page, site):
    open_list(page, site, apart(refitted), "ranking/rankingmodel")

    assert page.evaluate(WIDER_THAN_ITS_ROOM) == []
