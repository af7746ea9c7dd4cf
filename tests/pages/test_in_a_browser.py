"""What only a browser shows of a page: what lies over what, and where the keyboard is."""

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from crawler.models import CrawlJob, Source
from downloads.models import DownloadJob
from tests.factories import (
    AssetFactory,
    DownloadJobFactory,
    DownloadRequestFactory,
    MembershipFactory,
    ScoreFactory,
    SourceFactory,
    SourceVideoFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_in(page, site, user):
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])


def test_on_a_phone_nothing_covers_what_saves_a_row(page: Page, live_server):
    user = MembershipFactory().user
    for _ in range(8):
        job = DownloadJobFactory(completed=True)
        ScoreFactory(video=job.video)
        AssetFactory(video=job.video)
        DownloadRequestFactory(job=job, user=user)
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, live_server.url, user)
    page.goto(f"{live_server.url}/downloads/")
    saves = page.locator(".download-row .row-actions a.primary")
    expect(saves).to_have_count(8)
    bar = page.get_by_role("button", name="Zip the chosen ones")

    for step in range(0, 700, 40):
        page.evaluate("y => scrollTo(0, y)", step)
        over = bar.bounding_box()
        assert over
        for save in saves.all():
            box = save.bounding_box()
            assert box
            assert box["y"] + box["height"] <= over["y"] or box["y"] >= over["y"] + over["height"]


@pytest.mark.parametrize("width", [1280, 390])
def test_why_a_filter_is_left_out_is_seen_and_stands_at_its_field(page: Page, live_server, width):
    ScoreFactory()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(live_server.url)
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Published from").fill("2026-02-03")
    page.get_by_label("Published before").fill("2026-02-01")
    page.get_by_role("button", name="Apply").click()

    reason = page.get_by_role("alert").get_by_text("Published from:")
    expect(reason).to_be_visible()
    reason.click(trial=True)  # nothing lies over it

    page.get_by_text("Filters", exact=True).click()
    expect(page.locator(".filters-panel .error")).to_have_text("The period would end before it begins.")
    expect(page.get_by_label("Published from")).to_have_value("2026-02-03")


def test_names_without_an_end_do_not_widen_a_phones_page(page: Page, live_server):
    video = ScoreFactory(video__title="t" * 300, video__hashtags=["h" * 90], video__author__name="N" * 90).video
    page.set_viewport_size({"width": 390, "height": 844})

    for path in (f"/videos/{video.pk}/", f"/authors/{video.author_id}/", "/"):
        page.goto(f"{live_server.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path


def test_a_title_runs_as_its_own_script_does(page: Page, live_server):
    video = ScoreFactory(video__title="مرحبا بالعالم!").video
    page.goto(f"{live_server.url}/videos/{video.pk}/")

    title = page.locator("h1")
    ends = title.evaluate("""title => {
      const words = title.firstChild, range = document.createRange(), at = (from, to) => {
        range.setStart(words, from); range.setEnd(words, to); return range.getBoundingClientRect().left;
      };
      return [at(0, 1), at(words.length - 1, words.length)];
    }""")
    assert ends[0] > ends[1], "the mark after the last word stands left of all"


def test_more_by_the_keyboard_goes_on_at_the_first_new_card(page: Page, live_server):
    ScoreFactory.create_batch(33)
    page.goto(live_server.url)
    links = page.locator("[data-card] .card-link")
    expect(links).to_have_count(30)

    page.get_by_role("link", name="More", exact=True).press("Enter")

    expect(links).to_have_count(33)
    expect(links.nth(30)).to_be_focused()


def test_the_page_of_a_source_follows_its_scan(page: Page, live_server):
    membership = MembershipFactory()
    sign_in(page, live_server.url, membership.user)
    source = SourceFactory(workspace=membership.workspace)
    page.goto(f"{live_server.url}/sources/{source.pk}/")
    page.get_by_role("button", name="Scan now").click()
    notice = page.get_by_text("It is scanned as soon as a worker is free.")
    expect(notice).to_be_visible()

    now = timezone.now()
    with transaction.atomic():  # after the end of a run the page asks for nothing more
        CrawlJob.objects.update(state="completed", outcome="ok", finalized_at=now)
        Source.objects.update(outcome="ok", last_good_at=now)
        SourceVideoFactory(source=source, video=ScoreFactory(video__title="seen just now").video)

    expect(page.get_by_role("link", name="seen just now")).to_be_visible()
    expect(page.locator("#source-lead .outcome.ok")).to_be_visible()
    expect(notice).to_have_count(0)
    for part in ("source-lead", "source-facts", "runs", "shown"):
        expect(page.locator(f"#{part}")).to_have_count(1)


def test_a_refresh_between_the_press_and_the_release_loses_no_click(page: Page, live_server):
    user = MembershipFactory().user
    DownloadRequestFactory(job=DownloadJobFactory(running=True), user=user)  # so that the list refreshes itself
    sign_in(page, live_server.url, user)
    page.goto(f"{live_server.url}/downloads/")
    page.get_by_role("button", name="Choose all").hover()

    page.mouse.down()
    for _ in range(2):  # who asks for the second one has done with the first
        with page.expect_response(lambda answer: "before=" in answer.url):
            pass
    page.mouse.up()

    expect(page.get_by_role("checkbox")).to_be_checked()
    DownloadJob.objects.update(state="failed", lease_until=None, finalized_at=timezone.now())
    expect(page.locator(".download-row")).to_contain_text("failed")  # and the list goes on refreshing itself
