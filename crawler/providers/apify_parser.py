"""The items of Apify's TikTok actors (clockworks's and apidojo's) read into our shapes. Pure; no JSON makes it raise."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from crawler.cleaning import clean_count, clean_id, clean_int, clean_time
from crawler.providers.base import AuthorData, Counts, MediaURL, SlideData, SoundData, VideoData

MOST_ERRORS = 20
_IN_PAGE = re.compile(r"/(?:video|photo)/([0-9]{5,20})")
_EXPIRES = re.compile(r"[?&]x-expires=([0-9]{9,11})(?:&|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """What one page of a dataset held."""

    videos: tuple[VideoData, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    """What is no video, by reason: errors (rows in which the actor says what it could not read), ad, malformed."""
    errors: tuple[str, ...] = ()
    sound: SoundData | None = None
    """The sound that was asked for, as its items describe it."""


class Malformed(ValueError):
    """An item that claims to be a post and cannot be read as one."""


def parse_items(items: Sequence[Any], *, site_url: str, sound_id: str = "", now: datetime | None = None) -> Items:
    """Every post of a dataset's page, and a count of everything else in it. `sound_id`: whose posts were asked for."""
    now = now or datetime.now(UTC)
    videos: dict[str, VideoData] = {}
    skipped: Counter[str] = Counter()
    errors: list[str] = []
    sound: SoundData | None = None
    for item in items:
        kind, wrong = _refusal(item)
        if not kind:
            try:
                video = parse_item(item, site_url=site_url, sound_id=sound_id, now=now)
            except Malformed as error:
                kind, wrong = "malformed", str(error)
            else:
                videos.setdefault(video.external_id, video)
        if kind:
            skipped[kind] += 1
            if wrong and len(errors) < MOST_ERRORS:
                errors.append(wrong)
            continue
        if video.sound and video.sound.external_id == sound_id:
            sound = _fuller(sound, video.sound)
    return Items(videos=tuple(videos.values()), skipped=dict(skipped), errors=tuple(errors), sound=sound)


def parse_item(item: Mapping[str, Any], *, site_url: str, sound_id: str = "", now: datetime) -> VideoData:
    """One item of either family. Raises Malformed when it has no id."""
    is_apidojo = isinstance(item.get("channel"), dict)
    reading = _apidojo if is_apidojo else _clockworks
    return reading(item, site_url, sound_id, now)


def _refusal(item: Any) -> tuple[str, str]:
    """Why an item is no video of ours, and in which words; empty if it may be one."""
    if not isinstance(item, dict):
        return "malformed", "an item that is no object"
    has_id = bool(clean_id(item.get("id"))) or "postPage" in item
    if item.get("error") and not has_id:
        where = item.get("url") or item.get("input") or item.get("submittedVideoUrl") or ""
        code = f" ({_text(item.get('errorCode'))[:60]})" if item.get("errorCode") else ""
        return "errors", f"{_text(item['error'])[:160] or 'an error row'}{code}{f': {_text(where)[:100]}' if where else ''}"
    if item.get("noResults"):
        return "errors", "the actor found nothing"
    if item.get("isAd") is True:
        return "ad", ""
    return "", ""


