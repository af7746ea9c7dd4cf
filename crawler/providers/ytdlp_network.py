"""yt-dlp's network, and its time: it works in a process of its own (ytdlp_child), every request of every extractor is asked
for here and goes through the outgoing door, and when the time is over the process is killed, whatever it is busy with."""

import contextlib
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from crawler.providers import errors
from crawler.providers.base import Door
from jobs.errors import JobError, PermanentError, TransientError

MOST_REQUESTS = 60
MOST_BYTES = 64 * 1024 * 1024
MOST_SAID = 32 * 1024 * 1024
"""Of a description, or of what is asked."""
REQUEST_SECONDS = 20.0
PROJECT = Path(__file__).resolve().parents[2]


class OutOfBudget(TransientError):
    code = "timed_out"
    outcome = "unreachable"


def extract(url: str, door: Door, *, seconds: float) -> Any:
    """yt-dlp's description of a link, as it says it. Raises the errors of crawler.providers.errors, and the door's refusals."""
    ends_at = time.monotonic() + seconds
    ours, theirs = Pipe()
    with ours:
        with theirs:
            child = subprocess.Popen(
                [sys.executable, "-m", "crawler.providers.ytdlp_child", str(theirs.fileno()), url],
                cwd=PROJECT,
                env={name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            with contextlib.closing(_Desk(ours, door, ends_at)) as desk:
                return desk.serve()
        except (EOFError, OSError, ValueError) as error:
            raise errors.Unreachable("Reading this link ended before it was read.", code="reader_ended") from error
        finally:
            child.kill()
            child.wait()


class _Desk:
    """Where one child's questions are answered, one after the other."""

    def __init__(self, pipe: Connection, door: Door, ends_at: float) -> None:
        self._pipe, self._door, self._ends_at = pipe, door, ends_at
        self._open: dict[int, tuple[Any, ExitStack]] = {}
        self._requests = 0
        self._refusal: JobError | None = None
        """The door's last refusal for good: what the child makes of it loses what it was."""

    def close(self) -> None:
        for _stream, opened in self._open.values():
            opened.close()

    def serve(self) -> Any:
        """Until it has said what it found. Raises EOFError, OSError or ValueError for a child that ended, or talks nonsense."""
        while True:
            question = json.loads(self._hear())
            if "info" in question:
                return question["info"]
            if "failed" in question:
                raise self._failure(question)
            try:
                answer, data = self._answer(question)
            except JobError as error:
                for_good = isinstance(error, PermanentError)
                self._refusal = error if for_good else self._refusal
                answer, data = {"refused": error.message, "code": error.code, "for_good": for_good}, b""
            self._pipe.send_bytes(json.dumps(answer).encode())
            if data:
                self._pipe.send_bytes(data)

    def _hear(self) -> bytes:
        if not self._pipe.poll(max(0.0, self._left())):
            raise errors.Unreachable("Reading this link takes too long.", code="timed_out")
        return self._pipe.recv_bytes(MOST_SAID)

    def _left(self) -> float:
        return self._ends_at - time.monotonic()

    def _answer(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """And the bytes that follow it. Raises the door's errors."""
        if "read" in question:
            stream, _opened = self._open[question["read"]]
            buffer = bytearray(min(int(question["size"]), MOST_BYTES))
            count = stream.readinto(buffer)
            return {"more": count > 0}, bytes(buffer[:count])
        if "close" in question:
            self._open.pop(question["close"])[1].close()
            return {}, b""
        return self._ask(question, self._hear() if question["has_body"] else None), b""

    def _ask(self, question: dict[str, Any], body: bytes | None) -> dict[str, Any]:
        self._requests += 1
        left = self._left()
        if self._requests > MOST_REQUESTS or left <= 0:
            raise OutOfBudget("Reading this link takes too long.")
        opened = ExitStack()
        stream = opened.enter_context(
            self._door.open_stream(
                question["url"],
                headers=question["headers"],
                deadline_seconds=min(left, REQUEST_SECONDS),
                max_bytes=MOST_BYTES,
                method=question["method"],
                body=body,
            )
        )
        self._open[self._requests] = stream, opened
        return {"number": self._requests, "status": stream.status, "url": stream.url, "headers": stream.headers.items()}

    def _failure(self, told: dict[str, Any]) -> JobError:
        """What the child says went wrong, as what it is here."""
        name, message, code = told["failed"], str(told["message"]), str(told["code"])
        if name == PermanentError.__name__:
            return self._refusal or errors.Changed(message)
        if name == errors.RateLimited.__name__:
            return errors.RateLimited(message, retry_after=timedelta(seconds=told["retry_after"]))
        known: dict[str, type[TransientError] | type[PermanentError]] = {
            kind.__name__: kind
            for kind in (
                errors.Unreachable,
                errors.Unsupported,
                errors.Gone,
                errors.LoginRequired,
                errors.Blocked,
                errors.Changed,
            )
        }
        return known.get(name, errors.Changed)(message, code=code)
