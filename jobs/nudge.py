"""Telling workers that a row waits. A nudge may be lost, doubled or late: the dispatch pass finds the row anyway."""

import functools
import logging
import time

import kombu.exceptions
import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs import kinds

logger = logging.getLogger(__name__)

IN_FLIGHT_SECONDS = 15
# Much longer than a nudge is of use, because a message expires by the clock of the machine that reads it.
EXPIRES_SECONDS = 900
# A request waits for a Redis that hangs no longer than this, and after it nobody asks for a while.
ANSWER_SECONDS = 0.5
REST_SECONDS = 5.0
_rest_until = 0.0


def nudge(kind_name: str) -> None:
    """After the commit, ask one worker to look. Coalesced while an earlier nudge is in flight; never raises."""
    transaction.on_commit(lambda: send(kind_name), robust=True)


def send(kind_name: str) -> bool:
    """Send now; return whether a message went out."""
    global _rest_until
    from jobs.tasks import drain_kind

    if time.monotonic() < _rest_until:
        return False
    queue = kinds.get(kind_name).queue
    try:
        if not _redis().set(_key(kind_name), 1, nx=True, ex=IN_FLIGHT_SECONDS):
            return False
        drain_kind.apply_async((kind_name,), queue=queue, expires=EXPIRES_SECONDS, retry=False)
    except (kombu.exceptions.OperationalError, redis.RedisError, OSError):
        _rest_until = time.monotonic() + REST_SECONDS
        logger.warning("A nudge could not be sent; the dispatch pass will find the job", exc_info=True)
        return False
    return True


def received(kind_name: str) -> None:
    """A worker looks now: the next row may nudge again. Called before the claim, so no row falls between."""
    try:
        _redis().delete(_key(kind_name))
    except (redis.RedisError, OSError):
        logger.debug("A nudge could not be marked as received", exc_info=True)


@functools.cache
def _redis() -> redis.Redis:
    """Redis itself and not the cache, which would remember for this process alone while Redis is away."""
    return redis.Redis.from_url(
        str(settings.CACHES["default"]["LOCATION"]),
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _key(kind_name: str) -> str:
    return f"{settings.CACHES['default']['KEY_PREFIX']}:nudge:{kind_name}"