def _clockworks(item: Mapping[str, Any], site_url: str, sound_id: str, now: datetime) -> VideoData:
    external_id = _post_id(item.get("id"), item.get("webVideoUrl"))
    author, meta = _mapping(item.get("authorMeta")), _mapping(item.get("videoMeta"))
    flags: list[str] = []
    slides = tuple(_slides(item.get("slideshowImageLinks")))
    is_carousel = item.get("isSlideshow") is True
    if is_carousel and not slides:
        raise Malformed(f"carousel {external_id} without pictures")
    published_at, is_odd = clean_time(item.get("createTime"), now)
    if published_at is None:
        published_at = _iso(item.get("createTimeISO"))
    if is_odd:
        flags.append("odd_published_at")
    handle = _text(author.get("name"))
    return VideoData(
        platform="tiktok",
        external_id=external_id,
        kind="carousel" if is_carousel else "clip",
        url=_text(item.get("webVideoUrl")) or _page(site_url, handle, external_id),
        title=_text(item.get("text")),
        author=_author(
            author,
            {"id": "id", "handle": "name", "name": "nickName", "url": "profileUrl", "bio": "signature"}
            | {"followers": "fans", "following": "following", "likes": "heart", "videos": "video"},
            avatar=_first(author.get("originalAvatarUrl"), author.get("avatar")),
            site_url=site_url,
        ),
        sound=_clockworks_sound(item, sound_id, site_url),
        hashtags=tuple(_hashtags(item.get("hashtags"))),
        cover_url=_first(meta.get("originalCoverUrl"), meta.get("coverUrl")),
        media=() if is_carousel else tuple(_media(item, meta)),
        slides=slides if is_carousel else (),
        duration_ms=_milliseconds(meta.get("duration")),
        width=clean_int(meta.get("width")),
        height=clean_int(meta.get("height")),
        published_at=published_at,
        counts=_counts(item, "playCount", "diggCount", "commentCount", "shareCount", "collectCount"),
        flags=tuple(flags),
    )


def _clockworks_sound(item: Mapping[str, Any], sound_id: str, site_url: str) -> SoundData | None:
    music, search = _mapping(item.get("musicMeta")), _mapping(item.get("searchMusic"))
    own_id = clean_id(music.get("musicId"))
    if not own_id.strip("0"):
        own_id = sound_id  # the actor leaves it out of slideshows; it was found under the sound all the same
    if not own_id:
        return None
    return SoundData(
        external_id=own_id,
        title=_text(music.get("musicName")),
        author_name=_text(music.get("musicAuthor")),
        play_url=_text(music.get("playUrl")),
        cover_url=_first(music.get("originalCoverMediumUrl"), music.get("coverMediumUrl")),
        is_original=music.get("musicOriginal") is True,
        uses=clean_count(search.get("videos"))[0] if own_id == sound_id else None,
    )


def _apidojo(item: Mapping[str, Any], site_url: str, sound_id: str, now: datetime) -> VideoData:
    page = _text(item.get("postPage"))
    external_id = _post_id(item.get("id"), page)
    channel, video, song = _mapping(item.get("channel")), _mapping(item.get("video")), _mapping(item.get("song"))
    flags: list[str] = []
    slides = tuple(_slides(item.get("images")))
    is_carousel = bool(slides) or "/photo/" in page
    if is_carousel and not slides:
        raise Malformed(f"carousel {external_id} without pictures")
    if song and not sound_id:
        flags.append("sound_id_rounded")  # a number beyond what JavaScript counts to: another sound's, as likely as not
    published_at, is_odd = clean_time(item.get("uploadedAt"), now)
    if is_odd:
        flags.append("odd_published_at")
    return VideoData(
        platform="tiktok",
        external_id=external_id,
        kind="carousel" if is_carousel else "clip",
        url=page or _page(site_url, _text(channel.get("username")), external_id),
        title=_text(item.get("title")),
        author=_author(
            channel,
            {"id": "id", "handle": "username", "name": "name", "url": "url", "bio": "bio"}
            | {"followers": "followers", "following": "following", "likes": "likes", "videos": "videos"},
            avatar=_text(channel.get("avatar")),
            site_url=site_url,
        ),
        sound=SoundData(
            external_id=sound_id,
            title=_text(song.get("title")),
            author_name=_text(song.get("artist")),
            duration_seconds=_seconds(song.get("duration")),
            cover_url=_text(song.get("cover")),
        )
        if sound_id
        else None,
        hashtags=tuple(_hashtags(item.get("hashtags"))),
        cover_url=_first(video.get("cover"), video.get("thumbnail")),
        media=() if is_carousel else tuple(_address(url, video) for url in [_text(video.get("url"))] if url),
        slides=slides,
        duration_ms=_milliseconds(video.get("duration")),
        width=clean_int(video.get("width")),
        height=clean_int(video.get("height")),
        published_at=published_at,
        counts=_counts(item, "views", "likes", "comments", "shares", "bookmarks"),
        flags=tuple(flags),
    )


