"""A cobalt server of our own as one more way to the bytes. Its API as of version 10 and 11 (imputnet/cobalt: docs/api.md,
api/src/core/api.js, api/src/processing/schema.js):

POST / takes JSON of known names only, with `Accept` and `Content-Type` exactly application/json and, where the server asks for
it, `Authorization: Api-Key …`. It answers one of: `tunnel` (the bytes come from the server itself, within 90 seconds),
`redirect` (the platform's own address), `picker` (pictures or clips, and a slideshow's sound), `local-processing` (pieces for
a client that can join them; since 11, only if the server forces it) or `error` with a code. Limits are told by RateLimit headers.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from crawler.cleaning import clean_retry_after, clean_url
from crawler.providers.base import Access, MediaURL, SlideData
from crawler.providers.errors import Blocked, Changed, KeyRefused, RateLimited, Unreachable, Unsupported
from downloads.extractors.base import Found, Wanted
from jobs.errors import JobError, PermanentError, TransientError

SECONDS = 60.0
MAX_BYTES = 1024 * 1024
MAX_URL = 4096
MOST_SLIDES = 100
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".heic")


class Cobalt:
    def find(self, wanted: Wanted, access: Access) -> Found:
        """See Extractor. What it finds is of this moment: a tunnel's address is of no use to a later download."""
        if access.door is None:
            raise Unsupported("cobalt cannot be asked without an outgoing door.")
        body = {"url": wanted.url, "videoQuality": "max", "downloadMode": "auto", "filenameStyle": "basic"}
        answer = _ask(access, json.dumps(body).encode())
        found = list(_files(answer))
        media = tuple(MediaURL(url=url) for kind, url in found if kind == "video")
        slides = tuple(SlideData(urls=(url,)) for kind, url in found if kind == "photo")[:MOST_SLIDES]
        if wanted.is_carousel and not slides:
            raise Unsupported("cobalt knows no pictures of this post.")
        if not wanted.is_carousel and not media:
            raise Unsupported("cobalt knows no clip of this post.")
        if wanted.is_carousel and wanted.slides and len(slides) < len(wanted.slides):
            raise Unsupported(f"cobalt knows {len(slides)} of the {len(wanted.slides)} pictures of this post.")
        return Found(
            media=media,
            slides=slides,
            sound_url=clean_url(answer.get("audio"), MAX_URL),
            duration_seconds=wanted.duration_seconds,
            is_fresh=False,
            door=access.door,
        )


def _ask(access: Access, body: bytes) -> Mapping[str, Any]:
    """The server's answer, if it is not an error; else what the error means to the download."""
    assert access.door is not None
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if access.key:
        headers["Authorization"] = f"Api-Key {access.key}"
    try:
        with access.door.open_stream(
            f"{access.base_url}/", headers=headers, deadline_seconds=SECONDS, max_bytes=MAX_BYTES, method="POST", body=body
        ) as stream:
            content, buffer = bytearray(), bytearray(65536)
            while count := stream.readinto(buffer):
                content += memoryview(buffer)[:count]
            status, said = stream.status, stream.headers
    except TransientError as error:
        raise Unreachable(f"cobalt cannot be asked: {error.message}", code=error.code) from error
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if status == 429:
        raise _limited("cobalt asks for fewer requests.", said, answer)
    if not isinstance(answer, dict) or not isinstance(answer.get("status"), str):
        if status >= 500:
            raise Unreachable(f"cobalt has a fault of its own (HTTP {status}).")
        raise Changed(f"This does not answer as cobalt does (HTTP {status}): check COBALT_URL.")
    if answer["status"] == "error":
        raise _meaning(answer, said)
    return answer


def _files(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(video or photo, address) of each file that an answer names, in its order."""
    match answer["status"]:
        case "tunnel" | "redirect":
            name = str(answer.get("filename") or urlsplit(clean_url(answer.get("url"), MAX_URL)).path).lower()
            files = [("photo" if name.endswith(PICTURES) else "video", answer.get("url"))]
        case "picker":
            entries = answer.get("picker")
            picked = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
            files = [("photo" if entry.get("type") == "photo" else "video", entry.get("url")) for entry in picked]
        case "local-processing":
            pieces = answer.get("tunnel")
            if answer.get("type") not in ("remux", "proxy") or not isinstance(pieces, list) or len(pieces) != 1:
                raise Unsupported("cobalt hands out pieces to be joined: unset FORCE_LOCAL_PROCESSING on its server.")
            files = [("video", pieces[0])]
        case other:
            raise Changed(f"cobalt answers “{other[:40]}”, which is not known here.")
    for kind, url in files:
        cleaned = clean_url(url, MAX_URL)
        if not cleaned:
            raise Changed("cobalt names a file without a usable address.")
        yield kind, cleaned


def _limited(sentence: str, headers: Mapping[str, str], answer: Any) -> RateLimited:
    """How long to stay away: as the headers say, or else the length of its window, which it calls `limit`."""
    error = answer.get("error") if isinstance(answer, dict) else None
    context = error.get("context") if isinstance(error, dict) else None
    window = context.get("limit") if isinstance(context, dict) else None
    wait = headers.get("RateLimit-Reset") or headers.get("Retry-After") or window
    return RateLimited(sentence, retry_after=clean_retry_after(wait, datetime.now(UTC)))


def _meaning(answer: Mapping[str, Any], headers: Mapping[str, str]) -> JobError:
    error = answer.get("error")
    code = str(error.get("code") if isinstance(error, dict) else error)[:80]
    match code.removeprefix("error.").removeprefix("api.").split("."):
        case ["auth", *_]:
            return KeyRefused(f"cobalt does not accept our key ({code}): check COBALT_API_KEY.")
        case ["rate_exceeded"]:
            return _limited("cobalt asks for fewer requests.", headers, answer)
        case ["fetch", "rate"]:
            return RateLimited(
                "The platform asks cobalt for fewer requests.", retry_after=clean_retry_after(None, datetime.now(UTC))
            )
        case ["service", *_] | ["link", *_]:
            return Unsupported(f"cobalt does not read this link ({code}).")
        case ["youtube", *_]:
            return Blocked(f"The platform refuses cobalt ({code}).")
        case ["content", *_]:
            # It may be gone, or hidden from the place where cobalt stands: the platform's own page knows.
            return PermanentError(f"cobalt is not shown this post ({code}).", code="not_shown")
        case ["invalid_body"] | ["header", *_]:
            return Changed(f"cobalt does not understand what we ask ({code}).")
    return Unreachable(f"cobalt could not fetch it ({code}).")
