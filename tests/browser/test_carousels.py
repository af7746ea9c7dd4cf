"""The carousel in a real browser: by keyboard, by buttons, by its strip, on a phone, without scripts; texts copied and found."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from playwright.sync_api import Page, expect

from analysis.models import SlideText
from crawler.models import Video
from downloads.models import AssetRole
from tests.browser.conftest import apart
from tests.factories import AnalysisFactory, AnalysisJobFactory, AssetFactory, CategoryFactory, ScoreFactory, VideoFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TEXTS = ["五个早餐\n不用早起", "Oat milk, left over night. " * 30, "", "Save this"]

WATCH = """() => {
    window.moments = [];
    new MutationObserver(() => {
        const list = document.querySelector(".slides-list");
        const number = Math.round(list.scrollLeft / list.clientWidth) + 1;
        moments.push([list.closest("[data-slides]").hasAttribute("data-ready"), number]);
    }).observe(document.querySelector("main"), { childList: true, subtree: true });
}"""


@pytest.fixture
def carousel(site: str) -> Video:
    """Of four slides, read; one of its pictures could not be fetched."""
    CategoryFactory(name="美食", slug="美食")
    video = VideoFactory(carousel=True, title="breakfast", category="美食", slides=[{"urls": []} for _ in TEXTS])
    ScoreFactory(video=video)
    for position, text in enumerate(TEXTS):
        ready = {"object__mime": "image/webp"} if position != 3 else {"state": "failed", "object": None}
        AssetFactory(video=video, role=AssetRole.SLIDE, quality="", position=position, **ready)
        SlideText.objects.create(video=video, position=position, text=text, type="content", confidence=0.93, sha256="0" * 64)
    AnalysisFactory(video=video)
    return video


def place(page: Page) -> str:
    return page.locator("[data-place]").inner_text()


def shown(page: Page) -> list[int]:
    """Numbers of the slides that lie within the viewer."""
    return page.locator(".slide").evaluate_all(
        """all => all.flatMap((one, n) => {
            const [box, frame] = [one.getBoundingClientRect(), one.parentElement.getBoundingClientRect()];
            return Math.abs(box.left - frame.left) < 3 ? [n + 1] : [];
        })"""
    )


def wait_for_slide(page: Page, number: int) -> None:
    page.wait_for_function(
        """n => { const list = document.querySelector(".slides-list");
                  return Math.abs(list.scrollLeft - (n - 1) * list.clientWidth) < 3; }""",
        arg=number,
    )


def test_slides_are_turned_by_keys_buttons_and_the_strip(page: Page, site, carousel, trouble):
    page.goto(f"{site}/videos/{carousel.pk}/")
    page.get_by_role("list", name="Slides", exact=True).focus()
    page.keyboard.press("ArrowRight")
    wait_for_slide(page, 2)
    page.keyboard.press("End")
    wait_for_slide(page, 4)
    assert place(page) == "4 / 4"
    expect(page.get_by_role("button", name="Next slide")).to_be_disabled()

    page.get_by_role("button", name="Previous slide").click()
    wait_for_slide(page, 3)
    page.locator(".strip a").first.click()
    wait_for_slide(page, 1)

    assert shown(page) == [1]
    expect(page.locator(".strip a[aria-current]")).to_have_count(1)
    expect(page.locator(".slide").nth(3)).to_contain_text("could not be fetched")
    assert page.locator("#slide-1").get_by_text("五个早餐").is_visible()
    assert [line for line in trouble if "404" not in line] == []  # the factory's pictures have no bytes


def test_arrow_keys_turn_slides_wherever_the_keyboard_is_but_in_a_field(page: Page, site, carousel):
    page.goto(f"{site}/videos/{carousel.pk}/")
    page.keyboard.press("ArrowRight")
    wait_for_slide(page, 2)
    page.locator(".slide").nth(1).click(position={"x": 40, "y": 40})
    page.keyboard.press("ArrowRight")
    wait_for_slide(page, 3)
    page.get_by_role("button", name="Next slide").click()  # the last one: this button is disabled then, and loses the keyboard
    wait_for_slide(page, 4)
    page.keyboard.press("ArrowLeft")
    wait_for_slide(page, 3)
    page.get_by_role("button", name="Previous slide").click()
    wait_for_slide(page, 2)
    page.keyboard.press("ArrowLeft")
    wait_for_slide(page, 1)

    page.locator("#q").fill("oat")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert place(page) == "1 / 4"


def test_the_text_of_a_slide_is_copied(browser, site, carousel):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site}/videos/{carousel.pk}/")
    button = page.get_by_role("button", name="Copy the text of slide 1")
    button.click()
    expect(button).to_have_text("✓")
    copied = page.evaluate("navigator.clipboard.readText()")
    context.close()

    assert copied == TEXTS[0]


def test_a_search_leads_to_the_slide_that_has_the_words(page: Page, site, carousel):
    page.goto(f"{site}/videos/{carousel.pk}/?q=save")
    page.locator(".slides-hits a").click()
    wait_for_slide(page, 4)

    expect(page.locator("#slide-4 mark")).to_have_text("Save")
    expect(page.locator(".strip a.hit")).to_have_count(1)


def test_new_texts_come_by_themselves_and_the_slide_stays(page: Page, site, carousel):
    apart(lambda: AnalysisJobFactory(video=carousel, running=True))
    page.goto(f"{site}/videos/{carousel.pk}/")
    page.locator(".strip a").nth(1).click()
    wait_for_slide(page, 2)

    page.evaluate(WATCH)

    @transaction.atomic
    def read_anew() -> None:  # as a worker ends it; between two steps the page would see the end, and ask no more
        carousel.analysis_jobs.update(state="completed", lease_until=None, finalized_at=carousel.first_seen_at)
        SlideText.objects.filter(video=carousel, position=1).update(text="another text")
        carousel.analysis.delete()
        AnalysisFactory(video=carousel)

    apart(read_anew)

    expect(page.locator("#slide-text-2")).to_have_text("another text")
    assert shown(page) == [2]
    assert place(page) == "2 / 4"
    moments = page.evaluate("moments")
    assert moments
    assert {tuple(moment) for moment in moments} == {(True, 2)}, "it was at no moment without its keys, or at another slide"


def test_without_scripts_slides_are_scrolled_and_the_strip_jumps(browser, site, carousel):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{site}/videos/{carousel.pk}/")
    page.locator(".strip a").nth(2).click()

    expect(page.locator("#slide-3")).to_be_in_viewport()
    expect(page.locator("#slide-1")).not_to_be_in_viewport()
    expect(page.locator(".slides-bar")).to_be_hidden()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_carousel_and_category_pages_are_for_everyone(browser, site, carousel, theme, width):
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 844}, has_touch=width < 400)
    page = context.new_page()
    for path in (f"/videos/{carousel.pk}/?q=oat", "/categories/", "/categories/美食/"):
        page.goto(f"{site}{path}")
        page.locator("main summary").evaluate_all("all => all.forEach(one => { one.parentElement.open = true; })")
        violations = [rule for rule in Axe().run(page).response["violations"] if rule["impact"] in ("serious", "critical")]
        assert [(rule["id"], rule["nodes"][0]["html"][:120]) for rule in violations] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
