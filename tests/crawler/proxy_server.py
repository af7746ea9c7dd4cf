"""Small real proxies, HTTP CONNECT and SOCKS5, that remember whom they were asked for and can refuse."""

import base64
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class ProxyServer:
    def __init__(self, scheme: str, *, user: str = "", password: str = "", says: bytes = b"") -> None:
        self.scheme, self.user, self.password = scheme, user, password
        self.says = says
        """In place of what a proxy answers."""
        self.asked: list[tuple[str, int]] = []
        self.carried = bytearray()
        """What clients sent on through it."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []

    def url(self, *, user: str | None = None, password: str | None = None, host: str = "127.0.0.1") -> str:
        user, password = self.user if user is None else user, self.password if password is None else password
        return f"{self.scheme}://{f'{user}:{password}@' if user else ''}{host}:{self.port}"

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(20)
        with contextlib.suppress(OSError, AssertionError), client:
            if self.says:
                client.recv(65536)
                client.sendall(self.says)
                return
            there = self._http(client) if self.scheme == "http" else self._socks(client)
            if there is None:
                return
            with socket.create_connection(there, timeout=20) as origin:
                self._open.append(origin)
                client.sendall(
                    b"HTTP/1.1 200 Connection established\r\nX-Proxy: test\r\n\r\n"
                    if self.scheme == "http"
                    else b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00"
                )
                back = threading.Thread(target=_pump, args=[origin, client, None], daemon=True)
                back.start()
                _pump(client, origin, self.carried)
                back.join(20)

    def _http(self, client: socket.socket) -> tuple[str, int] | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        line, *headers = head.decode().split("\r\n")
        method, authority, _version = line.split(" ")
        if method != "CONNECT":
            client.sendall(b"HTTP/1.1 405 Only CONNECT\r\n\r\n")
            return None
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if self.user and f"Proxy-Authorization: Basic {token}" not in headers:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nno!\n")
            return None
        host, _colon, port = authority.rpartition(":")
        self.asked.append((host.strip("[]"), int(port)))
        return self.asked[-1]

    def _socks(self, client: socket.socket) -> tuple[str, int] | None:
        version, count = client.recv(2)
        methods = client.recv(count)
        assert version == 5
        wanted = 2 if self.user else 0
        if wanted not in methods:
            client.sendall(b"\x05\xff")
            return None
        client.sendall(bytes([5, wanted]))
        if self.user:
            client.recv(1)
            user = client.recv(client.recv(1)[0]).decode()
            password = client.recv(client.recv(1)[0]).decode()
            is_known = (user, password) == (self.user, self.password)
            client.sendall(bytes([1, 0 if is_known else 1]))
            if not is_known:
                return None
        _version, command, _reserved, kind = client.recv(4)
        assert command == 1
        if kind == 3:
            host = client.recv(client.recv(1)[0]).decode()
        else:
            host = socket.inet_ntop(*((socket.AF_INET, client.recv(4)) if kind == 1 else (socket.AF_INET6, client.recv(16))))
        self.asked.append((host, struct.unpack("!H", client.recv(2))[0]))
        return self.asked[-1]

    def stop(self) -> None:
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _pump(source: socket.socket, sink: socket.socket, record: bytearray | None) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if record is not None:
                record += data
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def proxy_server(scheme: str, **options: Any) -> Iterator[ProxyServer]:
    server = ProxyServer(scheme, **options)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(5)
