"""The one outgoing door: every URL that we did not write ourselves is fetched here.

A URL is parsed once, its name resolved once, every address checked, and the checked address itself is dialled, with the original
name for TLS and Host. Redirects are followed by hand and checked again. Bytes (as sent and as inflated), wall time and redirects
are bounded, so a liar of a server costs at most its cap. Proxies and netrc of the environment are not read.

It stands on http.client rather than requests: the socket must be ours for a deadline that also ends a slow drip within headers or
body (a library's read timeout starts anew with each byte), and a body is read into the caller's buffer without a copy.
"""

import functools
import http.client
import ipaddress
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urljoin, urlsplit

import certifi
from django.conf import settings
from django.utils.translation import gettext as _

from crawler.addresses import AllowedHosts, ForbiddenAddress, IPAddress, Target, is_public, parse_url
from crawler.answers import Fetched, Stream, TooLarge
from crawler.connections import (
    CONNECT_SECONDS,
    STALL_SECONDS,
    Connection,
    FetchError,
    IdleConnections,
    TimedOut,
    TLSSocket,
    Truncated,
    Via,
    dial,
    named_errors,
    open_socket,
)
from crawler.proxies import Proxy
from crawler.relay import relay
from jobs.errors import PermanentError

__all__ = [
    "Door",
    "FetchError",
    "Fetched",
    "ForbiddenAddress",
    "Stream",
    "TimedOut",
    "TooLarge",
    "TooManyRedirects",
    "Truncated",
    "check_url",
    "door",
    "door_to",
    "fetch_bytes",
    "open_stream",
]

MAX_REDIRECTS = 3  # enough for share link -> page -> page, and for play address -> CDN -> edge
USER_AGENT = "Mozilla/5.0 (compatible; Groundswell)"

# All that follows a redirect to another origin; anything else may be a secret.
_CROSS_ORIGIN_HEADERS = {"Accept", "Accept-Language", "If-Range", "Range", "Referer", "User-Agent"}
_REDIRECTS = {301, 302, 303, 307, 308}

Resolve = Callable[[str, int], Sequence[str]]


class TooManyRedirects(PermanentError):
    code = "redirect_loop"


