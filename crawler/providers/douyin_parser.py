"""Douyin's answers, as its web pages and its app load them, read into our shapes. Pure; nothing here raises on any JSON."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawler.cleaning import MAX_BIGINT, clean_count, clean_id, clean_int, clean_time
from crawler.providers.base import AuthorData, Counts, MediaURL, SlideData, SoundData, VideoData

CAROUSEL_TYPES = (2, 68, 150)
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
_HASHTAG = re.compile(r"[#＃]([^\s#＃@]+)")
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


def unwrap(body: Any) -> Any:
    """The platform's own answer out of a wrapper API's `{"code": …, "data": {…}}`."""
    inner = body.get("data") if isinstance(body, dict) else None
    if isinstance(inner, dict) and "code" in body and "status_code" not in body:
        return inner
    return body


def entries_of(body: Any) -> list[Any] | None:
    """The list of cards or posts in an answer; None when there is no such list at all."""
    if isinstance(body, list):
        return body
    for key in ("data", "aweme_list"):
        entries = _mapping(body).get(key)
        if isinstance(entries, list):
            return entries
    detail = _mapping(_mapping(body).get("aweme_detail"))
    return [detail] if detail else None


def parse_listing(body: Any, *, base_url: str = "https://www.douyin.com", now: datetime | None = None) -> Listing:
    """Every post of an answer, and a count of everything else in it."""
    body = unwrap(body)
    now = now or datetime.now(UTC)
    videos: dict[str, VideoData] = {}
    skipped: Counter[str] = Counter()
    errors: list[str] = []
    entries = entries_of(body)
    if entries is None:
        skipped.update(_without_posts(body))
    for entry in entries or []:
        kind, post = classify(entry)
        wrong = "an entry that should hold a post holds none"
        if kind in PLAYABLE:
            try:
                video = parse_post(post, base_url=base_url, now=now)
            except Malformed as error:
                kind, wrong = "malformed", str(error)
            else:
                videos.setdefault(video.external_id, video)  # pinned posts come twice
                continue
        skipped[kind] += 1
        if kind == "malformed" and len(errors) < MOST_ERRORS:
            errors.append(wrong)
    facts = _mapping(body)
    following = facts.get("max_cursor") if "aweme_list" in facts else facts.get("cursor")
    return Listing(
        videos=tuple(videos.values()),
        skipped=dict(skipped),
        errors=tuple(errors),
        has_more=bool(facts.get("has_more")),
        next_offset=_position(following),
        search_id=_text(_mapping(facts.get("log_pb")).get("impr_id")),
    )


def classify(entry: Any) -> tuple[str, Mapping[str, Any]]:
    """What an entry is (clip, carousel, live, ad, deleted, malformed, other), and the post in it if it is playable."""
    card = _mapping(entry)
    if not card:
        return "malformed", {}
    if _is_live(card):
        return "live", {}
    post = _post_of(card)
    if post is None:
        return ("malformed" if card.get("type") == 1 else "other"), {}
    if _is_live(post):
        return "live", {}
    if post.get("is_ads") or post.get("raw_ad_data"):
        return "ad", {}
    status = _mapping(post.get("status"))
    if status.get("is_delete") or status.get("is_prohibited") or status.get("private_status") or status.get("self_see"):
        return "deleted", {}
    return ("carousel" if _is_carousel(post) else "clip"), post


def parse_post(post: Mapping[str, Any], *, base_url: str, now: datetime) -> VideoData:
    """One aweme object. Raises Malformed when it has no id, or nothing to play or look at."""
    external_id = clean_id(post.get("aweme_id"))
    if not external_id.isdigit():
        raise Malformed(f"post without a usable id: {str(post.get('aweme_id'))[:40]!r}")
    video = _mapping(post.get("video"))
    flags: list[str] = []
    if _is_carousel(post):
        slides = tuple(_slides(post))
        media: tuple[MediaURL, ...] = ()
        if not slides:
            raise Malformed(f"carousel {external_id} without pictures")
        width, height = slides[0].width, slides[0].height
    else:
        slides = ()
        media = tuple(_media(video))
        if not media:
            raise Malformed(f"clip {external_id} without a media address")
        width, height = _size(video) if video.get("width") else (media[0].width, media[0].height)
    published_at, is_odd = clean_time(post.get("create_time"), now)
    if is_odd:
        flags.append("odd_published_at")
    title = next((text for key in ("desc", "caption", "preview_title", "item_title") if (text := _text(post.get(key)))), "")
    return VideoData(
        platform="douyin",
        external_id=external_id,
        kind="carousel" if slides else "clip",
        url=f"{base_url}/{'note' if slides else 'video'}/{external_id}",
        title=title,
        author=_author(post, base_url),
        sound=_sound(_mapping(post.get("music"))),
        hashtags=tuple(dict.fromkeys(_hashtags(post))) or tuple(dict.fromkeys(_HASHTAG.findall(title))),
        cover_url=_cover(video) or (slides[0].urls[0] if slides else ""),
        media=media,
        slides=slides,
        duration_ms=None if slides else clean_int(post.get("duration")) or clean_int(video.get("duration")),
        width=width,
        height=height,
        published_at=published_at,
        counts=_counts(post, flags),
        flags=tuple(flags),
    )


def expires_at(url: str) -> datetime | None:
    """When a media link stops working, as the link itself says: `x-expires=` seconds, or hex seconds in its path."""
    parts = urlsplit(url)
    in_query = parse_qs(parts.query).get("x-expires", [""])[0]
    in_path = _HEX_TIME.search(parts.path)
    if re.fullmatch("[0-9]{10,11}", in_query):
        seconds = int(in_query)
    elif in_path:
        seconds = int(in_path[1], 16)
    else:
        return None
    return datetime.fromtimestamp(seconds, UTC) if 10**9 < seconds < 2**33 else None


def _post_of(card: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The aweme object of a search card, a collection card, or a bare list."""
    if post := _mapping(card.get("aweme_info")):
        return post
    collection = _mapping(card.get("aweme_mix_info"))
    for item in _list(collection.get("mix_items")):
        if post := _mapping(item):
            return post
    # Comments name the post they belong to as well, but describe nothing of it.
    return card if "aweme_id" in card and card.keys() & {"video", "images", "statistics", "desc"} else None


