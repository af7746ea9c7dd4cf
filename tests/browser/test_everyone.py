"""For everyone: phones, keyboards, light and dark, screen readers (axe-core), viewers of other time zones."""

from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from crawler.models import AuthorSnapshot, ProviderPause
from downloads.models import AssetRole
from ranking import services
from ranking.models import RankingModel
from tests.factories import (
    PASSWORD,
    AssetFactory,
    AuthorFactory,
    CrawlJobFactory,
    DownloadJobFactory,
    DownloadRequestFactory,
    MembershipFactory,
    MetricSnapshotFactory,
    ScoreFactory,
    SoundFactory,
    SourceFactory,
    SourceVideoFactory,
    SurgeFactory,
    VideoFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
GRAVE = ("serious", "critical")


@pytest.fixture
def places(site) -> dict[str, str]:
    """Every page, with as much on it as there can be."""
    membership = MembershipFactory(user__staff=True)
    sound = SoundFactory(title="a long name of a sound " * 6)
    video = ScoreFactory(
        surging=True,
        classic=123_456,
        virality=0.9,
        video__title="没有空格的很长很长的标题" * 8 + "averyveryverylongword" * 9,
        video__sound=sound,
    ).video
    video.hashtags = ["美食", "averyveryverylonghashtag" * 4]
    video.save()
    for hours in range(1, 9):
        MetricSnapshotFactory(video=video, observed_at=timezone.now() - timedelta(hours=hours), views=10_000 - 900 * hours)
    carousel = ScoreFactory(video=VideoFactory(carousel=True, title="slides")).video
    for position in range(3):
        AssetFactory(video=carousel, role=AssetRole.SLIDE, quality="", position=position, object__mime="image/webp")
    sources = [
        SourceFactory(workspace=membership.workspace, value="街头美食", looked_at=True, cron="*/5 * * * *"),
        SourceFactory(workspace=membership.workspace, value="averyveryverylongtopic" * 6, blocked=True),
        SourceFactory(workspace=membership.workspace, value="paused", is_active=False),
    ]
    for source in sources:
        SourceVideoFactory(source=source, video=video)
        CrawlJobFactory(
            source=source, retrying=True, counts={"seen": 40, "new": 12, "live": 3, "malformed": 1}, errors=["no id " * 30]
        )
    for traits in ({"running": True, "progress": 40}, {"failed": True}, {"completed": True}):
        DownloadRequestFactory(job=DownloadJobFactory(video__title="x" * 80, **traits), user=membership.user)
    DownloadJobFactory(video=video, retrying=True)
    services.rank([video.pk, carousel.pk])
    SurgeFactory(
        video=video,
        state="open",
        watched_at=timezone.now() - timedelta(hours=4),
        alerted_at=timezone.now() - timedelta(hours=3),
        reached_at=timezone.now() - timedelta(hours=2),
        confirmed_at=timezone.now(),
    )
    SurgeFactory(video=carousel, model=RankingModel.objects.first())
    famous = AuthorFactory(name="averyveryverylongname" * 5, followers=123_456_789, following=1, likes=10**9, video_count=9)
    for days in range(4):
        at = timezone.now() - timedelta(days=days)
        AuthorSnapshot.objects.create(author=famous, observed_at=at, followers=123_456_789 - days * 10_000)
    for n in range(9):
        published = timezone.now() - timedelta(days=10 + n)
        VideoFactory(author=famous, title="没有空格的标题" * 9, views=10 ** (7 if n == 3 else 4), published_at=published)
    watched = SourceFactory(workspace=membership.workspace, kind="profile", value="MS4wLjABAAAA", author=famous)
    ProviderPause.objects.create(provider="browser", code="x", reason="averyveryverylongreason" * 8)
    return {
        "user": membership.user.username,
        "profile": f"/authors/{famous.pk}/?sort=times",
        "watched profile": f"/sources/{watched.pk}/",
        "sources in trouble": "/sources/?health=troubled&q=very",
        "feed": "/",
        "further": "/?kind=clip&q=标题&min_views=1&colour=red",
        "nothing": "/?q=nothing",
        "surging": "/surging/",
        "trends": "/trends/?by=authors&period=7d",
        "quality": "/ranking/quality/",
        "surge of a video": f"/videos/{video.pk}/?head=surge",
        "video": f"/videos/{video.pk}/",
        "carousel": f"/videos/{carousel.pk}/",
        "author": f"/authors/{video.author_id}/",
        "sound": f"/sounds/{sound.pk}/",
        "downloads": "/downloads/",
        "missing": "/nothing/",
        "sources": "/sources/",
        "source": f"/sources/{sources[1].pk}/",
        "new source": "/sources/new/?platform=tiktok&kind=profile",
        "edit": f"/sources/{sources[0].pk}/edit/",
        "delete": f"/sources/{sources[0].pk}/delete/",
        "import": "/import/",
        "account": "/account/",
        "password": "/accounts/password/change/",
    }


def sign_in(page: Page, site: str, username: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Login").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(f"{site}/")


def pages_of(places: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, path) for name, path in places.items() if name != "user"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_on_any_page(browser, site, places, theme, width):
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 900})
    page = context.new_page()
    found = {}
    for name, path in [("login", "/accounts/login/"), ("signup", "/accounts/signup/")]:
        page.goto(f"{site}{path}")
        found[name] = grave(page)
    sign_in(page, site, places["user"])
    for name, path in pages_of(places):
        page.goto(f"{site}{path}")
        page.locator("main summary").evaluate_all("all => all.forEach(one => { one.parentElement.open = true; })")
        found[name] = grave(page)
    context.close()

    assert {name: rules for name, rules in found.items() if rules} == {}


