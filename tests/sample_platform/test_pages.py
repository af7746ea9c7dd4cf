"""The pages in a real browser."""

import os
import shutil
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from tests.sample import Sample

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def open_search(page: Page, site: Sample, words: str) -> None:
    page.goto(f"{site.web_url}/search/{quote(words)}?type=general")


def test_a_search_page_asks_for_more_as_one_scrolls(page, site):
    calls: list[str] = []
    page.on("response", lambda answer: calls.append(answer.url) if "/general/search/" in answer.url else None)
    open_search(page, site, "旅行")
    page.wait_for_selector(".card")
    first = page.locator(".card").count()

    page.wait_for_function(
        "() => { scrollTo(0, document.body.scrollHeight); return document.querySelector('#status').textContent }"
    )
    page.wait_for_function("n => document.querySelectorAll('.card').length >= n", arg=first)

    offsets = [url.split("offset=")[1].split("&")[0] for url in calls]
    assert offsets[:1] == ["0"]
    assert offsets == sorted(set(offsets), key=int)
    assert "search_id=&" in calls[0]


def test_a_search_for_nothing_known_says_so(page, site):
    open_search(page, site, "zzzz")

    page.wait_for_function("() => document.querySelector('#status').textContent.startsWith('没有找到')")


@pytest.mark.parametrize(
    ("fault", "value", "seen"),
    [
        ("block", None, "#captcha_container"),
        ("block", "captcha", "#captcha_container"),
        ("block", "page", "#captcha_container"),
        ("login", None, "#login_container"),
    ],
)
def test_walls_are_seen_as_such(page, site, fault, value, seen):
    site.set_fault(fault, topic="dance", value=value)

    open_search(page, site, "dance")

    page.wait_for_selector(seen)


def test_a_clip_plays_in_its_page(page, site, clip):
    page.goto(f"{site.web_url}/video/{clip['aweme_id']}")

    page.wait_for_function("() => document.querySelector('video')?.readyState >= 1")
    size = page.evaluate("() => [document.querySelector('video').videoWidth, document.querySelector('video').videoHeight]")
    assert size == [clip["video"]["width"], clip["video"]["height"]]


def test_a_carousel_shows_its_slides(page, site):
    plan = next(plan for plan in site.truth()["videos"] if plan["kind"] == "carousel" and not plan["is_deleted"])
    page.goto(f"{site.web_url}/note/{plan['id']}")

    page.wait_for_function("() => document.querySelector('.slides img')?.naturalWidth === 1080")
    assert page.locator(".slides img").count() == len(plan["slides"])


def test_a_person_and_a_sound_and_a_tag_have_pages(page, site, clip):
    sound, tag = clip["music"]["id_str"], clip["text_extra"][0]["hashtag_id"]
    for path in (f"/user/{clip['author']['sec_uid']}", f"/music/{sound}", f"/hashtag/{tag}"):
        page.goto(f"{site.web_url}{path}")
        page.wait_for_selector(f".card a[href$='{clip['aweme_id']}']")


def test_hostile_titles_stay_text(page, site):
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    open_search(page, site, "<script>alert('x')</script>")

    page.wait_for_selector(".card")
    assert dialogs == []


def test_a_person_can_switch_a_fault_on_and_off(page, site):
    page.goto(f"{site.web_url}/control")
    page.locator("#topic").fill("猫")
    page.locator("[data-fault=empty]").click()
    page.wait_for_selector("#active code")
    assert site.search("猫")["data"] == []

    page.get_by_role("button", name="off", exact=True).click()
    page.wait_for_function("() => !document.querySelector('#active code')")
    assert site.search("猫")["data"]


def test_a_person_can_spend_credits_end_links_and_rename_a_profile(page, site):
    page.goto(f"{site.web_url}/control")
    page.get_by_role("button", name="25", exact=True).click()
    page.get_by_text("Credits left at ScrapeCreators: 25.").wait_for()
    page.get_by_role("button", name="End every link now").click()
    page.get_by_text("all were ended 1 times").wait_for()
    page.locator("#person").select_option("vy.dance")
    page.locator("#state").select_option("private")
    page.locator("#handle").fill("vy.quiet")
    page.get_by_role("button", name="Change").click()
    page.get_by_text("vy.quiet (private), once vy.dance").wait_for(state="attached")

    people = {one["handle"]: one for one in site.tiktok_truth()["creators"]}
    assert people["vy.quiet"]["state"] == "private"
    site.set_person("vy.quiet", handle="vy.dance", state="")
    site.set_credits(25_000)
