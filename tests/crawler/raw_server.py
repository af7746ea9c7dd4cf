"""A server that may lie: it sends the bytes a test gives it, when the test wants it to. And a door that leads to it."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from crawler.outbound import Door, Fetched

MEGABYTE = 1024 * 1024
Handle = Callable[[socket.socket, bytes], object]


class RawServer:
    def __init__(self, handle: Handle, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._handle = handle
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.allowed = [f"127.0.0.1:{self.port}", f"localhost:{self.port}", f"site.test:{self.port}"]

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self._context else 'http'}://{host}:{self.port}{path}"

    def serve(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _address = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._talk, args=[connection], daemon=True)
            thread.start()
            self._threads.append(thread)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with contextlib.suppress(OSError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection:
                while request := self._request(connection):
                    self.requests.append(request)
                    self._handle(connection, request)

    def _request(self, connection: socket.socket) -> bytes:
        request = b""
        while b"\r\n\r\n" not in request:
            data = connection.recv(65536)
            if not data:
                return b""
            request += data
        head, _blank, body = request.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def stop(self) -> None:
        """Hang up on everybody. The accepting thread has ended."""
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()


@contextmanager
def raw_server(handle: Handle, context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    server = RawServer(handle, context)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        thread.join(5)
        server.stop()


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A well-formed answer; header names are written with `_` for `-`."""
    lines = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def path_of(request: bytes) -> str:
    return request.split(b" ", 2)[1].decode()


def headers_of(request: bytes) -> dict[str, str]:
    lines = request.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}


def door_to(*servers: RawServer, **options: Any) -> Door:
    return Door(allowed_hosts=[name for server in servers for name in server.allowed], **options)


def fetch(server: RawServer, path: str = "/", host: str = "127.0.0.1", **options: Any) -> Fetched:
    options = {"max_bytes": MEGABYTE, "deadline_seconds": 5, **options}
    return door_to(server).fetch_bytes(server.url(path, host), **options)
