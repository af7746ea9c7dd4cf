"""Any link that yt-dlp can read, one video at a time."""

import hashlib
import re
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from crawler.cleaning import clean_count, clean_id, clean_int, clean_retry_after
from crawler.providers.base import Access, AuthorData, Counts, Door, MediaURL, Page, Query, VideoData
from crawler.providers.errors import Blocked, Changed, Gone, LoginRequired, RateLimited, Unreachable, Unsupported
from crawler.providers.ytdlp_network import extract
from jobs.errors import JobError, PermanentError

SECONDS = 90.0
MOST_MEDIA = 12
_GONE = re.compile(r"unavailable|removed|deleted|private|no longer|does not exist|not found|terminated", re.I)
_LOGIN = re.compile(r"log ?in|sign ?in|cookies|registered users|authenticat", re.I)
_CODECS = (("avc", "h264"), ("h264", "h264"), ("hev", "h265"), ("hvc", "h265"), ("vp9", "vp9"), ("vp09", "vp9"), ("av01", "av1"))


class AnyLink:
    """A video by its link, wherever it is; nothing that lists videos."""

    def crawl(self, query: Query, access: Access, *, cursor: Mapping[str, Any] | None, pages: int) -> Generator[Page, None, None]:
        """See Provider."""
        raise Unsupported("Links are read one by one; topics and profiles belong to a platform.")
        yield  # a generator, as the others are

    def fetch_video(self, url: str, access: Access) -> VideoData:
        """See Provider."""
        if access.door is None:
            raise Unsupported("Links cannot be read without an outgoing door.")
        access.door.check_url(url)
        return video_of(extract(url, access.door, seconds=SECONDS), url, access.door)

    def knows(self, url: str, base_url: str) -> bool:
        """See Provider. It is asked last, for what nobody else knows."""
        return False


def meaning(error: Exception) -> JobError:
    """What a failure of yt-dlp means to the job."""
    from yt_dlp.networking.exceptions import HTTPError, TransportError
    from yt_dlp.utils import GeoRestrictedError, UnsupportedError

    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, JobError):
            refused = isinstance(cause, PermanentError)
            return cause if refused else Unreachable(cause.message, code=cause.code)
        if isinstance(cause, UnsupportedError):
            return Unsupported("There is no video at this link that can be read.")
        if isinstance(cause, GeoRestrictedError):
            return Gone("The video is not shown in this part of the world.")
        if isinstance(cause, HTTPError):
            return _of_status(cause.status, cause.response.headers)
        if isinstance(cause, TransportError):
            return Unreachable("The link's server cannot be reached.")
    words = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).removeprefix("ERROR: ")[:200]
    if _GONE.search(words):
        return Gone(f"There is no video at this link any more: {words}")
    if _LOGIN.search(words):
        return LoginRequired(f"The link wants somebody to be signed in: {words}")
    return Changed(f"The link cannot be read: {words}")


def _of_status(status: int, headers: Mapping[str, str]) -> JobError:
    if status in (404, 410):
        return Gone(f"There is nothing at this link (HTTP {status}).")
    if status == 429:
        wait = clean_retry_after(headers.get("Retry-After"), datetime.now(UTC))
        return RateLimited("The link's server asks for fewer requests (HTTP 429).", retry_after=wait)
    if status in (401, 403):
        return Blocked(f"The link's server refuses us (HTTP {status}).")
    return Unreachable(f"The link's server has a fault (HTTP {status}).")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, as yt-dlp keeps it (`cause`, `exc_info`) and as Python does."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        exc_info = getattr(current, "exc_info", None) or (None, None, None)
        inner = getattr(current, "cause", None)
        waiting += getattr(current, "unexpected_errors", [])  # what its network raised that is not its own
        waiting += [exc_info[1], inner if isinstance(inner, BaseException) else None, current.__cause__, current.__context__]