def system_resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Door:
    """Fetches over checked, pinned connections. `resolve` and `ssl_context` are for other networks, and for tests.

    Through a proxy, where one is given: it is told the checked address, and TLS runs inside, to the origin itself.
    """

    def __init__(
        self,
        *,
        allowed_hosts: Sequence[str] = (),
        proxy: Proxy | None = None,
        resolve: Resolve = system_resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = AllowedHosts.parse(allowed_hosts)
        self._proxy = proxy
        self._resolve = resolve
        self._given_context = ssl_context
        self._idle = IdleConnections()

    def check_url(self, url: str) -> None:
        """Raise ForbiddenAddress if the house does not go there today; FetchError if its name is unknown."""
        self._addresses(parse_url(url, self._allowed), time.monotonic() + CONNECT_SECONDS)

    def open_socket(self, host: str, port: int, *, deadline_seconds: float = CONNECT_SECONDS) -> socket.socket:
        """A bare connection to a name, checked as a URL to it would be. Raises ForbiddenAddress, FetchError."""
        ends_at = time.monotonic() + deadline_seconds
        authority = f"[{host}]" if ":" in host else host
        target = parse_url(f"https://{authority}:{port}/", self._allowed)
        with named_errors():
            return open_socket(self._addresses(target, ends_at), port, ends_at, self._via(ends_at))

    def relay(self, hosts: Sequence[str]) -> AbstractContextManager[str]:
        """See crawler.relay.relay."""
        return relay(hosts, self.open_socket)

    @contextmanager
    def open_stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float,
        max_bytes: int,
        method: str = "GET",
        body: bytes | None = None,
        stall_seconds: float = STALL_SECONDS,
        follow: bool = True,
    ) -> Iterator[Stream]:
        """The answer, of whatever status, its body still to be read. The deadline covers everything, body included.

        A service that thinks for long before its first byte needs a longer `stall_seconds`, the longest silence.
        `follow` off: a redirect is an answer too.
        """
        ends_at = time.monotonic() + deadline_seconds
        wanted = {"User-Agent": USER_AGENT, "Accept": "*/*"}
        wanted.update({name.title(): value for name, value in (headers or {}).items()})
        wanted.pop("Host", None)
        wanted["Accept-Encoding"] = "identity"
        target = parse_url(url, self._allowed)
        for _hop in range(MAX_REDIRECTS + 1):
            connection, response = self._request(method, target, wanted, body, ends_at, stall_seconds)
            location = response.headers.get("Location")
            if not follow or response.status not in _REDIRECTS or not location or method not in ("GET", "HEAD"):
                break
            self._leave(target, connection, response, drain=True)
            # Header bytes arrive as Latin-1; those of a UTF-8 location become themselves again.
            location = location.encode("latin-1", "replace").decode("utf-8", "replace")
            following = parse_url(_joined(target.url, location), self._allowed)
            if following.origin != target.origin:
                wanted = _across_origins(wanted)
            target = following
        else:
            raise TooManyRedirects(_("The address redirects too many times."))
        has_body = method != "HEAD" and response.status not in (204, 304)
        try:
            yield Stream(response, target.url, max_bytes=max_bytes, has_body=has_body)
        except BaseException:
            response.close()
            connection.close()
            raise
        self._leave(target, connection, response)

    def fetch_bytes(
        self,
        url: str,
        *,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float = 30,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Fetched:
        """The whole answer, of whatever status. Raises TooLarge rather than hand back a part."""
        with self.open_stream(
            url,
            headers=headers,
            deadline_seconds=deadline_seconds,
            max_bytes=max_bytes,
            method=method,
            body=body,
        ) as stream:
            content = bytearray()
            buffer = bytearray(65536)
            while count := stream.readinto(buffer):
                content += memoryview(buffer)[:count]
            return Fetched(stream.status, stream.headers, stream.url, bytes(content))

    def _request(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        ends_at: float,
        stall_seconds: float,
    ) -> tuple[Connection, http.client.HTTPResponse]:
        # A server that hangs up may have acted before: what must not be done twice is sent once, on a connection of its own.
        connection = self._idle.take(target) if method in ("GET", "HEAD") else None
        if connection is not None:
            try:
                return connection, connection.ask(method, target, headers, body, ends_at, stall_seconds)
            except (ConnectionError, http.client.CannotSendRequest):
                connection.close()  # its server had hung up meanwhile, nothing was answered: ask anew
            except BaseException as error:
                connection.close()
                with named_errors():
                    raise error
        try:
            with named_errors():
                connection = dial(target, self._addresses(target, ends_at), self._ssl_context, ends_at, self._via(ends_at))
        except FetchError as error:
            error.was_sent = False
            raise
        with named_errors():
            try:
                return connection, connection.ask(method, target, headers, body, ends_at, stall_seconds)
            except BaseException:
                connection.close()
                raise

    def _leave(self, target: Target, connection: Connection, response: http.client.HTTPResponse, *, drain: bool = False) -> None:
        """Done with an answer: its connection serves again if the body was read to the end, or is short enough to."""
        if drain and response.length is not None and response.length <= 16384:
            try:
                response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
        if response.isclosed() and not response.will_close and connection.sock is not None:
            self._idle.put(target, connection)
        else:
            response.close()
            connection.close()

    def _addresses(self, target: Target, ends_at: float) -> list[IPAddress]:
        """Every address of a name, or ForbiddenAddress if a single one of them is not public."""
        found: list[IPAddress] = []
        for text in self._resolve_in_time(target.host, target.port, ends_at):
            try:
                address = ipaddress.ip_address(text)
            except ValueError as error:  # a zone, as in fe80::1%eth0
                raise ForbiddenAddress(_("This address is not on the public internet.")) from error
            if not is_public(address) and not self._allowed.covers(target):
                raise ForbiddenAddress(_("This address is not on the public internet."))
            if address not in found:
                found.append(address)
        if not found:
            raise FetchError(_("The server's name is not known."), code="unknown_host")
        return found

    def _via(self, ends_at: float) -> Via | None:
        """Our own settings name the proxy: it may stand anywhere."""
        if self._proxy is None:
            return None
        found = self._resolve_in_time(self._proxy.host, self._proxy.port, ends_at)
        return Via(self._proxy, [ipaddress.ip_address(text) for text in found])

    def _resolve_in_time(self, host: str, port: int, ends_at: float) -> Sequence[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            answer: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()

        def look_up() -> None:
            found: Sequence[str] = []
            try:
                found = self._resolve(host, port)
            except (OSError, UnicodeError):
                pass
            finally:
                answer.put(found)

        # A thread, because getaddrinfo cannot be interrupted, and a silent name server must not outlast the deadline.
        threading.Thread(target=look_up, name="resolve", daemon=True).start()
        try:
            return answer.get(timeout=max(0.001, min(CONNECT_SECONDS, ends_at - time.monotonic())))
        except queue.Empty:
            raise TimedOut(_("The server's name could not be looked up in time.")) from None

    @functools.cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        context = self._given_context or ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())
        context.sslsocket_class = TLSSocket
        return context


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:  # a bracket that is never closed, for one
        return ""  # no usable address, as parse_url says


def _across_origins(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in headers.items() if name in _CROSS_ORIGIN_HEADERS}
    if "Referer" in kept:
        # Only the origin, as browsers do. CDNs check it against hot links, so it is not dropped altogether.
        scheme, _separator, rest = kept["Referer"].partition("://")
        kept["Referer"] = f"{scheme}://{rest.partition('/')[0]}/"
    kept["Accept-Encoding"] = "identity"
    return kept


@functools.lru_cache(maxsize=32)
def _door(allowed_hosts: tuple[str, ...], proxy: str = "") -> Door:
    return Door(allowed_hosts=allowed_hosts, proxy=Proxy.parse(proxy) if proxy else None)


def door() -> Door:
    """The process's door, with the exceptions that FETCH_ALLOWED_HOSTS names."""
    return _door(tuple(settings.FETCH_ALLOWED_HOSTS))


def door_to(base_url: str, *, proxy: str = "") -> Door:
    """A door for one service. Its address stands in our own settings, so it may be a private one.

    Every request through it goes through `proxy`, those to other hosts too. Raises ValueError for what is no proxy's address.
    """
    parts = urlsplit(base_url)
    own = [f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"] if parts.hostname else []
    return _door((*settings.FETCH_ALLOWED_HOSTS, *own), proxy)


def check_url(url: str) -> None:
    """See Door.check_url."""
    door().check_url(url)


@contextmanager
def open_stream(
    url: str, *, headers: Mapping[str, str] | None = None, deadline_seconds: float, max_bytes: int
) -> Iterator[Stream]:
    """See Door.open_stream."""
    with door().open_stream(url, headers=headers, deadline_seconds=deadline_seconds, max_bytes=max_bytes) as stream:
        yield stream


def fetch_bytes(url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None, deadline_seconds: float = 30) -> Fetched:
    """See Door.fetch_bytes."""
    return door().fetch_bytes(url, max_bytes=max_bytes, headers=headers, deadline_seconds=deadline_seconds)
