"""Runs that a service does in the background for us: taken up again, waited for, and what its webhooks say of them.

A webhook is a hint and nothing more: it is stored once and wakes the crawl that waits for that run, which asks the service
itself. One that comes twice, late, early, or for a run nobody knows changes nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from psycopg.types.json import Jsonb

from crawler.cleaning import clean_json
from crawler.models import CrawlJob, WebhookDelivery
from crawler.providers.errors import OrderUnknown, Underway
from jobs import nudge
from jobs.errors import JobError
from jobs.models import State
from jobs.statements import execute

if TYPE_CHECKING:
    from crawler.services import Run

REUSE_FOR = timedelta(hours=6)
"""A run younger than this is not paid for again, unless a person insists."""
KEPT_FOR = timedelta(days=90)
"""Deliveries older than this are of use to nobody."""
OUR_ORDER = "ourOrder"

_DELIVER = """
    WITH stored AS (
        INSERT INTO crawler_webhookdelivery (service, key, body, received_at)
        VALUES (%(service)s, %(key)s, %(body)s, %(now)s)
        ON CONFLICT (service, key) DO NOTHING
        RETURNING id
    ), woken AS (
        UPDATE crawler_crawljob SET scheduled_at = statement_timestamp()
        WHERE EXISTS (SELECT FROM stored) AND state IN ('pending', 'retrying') AND scheduled_at > statement_timestamp()
            AND "order" <> '' AND "order" IN (%(run)s, %(order)s)
        RETURNING id
    )
    SELECT (SELECT count(*) FROM stored), (SELECT count(*) FROM woken)
"""


def deliver(service: str, *, run: str, event: str, order: str, body: Mapping[str, Any]) -> bool:
    """Store what a service says of a run, once, and wake the crawl that waits for it; return whether it was new."""
    [(stored, woken)] = execute(
        _DELIVER,
        {
            "service": service,
            "key": f"{run}:{event}",
            "body": Jsonb(clean_json(dict(body)) | {OUR_ORDER: order}),
            "now": timezone.now(),
            "run": run,
            "order": order,
        },
    )
    if woken:
        nudge.nudge("crawl")
    return bool(stored)


def take_up(job: CrawlJob, run: Run) -> bool:
    """Go on with what was ordered before, by this job or the one before it; return whether nothing is left to read."""
    now = timezone.now()
    if run.position is None and not run.is_anew:
        last = CrawlJob.objects.filter(source=job.source_id).exclude(Q(order="") | Q(pk=job.pk)).order_by("-pk").first()
        if last is not None and last.started_at and now - last.started_at < REUSE_FOR:
            if last.state == State.COMPLETED:
                with job.fenced():
                    job.order, job.counts = last.order, {**last.counts, "new": 0, "reused": 1}
                    job.save(update_fields=["order", "counts"])
                return True
            _inherit(job, run, last)
    if run.position and "order" in run.position and "run" not in run.position:
        told = WebhookDelivery.objects.filter(**{f"body__{OUR_ORDER}": run.position["order"]}).order_by("pk").first()
        if told is not None:
            run.position["run"] = job.order = told.key.partition(":")[0]
    _about(job.order).filter(handled_at=None).update(handled_at=now)
    return False


def _inherit(job: CrawlJob, run: Run, last: CrawlJob) -> None:
    kept = last.cursor if isinstance(last.cursor, dict) else {}
    if kept.get("position"):
        run.position, job.order = dict(kept["position"]), last.order
        run.since = parse_datetime(kept.get("since") or "") or run.since


def hurry(job: CrawlJob, error: JobError, *, since: datetime) -> None:
    """What came while the job was asking would have found nobody waiting: then it does not wait."""
    if isinstance(error, Underway | OrderUnknown) and _about(job.order).filter(handled_at=None, received_at__gte=since).exists():
        error.retry_after = timedelta(0)


def forget(now: datetime) -> int:
    """Remove deliveries that are long past; return how many."""
    return WebhookDelivery.objects.filter(received_at__lt=now - KEPT_FOR).delete()[0]


def _about(order: str) -> Any:
    """Deliveries about a run, by its own name or by what we called the order."""
    if not order:
        return WebhookDelivery.objects.none()
    return WebhookDelivery.objects.filter(Q(key__startswith=f"{order}:") | Q(**{f"body__{OUR_ORDER}": order}))
