"""A sound as a person meets it: its link pasted, its run followed, its videos there by themselves; at both widths."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from crawler.models import CrawlJob, Source, SourceVideo, WebhookDelivery
from crawler.providers import apify as provider
from tests.browser import conftest
from tests.browser.conftest import apart, working
from tests.config.conftest import eventually
from tests.factories import PASSWORD, MembershipFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PATIENCE = 1000 * conftest.PATIENCE
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


@pytest.fixture
def apify(site, sample, settings):
    """The stand-in for Apify, which calls back to the pages under test; and a worker for crawls."""
    settings.TIKTOK_URL = sample.tiktok_url
    settings.APIFY_URL, settings.APIFY_API_TOKEN = sample.apify_url, "sample-apify-token"
    settings.APIFY_WEBHOOK_SECRET, settings.SITE_URL = "between-us", site
    with working("crawl"):
        yield sample
    eventually(lambda: not sample.get("/control/apify.json")["underway"])  # a letter that comes late would be the next test's


@pytest.fixture
def no_polling(monkeypatch):
    """A run is looked at when its webhook says so, and not before."""
    for name in ("FIRST_LOOK", "LAST_LOOK"):
        monkeypatch.setattr(provider, name, timedelta(hours=1))


@pytest.fixture
def signed_in(page: Page, site):
    membership = apart(MembershipFactory)
    page.goto(f"{site}/accounts/login/")
    page.locator("input[name=login]").fill(membership.user.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    expect(page.get_by_text("Account", exact=True)).to_be_visible()
    return membership


def paste(page: Page, site: str, sample) -> str:
    sound = max(sample.tiktok_truth()["sounds"], key=lambda sound: sound.get("uses", 0) or 0)
    link = f"{sample.tiktok_url}/music/wave-{sound['id']}"
    page.goto(f"{site}/sounds/new/")
    page.get_by_label("Link of the sound").fill(f"Listen to this {link} #wave")
    page.get_by_role("button", name="Watch it").click()
    expect(page.get_by_role("heading", name="Latest run")).to_be_visible()
    return str(sound["id"])


def test_a_pasted_sound_shows_its_videos_by_itself(page: Page, site, no_polling, apify, signed_in, trouble):
    sound_id = paste(page, site, apify)

    expect(page.locator("#sound-status .steps li.done")).to_have_count(3, timeout=PATIENCE)
    expect(page.locator("#top tbody tr").first).to_be_visible()
    told = apart(lambda: (Source.objects.get().value, SourceVideo.objects.count(), CrawlJob.objects.get().state))
    assert told[0] == sound_id
    assert told[1] > 1
    assert told[2] == "completed"
    assert apart(lambda: WebhookDelivery.objects.filter(key__endswith="SUCCEEDED", handled_at__isnull=False).count()) == 1

    page.get_by_role("link", name="Most likes").click()
    expect(page).to_have_url(re.compile("sort=likes"))
    page.wait_for_load_state()
    likes = [int(text.replace(",", "")) for text in page.locator("#top tbody tr td:nth-child(4)").all_inner_texts()]
    assert likes == sorted(likes, reverse=True)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert Axe().run(page, options=AXE).response["violations"] == []
    assert trouble == []


def test_polling_finds_a_run_whose_webhook_never_comes(page: Page, site, apify, signed_in):
    apify.set_fault("webhook_lost")

    paste(page, site, apify)

    expect(page.locator("#sound-status .steps li.done")).to_have_count(3, timeout=PATIENCE)
    expect(page.locator("#top tbody tr").first).to_be_visible()
    assert apart(WebhookDelivery.objects.count) == 0


def test_a_hundred_webhooks_at_once_are_one(page: Page, site, no_polling, apify, signed_in):
    apify.set_fault("webhook_repeated", value=100)

    paste(page, site, apify)

    expect(page.locator("#sound-status .steps li.done")).to_have_count(3, timeout=PATIENCE)
    assert apart(lambda: WebhookDelivery.objects.filter(key__endswith="SUCCEEDED").count()) == 1
    assert apart(lambda: CrawlJob.objects.count()) == 1


def test_a_failed_run_says_why_and_is_retried(page: Page, site, apify, signed_in):
    apify.set_fault("run_ends", value="FAILED")
    paste(page, site, apify)
    expect(page.locator("#sound-status")).to_contain_text("The actor failed", timeout=PATIENCE)
    apify.clear_faults()

    page.get_by_role("button", name="Retry").click()

    expect(page.locator("#sound-status .steps li.done")).to_have_count(3, timeout=PATIENCE)


def test_a_total_that_lags_loses_nothing(page: Page, site, apify, signed_in):
    apify.set_fault("total_lags", value=4)

    paste(page, site, apify)

    expect(page.locator("#sound-status .steps li.done")).to_have_count(3, timeout=PATIENCE)
    run = apify.get("/control/apify.json")["runs"][-1]
    counts = apart(lambda: CrawlJob.objects.get().counts)
    assert sum(counts.get(name, 0) for name in ("seen", "errors", "ad", "malformed")) == run["items"]
