"""What Apify tells by itself wakes what waits for it, and is not believed."""

import pytest

from crawler import orders
from crawler.models import CrawlJob, WebhookDelivery
from jobs.models import State
from tests.crawler.apify.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)


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
