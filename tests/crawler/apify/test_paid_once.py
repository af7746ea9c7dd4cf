"""A run is paid for once, whatever breaks, and stands for others while it is young."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

import tests.crawler.apify.fake_apify as fake_module
from crawler import orders, services, sounds
from crawler.models import CrawlJob, MetricSnapshot
from crawler.providers import apify
from jobs.models import State
from tests.crawler.apify.conftest import SOUND, work
from tests.crawler.apify.fake_apify import item

pytestmark = pytest.mark.django_db(transaction=True)


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
