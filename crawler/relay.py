"""A way out for a browser that must use a proxy: a SOCKS5 server of our own on loopback, open while a page is.

A browser behind a proxy would leave names to that proxy, and with them the choice of where it goes; it also cannot sign in to a
SOCKS5 proxy. So it is given this relay, which lets it to the page's own hosts only and connects as the door does: the name
resolved here, the address checked, the proxy told that address.
"""

import contextlib
import fnmatch
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from jobs.errors import JobError

IDLE_SECONDS = 60.0
MOST_CONNECTIONS = 64
_OK, _FAILED, _NOT_ALLOWED, _NOT_A_CONNECT, _NOT_AN_ADDRESS = 0, 1, 2, 7, 8

Open = Callable[[str, int], socket.socket]


@contextmanager
def relay(hosts: Sequence[str], connect: Open) -> Iterator[str]:
    """The address of a relay to `hosts` (`*.example.org` is a pattern); `connect` opens the way to one of them."""
    server = _Relay(tuple(hosts), connect)
    thread = threading.Thread(target=server.serve, name="relay", daemon=True)
    thread.start()
    try:
        yield f"socks5://127.0.0.1:{server.port}"
    finally:
        server.close()
        thread.join(5)


class _Relay:
    def __init__(self, hosts: tuple[str, ...], connect: Open) -> None:
        self._hosts, self._connect = hosts, connect
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_closed = False

    def serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return  # closed
            self._slots.acquire()
            threading.Thread(target=self._talk, args=[client], name="relay", daemon=True).start()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            for each in (self._listener, *self._open):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _talk(self, client: socket.socket) -> None:
        try:
            with client, contextlib.suppress(OSError, struct.error):
                if self._keep(client):
                    client.settimeout(IDLE_SECONDS)
                    self._carry(client)
        finally:
            self._forget(client)
            self._slots.release()

    def _carry(self, client: socket.socket) -> None:
        asked = _asked_for(client)
        if asked is None:
            return
        host, port = asked
        if not any(fnmatch.fnmatchcase(host, pattern) for pattern in self._hosts):
            _reply(client, _NOT_ALLOWED)
            return
        try:
            origin = self._connect(host, port)
        except JobError:
            _reply(client, _FAILED)
            return
        try:
            with origin:
                if not self._keep(origin):
                    return
                origin.settimeout(IDLE_SECONDS)
                _reply(client, _OK)
                back = threading.Thread(target=_pump, args=[origin, client], name="relay", daemon=True)
                back.start()
                _pump(client, origin)
                back.join()
        finally:
            self._forget(origin)

    def _keep(self, sock: socket.socket) -> bool:
        """Remember it, to hang up at the end; False when that has come."""
        with self._lock:
            self._open.add(sock)
            return not self._is_closed

    def _forget(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.discard(sock)


def _asked_for(client: socket.socket) -> tuple[str, int] | None:
    """The host and port that a SOCKS5 client wants, its greeting answered; None for one that speaks otherwise."""
    version, count = _read(client, 2)
    if version != 5 or 0 not in _read(client, count):
        client.sendall(b"\x05\xff")
        return None
    client.sendall(b"\x05\x00")
    _version, command, _reserved, kind = _read(client, 4)
    if kind == 3:
        host = _read(client, _read(client, 1)[0]).decode("ascii", "replace").lower().rstrip(".")
    elif kind in (1, 4):
        family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, _read(client, length))
    else:
        _reply(client, _NOT_AN_ADDRESS)
        return None
    (port,) = struct.unpack("!H", _read(client, 2))
    if command != 1:
        _reply(client, _NOT_A_CONNECT)
        return None
    return host, port


def _reply(client: socket.socket, code: int) -> None:
    client.sendall(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))


def _read(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise OSError("hung up")
        data += piece
    return data


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes one way until they end, then say so to the other side."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