def grave(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in violations
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def test_no_page_scrolls_sideways_on_a_phone(browser, site, places):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    sign_in(page, site, places["user"])
    wide = {}
    for name, path in pages_of(places):
        page.goto(f"{site}{path}")
        wide[name] = page.evaluate("document.documentElement.scrollWidth")
    context.close()

    assert {name: width for name, width in wide.items() if width > 390} == {}


def test_what_can_be_pressed_is_large_enough_for_a_finger(browser, site, places):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    sign_in(page, site, places["user"])
    small = {}
    for name in ("feed", "surging", "quality", "video", "sources", "downloads"):
        page.goto(f"{site}{places[name]}")
        sizes = page.locator("button:visible, .button:visible, nav a:visible, summary:visible, select:visible").evaluate_all(
            "all => all.map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height])"
        )
        small[name] = [size for size in sizes if size[1] < 32]
    context.close()

    assert {name: sizes for name, sizes in small.items() if sizes} == {}


def test_the_keyboard_alone_is_enough(page: Page, site, places):
    page.goto(site)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

    page.keyboard.press("j")
    first = page.locator(".card-link").first
    expect(first).to_be_focused()
    outline = first.evaluate("link => getComputedStyle(link).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("j")
    expect(page.locator(".card-link").nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("没有空格")
    page.wait_for_load_state()  # the scripts that know the keys come after what is seen

    page.keyboard.press("/")
    expect(page.get_by_role("searchbox").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox").first).not_to_be_focused()


def test_times_are_in_the_viewers_zone(browser, site, places):
    context = browser.new_context(timezone_id="Asia/Ho_Chi_Minh", locale="en")
    page = context.new_page()
    page.goto(f"{site}{places['video']}")
    seen = page.locator(".facts time").first

    at, shown = seen.get_attribute("datetime"), seen.inner_text()
    context.close()

    assert at is not None
    here = datetime.fromisoformat(at) + timedelta(hours=7)
    assert f"{here:%H:%M}" in shown
    assert str(here.day) in shown


def test_the_theme_can_be_chosen_and_is_remembered(page: Page, site, places):
    page.emulate_media(color_scheme="light")
    page.goto(site)

    def ground():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = ground()
    button = page.locator("[data-theme-toggle]")
    button.click()
    button.click()
    expect(button).to_contain_text("dark")
    assert ground() != light
    page.reload()
    assert ground() != light
    button.click()
    expect(button).to_contain_text("automatic")
    assert ground() == light
