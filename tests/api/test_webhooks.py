"""Apify's webhooks: whoever lacks the secret leaves no trace; whoever has it cannot do more than make us look."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crawler.models import CrawlJob, WebhookDelivery
from crawler.providers.apify import WEBHOOK_PATH
from tests.factories import CrawlJobFactory

SECRET = "only-apify-knows"
EVENT = {
    "userId": "U",
    "createdAt": "2026-11-21T06:00:00.000Z",
    "eventType": "ACTOR.RUN.SUCCEEDED",
    "eventData": {"actorId": "A", "actorRunId": "Run1"},
    "resource": {"id": "Run1", "status": "SUCCEEDED"},
}


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.APIFY_WEBHOOK_SECRET = SECRET


def send(body=EVENT, secret=SECRET, **headers):
    if secret is not None:
        headers["X-Groundswell-Secret"] = secret
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client(enforce_csrf_checks=True).post(WEBHOOK_PATH, content, content_type="application/json", headers=headers)


def waiting(**changes):
    later = timezone.now() + timedelta(minutes=2)
    return CrawlJobFactory(order="Run1", scheduled_at=later, error_code="underway", **changes)


@pytest.mark.django_db
@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], "né"])
def test_without_the_secret_nothing_is_stored_or_done(secret):
    job = waiting()

    response = send(secret=secret)

    assert response.status_code == 401
    assert response.json()["code"] == "wrong_secret"
    assert not WebhookDelivery.objects.exists()
    assert CrawlJob.objects.get().scheduled_at == job.scheduled_at


@pytest.mark.django_db
def test_no_secret_of_ours_lets_nobody_in(settings):
    settings.APIFY_WEBHOOK_SECRET = ""

    assert send(secret="").status_code == 401


@pytest.mark.django_db
def test_an_event_is_stored_and_wakes_its_job_in_two_statements(django_assert_max_num_queries):
    waiting()

    with django_assert_max_num_queries(2):
        response = send()

    assert (response.status_code, response.json()) == (200, {"is_new": True})
    stored = WebhookDelivery.objects.get()
    assert (stored.service, stored.key, stored.body["resource"]["status"]) == ("apify", "Run1:ACTOR.RUN.SUCCEEDED", "SUCCEEDED")
    assert CrawlJob.objects.due().exists()


@pytest.mark.django_db
@pytest.mark.parametrize("trait", ["completed", "failed", "cancelled", "running"])
def test_a_job_that_does_not_wait_is_not_touched(trait):
    CrawlJobFactory(order="Run1", **{trait: True})
    before = CrawlJob.objects.values().get()

    assert send().status_code == 200

    assert CrawlJob.objects.values().get() == before


@pytest.mark.django_db
def test_events_in_any_order_are_told_apart():
    waiting()

    for name in ("SUCCEEDED", "CREATED", "SUCCEEDED"):
        assert send({**EVENT, "eventType": f"ACTOR.RUN.{name}"}).status_code == 200

    assert WebhookDelivery.objects.count() == 2


@pytest.mark.django_db
def test_a_run_nobody_knows_is_kept_for_staff_to_see(staff_client):
    assert send({**EVENT, "eventData": {"actorRunId": "Forged"}}).status_code == 200

    shown = staff_client.get("/admin/crawler/webhookdelivery/")

    assert b"Forged" in shown.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b'{"eventType": "ACTOR.RUN.SUCCEEDED"}', 400),
        (b'{"eventType": "a\\u0000", "eventData": {"actorRunId": "Run1"}}', 400),
        ({**EVENT, "eventData": {"actorRunId": "../secrets"}}, 400),
        ({**EVENT, "eventData": {"actorRunId": 7}}, 400),
        ({**EVENT, "eventData": "Run1"}, 400),
        ({**EVENT, "eventType": "ACTOR.RUN.SUCCEEDED:x"}, 400),
        ({**EVENT, "padding": "x" * 65_536}, 413),
        (b"[" * 60_000, 400),
    ],
)
def test_what_is_no_event_is_refused_and_not_stored(body, status):
    response = send(body)

    assert response.status_code == status
    assert set(response.json()) >= {"code", "detail"}
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db
def test_other_methods_are_refused():
    assert [Client().generic(method, WEBHOOK_PATH).status_code for method in ("GET", "PUT", "DELETE")] == [405] * 3


@pytest.mark.django_db(transaction=True)
def test_a_hundred_copies_at_once_have_one_effect():
    job = waiting()

    def copy(_number):
        try:
            return send().json()["is_new"]
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=16) as pool:
        told = list(pool.map(copy, range(100)))

    assert told.count(True) == 1
    assert WebhookDelivery.objects.count() == 1
    assert CrawlJob.objects.get().pk == job.pk
    assert CrawlJob.objects.due().count() == 1
