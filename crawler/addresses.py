"""Which URLs and addresses the house may talk to. Pure: nothing here resolves or dials."""

import ipaddress
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext as _

from jobs.errors import PermanentError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

DEFAULT_PORTS = {"http": 80, "https": 443}

# Written out rather than left to `is_global`: CPython 3.11.7 calls 64:ff9b::7f00:1, 2002:7f00:1::, fec0::1,
# ::127.0.0.1, 192.0.0.8 and multicast global, and later versions differ again.
FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; also a cloud's metadata address
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent: a public number, an internal machine
        "169.254.0.0/16",  # link-local, metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Of IPv6 only global unicast is let through, which leaves out ::/96, ::ffff:0:0/96 (mapped), 64:ff9b::/96 (NAT64),
# fc00::/7, fe80::/10, fec0::/10 and ff00::/8; and within it not what carries another address or is reserved.
ALLOWED_V6 = ipaddress.IPv6Network("2000::/3")
FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)

# What may stand unquoted in a URL, "%" included so that nothing is quoted twice.
_SAFE_IN_URL = "%/:=&?~+!$,;'@()*[]"


class ForbiddenAddress(PermanentError):
    """The URL leads, or could lead, somewhere the house does not go."""

    code = "forbidden_address"
    was_sent = False
    """As of crawler.connections.FetchError: nothing went out."""


def is_public(address: IPAddress) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in FORBIDDEN_V4)
    return address in ALLOWED_V6 and not any(address in network for network in FORBIDDEN_V6)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart once; what is dialled is this and nothing else."""

    scheme: str
    host: str
    """Lower case, ASCII (IDNA), without a trailing dot or brackets."""
    port: int
    path: str
    """Path and query, quoted, as sent in the request line."""

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        return self.origin + self.path


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """FETCH_ALLOWED_HOSTS: names that may be private. `host` covers ports 80 and 443, `host:port` that port."""

    entries: frozenset[tuple[str, int | None]]

    @classmethod
    def parse(cls, names: Iterable[str]) -> "AllowedHosts":
        entries = set()
        for name in names:
            parts = urlsplit(f"//{name.strip()}")
            if parts.hostname:
                entries.add((parts.hostname.rstrip("."), parts.port))
        return cls(frozenset(entries))

    def covers(self, target: Target) -> bool:
        if (target.host, target.port) in self.entries:
            return True
        return target.port in DEFAULT_PORTS.values() and (target.host, None) in self.entries


def parse_url(url: str, allowed: AllowedHosts) -> Target:
    """Take a URL apart; raise ForbiddenAddress for a scheme, port or spelling that the house does not dial."""
    url = url.strip(" ")
    if not url or len(url) > 8192 or "\\" in url or any(unicodedata.category(c) in ("Cc", "Cs") for c in url):
        raise ForbiddenAddress(_("This is not a usable web address."), code="invalid_url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenAddress(_("This is not a usable web address."), code="invalid_url") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise ForbiddenAddress(_("Only http and https addresses are fetched."), code="forbidden_scheme")
    if "@" in parts.netloc:
        raise ForbiddenAddress(_("A web address with a user name in it is not fetched."))
    if port is None:
        port = DEFAULT_PORTS[parts.scheme]
    path = quote(parts.path or "/", safe=_SAFE_IN_URL)
    if parts.query:
        path += "?" + quote(parts.query, safe=_SAFE_IN_URL)
    target = Target(parts.scheme, _host(parts.hostname or "", is_bracketed="[" in parts.netloc), port, path)
    if port not in DEFAULT_PORTS.values() and not allowed.covers(target):
        raise ForbiddenAddress(_("Only ports 80 and 443 are fetched."))
    return target


def _host(name: str, *, is_bracketed: bool) -> str:
    if is_bracketed or ":" in name:
        try:
            return str(ipaddress.IPv6Address(name))  # refuses a zone: "%" is not a host of ours
        except ValueError as error:
            raise ForbiddenAddress(_("This is not a usable web address."), code="invalid_url") from error
    try:
        host = name.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError as error:
        raise ForbiddenAddress(_("This is not a usable web address."), code="invalid_url") from error
    if not host or len(host) > 253 or not all(c.isalnum() or c in "-._" for c in host):
        raise ForbiddenAddress(_("This is not a usable web address."), code="invalid_url")
    last = host.rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        # A number: resolvers read 127.1, 0x7f.1, 0177.0.0.1 and 2130706433 each in their own way, so only one way is taken.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise ForbiddenAddress(_("This way of writing an address is not accepted.")) from error
    return host
