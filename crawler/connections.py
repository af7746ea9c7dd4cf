"""Sockets for the outgoing door: dialled to a checked address, ending at a deadline, kept per thread for the next request."""

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from django.utils.translation import gettext as _

from crawler.addresses import IPAddress, Target
from crawler.proxies import Proxy, ProxyRefused, negotiate
from jobs.errors import TransientError

CONNECT_SECONDS = 10.0
STALL_SECONDS = 20.0  # silence after which a connection is given up, whatever the deadline, unless an asker is more patient
IDLE_SECONDS = 15.0
IDLE_PER_THREAD = 4

T = TypeVar("T")


class FetchError(TransientError):
    """The other side could not be reached, or broke off, or spoke nonsense. May pass."""

    code = "unreachable"
    was_sent = True
    """Whether the request may have arrived, and been acted upon, though no answer came."""


class TimedOut(FetchError):
    code = "timed_out"


class Truncated(FetchError):
    """The body ended before the length that its server had promised."""

    code = "truncated"


@contextmanager
def named_errors() -> Iterator[None]:
    """Give the errors of sockets and http.client our own names."""
    try:
        yield
    except TimeoutError as error:
        raise TimedOut(_("The server took too long.")) from error
    except ProxyRefused as error:
        raise FetchError(str(error), code="proxy_failed") from error
    except http.client.IncompleteRead as error:
        raise Truncated(_("The server broke off in the middle of its answer.")) from error
    except ssl.SSLCertVerificationError as error:
        message = _("The server's certificate is not valid for its name.")
        raise FetchError(message, code="bad_certificate") from error
    except OSError as error:  # http.client.RemoteDisconnected is one of these
        raise FetchError(_("The server cannot be reached, or hung up.")) from error
    except (http.client.HTTPException, ValueError) as error:
        raise FetchError(_("The server's answer is not HTTP."), code="bad_answer") from error


class _DeadlineMixin:
    """A socket whose reads end at a moment, however regularly the other side sends a byte."""

    ends_at: float
    stall_seconds = STALL_SECONDS

    def recv_into(self, *args: object) -> int:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        if left < self.stall_seconds:
            self.settimeout(left)  # type: ignore[attr-defined]
        return super().recv_into(*args)  # type: ignore[misc,no-any-return]

    def __del__(self) -> None:
        self.close()  # type: ignore[attr-defined]  # kept idle by a thread that has ended: closed without a warning


class _PlainSocket(_DeadlineMixin, socket.socket):
    pass


class TLSSocket(_DeadlineMixin, ssl.SSLSocket):
    """What an SSLContext must make: set it as its `sslsocket_class`."""


class Response(http.client.HTTPResponse):
    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Hand over what has arrived, as soon as there is any: a drip is seen while it drips, not once it filled a buffer."""
        if self.isclosed():
            return 0
        if self.length is None or self.chunked:
            data = self.read1(len(buffer))
            buffer[: len(data)] = data
            return len(data)
        count: int = self.fp.readinto1(memoryview(buffer)[: self.length])
        self.length -= count
        if count == 0 or self.length == 0:
            self._close_conn()  # type: ignore[attr-defined]
        return count


class Connection(http.client.HTTPConnection):
    """http.client over a socket that we dialled ourselves; it never opens one."""

    auto_open = 0
    response_class = Response

    def __init__(self, target: Target, sock: _PlainSocket | TLSSocket) -> None:
        super().__init__(target.host, target.port)
        self.sock: _PlainSocket | TLSSocket = sock
        self.idle_since = 0.0

    def ask(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        ends_at: float,
        stall_seconds: float = STALL_SECONDS,
    ) -> http.client.HTTPResponse:
        self.sock.ends_at, self.sock.stall_seconds = ends_at, stall_seconds
        self.sock.settimeout(_within(stall_seconds, ends_at))
        self.putrequest(method, target.path, skip_host=True, skip_accept_encoding=True)
        self.putheader("Host", target.authority)
        for name, value in headers.items():
            self.putheader(name, value.encode("latin-1", "replace"))
        if body is not None:
            self.putheader("Content-Length", str(len(body)))
        self.endheaders(body)
        return self.getresponse()


@dataclass(frozen=True, slots=True)
class Via:
    """A proxy, and the addresses of its name."""

    proxy: Proxy
    addresses: Sequence[IPAddress]


def dial(
    target: Target, addresses: Sequence[IPAddress], context: ssl.SSLContext, ends_at: float, via: Via | None = None
) -> Connection:
    """Connect to the first of the addresses that answers, under the target's own name. Resolves nothing."""

    def speak(sock: _PlainSocket) -> Connection:
        if target.scheme == "http":
            return Connection(target, sock)
        secure = context.wrap_socket(sock, server_hostname=target.host)
        assert isinstance(secure, TLSSocket)
        secure.ends_at = ends_at
        return Connection(target, secure)

    return _first(addresses, target.port, ends_at, via, speak)


