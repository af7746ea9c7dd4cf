"""How many requests a minute: counted in Redis, by person or by client address; the numbers are set by staff.

Without Redis the cache counts in each process for itself (config/cache.py): a limiter must not be what takes the service down.
"""

import ipaddress
import time
from typing import TYPE_CHECKING, Any

from constance import config
from django.core.cache import cache
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

WINDOW_SECONDS = 60
NUMBERS_SECONDS = 15
"""How long a process trusts the numbers it read: staff see a change after that."""


class PerMinute(BaseThrottle):
    """One counter for reading and one for everything else, in windows of a minute that start with the clock's."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        act = "read" if request.method in SAFE_METHODS else "write"
        who = "user" if request.user.is_authenticated else "anonymous"
        most = _number(f"API_{who}_{act}s_per_minute".upper())
        if most <= 0:
            return True
        name = str(request.user.pk) if who == "user" else self.address(request)
        now = time.time()
        count = self._count(f"throttle:{act}:{who}:{name}:{int(now // WINDOW_SECONDS)}")
        self._wait = WINDOW_SECONDS - now % WINDOW_SECONDS
        return count <= most

    def wait(self) -> float:
        return self._wait

    def address(self, request: Request) -> str:
        """The client's address as the server or NUM_PROXIES trusted proxies saw it; of IPv6, the /64 that one client holds."""
        ident = self.get_ident(request)
        try:
            address = ipaddress.ip_address(ident)
        except ValueError:
            return "unknown"  # a server behind a Unix socket, or a proxy that sends nonsense: one bucket for all of them
        if address.version == 6 and not address.ipv4_mapped:
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address.ipv4_mapped or address) if address.version == 6 else str(address)

    @staticmethod
    def _count(key: str) -> int:
        """How many this one makes."""
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        try:
            return cache.incr(key)
        except ValueError:  # forgotten between the two
            return 1


class TooManyRequests(Throttled):
    default_code = "throttled"

    def __init__(self, wait: float | None = None) -> None:
        super().__init__(wait=None, detail=_("Too many requests in this minute."))
        self.wait = wait


_numbers: dict[str, tuple[float, int]] = {}


def _number(name: str) -> int:
    now = time.monotonic()
    read_at, number = _numbers.get(name, (-NUMBERS_SECONDS, 0))
    if now - read_at >= NUMBERS_SECONDS:
        value: Any = getattr(config, name)
        _numbers[name] = now, (number := int(value))
    return number


def forget() -> None:
    """Read the numbers anew."""
    _numbers.clear()
