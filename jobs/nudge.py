"""Telling workers that a row waits. A nudge may be lost, doubled or late: the dispatch pass finds the row anyway."""

import logging
import time

import kombu.exceptions
import redis.exceptions
from django.core.cache import cache
from django.db import transaction
from django_redis.exceptions import ConnectionInterrupted

from jobs import kinds

logger = logging.getLogger(__name__)

NO_BROKER = (kombu.exceptions.OperationalError, redis.exceptions.RedisError, ConnectionInterrupted, OSError)
# After a failure nobody waits for the broker again for this long: bulk enqueueing must not pay it per row.
REST_SECONDS = 5.0
IN_FLIGHT_SECONDS = 15
# Much longer than a nudge is of use, because a message expires by the clock of the machine that reads it.
EXPIRES_SECONDS = 900
# A pool of processes ends one that hangs: this much later than its job should have ended.
GRACE_SECONDS = 60
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
    kind = kinds.get(kind_name)
    longest = int(kind.deadline.total_seconds()) + GRACE_SECONDS
    try:
        if not cache.add(_key(kind_name), 1, timeout=IN_FLIGHT_SECONDS):
            return False
        drain_kind.apply_async((kind_name,), queue=kind.queue, expires=EXPIRES_SECONDS, time_limit=longest, retry=False)
    except NO_BROKER:
        _rest_until = time.monotonic() + REST_SECONDS
        logger.warning("A nudge could not be sent; the dispatch pass will find the job", exc_info=True)
        return False
    return True


def received(kind_name: str) -> None:
    """A worker looks now: the next row may nudge again. Called before the claim, so no row falls between."""
    try:
        cache.delete(_key(kind_name))
    except NO_BROKER:
        logger.debug("A nudge could not be marked as received", exc_info=True)


def _key(kind_name: str) -> str:
    return f"nudge:{kind_name}"
