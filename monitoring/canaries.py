"""Canaries: proof, queue by queue, that a worker takes messages and does them."""

import logging
import time
from datetime import UTC, datetime

import kombu.exceptions
import redis.exceptions
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from monitoring.health import queues
from monitoring.models import Canary

logger = logging.getLogger(__name__)

EXPIRES_SECONDS = 60  # a dead queue must not fill up with canaries


def send() -> int:
    """One through every queue; return how many went out. A queue that cannot be reached stays unanswered."""
    from monitoring.tasks import answer_canary

    sent = 0
    for queue in queues():
        # Marked before it is sent: an answer must not be overtaken by its own question.
        Canary.objects.get_or_create(queue=queue)
        Canary.objects.filter(queue=queue).update(sent_at=Now(), unanswered_since=Coalesce("unanswered_since", Now()))
        try:
            answer_canary.apply_async((queue, time.time()), queue=queue, expires=EXPIRES_SECONDS, retry=False)
        except (kombu.exceptions.OperationalError, redis.exceptions.RedisError, OSError):
            logger.warning("A canary could not be sent", extra={"queue": queue})
        else:
            sent += 1
    return sent


def answer(queue: str, *, sent_at: float, worker: str) -> None:
    """Called inside a worker of the queue; `sent_at` in seconds since 1970."""
    now = timezone.now()
    took = max(0.0, (now - datetime.fromtimestamp(sent_at, UTC)).total_seconds())
    Canary.objects.filter(queue=queue).update(answered_at=now, unanswered_since=None, seconds=took, worker=worker[:120])