def open_socket(addresses: Sequence[IPAddress], port: int, ends_at: float, via: Via | None = None) -> socket.socket:
    """A bare connection to the first of the addresses that answers."""
    return _first(addresses, port, ends_at, via, lambda sock: sock)


def _first(addresses: Sequence[IPAddress], port: int, ends_at: float, via: Via | None, then: Callable[["_PlainSocket"], T]) -> T:
    last: OSError = OSError("no address")
    for address in addresses:
        sock = None
        try:
            sock = _connect(address, port, ends_at) if via is None else _connect_via(via, address, port, ends_at)
            return then(sock)
        except (ssl.SSLCertVerificationError, ProxyRefused):
            if sock is not None:
                sock.close()
            raise
        except OSError as error:
            if sock is not None:
                sock.close()
            last = error
        except BaseException:
            if sock is not None:
                sock.close()
            raise
    raise last


def _connect_via(via: Via, address: IPAddress, port: int, ends_at: float) -> "_PlainSocket":
    last: OSError = OSError("no address")
    for own in via.addresses:
        try:
            sock = _connect(own, via.proxy.port, ends_at)
        except OSError as error:
            last = error
            continue
        try:
            negotiate(sock, via.proxy, address, port)
        except BaseException:
            sock.close()
            raise
        return sock
    raise ProxyRefused(_("The proxy cannot be reached.")) from last


def _connect(address: IPAddress, port: int, ends_at: float) -> "_PlainSocket":
    sock = _PlainSocket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    sock.ends_at = ends_at
    try:
        sock.settimeout(_within(CONNECT_SECONDS, ends_at))
        sock.connect((str(address), port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


class IdleConnections:
    """Kept per thread: no lock, and no two threads in one answer."""

    def __init__(self) -> None:
        self._local = threading.local()

    def take(self, target: Target) -> Connection | None:
        connection = self._of_this_thread().pop(target.origin, None)
        if connection is not None and time.monotonic() - connection.idle_since > IDLE_SECONDS:
            connection.close()
            return None
        return connection

    def put(self, target: Target, connection: Connection) -> None:
        connection.idle_since = time.monotonic()
        idle = self._of_this_thread()
        surplus = [idle.pop(target.origin, None)]
        if len(idle) >= IDLE_PER_THREAD:
            surplus.append(idle.pop(next(iter(idle))))
        idle[target.origin] = connection
        for old in surplus:
            if old is not None:
                old.close()

    def _of_this_thread(self) -> dict[str, Connection]:
        if getattr(self._local, "pid", None) != os.getpid():  # after a fork, sockets belong to the parent
            self._local.pid = os.getpid()
            self._local.idle = {}
        idle: dict[str, Connection] = self._local.idle
        return idle


def _within(seconds: float, ends_at: float) -> float:
    return max(0.001, min(seconds, ends_at - time.monotonic()))
