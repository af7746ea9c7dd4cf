"""How often somebody may have an export made: each costs as much as hundreds of pages."""

import ipaddress
import time

from constance import config
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW_SECONDS = 60


def seconds_to_wait(request: HttpRequest | Request) -> int:
    """Counts this export. 0: it may be made; else in so many seconds the next one may. By person, or by address without one."""
    is_known = request.user.is_authenticated
    most = config.EXPORTS_USER_PER_MINUTE if is_known else config.EXPORTS_ANONYMOUS_PER_MINUTE
    if most <= 0:
        return 0
    who = f"user:{request.user.pk}" if is_known else f"address:{address_of(request)}"
    window, passed = divmod(int(time.time()), WINDOW_SECONDS)
    key = f"export:{who}:{window}"
    cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
    try:
        count = cache.incr(key)
    except ValueError:  # the cache forgot it this moment
        return 0
    return WINDOW_SECONDS - passed if count > most else 0


def address_of(request: HttpRequest | Request) -> str:
    """The client's, as the server or NUM_PROXIES trusted proxies saw it; of IPv6, the /64 that one client holds."""
    ident = BaseThrottle().get_ident(request)  # type: ignore[arg-type]  # it reads META, which both have
    try:
        address = ipaddress.ip_address(ident)
    except ValueError:
        return "unknown"  # a server behind a Unix socket, or a proxy that sends nonsense: one bucket for all of them
    if address.version == 6 and not address.ipv4_mapped:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address.ipv4_mapped or address) if address.version == 6 else str(address)