def _is_carousel(post: Mapping[str, Any]) -> bool:
    # Having a play address proves nothing: that of a carousel is its music.
    return bool(_list(post.get("images"))) or post.get("aweme_type") in CAROUSEL_TYPES or post.get("media_type") == 2


def _without_posts(body: Any) -> Counter[str]:
    """What stands in an answer that lists no posts: a live room, hot words, sounds, hashtags."""
    inner = _mapping(_mapping(body).get("data")) or _mapping(body)
    if _mapping(inner.get("room")) or "live_room_mode" in inner or "stream_url" in inner:
        return Counter(live=1)
    return Counter(other=sum(len(value) for value in inner.values() if isinstance(value, list)))


def _is_live(card: Mapping[str, Any]) -> bool:
    for key in ("lives", "cell_room"):
        if _mapping(card.get(key)):
            return True
    room = card.get("rawdata") or card.get("room")
    if isinstance(room, str):  # a JSON string inside the JSON
        try:
            room = json.loads(room)
        except ValueError:
            return False
    return bool(_mapping(room)) or card.get("aweme_type") == 101


def _media(video: Mapping[str, Any]) -> list[MediaURL]:
    """The ladder: per height the best H.264 file with its mirrors, highest first; then the best of each newer codec.

    Copies with a watermark come last.
    """
    best: dict[tuple[str, int], tuple[int, Mapping[str, Any]]] = {}
    for gear in map(_mapping, _list(video.get("bit_rate"))):
        address = _mapping(gear.get("play_addr"))
        if gear.get("format", "mp4") not in ("mp4", "") or not _urls(address):
            continue
        codec = _codec(gear.get("is_h265") or gear.get("is_bytevc1") or 0)
        key = (codec, (_size(address)[1] or 0) if codec == "h264" else 0)
        rate: int = clean_int(gear.get("bit_rate")) or 0
        if key not in best or rate > best[key][0]:
            best[key] = rate, address
    by_codec_then_height = sorted(best.items(), key=lambda item: (item[0][0], -item[0][1]))
    files = [(codec, bits or None, address) for (codec, _side), (bits, address) in by_codec_then_height]
    plain = [("h264", None, _mapping(video.get("play_addr_h264"))), ("", None, _mapping(video.get("play_addr")))]
    last_resort = [("h265", None, _mapping(video.get("play_addr_265"))), ("", None, _mapping(video.get("download_addr")))]
    playable = [file for file in files if file[0] == "h264"]
    newer = [file for file in files if file[0] != "h264"]
    found: dict[str, MediaURL] = {}
    for codec, bitrate, address in [*playable, *plain, *newer, *(last_resort if not files else [])]:
        width, height = _size(address)
        for url in _urls(address)[:MIRRORS]:
            if url not in found and not url.split("?")[0].endswith((".mp3", ".m4a")):
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


def _codec(flag: Any) -> str:
    return _CODECS.get(flag if isinstance(flag, int) else 0, "h265")


def _codec_of_key(address: Mapping[str, Any]) -> str:
    """`url_key` names the codec where nothing else does: v0300…_h264_1080p_1666742."""
    key = _text(address.get("url_key"))
    return "h264" if "_h264_" in key else "h265" if "_bytevc1_" in key or "_h265_" in key else ""


def _slides(post: Mapping[str, Any]) -> Iterator[SlideData]:
    for image in map(_mapping, _list(post.get("images"))):
        # download_url_list carries a watermark, so it comes last.
        clean = [*_list(image.get("watermark_free_download_url_list")), *_list(image.get("url_list"))]
        urls = _pictures(_urls({"url_list": clean})) or _pictures(_urls({"url_list": image.get("download_url_list")}))
        if urls:
            width, height = _size(image)
            yield SlideData(urls=urls[:MIRRORS], width=width, height=height)


