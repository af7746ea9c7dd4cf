"""A server that lies on command: each path answers as the test wrote it, byte for byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Asked:
    path: str
    headers: dict[str, str]


Answer = Callable[[Asked], bytes | list[bytes]]
"""The raw answer, or its pieces; the connection closes after it."""


@dataclass
class Liar:
    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, path: str, answer: Answer | bytes) -> str:
        self.answers[path] = answer if callable(answer) else lambda asked: answer
        return self.url(path)


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def file_answer(content: bytes, *, etag: str = '"v1"', send: int | None = None) -> Answer:
    """A well-behaved file; `send` cuts the connection after so many bytes of the body."""

    def answer(asked: Asked) -> bytes:
        start = 0
        wanted = asked.headers.get("range", "")
        if wanted and asked.headers.get("if-range", etag) == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        body = content[start:]
        facts = {"ETag": etag, "Content_Length": str(len(body)), "Content_Type": "video/mp4"}
        if start:
            facts["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return http(206 if start else 200, body[:send] if send is not None else body, **facts)

    return answer


@contextmanager
def running_liar() -> Iterator[Liar]:
    listener = socket.create_server(("127.0.0.1", 0))
    liar = Liar(listener.getsockname()[1])

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    return
                data += piece
            first, *lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
            asked = Asked(first.split(" ")[1], headers)
            liar.asked.append(asked)
            answer = liar.answers[asked.path](asked)
            for part in [answer] if isinstance(answer, bytes) else answer:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _address = listener.accept()
                threading.Thread(target=handle, args=[connection], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield liar
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
