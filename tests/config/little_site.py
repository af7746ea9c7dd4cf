"""A WSGI application for the tests of the worker that serves ours."""

from collections.abc import Callable, Iterator
from typing import Any

from config import web

web.STALL_SECONDS = 1
BIG = 64 * 1024 * 1024


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """Counts the bytes it was sent; at /unread it looks at nothing, and /big is more than any buffer holds."""
    if environ["PATH_INFO"] == "/big":
        start_response("200 OK", [("Content-Length", str(BIG))])
        yield from (b"x" * 65536 for _ in range(BIG // 65536))
        return
    length = int(environ.get("CONTENT_LENGTH") or 0)
    said = b"" if environ["PATH_INFO"] == "/unread" else environ["wsgi.input"].read(length)
    answer = str(len(said)).encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    yield answer
