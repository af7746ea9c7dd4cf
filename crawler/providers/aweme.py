"""Posts as ByteDance describes them ("aweme"), in the parts that Douyin's and TikTok's answers share. Pure; raises on no JSON."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawler.cleaning import MAX_BIGINT, clean_count, clean_id, clean_int
from crawler.providers.base import Counts, MediaURL, SoundData, VideoData

MOST_ERRORS = 20
MIRRORS = 3
PLAYABLE = ("clip", "carousel")

# Codecs by Douyin's own flag; what a browser plays comes first.
_CODECS = {0: "h264", 1: "h265", 2: "h266"}
_STATISTICS = {
    "views": "play_count",
    "likes": "digg_count",
    "comments": "comment_count",
    "shares": "share_count",
    "saves": "collect_count",
}
_PLAIN_CDN = re.compile(r"^http://(?=[^/:]+\.[a-z]{2,}/)")  # a named host on the usual port
_HEX_TIME = re.compile(r"/[0-9a-f]{32}/([0-9a-f]{8})/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one answer held: a search, a profile's posts, or any list of posts."""

    videos: tuple[VideoData, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Entries that are not videos, by reason: live, ad, deleted, malformed, other."""
    errors: tuple[str, ...] = ()
    has_more: bool = False
    next_offset: int | None = None
    """`cursor` of a search, `max_cursor` (milliseconds) of a profile's posts."""
    search_id: str = ""


class Malformed(ValueError):
    """An entry that claims to be a post and cannot be read as one."""


Post = Mapping[str, Any]


def gather(
    entries: Iterable[Any], classify: Callable[[Any], tuple[str, Post]], parse: Callable[[Post], VideoData]
) -> tuple[tuple[VideoData, ...], Counter[str], tuple[str, ...]]:
    """The videos among some entries, each once; how many of the others there are of each kind; what was wrong with the bad."""
    videos: dict[str, VideoData] = {}
    skipped: Counter[str] = Counter()
    errors: list[str] = []
    for entry in entries:
        kind, post = classify(entry)
        wrong = "an entry that should hold a post holds none"
        if kind in PLAYABLE:
            try:
                video = parse(post)
            except Malformed as error:
                kind, wrong = "malformed", str(error)
            else:
                videos.setdefault(video.external_id, video)  # pinned posts come twice
                continue
        skipped[kind] += 1
        if kind == "malformed" and len(errors) < MOST_ERRORS:
            errors.append(wrong)
    return tuple(videos.values()), skipped, tuple(errors)


def is_hidden(post: Post) -> bool:
    """Deleted, forbidden, or kept to its author."""
    status = as_mapping(post.get("status"))
    return any(status.get(key) for key in ("is_delete", "is_prohibited", "private_status", "self_see"))


def expires_at(url: str) -> datetime | None:
    """When a media link stops working, as it says itself: `x-expires=` or `expire=` seconds, or hex seconds in its path."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    in_query = (query.get("x-expires") or query.get("expire") or [""])[0]
    in_path = _HEX_TIME.search(parts.path)
    if re.fullmatch("[0-9]{10,11}", in_query):
        seconds = int(in_query)
    elif in_path:
        seconds = int(in_path[1], 16)
    else:
        return None
    return datetime.fromtimestamp(seconds, UTC) if 10**9 < seconds < 2**33 else None


def media_of(video: Mapping[str, Any]) -> list[MediaURL]:
    """The ladder: per height the best H.264 file with its mirrors, highest first; then the best of each newer codec.

    Copies with a watermark come last.
    """
    best: dict[tuple[str, int], tuple[int, Mapping[str, Any]]] = {}
    for gear in map(as_mapping, as_list(video.get("bit_rate"))):
        address = as_mapping(gear.get("play_addr"))
        if gear.get("format", "mp4") not in ("mp4", "") or not urls_of(address):
            continue
        codec = _codec(gear.get("is_h265") or gear.get("is_bytevc1") or 0)
        key = (codec, (size_of(address)[1] or 0) if codec == "h264" else 0)
        rate: int = clean_int(gear.get("bit_rate")) or 0
        if key not in best or rate > best[key][0]:
            best[key] = rate, address
    by_codec_then_height = sorted(best.items(), key=lambda item: (item[0][0], -item[0][1]))
    files = [(codec, bits or None, address) for (codec, _side), (bits, address) in by_codec_then_height]
    plain_keys = (("h264", "play_addr_h264"), ("", "play_addr"), ("", "download_no_watermark_addr"))
    plain = [(codec, None, as_mapping(video.get(key))) for codec, key in plain_keys]
    last_keys = (("h265", "play_addr_265"), ("h265", "play_addr_bytevc1"), ("", "download_addr"))
    last_resort = [(codec, None, as_mapping(video.get(key))) for codec, key in last_keys]
    playable = [file for file in files if file[0] == "h264"]
    newer = [file for file in files if file[0] != "h264"]
    found: dict[str, MediaURL] = {}
    for codec, bitrate, address in [*playable, *plain, *newer, *(last_resort if not files else [])]:
        width, height = size_of(address)
        for url in urls_of(address)[:MIRRORS]:
            if url not in found and not _is_audio(url):
                found[url] = MediaURL(
                    url=url,
                    expires_at=expires_at(url),
                    width=width,
                    height=height,
                    bitrate=bitrate,
                    codec=codec or _codec_of_key(address),
                    size=clean_int(address.get("data_size")),
                )
    return sorted(found.values(), key=lambda media: "/playwm/" in media.url or "watermark=1" in media.url)


def _is_audio(url: str) -> bool:
    return url.split("?")[0].endswith((".mp3", ".m4a")) or "mime_type=audio_" in url


def _codec(flag: Any) -> str:
    return _CODECS.get(flag if isinstance(flag, int) else 0, "h265")


def _codec_of_key(address: Mapping[str, Any]) -> str:
    """`url_key` names the codec where nothing else does: v0300…_h264_1080p_1666742."""
    key = as_text(address.get("url_key"))
    return "h264" if "_h264_" in key else "h265" if "_bytevc1_" in key or "_h265_" in key else ""


def pictures(urls: Sequence[str]) -> tuple[str, ...]:
    """What every decoder reads first: JPEG, then WebP, then unnamed, and HEIC as a last resort."""

    def rank(url: str) -> int:
        path = urlsplit(url).path
        for place, endings in enumerate(((".jpeg", ".jpg"), (".webp", ".png"))):
            if path.endswith(endings):
                return place
        return 9 if ".heic" in path else 5

    return tuple(sorted(urls, key=rank))


def cover_of(video: Mapping[str, Any]) -> str:
    for key in ("cover", "origin_cover", "dynamic_cover", "ai_dynamic_cover", "animated_cover"):
        if found := pictures(urls_of(as_mapping(video.get(key)))):
            return found[0]
    return ""


def sec_uid_of(value: Any) -> str:
    """A sec_uid: longer than other ids, of the letters that may stand in a path."""
    text = as_text(value)
    return text if re.fullmatch(r"[\w-]{10,200}", text, re.ASCII) else ""


def exact_id(value: Any) -> str:
    """An id as text; nothing for a number that a JavaScript program rounded on its way, which is somebody else's id.

    Such a program keeps 53 bits and writes the shortest decimal that means them: 7470969632736709422 becomes …710000.
    """
    if isinstance(value, int) and value > 2**53 and int(Decimal(repr(float(value)))) == value:
        return ""
    return clean_id(value)


def handle_of(value: Any) -> str:
    handle = clean_id(value)
    return "" if handle == "0" else handle


def sound_of(music: Mapping[str, Any], base_url: str = "") -> SoundData | None:
    """A sound, with its address on a site that has one page per sound and id at `base_url`."""
    external_id = next((text for key in ("id_str", "mid", "id") if (text := exact_id(music.get(key))) not in ("", "0")), "")
    if not external_id:
        return None
    duration, wrong = clean_count(music.get("duration"))
    covers = [
        url for key in ("cover_medium", "cover_large", "cover_thumb", "cover_hd") for url in urls_of(as_mapping(music.get(key)))
    ]
    return SoundData(
        external_id=external_id,
        title=as_text(music.get("title")),
        author_name=as_text(music.get("author")) or as_text(music.get("owner_nickname")),
        duration_seconds=float(duration) if duration and not wrong else None,
        play_url=next(iter(urls_of(as_mapping(music.get("play_url")))), ""),
        cover_url=next(iter(pictures(covers)), ""),
        is_original=bool(music.get("is_original") or music.get("is_original_sound")),
        url=f"{base_url}/music/{external_id}" if base_url else "",
        uses=clean_int(music.get("user_count")),  # 0 where it is not shown
    )


def hashtags_of(post: Mapping[str, Any]) -> Iterator[str]:
    for tag in map(as_mapping, as_list(post.get("text_extra"))):
        if name := as_text(tag.get("hashtag_name")):
            yield name
    for challenge in map(as_mapping, as_list(post.get("cha_list"))):
        if name := as_text(challenge.get("cha_name")):
            yield name


def counts_of(post: Mapping[str, Any], flags: list[str]) -> Counts:
    statistics = as_mapping(post.get("statistics"))
    counts: dict[str, int | None] = {}
    for ours, theirs in _STATISTICS.items():
        counts[ours], wrong = clean_count(statistics.get(theirs))
        if wrong:
            flags.append(f"{wrong}_{ours}")
    return Counts(**counts)


def urls_of(address: Mapping[str, Any]) -> list[str]:
    """The links of an address; those of a CDN as https, which works too."""
    found = []
    for url in map(as_text, as_list(address.get("url_list"))):
        if url.startswith("//"):
            url = "https:" + url
        url = _PLAIN_CDN.sub("https://", url)
        if url.startswith(("http://", "https://")):
            found.append(url)
    return found


def position_of(value: Any) -> int | None:
    """Where a listing goes on: an offset, or a time in milliseconds."""
    digits = clean_id(value)
    return min(int(digits), MAX_BIGINT) if digits.isdigit() else None


def size_of(thing: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return clean_int(thing.get("width")), clean_int(thing.get("height"))


def as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""
