"""The one edge where crawled values become fit to store. Pure.

What cannot be mended becomes None (or is cut) and leaves a flag: a doubtful number is never kept as if it were measured.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from crawler.providers.base import AuthorData, Counts, MediaURL, SlideData, SoundData, VideoData

MAX_BIGINT = 2**63 - 1
MAX_COUNT = 10**12
"""Above this a counter is nonsense, not fame: all people who ever lived number a tenth of it."""
MAX_TITLE = 2_000
MAX_NAME = 200
MAX_BIO = 2_000
MAX_URL = 2_000
MAX_AUTHOR_URL = 1_000
MAX_MEDIA_URL = 4_096
MAX_ID = 64
MAX_HASHTAGS = 50
MAX_HASHTAG = 100
MAX_MEDIA = 24
MAX_SLIDES = 100
MAX_MIRRORS = 4
MAX_DURATION_MS = 24 * 3600 * 1000
MAX_SIDE = 16_384
EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
"""Before this there were no such platforms; a time earlier than this is a default, not a date."""

# Control characters but tab and newline; surrogates; marks that turn the direction of what follows; BOM; noncharacters.
_NEVER = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
_UNWANTED = re.compile(f"[{_NEVER}]")
_NOT_IN_URL = rf'\s"<>\\^`{_NEVER}'
_URL = re.compile(rf"https?://(?:\[[0-9a-fA-F:.]+\](?::\d+)?|[^/?#\[\]{_NOT_IN_URL}]+)(?:[/?#][^{_NOT_IN_URL}]*)?")
_ID = re.compile(r"[\w.:-]+", re.ASCII)


class Unusable(ValueError):
    """The item has no identity that could be stored; the sentence says what is missing."""


def clean_text(value: object, limit: int, *, one_line: bool = False) -> tuple[str, bool]:
    """The text without what breaks storage or display, in NFC; and whether it had to be cut to `limit` characters."""
    if not isinstance(value, str):
        return "", False
    text = value[: limit * 4]  # normalising 100 KB of combining marks is nobody's need
    text = _UNWANTED.sub("", text)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    text = " ".join(text.split()) if one_line else text.strip()
    return text[:limit], len(text) > limit or len(value) > limit * 4


def clean_url(value: object, limit: int = MAX_URL) -> str:
    """An http(s) URL of at most `limit` characters, or nothing. `//host/path` becomes https."""
    if not isinstance(value, str):
        return ""
    url = value.strip()
    if url.startswith("//"):
        url = "https:" + url
    return url if len(url) <= limit and _URL.fullmatch(url) else ""


def clean_id(value: object) -> str:
    """An identifier as text, or nothing. Numbers become digits, so that int64 survives."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value)
    return text if len(text) <= MAX_ID and _ID.fullmatch(text) else ""


def clean_count(value: object) -> tuple[int | None, str]:
    """A counter as an int, or None with what was wrong: negative, absurd, or not_a_number ("1.2万" is a rounding)."""
    match value:
        case None | "":
            return None, ""
        case bool():
            return None, "not_a_number"
        case int():
            number = value
        case float() if math.isfinite(value) and value == int(value):
            number = int(value)
        case str() if len(value) < 25 and re.fullmatch(r"-?[0-9]+", value):
            number = int(value)
        case _:
            return None, "not_a_number"
    if number < 0:
        return None, "negative"
    if number > MAX_COUNT:
        return None, "absurd"
    return number, ""


def clean_int(value: object, maximum: int = MAX_BIGINT) -> int | None:
    """A whole number between 1 and `maximum`, or None: for sizes and lengths, where 0 says nothing."""
    number, wrong = clean_count(value)
    return None if wrong or not number or number > maximum else number


def clean_time(value: object, now: datetime) -> tuple[datetime | None, bool]:
    """A moment from unix seconds or milliseconds; and whether there was one that cannot be true."""
    number, wrong = clean_count(value) if not isinstance(value, float) else clean_count(value // 1)
    if number is None:
        wrong = wrong if wrong != "absurd" else ""
        milliseconds = clean_id(value)
        if not milliseconds.isdigit():
            return None, bool(wrong)
        number = int(milliseconds)
    if number == 0:
        return None, False
    if number > 10**11:
        number //= 1000
    return _believable(number, now)


def _believable(seconds: int, now: datetime) -> tuple[datetime | None, bool]:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None, True
    if EARLIEST <= moment <= now + timedelta(days=1):
        return moment, False
    return None, True


def clean_retry_after(value: object, now: datetime) -> timedelta:
    """A Retry-After header (seconds or a date) as a wait of 1 second to 1 hour; nonsense waits a minute."""
    wait = timedelta(minutes=1)
    text = str(value or "").strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        wait = timedelta(seconds=min(int(text), 3600))
    elif text:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            pass
        else:
            wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(seconds=1)), timedelta(hours=1))


