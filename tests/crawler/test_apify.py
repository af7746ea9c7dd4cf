"""Sounds by Apify runs: ordered once whatever breaks, read to the end, and honest about what failed."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

import tests.crawler.fake_apify as fake_module
from crawler import orders, services, sounds
from crawler.models import CrawlJob, MetricSnapshot, Outcome, Sound, SoundSnapshot, SourceVideo, WebhookDelivery
from crawler.providers import apify
from crawler.providers.base import Access
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.crawler.fake_apify import TOKEN, fake_apify, item
from tests.factories import SourceFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)
SOUND = "7016547803243022337"
LINK = f"https://www.tiktok.com/music/wave-{SOUND}"


@pytest.fixture
def service(settings):
    settings.APIFY_API_TOKEN = TOKEN
    settings.SITE_URL = "http://localhost:8000"
    with fake_apify() as server:
        settings.APIFY_URL = server.url
        server.items = [item(number, SOUND) for number in range(1, 8)]
        yield server


@pytest.fixture
def source(service):
    source, _is_new = sounds.add_sound(LINK, workspace=WorkspaceFactory())
    return source


def work():
    """The next look at the sound, whatever its pause; returns its job as it then is."""
    CrawlJob.objects.waiting().update(scheduled_at=timezone.now() - timedelta(seconds=1))
    assert drain(kinds.get("crawl"), most=1) == 1
    return CrawlJob.objects.order_by("-pk").first()


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


# -- paid once ---------------------------------------------------------------------------------------


def test_a_lost_answer_is_found_among_the_runs(service, source):
    service.lose_answer = True

    assert (work().error_code, service.starts) == ("order_unknown", 1)
    job = work()

    assert (job.state, job.order) == (State.COMPLETED, "Run00000000000001")
    assert service.starts == 1


def test_a_lost_answer_is_told_by_the_webhook(service, source):
    service.lose_answer, service.lists_runs = True, False
    work()
    [webhook] = service.webhooks
    order = json.loads(webhook["headersTemplate"])["X-Groundswell-Order"]
    assert work().error_code == "order_unknown"

    assert orders.deliver("apify", run="Run00000000000001", event="ACTOR.RUN.SUCCEEDED", order=order, body={})
    assert CrawlJob.objects.due().count() == 1

    assert work().state == State.COMPLETED
    assert service.starts == 1


def test_a_lost_answer_that_stays_lost_is_a_persons_to_decide(service, source, monkeypatch):
    service.lose_answer, service.lists_runs = True, False
    work()
    monkeypatch.setattr(apify, "LOOK_FOR_LOST", timedelta(0))

    assert (work().state, service.starts) == (State.FAILED, 1)
    sounds.retry(source)

    assert work().state == State.COMPLETED
    assert service.starts == 2


def test_an_order_that_reached_nobody_is_given_again(service, source, monkeypatch):
    """A worker killed before it could ask: the list shows no run of ours, so there is none."""
    monkeypatch.setattr(apify, "BEGUN_BY_THEN", timedelta(0))
    job = CrawlJob.objects.get()
    now = timezone.now().isoformat()
    job.cursor = {"since": now, "position": {"order": "order-0123456789abcdef", "at": now}}
    job.save(update_fields=["cursor"])

    assert work().state == State.COMPLETED
    assert service.starts == 1


@pytest.mark.parametrize("answer", [(500, {}), (502, b"<html>"), (201, b'{"data": {"id"'), (201, b"")])
def test_an_answer_that_cannot_be_read_may_have_begun_a_run(service, source, answer):
    service.answers["POST /v2/acts"] = answer

    work()
    service.answers.clear()
    assert work().error_code == "order_unknown"
    assert service.starts == 0
    assert service.paths("POST") == ["/v2/acts/clockworks~tiktok-sound-scraper/runs"]


def test_the_runs_address_is_enough_of_an_answer(service, source, monkeypatch):
    def cut(request, status, content, **headers):
        if status == 201:
            content = b'{"data"'
        return real(request, status, content, **headers)

    real = fake_module._send
    monkeypatch.setattr(fake_module, "_send", cut)

    assert work().state == State.COMPLETED


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((401, {"error": {"type": "user-or-token-not-found"}}), "service_paused"),
        ((402, {"error": {"message": "Not enough credit"}}), "service_paused"),
        ((404, {}), "service_paused"),
        ((400, {"error": {"message": "Bad input"}}), "unsupported"),
        ((429, {}), "rate_limited"),
    ],
)
def test_a_refused_order_is_none(service, source, answer, code):
    service.answers["POST /v2/acts"] = answer

    job = work()
    assert (job.error_code, job.cursor["position"], job.order) == (code, {}, "")
    service.answers.clear()
    sounds.retry(source)

    assert work().state == State.COMPLETED
    assert service.starts == 1


def test_nobody_there_is_tried_again(service, source, settings):
    url, settings.APIFY_URL = settings.APIFY_URL, "http://127.0.0.1:9"

    job = work()
    assert (job.state, job.cursor["position"]) == (State.RETRYING, {})
    settings.APIFY_URL = url

    assert work().state == State.COMPLETED
    assert service.starts == 1


def test_a_dataset_that_breaks_off_goes_on_at_its_page(service, source):
    service.items = [item(number, SOUND) for number in range(1, 260)]
    service.most_per_page = 100
    job = CrawlJob.objects.get()
    answers = iter([None, (500, {}), None])

    real = service._items
    service._items = lambda request, query: (
        fake_module._send(request, *broken) if (broken := next(answers, None)) else real(request, query)
    )
    first = work()
    assert first.cursor
    assert (first.state, first.cursor["position"]["offset"]) == (State.RETRYING, 100)

    job = work()

    assert (job.state, job.counts["seen"], service.starts) == (State.COMPLETED, 259, 1)
    assert MetricSnapshot.objects.count() == 259


# -- reuse -------------------------------------------------------------------------------------------


def test_a_young_run_stands_for_another(service, source):
    first = work()
    before = len(service.requests)

    assert sounds.scrape(source).pk == first.pk
    services.scan_now(source)  # as the page of all sources and the schedule do
    again = work()

    assert (again.state, again.outcome, again.order) == (State.COMPLETED, "ok", first.order)
    assert again.counts == {"seen": 7, "clip": 7, "reused": 1, "new": 0}
    assert len(service.requests) == before


def test_an_old_run_or_a_person_who_insists_orders_another(service, source):
    work()
    forced = sounds.scrape(source, force=True)
    assert work().pk == forced.pk
    assert service.starts == 2

    CrawlJob.objects.update(started_at=timezone.now() - orders.REUSE_FOR)
    sounds.scrape(source)
    work()

    assert service.starts == 3


def test_what_was_paid_for_is_read_by_the_next_job(service, source):
    """A person cancelled the job while the run went on."""
    service.status = "RUNNING"
    job = work()
    job.cancel(by="somebody")
    service.runs[job.order]["status"] = "SUCCEEDED"
    sounds.scrape(source)

    assert (work().state, service.starts) == (State.COMPLETED, 1)


def test_a_worker_that_stops_keeps_the_run(service, source, monkeypatch):
    """Told to stop while the order is out: its answer is kept, and another worker goes on."""
    from jobs import lifecycle

    service.on_start = lambda run: monkeypatch.setattr(lifecycle, "is_stopping", lambda: True)
    job = work()
    assert (job.state, job.order) == (State.PENDING, "Run00000000000001")
    monkeypatch.undo()

    assert work().state == State.COMPLETED
    assert service.starts == 1


# -- webhooks wake ------------------------------------------------------------------------------------


def test_a_webhook_wakes_the_job_that_waits_for_its_run(service, source):
    service.status = "RUNNING"
    job = work()
    assert not CrawlJob.objects.due().exists()

    assert orders.deliver(
        "apify", run=job.order, event="ACTOR.RUN.SUCCEEDED", order="", body={"resource": {"status": "SUCCEEDED"}}
    )

    assert CrawlJob.objects.due().exists()
    service.runs[job.order]["status"] = "SUCCEEDED"
    assert work().state == State.COMPLETED
    assert WebhookDelivery.objects.get().handled_at is not None


def test_what_a_webhook_says_is_not_believed(service, source):
    service.status = "RUNNING"
    job = work()
    orders.deliver("apify", run=job.order, event="ACTOR.RUN.SUCCEEDED", order="", body={"resource": {"status": "SUCCEEDED"}})

    assert work().error_code == "underway"


def test_a_webhook_that_comes_while_the_job_asks_is_not_missed(service, source):
    def tell(run):
        orders.deliver("apify", run=run, event="ACTOR.RUN.SUCCEEDED", order="", body={})
        from django.db import connection

        connection.close()

    service.status, service.on_start = "RUNNING", tell

    job = work()

    assert (job.state, CrawlJob.objects.due().count()) == (State.PENDING, 1)


def test_a_replayed_or_unknown_webhook_changes_nothing(service, source):
    work()
    before = CrawlJob.objects.values().get()

    def tell(run):
        return orders.deliver("apify", run=run, event="ACTOR.RUN.SUCCEEDED", order="", body={})

    assert [tell(before["order"]), tell(before["order"]), tell("Nobody")] == [True, False, True]

    assert CrawlJob.objects.values().get() == before
    assert WebhookDelivery.objects.count() == 2


# -- adding ------------------------------------------------------------------------------------------


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
