"""Sounds by Apify runs: ordered, read to the end, and honest about what failed."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crawler import services, sounds
from crawler.models import Outcome, Sound, SoundSnapshot, SourceVideo
from crawler.providers import apify
from crawler.providers.base import Access
from jobs.models import State
from tests.crawler.apify.conftest import LINK, SOUND, work
from tests.crawler.apify.fake_apify import item
from tests.factories import SourceFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_sound_is_ordered_read_and_described(service, source):
    job = work()

    assert (job.state, job.outcome, job.counts) == (State.COMPLETED, "ok", {"seen": 7, "new": 7, "clip": 7})
    assert (job.pages, job.cursor, job.order) == (1, None, "Run00000000000001")
    assert service.inputs["Store1"] == {"musics": [LINK], "resultsPerPage": 300}
    source.refresh_from_db()
    assert (source.outcome, source.value, source.sound.external_id) == (Outcome.OK, SOUND, SOUND)
    assert (source.sound.title, source.sound.uses, source.sound.url) == ("Wave", 12_345, LINK)
    assert SoundSnapshot.objects.get().uses == 12_345
    assert SourceVideo.objects.filter(source=source, video__sound=source.sound).count() == 7


def test_the_order_asks_for_a_webhook_with_a_secret(service, source, settings):
    work()

    [webhook] = service.webhooks
    assert webhook["requestUrl"] == f"http://localhost:8000{reverse('api-webhook-apify')}"
    assert json.loads(webhook["headersTemplate"])["X-Groundswell-Secret"] == settings.APIFY_WEBHOOK_SECRET
    assert {"ACTOR.RUN.SUCCEEDED", "ACTOR.RUN.FAILED", "ACTOR.RUN.ABORTED", "ACTOR.RUN.TIMED_OUT"} <= set(webhook["eventTypes"])


@pytest.mark.parametrize(
    ("ours", "theirs", "asked"),
    [
        ("https://groundswell.example", "https://api.apify.com", True),
        ("http://localhost:8000", "https://api.apify.com", False),
        ("http://192.168.0.9:8000", "https://api.apify.com", False),
        ("http://localhost:8000", "http://127.0.0.1:9", True),
    ],
)
def test_no_webhook_is_asked_for_that_could_not_arrive(ours, theirs, asked):
    access = Access(base_url=theirs, options={"our_url": ours, "secret": "s", "actor": "a~b"})

    assert bool(apify._webhooks(access, "order-1")) is asked


def test_a_run_that_goes_on_is_looked_at_again_later_and_never_ordered_twice(service, source):
    service.status, service.message = "RUNNING", "30 of 100"

    first = work()
    assert (first.state, first.error_code, first.attempt) == (State.PENDING, "underway", 0)
    assert "30 of 100" in first.error
    assert first.scheduled_at > timezone.now()
    work()
    service.runs[first.order]["status"] = "SUCCEEDED"

    assert work().state == State.COMPLETED
    assert service.starts == 1


def test_pages_are_read_by_offset_to_the_end_though_they_are_short(service, source):
    """Items that are empty are left out of a page; the server gives no more than it likes."""
    service.items = [item(number, SOUND) if number % 3 else None for number in range(500)]
    service.most_per_page = 60

    job = work()

    assert job.counts["seen"] == len([one for one in service.items if one])
    assert job.pages == 9


def test_a_total_that_lags_is_asked_for_once_more(service, source):
    service.hidden, service.finished_ago = 3, timedelta(0)
    assert (work().state, SourceVideo.objects.count()) == (State.PENDING, 4)
    service.hidden = 0

    job = work()

    assert (job.state, job.counts["seen"]) == (State.COMPLETED, 7)


def test_error_rows_ads_and_nonsense_are_counted(service, source):
    nameless = item(91, SOUND, id=None, webVideoUrl="")
    service.items += [{"error": "Post not found", "url": "https://x"}, "?", item(90, SOUND, isAd=True), nameless]

    job = work()

    assert job.counts == {"seen": 7, "new": 7, "clip": 7, "errors": 1, "ad": 1, "malformed": 2}
    assert any("Post not found" in error for error in job.errors)


def test_a_run_that_found_only_errors_has_failed(service, source):
    service.items = [{"error": "This sound does not exist", "errorCode": "NOT_FOUND"}]

    job = work()

    source.refresh_from_db()
    assert (job.state, job.error_code, source.outcome) == (State.FAILED, "order_failed", Outcome.FAILED)
    assert "This sound does not exist" in source.outcome_detail


@pytest.mark.parametrize("status", ["FAILED", "TIMED-OUT", "ABORTED"])
def test_a_failed_run_keeps_what_it_found_says_why_and_is_ordered_anew_by_a_person_only(service, source, status):
    service.status, service.message = status, "The proxy ran dry"

    job = work()
    assert (job.state, job.error_code, job.counts["seen"]) == (State.FAILED, "order_failed", 7)
    assert "The proxy ran dry" in job.error
    assert SourceVideo.objects.count() == 7
    service.status = "SUCCEEDED"
    assert sounds.retry(source).pk == job.pk

    assert work().state == State.COMPLETED
    assert service.starts == 2


def test_nothing_found_is_empty(service, source):
    service.items = []

    assert work().outcome == "empty"


def test_the_same_sound_is_the_same_source_however_it_was_pasted(service, source):
    texts = [SOUND, f"hear this {LINK}?lang=vi&x=1 now", f"https://m.tiktok.com/music/%E6%B3%A2-{SOUND}/"]

    assert {sounds.add_sound(text, workspace=source.workspace) for text in texts} == {(source, False)}
    assert sounds.add_sound(LINK, workspace=WorkspaceFactory())[0] != source
    assert Sound.objects.count() == 1


def test_a_source_made_by_hand_is_read_too(service):
    made = SourceFactory(platform="tiktok", kind="sound", value=SOUND)
    services.scan_now(made)

    assert work().state == State.COMPLETED
    assert service.inputs["Store1"]["musics"] == [SOUND]
    made.refresh_from_db()
    assert made.sound.external_id == SOUND