def clean_json(value: Any, *, depth: int = 8) -> Any:
    """JSON that PostgreSQL's jsonb takes: no NUL, surrogate, NaN or number beyond bigint; no deeper than `depth`."""
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) <= MAX_BIGINT else None
        case float():
            return value if math.isfinite(value) else None
        case str():
            return clean_text(value, 10_000)[0]
        case Mapping() if depth:
            return {clean_text(str(k), 200)[0]: clean_json(v, depth=depth - 1) for k, v in value.items()}
        case list() | tuple() if depth:
            return [clean_json(item, depth=depth - 1) for item in value[:1_000]]
        case _:
            return None


def clean_external(video: VideoData, now: datetime) -> VideoData:
    """The same video, fit to store. Raises Unusable when it has no identity."""
    external_id = clean_id(video.external_id)
    if not external_id:
        raise Unusable(f"video id {str(video.external_id)[:40]!r} is not usable")
    if video.kind not in ("clip", "carousel"):
        raise Unusable(f"video {external_id} is neither clip nor carousel")
    flags = list(video.flags)
    title, is_cut = clean_text(video.title, MAX_TITLE)
    if is_cut:
        flags.append("title_cut")
    published_at = video.published_at
    if published_at and not EARLIEST <= published_at <= now + timedelta(days=1):
        published_at = None
        flags.append("odd_published_at")
    return replace(
        video,
        external_id=external_id,
        url=clean_url(video.url),
        title=title,
        author=clean_author(video.author),
        sound=clean_sound(video.sound),
        hashtags=_clean_hashtags(video.hashtags),
        cover_url=clean_url(video.cover_url),
        media=tuple(clean for media in video.media[:MAX_MEDIA] if (clean := _clean_media(media)).url),
        slides=tuple(_clean_slide(s) for s in video.slides[:MAX_SLIDES]),
        duration_ms=clean_int(video.duration_ms, MAX_DURATION_MS),
        width=clean_int(video.width, MAX_SIDE),
        height=clean_int(video.height, MAX_SIDE),
        published_at=published_at,
        counts=_clean_counts(video.counts, flags),
        flags=tuple(dict.fromkeys(clean_text(flag, 40, one_line=True)[0] for flag in flags))[:20],
    )


def _clean_counts(counts: Counts, flags: list[str]) -> Counts:
    cleaned: dict[str, int | None] = {}
    for field in fields(Counts):
        cleaned[field.name], wrong = clean_count(getattr(counts, field.name))
        if wrong:
            flags.append(f"{wrong}_{field.name}")
    return Counts(**cleaned)


def clean_author(author: AuthorData | None) -> AuthorData | None:
    if author is None or not clean_id(author.external_id):
        return None
    return replace(
        author,
        external_id=clean_id(author.external_id),
        handle=clean_text(author.handle, MAX_NAME, one_line=True)[0],
        name=clean_text(author.name, MAX_NAME, one_line=True)[0],
        url=clean_url(author.url, MAX_AUTHOR_URL),
        avatar_url=clean_url(author.avatar_url),
        bio=clean_text(author.bio, MAX_BIO)[0],
        followers=clean_count(author.followers)[0],
        following=clean_count(author.following)[0],
        likes=clean_count(author.likes)[0],
        videos=clean_count(author.videos)[0],
    )


def clean_sound(sound: SoundData | None) -> SoundData | None:
    if sound is None or not clean_id(sound.external_id):
        return None
    duration = sound.duration_seconds
    return replace(
        sound,
        external_id=clean_id(sound.external_id),
        title=clean_text(sound.title, MAX_NAME, one_line=True)[0],
        author_name=clean_text(sound.author_name, MAX_NAME, one_line=True)[0],
        duration_seconds=duration if duration is not None and 0 < duration <= 86_400 else None,
        play_url=clean_url(sound.play_url),
        cover_url=clean_url(sound.cover_url),
        url=clean_url(sound.url, MAX_AUTHOR_URL),
        uses=clean_count(sound.uses)[0],
    )


def _clean_hashtags(hashtags: tuple[str, ...]) -> tuple[str, ...]:
    cleaned = (clean_text(tag, MAX_HASHTAG, one_line=True)[0].lstrip("#＃") for tag in hashtags)
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))[:MAX_HASHTAGS]


def _clean_media(media: MediaURL) -> MediaURL:
    return replace(
        media,
        url=clean_url(media.url, MAX_MEDIA_URL),
        width=clean_int(media.width, MAX_SIDE),
        height=clean_int(media.height, MAX_SIDE),
        bitrate=clean_int(media.bitrate),
        codec=clean_text(media.codec, 20)[0],
        size=clean_int(media.size),
    )


def _clean_slide(slide: SlideData) -> SlideData:
    return replace(
        slide,
        urls=tuple(clean for url in slide.urls[:MAX_MIRRORS] if (clean := clean_url(url, MAX_MEDIA_URL))),
        width=clean_int(slide.width, MAX_SIDE),
        height=clean_int(slide.height, MAX_SIDE),
    )
