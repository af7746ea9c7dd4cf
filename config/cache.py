"""A cache that outlives Redis: while Redis does not answer, each process remembers for itself.

Nothing may be true only here, but limits (sign-in, API) are counted here: without Redis they hold per process
instead of for all, and nobody is locked out or sees an error page.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# After a failure nobody waits for Redis again for this long: a page that asks ten times would wait ten time-outs.
REST_SECONDS = 5.0


def _steady(name: str) -> Callable[..., Any]:
    def method(self: "SteadyCache", *args: Any, **options: Any) -> Any:
        if time.monotonic() >= SteadyCache.rest_until:
            try:
                return getattr(RedisCache, name)(self, *args, **options)
            except (RedisError, OSError):
                SteadyCache.rest_until = time.monotonic() + REST_SECONDS
                logger.warning("Redis does not answer; this process caches for itself", exc_info=True)
        return getattr(self.own, name)(*args, **options)

    method.__name__ = name
    return method


class SteadyCache(RedisCache):
    """django-redis for the cache interface of Django; its extras (locks, patterns) still need Redis."""

    rest_until = 0.0
    """time.monotonic() before which Redis is not asked; one for all threads of the process."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.own = LocMemCache("steady", {**params, "OPTIONS": {"MAX_ENTRIES": 10_000}})

    get = _steady("get")
    set = _steady("set")
    add = _steady("add")
    touch = _steady("touch")
    delete = _steady("delete")
    incr = _steady("incr")
    decr = _steady("decr")
    has_key = _steady("has_key")
    get_many = _steady("get_many")
    set_many = _steady("set_many")
    delete_many = _steady("delete_many")
    clear = _steady("clear")
