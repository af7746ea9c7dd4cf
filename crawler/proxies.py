"""Proxies that settings name: reading their addresses, and asking them for a connection.

HTTP proxies by CONNECT (RFC 9110, 9.3.6), SOCKS5 by RFC 1928 with the user name and password of RFC 1929. A proxy is always
given the address that the door has resolved and checked, never a name: what it dials is what was allowed.
"""

import base64
import ipaddress
import socket
import struct
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext as _

SCHEMES = ("http", "socks5")
MOST_HEAD_BYTES = 8192
_NO_AUTHENTICATION, _USER_AND_PASSWORD = 0, 2


class ProxyRefused(OSError):
    """The proxy does not connect us: it is no proxy, wants another password, or may not go there."""


@dataclass(frozen=True, slots=True)
class Proxy:
    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Its address, fit to be shown."""
        signed_in = f"{self.user}:***@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{signed_in}{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Proxy":
        """Raises ValueError, whose sentence leaves the value out: it may hold a password."""
        try:
            parts = urlsplit(text.strip())
            port = parts.port
        except ValueError:
            raise ValueError("its port or host cannot be read") from None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if parts.scheme not in SCHEMES:
            raise ValueError("it must begin with http:// or socks5://")
        if not parts.hostname or port is None:
            raise ValueError("it must name a host and a port")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("nothing may follow the port")
        if password and not user:
            raise ValueError("it has a password, but no user name")
        if any(len(part.encode()) > 255 or not part.isprintable() for part in (user, password)) or ":" in user:
            raise ValueError("its user name or password cannot be sent to a proxy")
        return cls(parts.scheme, parts.hostname, port, user, password)


def negotiate(sock: socket.socket, proxy: Proxy, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    """Over a connection to the proxy, have it connect on to the address. Raises ProxyRefused, or OSError of the socket."""
    if proxy.scheme == "http":
        _connect_by_http(sock, proxy, address, port)
    else:
        _connect_by_socks(sock, proxy, address, port)


def _connect_by_http(
    sock: socket.socket, proxy: Proxy, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    there = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    lines = [f"CONNECT {there} HTTP/1.1", f"Host: {there}"]
    if proxy.user:
        token = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {token}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode())
    version, _space, rest = _read_head(sock).split(b"\r\n")[0].partition(b" ")
    status = rest[:3]
    if not version.startswith(b"HTTP/1.") or not status.isdigit():
        raise ProxyRefused(_("The proxy does not answer as an HTTP proxy does."))
    if status == b"407":
        raise ProxyRefused(_("The proxy does not accept our user name and password."))
    if not status.startswith(b"2"):
        raise ProxyRefused(_("The proxy does not connect us (HTTP %(status)s).") % {"status": status.decode()})


def _connect_by_socks(
    sock: socket.socket, proxy: Proxy, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    methods = bytes([_NO_AUTHENTICATION, _USER_AND_PASSWORD] if proxy.user else [_NO_AUTHENTICATION])
    sock.sendall(bytes([5, len(methods)]) + methods)
    version, method = _read(sock, 2)
    if version != 5:
        raise ProxyRefused(_("The proxy does not answer as a SOCKS5 proxy does."))
    if method not in methods:
        raise ProxyRefused(_("The proxy does not accept our user name and password."))
    if method == _USER_AND_PASSWORD:
        user, password = proxy.user.encode(), proxy.password.encode()
        sock.sendall(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if _read(sock, 2)[1] != 0:
            raise ProxyRefused(_("The proxy does not accept our user name and password."))
    sock.sendall(bytes([5, 1, 0, 1 if address.version == 4 else 4]) + address.packed + struct.pack("!H", port))
    version, reply, _reserved, kind = _read(sock, 4)
    if version != 5:
        raise ProxyRefused(_("The proxy does not answer as a SOCKS5 proxy does."))
    if reply != 0:
        raise ProxyRefused(_("The proxy does not connect us (SOCKS reply %(reply)d).") % {"reply": reply})
    length = {1: 4, 4: 16}.get(kind) or _read(sock, 1)[0]
    _read(sock, length + 2)  # the address it connects from, which nobody needs


def _read(sock: socket.socket, count: int) -> bytes:
    """Exactly so many bytes; not one more, for what follows belongs to the origin."""
    data = bytearray(count)
    view = memoryview(data)
    while view:
        received = sock.recv_into(view)
        if not received:
            raise ProxyRefused(_("The proxy hung up."))
        view = view[received:]
    return bytes(data)


def _read_head(sock: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _read(sock, 1)
        if len(head) > MOST_HEAD_BYTES:
            raise ProxyRefused(_("The proxy does not answer as an HTTP proxy does."))
    return head
