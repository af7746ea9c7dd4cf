"""Sources in a real browser: many at once by the keyboard and without scripts, and a form that offers what there is."""

import pytest
from playwright.sync_api import Page, expect

from crawler.models import Source
from tests.browser.conftest import apart
from tests.browser.test_everyone import sign_in
from tests.factories import MembershipFactory, SourceFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def membership(site):
    membership = MembershipFactory()
    for value in ("one", "two", "three"):
        SourceFactory(workspace=membership.workspace, value=value)
    return membership


def paused():
    return apart(lambda: set(Source.objects.filter(is_active=False).values_list("value", flat=True)))


def test_many_are_ticked_and_paused_by_the_keyboard(page: Page, site, membership):
    sign_in(page, site, membership.user.username)
    page.goto(f"{site}/sources/")
    for value in ("one", "two"):
        page.get_by_role("checkbox", name=f"Choose {value}").focus()
        page.keyboard.press("Space")
    page.locator("#bulk").get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("2 sources are paused.")).to_be_visible()
    assert paused() == {"one", "two"}
    page.get_by_role("button", name="Tick all").click()
    assert page.locator("input[name=ids]:checked").count() == 3
    page.locator("#bulk").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Stop watching these 3 sources?")).to_be_visible()
    page.get_by_role("link", name="Keep them").click()
    assert apart(Source.objects.count) == 3


@pytest.mark.parametrize("width", [1280, 390])
def test_it_works_without_scripts_at_any_width(browser, site, membership, width):
    context = browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 844})
    page = context.new_page()
    sign_in(page, site, membership.user.username)
    page.goto(f"{site}/sources/")
    page.get_by_role("checkbox", name="Choose three").check()
    page.locator("#bulk").get_by_role("button", name="Pause").click()
    expect(page.get_by_text("1 source is paused.")).to_be_visible()
    context.close()

    assert paused() == {"three"}


def test_the_form_offers_only_what_its_platform_has(page: Page, site, membership):
    sign_in(page, site, membership.user.username)
    page.goto(f"{site}/sources/new/")
    value = page.get_by_label("Words, handle or link")
    expect(page.get_by_label("our own")).to_be_hidden()

    page.get_by_label("Platform").select_option("tiktok")
    page.get_by_label("Kind", exact=True).select_option("profile")
    expect(value).to_have_attribute("placeholder", "@someone")
    expect(page.locator("[data-offer]:visible")).to_have_count(1)
    expect(page.get_by_label("our own")).to_be_visible()

    page.get_by_label("Platform").select_option("link")
    expect(page.get_by_label("Kind", exact=True)).to_have_value("url")
    assert page.get_by_label("Kind", exact=True).locator("option[disabled]").count() == 5
