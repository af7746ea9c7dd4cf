"""The main job in a real browser: find, narrow, search, open, download until it plays, zip."""

import io
import re
import time
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from downloads.models import DownloadJob
from tests.browser import conftest
from tests.browser.conftest import covers_are_done

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENCE = 1000 * conftest.PATIENCE


def cards(page: Page):
    return page.locator("[data-card]")


def until(is_true: Callable[[], bool], page: Page) -> None:
    """Poll from outside: the page's policy lets nothing be evaluated inside it."""
    ends = time.monotonic() + conftest.PATIENCE
    while not is_true():
        assert time.monotonic() < ends, "It did not come true"
        page.wait_for_timeout(100)


def test_the_feed_is_narrowed_searched_and_paged_by_its_url(page: Page, site, seen, trouble):
    videos = seen("猫", "美食")
    page.goto(site)
    expect(cards(page)).to_have_count(30)

    page.get_by_role("link", name="Carousels").click()
    expect(page).to_have_url(re.compile("kind=carousel"))
    expect(cards(page)).to_have_count(sum(video.kind == "carousel" for video in videos))

    page.goto(site)
    titles = cards(page).locator(".card-title").all_text_contents()
    page.get_by_role("link", name="More", exact=True).click()
    expect(cards(page)).to_have_count(len(videos))
    both = cards(page).locator(".card-title").all_text_contents()
    assert both[:30] == titles
    expect(page.get_by_role("link", name="More", exact=True)).to_have_count(0)

    page.keyboard.press("/")
    page.keyboard.type("美食")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=%E7%BE%8E%E9%A3%9F"))
    expect(cards(page)).to_have_count(min(30, sum("美食" in video.title for video in videos)))

    page.get_by_text("Filters").click()
    page.get_by_label("Least views").fill("1")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("min_views=1"))
    page.get_by_role("link", name="1 views or more").click()
    expect(page).not_to_have_url(re.compile("min_views"))
    assert trouble == []


def test_a_download_is_followed_until_it_plays(page: Page, site, seen, worker, trouble):
    clip = next(video for video in seen("猫") if video.kind == "clip" and video.gone_at is None and video.media)
    page.goto(f"{site}/videos/{clip.pk}/")
    box = page.locator("#download")

    box.get_by_role("button", name="Download").click()

    expect(box.locator(".steps li.done, .steps li.now").first).to_be_visible()
    expect(box.get_by_role("link", name="Save the file")).to_be_visible(timeout=PATIENCE)
    player = page.locator("#player video")
    player.evaluate("video => { video.muted = true; return video.play(); }")
    until(lambda: player.evaluate("video => video.currentTime > 0.3"), page)
    player.evaluate("video => { video.currentTime = video.duration / 2; }")
    until(lambda: not player.evaluate("video => video.seeking"), page)
    with page.expect_download() as saved:
        box.get_by_role("link", name="Save the file").click()
    assert saved.value.suggested_filename.endswith(".mp4")
    expect(box.locator("[data-saved]")).to_have_class("done")
    assert trouble == []


def test_slides_are_looked_through_with_the_keyboard(page: Page, site, seen, worker, trouble):
    carousel = next(video for video in seen("猫", "美食") if video.kind == "carousel" and len(video.slides) > 2)
    page.goto(f"{site}/videos/{carousel.pk}/")
    page.locator("#download").get_by_role("button", name="Download").click()
    expect(page.locator(".slide img").first).to_be_visible(timeout=PATIENCE)

    place = page.locator("[data-place]")
    expect(place).to_have_text(f"1 / {len(carousel.slides)}")
    page.locator(".slides-list").press("ArrowRight")
    expect(place).to_have_text(f"2 / {len(carousel.slides)}")
    page.locator(".slides-list").press("End")
    expect(page.get_by_role("button", name="Next slide")).to_be_disabled()
    page.get_by_role("button", name="Previous slide").click()
    expect(place).to_have_text(f"{len(carousel.slides) - 1} / {len(carousel.slides)}")
    expect(page.locator(".slide img").first).to_have_js_property("complete", True)
    assert page.locator(".slide img").first.evaluate("image => image.naturalWidth > 0")
    assert trouble == []


def test_chosen_downloads_become_one_zip(page: Page, site, seen, worker, trouble):
    clips = [video for video in seen("猫") if video.kind == "clip" and video.media][:2]
    for clip in clips:
        page.goto(f"{site}/videos/{clip.pk}/")
        page.locator("#download").get_by_role("button", name="Download").click()
        expect(page.locator(".steps")).to_be_visible()
    page.goto(f"{site}/downloads/")
    expect(page.locator(".download-row")).to_have_count(2)

    page.get_by_role("button", name="Choose all").click()
    page.get_by_role("button", name="Zip the chosen ones").click()

    save = page.get_by_role("link", name="Save the zip")
    expect(save).to_be_visible(timeout=PATIENCE)
    with page.expect_download() as saved:
        save.click()
    with zipfile.ZipFile(io.BytesIO(saved.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert len([name for name in archive.namelist() if name.endswith(".mp4")]) == 2
    assert trouble == []


def test_covers_come_from_here(page: Page, site, seen, worker, trouble):
    seen("猫")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    until(covers_are_done, page)

    page.goto(site)
    page.wait_for_load_state("networkidle")

    image = page.locator(".cover img").first
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth > 0")
    assert all(url.startswith((site, "data:")) for url in requests)
    assert trouble == []


def test_nothing_moves_while_one_scrolls(page: Page, site, seen, trouble):
    seen("猫", "美食")
    page.goto(site)
    expect(cards(page)).to_have_count(30)
    height = page.evaluate("document.body.scrollHeight")

    page.get_by_role("link", name="More", exact=True).scroll_into_view_if_needed()
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    assert page.evaluate("document.body.scrollHeight") == height
    assert trouble == []


def test_everything_works_without_scripts(browser, site, seen, worker):
    clip = next(video for video in seen("猫", "美食") if video.kind == "clip" and video.media)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    expect(cards(page)).to_have_count(30)
    page.get_by_role("link", name="More", exact=True).click()
    expect(page.get_by_role("link", name="To its top")).to_be_visible()
    page.goto(f"{site}/?q=猫")
    assert cards(page).count() > 0

    page.goto(f"{site}/videos/{clip.pk}/")
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_role("link", name="Save the file")).to_be_visible(timeout=PATIENCE)  # the page refreshes itself
    expect(page.locator("video")).to_have_count(1)
    page.goto(f"{site}/downloads/")
    page.locator(".download-row input[type=checkbox]").check()
    page.get_by_role("button", name="Zip the chosen ones").click()
    expect(page.get_by_role("link", name="Save the zip")).to_be_visible(timeout=PATIENCE)
    context.close()
    assert DownloadJob.objects.filter(state="completed").exists()
