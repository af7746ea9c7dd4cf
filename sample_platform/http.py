"""The little of ASGI that this site needs: a request, a response, a table of routes."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Scope = MutableMapping[str, Any]

LARGEST_BODY = 24 * 1024 * 1024
"""Bytes that are read; what is beyond is cut, so a body of more than this is known by its length alone."""


class Cut(Exception):
    """Raised by a body to drop the connection in the middle of the answer."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    body: bytes = b""
    params: dict[str, str] = field(default_factory=dict)

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @cached_property
    def hostname(self) -> str:
        return self.headers.get("host", "localhost").rsplit(":", 1)[0]

    @cached_property
    def cookies(self) -> dict[str, str]:
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs}

    def number(self, name: str, default: int, *, most: int = 2**53) -> int:
        """A whole number of the query, or the default where it is missing, malformed or negative."""
        text = self.query.get(name, "")
        return min(int(text), most) if re.fullmatch(r"[0-9]{1,16}", text) else default


@dataclass
class Response:
    body: bytes | AsyncIterator[bytes] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    type: str = "text/html; charset=utf-8"


def json_response(answer: Any, status: int = 200, **headers: str) -> Response:
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    # The web escapes what has no UTF-8 form (a lone surrogate in a hostile title) rather than failing.
    body = text.encode("utf-8", "replace")
    return Response(body, status, dict(headers), "application/json; charset=utf-8")


def redirect(url: str) -> Response:
    return Response(status=302, headers={"location": url})


Handler = Callable[[Request], Awaitable[Response]]


@dataclass
class Routes:
    """Paths are regular expressions over the decoded path; named groups become `request.params`."""

    table: list[tuple[str, re.Pattern[str], Handler]] = field(default_factory=list)

    def add(self, methods: str, pattern: str, handler: Handler) -> None:
        self.table += [(method, re.compile(pattern), handler) for method in methods.split()]

    async def answer(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        known = False
        for allowed, pattern, handler in self.table:
            if match := pattern.fullmatch(request.path):
                known = True
                if allowed == method:
                    request.params.update(match.groupdict())
                    return await handler(request)
        return Response(b"method not allowed", 405) if known else Response(b"not found", 404)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(
            method=scope["method"],
            path=scope["path"],
            query_string=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=await read_body(receive),
        )
        await write(await self.answer(request), receive, send)


async def read_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        body += chunk[: LARGEST_BODY + 1 - len(body)]
        if not message.get("more_body"):
            return bytes(body)


async def write(response: Response, receive: Receive, send: Send) -> None:
    headers = {"content-type": response.type, "server": "Tengine", **response.headers}
    if isinstance(response.body, bytes):
        headers.setdefault("content-length", str(len(response.body)))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    if isinstance(response.body, bytes):
        await send({"type": "http.response.body", "body": response.body})
        return
    gone = asyncio.ensure_future(receive())  # resolves when the client hangs up
    try:
        async for chunk in response.body:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except Cut:
        return  # no last message: the server closes the connection short of its Content-Length
    finally:
        gone.cancel()
    await send({"type": "http.response.body", "body": b""})