# -- what both families are made of ----------------------------------------------------------------------


def _post_id(value: Any, page: Any) -> str:
    """The platform's id; by its page where the item has none."""
    external_id = clean_id(value)
    if external_id.isdigit():
        return external_id
    if found := _IN_PAGE.search(_text(page)):
        return found[1]
    raise Malformed(f"item without a usable id: {str(value)[:40]!r}")


def _author(facts: Mapping[str, Any], names: Mapping[str, str], *, avatar: str, site_url: str) -> AuthorData | None:
    external_id = clean_id(facts.get(names["id"]))
    if not external_id:
        return None
    handle = _text(facts.get(names["handle"]))
    return AuthorData(
        external_id=external_id,
        handle=handle,
        name=_text(facts.get(names["name"])),
        url=_text(facts.get(names["url"])) or (f"{site_url}/@{quote(handle)}" if handle else ""),
        avatar_url=avatar,
        bio=_text(facts.get(names["bio"])),
        followers=facts.get(names["followers"]),
        following=facts.get(names["following"]),
        likes=facts.get(names["likes"]),
        videos=facts.get(names["videos"]),
        is_verified=facts.get("verified") is True,
    )


def _counts(item: Mapping[str, Any], views: str, likes: str, comments: str, shares: str, saves: str) -> Counts:
    """As they stand there: what is no number is told apart at the edge (crawler.cleaning)."""
    return Counts(
        views=item.get(views),
        likes=item.get(likes),
        comments=item.get(comments),
        shares=item.get(shares),
        saves=item.get(saves),
    )


def _media(item: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[MediaURL]:
    """The actor's own copies first, where they were ordered: the platform's addresses expire within hours."""
    kept = item.get("mediaUrls")
    urls = [*(kept if isinstance(kept, list) else []), meta.get("downloadAddr"), meta.get("originalDownloadAddr")]
    for url in dict.fromkeys(_text(url) for url in urls):
        if url:
            yield _address(url, meta)


def _address(url: str, facts: Mapping[str, Any]) -> MediaURL:
    return MediaURL(url=url, expires_at=_expiry(url), width=clean_int(facts.get("width")), height=clean_int(facts.get("height")))


def _slides(links: Any) -> Iterator[SlideData]:
    for link in links if isinstance(links, list) else []:
        facts = _mapping(link)
        found = [link] if isinstance(link, str) else [facts.get("downloadLink"), facts.get("tiktokLink"), facts.get("url")]
        if urls := tuple(dict.fromkeys(url for url in map(_text, found) if url)):
            yield SlideData(urls=urls, width=clean_int(facts.get("width")), height=clean_int(facts.get("height")))


def _hashtags(tags: Any) -> Iterator[str]:
    for tag in tags if isinstance(tags, list) else []:
        facts = _mapping(tag)
        if name := tag if isinstance(tag, str) else _first(facts.get("name"), facts.get("title")):
            yield name


def _fuller(known: SoundData | None, other: SoundData) -> SoundData:
    """Of two descriptions of one sound, the one that says its name and its count."""
    if known is None:
        return other
    return max(known, other, key=lambda sound: (sound.uses is not None, bool(sound.title), bool(sound.play_url)))


def _page(site_url: str, handle: str, external_id: str) -> str:
    return f"{site_url}/@{quote(handle)}/video/{external_id}"


def _expiry(url: str) -> datetime | None:
    found = _EXPIRES.search(url)
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None


def _iso(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _seconds(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < 100_000 else None


def _milliseconds(value: Any) -> int | None:
    seconds = _seconds(value)
    return round(seconds * 1000) if seconds else None


def _first(*values: Any) -> str:
    return next((text for text in map(_text, values) if text), "")


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
