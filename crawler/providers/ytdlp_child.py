"""yt-dlp in a process of its own, for one link: `python -m crawler.providers.ytdlp_child DESCRIPTOR LINK`.

Pages are strangers' words, and yt-dlp searches them with patterns that some words keep busy for hours, in a call that no
thread can end and that lets no other thread run. So whoever asks may kill this process. It has no network: what its extractors
want is asked for over the pipe that it was given, and fetched by crawler.providers.ytdlp_network on the other side.
"""

import io
import json
import os
import resource
import sys
from email.message import Message
from multiprocessing.connection import Connection
from typing import Any

os.environ.setdefault("YTDLP_NO_PLUGINS", "1")  # read at the import below

from yt_dlp import YoutubeDL
from yt_dlp.networking.common import RequestHandler, Response
from yt_dlp.networking.exceptions import HTTPError, TransportError

from crawler.providers.errors import Unreachable
from crawler.providers.ytdlp import meaning
from jobs.errors import JobError, PermanentError

# Where nobody is left to end it.
CPU_SECONDS = 150
MEMORY = 2 * 1024**3
PIECE = 256 * 1024

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


class _Silent:
    """yt-dlp's words go nowhere: what matters comes as an exception."""

    def debug(self, message: str) -> None: ...

    info = warning = error = debug


class _Body(io.RawIOBase):
    def __init__(self, pipe: Connection, number: int) -> None:
        self._pipe = pipe
        self._number = number

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> Any:
        """As files do, None is everything."""
        return super().read(-1 if size is None else size)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        answer = _ask(self._pipe, {"read": self._number, "size": min(len(view), PIECE)})
        data = self._pipe.recv_bytes() if answer["more"] else b""
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            _ask(self._pipe, {"close": self._number})
        super().close()


class PipeRH(RequestHandler):
    """Not the machine's proxies, nor yt-dlp's own sockets: the pipe, which is set by `extract`."""

    _SUPPORTED_URL_SCHEMES = ("http", "https")
    _SUPPORTED_PROXY_SCHEMES = None
    _SUPPORTED_FEATURES = None
    pipe: Connection

    def _check_extensions(self, extensions: dict[str, Any]) -> None:
        extensions.clear()

    def _send(self, request: Any) -> Response:
        headers = dict(self._get_headers(request))
        if cookies := self._get_cookiejar(request).get_cookie_header(request.url):
            headers["Cookie"] = cookies
        data = request.data
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        asked = {"url": request.url, "method": request.method, "headers": headers, "has_body": body is not None}
        try:
            answer = _ask(self.pipe, asked, body)
        except Unreachable as error:
            raise TransportError(cause=error) from error
        said = Message()
        for name, value in answer["headers"]:
            said.add_header(name, value)
        response = Response(_Body(self.pipe, answer["number"]), answer["url"], said, status=answer["status"])
        if not 200 <= answer["status"] < 300:
            raise HTTPError(response)
        return response


def _ask(pipe: Connection, question: dict[str, Any], body: bytes | None = None) -> Any:
    """Raises Unreachable for what may pass, PermanentError for what the house does not do."""
    pipe.send_bytes(json.dumps(question).encode())
    if body is not None:
        pipe.send_bytes(body)
    answer = json.loads(pipe.recv_bytes())
    if "refused" in answer:
        raise (PermanentError if answer["for_good"] else Unreachable)(answer["refused"], code=answer["code"])
    return answer


def extract(pipe: Connection, url: str) -> dict[str, Any]:
    """What yt-dlp says of a link, or how it failed."""

    class Piped(YoutubeDL):
        def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
            return super().build_request_director([type("PipeRH", (PipeRH,), {"pipe": pipe})], ())

    try:
        with Piped({**OPTIONS, "logger": _Silent()}) as ydl:
            return {"info": ydl.sanitize_info(ydl.extract_info(url, download=False))}
    except Exception as error:  # what it was is told to who asked
        failure: JobError = meaning(error)
        wait = getattr(failure, "retry_after", None)
        return {
            "failed": type(failure).__name__,
            "message": failure.message,
            "code": failure.code,
            "retry_after": wait.total_seconds() if wait else None,
        }


def refuse_network(event: str, _arguments: Any) -> None:
    """For `sys.addaudithook`: an extractor that went round its handler, or would start a program, fails."""
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec"):
        raise PermissionError(f"{event} is not for extractors")


def main(descriptor: str, url: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.addaudithook(refuse_network)
    with Connection(int(descriptor)) as pipe:
        pipe.send_bytes(json.dumps(extract(pipe, url)).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
