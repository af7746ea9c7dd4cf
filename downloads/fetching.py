"""One file from one of several addresses into a local file: through the guarded door, resumable, in constant memory.

What is kept between attempts is the part and, beside it, what the server called the whole (`part.json`): its ETag or
date and its length. A part is continued only if a server answers exactly the range that was asked for of that very
whole; in every other case it is begun again, never appended to.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from crawler import outbound
from crawler.providers.base import Door
from crawler.providers.errors import Gone
from downloads.errors import Expired, MoreLater, VerificationError, WrongRange
from jobs.errors import JobError, Snooze, TransientError

BUFFER = 256 * 1024
HEAD = 4096
SLOWEST_BYTES_PER_SECOND = 4096
WATCH_SECONDS = 30.0
LONGEST_WAIT = timedelta(hours=1)

OnProgress = Callable[[int, int | None], None]
"""Called after each piece with the bytes so far and, where known, in all; may raise to stop."""
CheckHead = Callable[[bytes], object]
"""Called once with the first 4 KiB; raises VerificationError for what is not wanted, before the rest is fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    path: Path
    sha256: str
    size: int
    url: str
    resumed_from: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a server called the file of which we hold a part."""

    validator: str
    """A strong ETag or a Last-Modified, for If-Range."""
    size: int | None


def fetch_to_file(
    urls: Sequence[str],
    dest: Path,
    *,
    deadline_seconds: float,
    max_bytes: int,
    headers: Mapping[str, str] | None = None,
    resume: bool = True,
    on_progress: OnProgress | None = None,
    check_head: CheckHead | None = None,
    door: Door | None = None,
) -> Fetched:
    """Fetch the file that all `urls` (mirrors) name, trying them in turn; `dest` holds the part if none succeeds.

    Raises what says most of why none succeeded (see `worst`): Gone, for one, only if all mirrors say so.
    TransientErrors have a code: truncated, timed_out, unreachable, wrong_range, expired, not_media, too_slow, server_error.
    """
    ends_at = time.monotonic() + deadline_seconds
    errors: list[JobError] = []
    for url in urls:
        left = ends_at - time.monotonic()
        if left <= 0:
            errors.append(outbound.TimedOut(_("The server took too long.")))
            break
        one = _Fetch(url, dest, headers or {}, left, max_bytes, on_progress, check_head, door or outbound.door())
        try:
            return one.run(resume=resume)
        except (TransientError, MoreLater, Gone, outbound.TooManyRedirects, outbound.ForbiddenAddress) as error:
            errors.append(error)
    raise worst(errors)


def worst(errors: Sequence[JobError]) -> JobError:
    """The error that says most about what to do next: a pause that was asked for, then what may pass, then what will not."""
    if not errors:
        return TransientError(_("The video has no address to fetch it from."), code="no_address")
    return min(reversed(errors), key=_rank)


def _rank(error: JobError) -> int:
    match error:
        case Snooze():
            return 0
        case Expired():  # says less than a good address that failed otherwise
            return 2
        case TransientError():
            return 1
        case Gone():
            return 4
        case _:
            return 3


class _Fetch:
    """One try at one address."""

    def __init__(
        self,
        url: str,
        dest: Path,
        headers: Mapping[str, str],
        seconds: float,
        max_bytes: int,
        on_progress: OnProgress | None,
        check_head: CheckHead | None,
        door: Door,
    ) -> None:
        self.url, self.dest, self.headers = url, dest, headers
        self.ends_at = time.monotonic() + seconds
        self.max_bytes, self.on_progress, self.check_head = max_bytes, on_progress, check_head
        self.door = door

    def run(self, *, resume: bool) -> Fetched:
        whole = read_note(self.dest) if resume else None
        start = self.dest.stat().st_size if whole is not None and self.dest.exists() else 0
        if start and whole is not None:
            if whole.size is not None and start >= whole.size:
                start = 0  # as long as the whole, yet it did not pass: begin again
            else:
                try:
                    return self._attempt(start, whole)
                except WrongRange:
                    forget(self.dest)
        return self._attempt(0, None)

    def _attempt(self, start: int, whole: Whole | None) -> Fetched:
        headers = dict(self.headers)
        if start and whole is not None:
            headers |= {"Range": f"bytes={start}-", "If-Range": whole.validator}
        with self.door.open_stream(
            self.url,
            headers=headers,
            deadline_seconds=max(0.001, self.ends_at - time.monotonic()),
            max_bytes=self.max_bytes,
        ) as stream:
            _check_status(stream)
            if stream.status == 206:
                total = _check_range(stream, start, whole)
            else:
                start, total = 0, stream.length
            if total is not None and total > self.max_bytes:
                raise outbound.TooLarge(_("The file is larger than the %(limit)d bytes allowed.") % {"limit": self.max_bytes})
            if not start:
                _write_note(self.dest, stream, total)
            return self._receive(stream, start, total)

    def _receive(self, stream: outbound.Stream, start: int, total: int | None) -> Fetched:
        digest = hashlib.sha256()
        self.dest.parent.mkdir(parents=True, exist_ok=True)
        with self.dest.open("r+b" if start else "w+b", buffering=0) as file:
            if start:
                _hash_beginning(file, start, digest.update)
            size = self._copy(stream, file, start, total, digest.update)
        if total is not None and size != total:
            raise outbound.Truncated(_("The file broke off after %(size)d of %(total)d bytes.") % {"size": size, "total": total})
        return Fetched(path=self.dest, sha256=digest.hexdigest(), size=size, url=stream.url, resumed_from=start)

    def _copy(
        self, stream: outbound.Stream, file: BinaryIO, start: int, total: int | None, update: Callable[[memoryview], None]
    ) -> int:
        buffer = memoryview(bytearray(BUFFER))
        size, filled = start, 0
        head: bytes | None = None if start or self.check_head is None else b""
        written_at = watch_since = time.monotonic()
        watch_size = size
        try:
            while count := stream.readinto(buffer[filled:]):
                if head is not None:
                    head = self._look(head + bytes(buffer[filled : filled + count]))
                filled += count
                now = time.monotonic()
                # Small pieces are gathered, so that a write and a hash are worth their calls.
                if filled == BUFFER or now - written_at > 0.5:
                    size += _write(file, buffer[:filled], update)
                    filled, written_at = 0, now
                    if self.on_progress:
                        self.on_progress(size, total)
                if now - watch_since >= WATCH_SECONDS:
                    if size + filled - watch_size < SLOWEST_BYTES_PER_SECOND * (now - watch_since):
                        raise TransientError(_("The server sends too slowly."), code="too_slow")
                    watch_since, watch_size = now, size + filled
        finally:
            size += _write(file, buffer[:filled], update)  # a part is kept to its last byte
        if head is not None and self.check_head is not None:
            self.check_head(head)
        if self.on_progress:
            self.on_progress(size, total)
        return size

    def _look(self, head: bytes) -> bytes | None:
        """Gathers the first bytes until they can be judged; None once they were."""
        if len(head) < HEAD or self.check_head is None:
            return head
        try:
            self.check_head(head[:HEAD])
        except VerificationError:
            forget(self.dest)
            raise
        return None


def _write(file: BinaryIO, data: memoryview, update: Callable[[memoryview], None]) -> int:
    update(data)
    done = 0
    while done < len(data):
        done += file.write(data[done:])
    return len(data)


def _hash_beginning(file: BinaryIO, length: int, update: Callable[[memoryview], None]) -> None:
    buffer = memoryview(bytearray(BUFFER))
    left = length
    while left:
        count = file.readinto(buffer[: min(left, BUFFER)])  # type: ignore[attr-defined]
        if not count:
            raise WrongRange(_("The part that was kept is shorter than before."))
        update(buffer[:count])
        left -= count


def _check_status(stream: outbound.Stream) -> None:
    """Raises for every status that brings no bytes of the file."""
    match stream.status:
        case 200 | 206:
            return
        case 404 | 410:
            raise Gone(_("The server says that the file is gone (%(status)d).") % {"status": stream.status})
        case 401 | 403:
            raise Expired(_("The server refuses this address (%(status)d): it may have expired.") % {"status": stream.status})
        case 416:
            raise WrongRange(_("The server has no such part of the file."))
        case 429:
            raise MoreLater(_("The server asks us to come later."), retry_after=retry_after(stream.headers.get("Retry-After")))
        case 503 if stream.headers.get("Retry-After"):
            raise MoreLater(
                _("The server is busy and asks us to come later."), retry_after=retry_after(stream.headers.get("Retry-After"))
            )
        case status:
            raise TransientError(_("The server answered %(status)d.") % {"status": status}, code="server_error")


def _check_range(stream: outbound.Stream, start: int, whole: Whole | None) -> int | None:
    """The length of the whole, if this is the part that was asked for. Raises WrongRange: nothing may be appended."""
    unit, _space, rest = stream.headers.get("Content-Range", "").partition(" ")
    span, _slash, total_text = rest.partition("/")
    first, _dash, last = span.partition("-")
    total = int(total_text) if _is_count(total_text) else None
    is_asked = (
        start > 0
        and unit == "bytes"
        and _is_count(first)
        and _is_count(last)
        and int(first) == start
        and (total is None or int(last) == total - 1)
        and (whole is None or whole.size is None or total is None or total == whole.size)
    )
    if not is_asked:
        raise WrongRange(_("The server sent another part of the file than was asked for."))
    return total if total is not None else (whole.size if whole else None)


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) < 20  # of more digits than some thousand, Python makes no number


def retry_after(header: str | None) -> timedelta:
    """Seconds or a date, kept between a second and an hour; a minute where nothing can be read."""
    text = (header or "").strip()
    wait = timedelta(minutes=1)
    if text.isdecimal():
        wait = timedelta(seconds=min(int(text[:9]), 10**6))
    elif text:
        with suppress(ValueError, TypeError, OverflowError):
            at = parsedate_to_datetime(text)
            wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
    return max(timedelta(seconds=1), min(wait, LONGEST_WAIT))


# -- what is kept beside a part --------------------------------------------------------------------


def _note_path(dest: Path) -> Path:
    return dest.with_name(f"{dest.name}.json")


def read_note(dest: Path) -> Whole | None:
    """What the part at `dest` is a part of; None where nothing trustworthy was kept."""
    try:
        note = json.loads(_note_path(dest).read_bytes())
        return Whole(validator=str(note["validator"]), size=None if note["size"] is None else int(note["size"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_note(dest: Path, stream: outbound.Stream, total: int | None) -> None:
    dest.parent.mkdir(parents=True, exist_ok=True)
    dest.unlink(missing_ok=True)  # never an old part beside a new note
    etag = stream.headers.get("ETag", "")
    validator = etag if etag.startswith('"') else stream.headers.get("Last-Modified", "")
    if not validator or stream.headers.get("Content-Encoding", "identity") != "identity":
        _note_path(dest).unlink(missing_ok=True)
        return
    fresh = dest.with_name(f"{dest.name}.{os.getpid()}.new")
    fresh.write_text(json.dumps(asdict(Whole(validator=validator, size=total))))
    fresh.replace(_note_path(dest))


def forget(dest: Path) -> None:
    """Remove a part and what is known of it."""
    _note_path(dest).unlink(missing_ok=True)
    dest.unlink(missing_ok=True)
