"""yt-dlp with our own network: every request of every extractor goes through the outgoing door, within one budget.

Imports yt-dlp, which weighs much: import this where it is used.
"""

import io
import os
import time
from contextlib import ExitStack
from typing import Any

os.environ.setdefault("YTDLP_NO_PLUGINS", "1")  # read at the import below

from yt_dlp import YoutubeDL
from yt_dlp.networking.common import RequestHandler, Response
from yt_dlp.networking.exceptions import HTTPError, TransportError

from crawler.providers.base import Door
from jobs.errors import TransientError

MOST_REQUESTS = 60
MOST_BYTES = 64 * 1024 * 1024
REQUEST_SECONDS = 20.0

# Ours, never a user's: nothing is run, no file but the result is written, no cookie or netrc of the machine is read.
OPTIONS: dict[str, Any] = {
    "cachedir": False,
    "check_formats": False,
    "enable_file_urls": False,
    "extract_flat": False,
    "extractor_retries": 1,
    "geo_bypass": False,
    "js_runtimes": {},
    "no_warnings": True,
    "noplaylist": True,
    "noprogress": True,
    "playlist_items": "1",
    "postprocessors": [],
    "proxy": "",
    "quiet": True,
    "retries": 1,
    "skip_download": True,
    "usenetrc": False,
    "writesubtitles": False,
}


class OutOfBudget(TransientError):
    code = "timed_out"
    outcome = "unreachable"


class _Silent:
    """yt-dlp's words go nowhere: what matters comes as an exception."""

    def debug(self, message: str) -> None: ...

    info = warning = error = debug


class _Body(io.RawIOBase):
    def __init__(self, stream: Any, opened: ExitStack) -> None:
        self._stream = stream
        self._opened = opened

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> Any:
        """As files do, None is everything."""
        return super().read(-1 if size is None else size)

    def readinto(self, buffer: Any) -> int:
        count: int = self._stream.readinto(memoryview(buffer).cast("B"))
        return count

    def close(self) -> None:
        if not self.closed:
            self._opened.close()
        super().close()


class DoorRH(RequestHandler):
    """Not the machine's proxies, nor yt-dlp's own sockets: the door. `door` and `ends_at` are set by `guarded`."""

    _SUPPORTED_URL_SCHEMES = ("http", "https")
    _SUPPORTED_PROXY_SCHEMES = None
    _SUPPORTED_FEATURES = None
    door: Door
    ends_at: float
    requests = 0

    def _check_extensions(self, extensions: dict[str, Any]) -> None:
        extensions.clear()

    def _send(self, request: Any) -> Response:
        type(self).requests += 1
        left = self.ends_at - time.monotonic()
        if self.requests > MOST_REQUESTS or left <= 0:
            raise OutOfBudget("Reading this link takes too long.")
        headers = self._get_headers(request)
        if cookies := self._get_cookiejar(request).get_cookie_header(request.url):
            headers["Cookie"] = cookies
        data = request.data
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        opened = ExitStack()
        try:
            stream = opened.enter_context(
                self.door.open_stream(
                    request.url,
                    headers=headers,
                    deadline_seconds=min(left, REQUEST_SECONDS),
                    max_bytes=MOST_BYTES,
                    method=request.method,
                    body=body,
                )
            )
        except TransientError as error:
            raise TransportError(cause=error) from error
        response = Response(_Body(stream, opened), stream.url, stream.headers, status=stream.status)
        if not 200 <= stream.status < 300:
            raise HTTPError(response)
        return response


def guarded(door: Door, *, seconds: float, **options: Any) -> YoutubeDL:
    """A YoutubeDL that reaches the network through `door` only, for so many seconds. `options` are the caller's code's own."""

    class Guarded(YoutubeDL):
        def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
            handler = type("DoorRH", (DoorRH,), {"door": door, "ends_at": time.monotonic() + seconds})
            return super().build_request_director([handler], ())

    return Guarded({**OPTIONS, "logger": _Silent(), **options})
