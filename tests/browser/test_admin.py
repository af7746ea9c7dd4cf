"""The admin's lists as staff see them: what is long breaks, and the list stays within its page."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import apart
from tests.factories import PASSWORD, CrawlJobFactory, SourceFactory, UserFactory, WorkspaceFactory

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
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.mark.parametrize("name", ["source", "crawljob"])
def test_one_long_unbroken_value_does_not_widen_a_list(page: Page, site, name):
    page.set_default_timeout(12000)
    staff = apart(fill)
    page.goto(f"{site}/accounts/login/?next=/admin/crawler/{name}/")
    page.locator("input[name=login]").fill(staff.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/admin/crawler/**", wait_until="load")
    page.locator("#result_list .data-row").wait_for()

    assert page.evaluate(WIDER_THAN_ITS_ROOM) == []
