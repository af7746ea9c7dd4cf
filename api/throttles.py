"""How many requests a minute: counted in Redis, by person or by client address; the numbers are set by staff.

Without Redis the cache counts in each process for itself (config/cache.py): a limiter must not be what takes the service down.
"""

import threading
import time
from typing import TYPE_CHECKING, Any

from constance import config
from django.core.cache import cache
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from catalog.export_limits import address_of

if TYPE_CHECKING:
    from rest_framework.views import APIView

WINDOW_SECONDS = 60
NUMBERS_SECONDS = 15
"""How long a process trusts the numbers it read: staff see a change after that."""
MOST_AT_ONCE = 20


class PerMinute(BaseThrottle):
    """One counter for reading and one for everything else, in windows of a minute that start with the clock's."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        act = "read" if request.method in SAFE_METHODS else "write"
        who = "user" if request.user.is_authenticated else "anonymous"
        most = _number(f"API_{who}_{act}s_per_minute".upper())
        if most <= 0:
            return True
        now = time.time()
        self._wait = WINDOW_SECONDS - now % WINDOW_SECONDS
        name = str(request.user.pk) if who == "user" else self.address(request)
        return _allowances.take(f"throttle:{act}:{who}:{name}", int(now // WINDOW_SECONDS), most)

    def wait(self) -> float:
        return self._wait

    def address(self, request: Request) -> str:
        """Of the client."""
        return address_of(request)


class Allowances:
    """What this process may still let through. It takes a fiftieth of the limit at a time: one question to Redis for many
    requests. All processes together never let through more than the limit; one may refuse what another could still allow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._window = 0
        self._left: dict[str, int] = {}

    def take(self, key: str, window: int, most: int) -> bool:
        with self._lock:
            if window != self._window:
                self._window, self._left = window, {}
            if self._left.get(key, 0) > 0:
                self._left[key] -= 1
                return True
        step = max(1, min(most // 50, MOST_AT_ONCE))
        before = _add(f"{key}:{window}", step) - step
        granted = min(step, most - before)
        with self._lock:
            if granted > 1 and window == self._window:
                self._left[key] = self._left.get(key, 0) + granted - 1
        return granted > 0


def _add(key: str, step: int) -> int:
    """The count with this step."""
    for _try in range(2):
        try:
            return cache.incr(key, step)
        except ValueError:  # the first of its minute, or one of several at once
            if cache.add(key, step, timeout=2 * WINDOW_SECONDS):
                break
    return step


class TooManyRequests(Throttled):
    default_code = "throttled"

    def __init__(self, wait: float | None = None) -> None:
        super().__init__(wait=None, detail=_("Too many requests in this minute."))
        self.wait = wait


_allowances = Allowances()
_numbers: dict[str, tuple[float, int]] = {}


def _number(name: str) -> int:
    now = time.monotonic()
    read_at, number = _numbers.get(name, (-NUMBERS_SECONDS, 0))
    if now - read_at >= NUMBERS_SECONDS:
        value: Any = getattr(config, name)
        _numbers[name] = now, (number := int(value))
    return number


def forget() -> None:
    """Read the numbers anew, and count from nothing in this process."""
    _numbers.clear()
    _allowances.forget()