def _pictures(urls: Sequence[str]) -> tuple[str, ...]:
    """What every decoder reads first: JPEG, then WebP, then unnamed, and HEIC as a last resort."""

    def rank(url: str) -> int:
        path = urlsplit(url).path
        for place, endings in enumerate(((".jpeg", ".jpg"), (".webp", ".png"))):
            if path.endswith(endings):
                return place
        return 9 if ".heic" in path else 5

    return tuple(sorted(urls, key=rank))


def _cover(video: Mapping[str, Any]) -> str:
    for key in ("cover", "origin_cover", "dynamic_cover", "animated_cover"):
        pictures = _pictures(_urls(_mapping(video.get(key))))
        if pictures:
            return pictures[0]
    return ""


def _author(post: Mapping[str, Any], base_url: str) -> AuthorData | None:
    author = _mapping(post.get("author"))
    external_id = clean_id(author.get("uid")) or clean_id(post.get("author_user_id"))
    if external_id in ("", "0"):
        return None
    sec_uid = _sec_uid(author.get("sec_uid"))
    avatars = [url for key in ("avatar_medium", "avatar_larger", "avatar_thumb") for url in _urls(_mapping(author.get(key)))]
    followers, wrong = clean_count(author.get("follower_count"))
    return AuthorData(
        external_id=external_id,
        handle=_text(author.get("unique_id")) or _handle(author.get("short_id")),
        name=_text(author.get("nickname")),
        url=f"{base_url}/user/{sec_uid}" if sec_uid else "",
        avatar_url=next(iter(_pictures(avatars)), ""),
        bio=_text(author.get("signature")),
        followers=None if wrong else followers or None,  # 0 where it is not shown, as for views
        is_verified=bool(_text(author.get("custom_verify")) or _text(author.get("enterprise_verify_reason"))),
    )


def _sec_uid(value: Any) -> str:
    """A sec_uid: longer than other ids, of the letters that may stand in a path."""
    text = _text(value)
    return text if re.fullmatch(r"[\w-]{10,200}", text, re.ASCII) else ""


def _handle(value: Any) -> str:
    handle = clean_id(value)
    return "" if handle == "0" else handle


def _sound(music: Mapping[str, Any]) -> SoundData | None:
    # `id` loses its last digits where a JavaScript program passed it on; the strings do not.
    external_id = next((text for key in ("id_str", "mid", "id") if (text := clean_id(music.get(key))) not in ("", "0")), "")
    if not external_id:
        return None
    duration, wrong = clean_count(music.get("duration"))
    covers = [
        url for key in ("cover_medium", "cover_large", "cover_thumb", "cover_hd") for url in _urls(_mapping(music.get(key)))
    ]
    return SoundData(
        external_id=external_id,
        title=_text(music.get("title")),
        author_name=_text(music.get("author")) or _text(music.get("owner_nickname")),
        duration_seconds=float(duration) if duration and not wrong else None,
        play_url=next(iter(_urls(_mapping(music.get("play_url")))), ""),
        cover_url=next(iter(_pictures(covers)), ""),
        is_original=bool(music.get("is_original") or music.get("is_original_sound")),
    )


def _hashtags(post: Mapping[str, Any]) -> Iterator[str]:
    for tag in map(_mapping, _list(post.get("text_extra"))):
        if name := _text(tag.get("hashtag_name")):
            yield name
    for challenge in map(_mapping, _list(post.get("cha_list"))):
        if name := _text(challenge.get("cha_name")):
            yield name


def _counts(post: Mapping[str, Any], flags: list[str]) -> Counts:
    statistics = _mapping(post.get("statistics"))
    counts: dict[str, int | None] = {}
    for ours, theirs in _STATISTICS.items():
        counts[ours], wrong = clean_count(statistics.get(theirs))
        if wrong:
            flags.append(f"{wrong}_{ours}")
    # Web and app search always answer 0 here: not shown, rather than not seen by anybody.
    counts["views"] = counts["views"] or None
    return Counts(**counts)


def _urls(address: Mapping[str, Any]) -> list[str]:
    """The links of an address; those of a CDN as https, which works too."""
    found = []
    for url in map(_text, _list(address.get("url_list"))):
        if url.startswith("//"):
            url = "https:" + url
        url = _PLAIN_CDN.sub("https://", url)
        if url.startswith(("http://", "https://")):
            found.append(url)
    return found


def _position(value: Any) -> int | None:
    """Where a listing goes on: an offset, or a time in milliseconds."""
    digits = clean_id(value)
    return min(int(digits), MAX_BIGINT) if digits.isdigit() else None


def _size(thing: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return clean_int(thing.get("width")), clean_int(thing.get("height"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