def video_of(info: Any, url: str, door: Door) -> VideoData:
    """yt-dlp's description in our words. Raises Unsupported for what is not one video."""
    if isinstance(info, dict) and info.get("_type") in ("playlist", "multi_video"):
        entries = [entry for entry in info.get("entries") or [] if isinstance(entry, dict)]
        info = entries[0] if entries else None
    if not isinstance(info, dict):
        raise Unsupported("There is no video at this link.")
    if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming"):
        raise Unsupported("This is a live broadcast, not a video.")
    page = _text(info.get("webpage_url")) or url
    platform = re.sub(r"[^a-z0-9]", "", _text(info.get("extractor_key")).lower())[:20] or "link"
    media = tuple(_media(info, door))
    counts = {
        name: clean_count(info.get(key))[0]
        for name, key in (
            ("views", "view_count"),
            ("likes", "like_count"),
            ("comments", "comment_count"),
            ("shares", "repost_count"),
        )
    }
    return VideoData(
        platform=platform,
        # Generic pages give names as ids: an unfit one is replaced by a mark of the page.
        external_id=clean_id(info.get("id")) or hashlib.sha256(page.encode()).hexdigest()[:32],
        kind="clip",
        url=page,
        title=_text(info.get("description")) if platform == "tiktok" else _text(info.get("title")),
        author=_author(info),
        hashtags=tuple(tag for tag in info.get("tags") or () if isinstance(tag, str)),
        cover_url=_text(info.get("thumbnail")),
        media=media,
        duration_ms=_milliseconds(info.get("duration")),
        width=clean_int(info.get("width")),
        height=clean_int(info.get("height")),
        published_at=_published(info),
        counts=Counts(**counts),
    )


def _media(info: Mapping[str, Any], door: Door) -> Iterator[MediaURL]:
    """Files with picture and sound in one, the highest first; what leads into forbidden places is left out."""
    formats = [f for f in (info.get("formats") or [info]) if isinstance(f, dict)]
    whole = [
        f
        for f in formats
        if f.get("vcodec") != "none" and f.get("acodec") != "none" and f.get("protocol") in ("http", "https", None)
    ]
    whole.sort(key=lambda f: (clean_int(f.get("height")) or 0, clean_count(round(_number(f.get("tbr"))))[0] or 0), reverse=True)
    allowed: dict[str, bool] = {}
    for file in whole[:MOST_MEDIA]:
        link = _text(file.get("url"))
        host = urlsplit(link).netloc
        if host not in allowed:
            try:
                door.check_url(link)
                allowed[host] = True
            except JobError:
                allowed[host] = False
        if allowed[host]:
            yield MediaURL(
                url=link,
                width=clean_int(file.get("width")),
                height=clean_int(file.get("height")),
                bitrate=clean_int(round(_number(file.get("tbr")) * 1000)),
                codec=_codec(_text(file.get("vcodec"))),
                size=clean_int(file.get("filesize")),
            )


def _author(info: Mapping[str, Any]) -> AuthorData | None:
    external_id = clean_id(info.get("channel_id")) or clean_id(info.get("uploader_id")) or clean_id(info.get("uploader"))
    if not external_id:
        return None
    return AuthorData(
        external_id=external_id,
        handle=_text(info.get("uploader_id")),
        name=_text(info.get("uploader")) or _text(info.get("channel")),
        url=_text(info.get("uploader_url")) or _text(info.get("channel_url")),
        followers=clean_count(info.get("channel_follower_count"))[0],
    )


def _published(info: Mapping[str, Any]) -> datetime | None:
    if seconds := clean_int(info.get("timestamp"), 2**33):
        return datetime.fromtimestamp(seconds, UTC)
    try:
        return datetime.strptime(_text(info.get("upload_date")), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _codec(name: str) -> str:
    return next((ours for start, ours in _CODECS if name.lower().startswith(start)), "")


def _milliseconds(seconds: Any) -> int | None:
    return clean_int(round(_number(seconds) * 1000))


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 1e12
    return float(value) if is_number else 0.0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
