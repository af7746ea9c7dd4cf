"""Posts and people as TikTok's web pages describe them (`itemStruct`, camelCase). Pure; raises on no JSON."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from crawler.cleaning import clean_count, clean_id, clean_int, clean_time
from crawler.providers.aweme import (
    MIRRORS,
    Malformed,
    Post,
    as_list,
    as_mapping,
    as_text,
    exact_id,
    expires_at,
    pictures,
    urls_of,
)
from crawler.providers.base import AuthorData, Counts, MediaURL, SlideData, SoundData, VideoData

SITE = "https://www.tiktok.com"
_HASHTAG = re.compile(r"[#＃]([^\s#＃@]+)")
_STATS = {
    "views": "playCount",
    "likes": "diggCount",
    "comments": "commentCount",
    "shares": "shareCount",
    "saves": "collectCount",
}
_CODECS = {"h264": "h264", "h265_hvc1": "h265", "h265": "h265", "bytevc1": "h265", "h266": "h266", "bytevc2": "h266"}


def is_item(post: Mapping[str, Any]) -> bool:
    """Whether this is a post of the web family, rather than a person, a hashtag or a post of the app."""
    return "id" in post and "createTime" in post and "aweme_id" not in post and bool(post.keys() & {"video", "imagePost"})


def classify(item: Post) -> str:
    if item.get("isAd"):
        return "ad"
    if item.get("takeDown") or item.get("privateItem") or item.get("secret") or item.get("isReviewing"):
        return "deleted"
    if as_mapping(item.get("liveRoom")):
        return "live"
    return "carousel" if "imagePost" in item else "clip"


def parse_item(item: Post, *, site_url: str = SITE, now: datetime) -> VideoData:
    """One itemStruct. Raises Malformed when it has no id, or nothing to play or look at."""
    external_id = clean_id(item.get("id"))
    if not external_id.isdigit():
        raise Malformed(f"post without a usable id: {str(item.get('id'))[:40]!r}")
    video, flags = as_mapping(item.get("video")), list[str]()
    slides = tuple(_slides(as_mapping(item.get("imagePost"))))
    media = () if slides else tuple(_media(video))
    if "imagePost" in item and not slides:
        raise Malformed(f"photo post {external_id} without pictures")
    if not slides and not media:
        raise Malformed(f"clip {external_id} without a media address")
    published_at, is_odd = clean_time(item.get("createTime"), now)
    if is_odd:
        flags.append("odd_published_at")
    if item.get("isPinnedItem"):
        flags.append("pinned")
    title = as_text(item.get("desc")) or as_text(as_mapping(item.get("imagePost")).get("title"))
    author = author_of_item(item, site_url)
    seconds, wrong = clean_count(video.get("duration"))
    return VideoData(
        platform="tiktok",
        external_id=external_id,
        kind="carousel" if slides else "clip",
        url=f"{site_url}/@{author.handle if author else ''}/{'photo' if slides else 'video'}/{external_id}",
        title=title,
        author=author,
        sound=_sound(as_mapping(item.get("music")), site_url, as_text(video.get("playAddr")) if slides else ""),
        hashtags=tuple(dict.fromkeys(_hashtags(item))) or hashtags_in(title),
        cover_url=slides[0].urls[0] if slides else _cover(video),
        media=media,
        slides=slides,
        duration_ms=seconds * 1000 if seconds and not wrong and not slides else None,
        width=slides[0].width if slides else clean_int(video.get("width")),
        height=slides[0].height if slides else clean_int(video.get("height")),
        published_at=published_at,
        counts=_counts(item, flags),
        flags=tuple(flags),
    )


def author_of_item(item: Post, site_url: str = SITE) -> AuthorData | None:
    """Its author; some old lists give only the handle, and then there is no identity to keep."""
    return person(
        as_mapping(item.get("author")),
        as_mapping(item.get("authorStatsV2")),
        as_mapping(item.get("authorStats")),
        site_url=site_url,
    )


def person(user: Post, *stats: Post, site_url: str = SITE) -> AuthorData | None:
    """A person with their counters; of `stats` the first that shows a number holds (statsV2 is exact, stats rounded)."""
    external_id = exact_id(user.get("id"))
    if external_id in ("", "0"):
        return None
    handle = as_text(user.get("uniqueId"))
    avatars = urls_of({"url_list": [user.get(key) for key in ("avatarMedium", "avatarLarger", "avatarThumb")]})
    return AuthorData(
        external_id=external_id,
        handle=handle,
        name=as_text(user.get("nickname")),
        url=f"{site_url}/@{handle}" if handle else "",
        avatar_url=next(iter(pictures(avatars)), ""),
        bio=as_text(user.get("signature")),
        followers=_first("followerCount", stats),
        following=_first("followingCount", stats),
        likes=_first("heartCount", stats),
        videos=_first("videoCount", stats),
        is_verified=user.get("verified") is True,
    )


def _first(name: str, stats: tuple[Post, ...]) -> int | None:
    for facts in stats:
        count, wrong = clean_count(facts.get(name))
        if count is not None and not wrong:
            return count
    return None


def sound_url(title: str, external_id: str, site_url: str = SITE) -> str:
    """The page of a sound: its id is at the end, what stands before is for people."""
    slug = re.sub(r"[^0-9A-Za-z]+", "-", title).strip("-")[:80] or "sound"
    return f"{site_url}/music/{slug}-{external_id}"


def hashtags_in(title: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_HASHTAG.findall(title)))


def of_2022(card: Post) -> Post:
    """A wrapper of 2022 spread one post over several objects (`itemInfos`, `authorInfos`, …): put together again."""
    item, author, music = (as_mapping(card.get(key)) for key in ("itemInfos", "authorInfos", "musicInfos"))
    video = as_mapping(item.get("video"))
    meta = as_mapping(video.get("videoMeta"))
    covers = {f"avatar{ours}": next(iter(as_list(author.get(theirs))), "") for ours, theirs in _COVERS.items()}
    texts = [as_mapping(tag) for tag in as_list(card.get("textExtra"))]
    return {
        **{key: item.get(key) for key in ("id", "createTime", "secret")},
        "desc": item.get("text"),
        "stats": {name: item.get(name) for name in _STATS.values()},
        "author": {**author, **covers, "id": author.get("userId"), "nickname": author.get("nickName")},
        "authorStats": card.get("authorStats"),
        "music": {
            **music,
            "id": music.get("musicId"),
            "title": music.get("musicName"),
            "playUrl": next(iter(as_list(music.get("playUrl"))), ""),
            "coverMedium": next(iter(as_list(music.get("coversMedium"))), ""),
        },
        "video": {
            **meta,
            "playAddr": next(iter(as_list(video.get("urls"))), ""),
            "cover": next(iter(as_list(item.get("covers"))), ""),
        },
        "textExtra": [{"hashtagName": tag.get("HashtagName")} for tag in texts],
    }


_COVERS = {"Medium": "coversMedium", "Larger": "coversLarger", "Thumb": "covers"}


def _media(video: Post) -> Iterator[MediaURL]:
    """What a browser plays first: H.264 from the highest bitrate down, the page's own address, newer codecs, the marked copy."""
    files = [
        (_CODECS.get(as_text(gear.get("CodecType")), ""), clean_int(gear.get("Bitrate")) or 0, as_mapping(gear.get("PlayAddr")))
        for gear in map(as_mapping, as_list(video.get("bitrateInfo")))
    ]
    files.sort(key=lambda file: (file[0] != "h264", -file[1]))
    own = {"UrlList": [video.get("playAddr")], "Width": video.get("width"), "Height": video.get("height")}
    codec = _CODECS.get(as_text(video.get("codecType")), "")
    marked = {"UrlList": [video.get("downloadAddr")]}
    playable = [file for file in files if file[0] == "h264"]
    newer = [file for file in files if file[0] != "h264"]
    seen: set[str] = set()
    size = clean_int(video.get("width")), clean_int(video.get("height"))
    for kind, bits, address in [*playable, (codec, clean_int(video.get("bitrate")) or 0, own), *newer, ("", 0, marked)]:
        for url in urls_of({"url_list": address.get("UrlList")})[:MIRRORS]:
            if url not in seen and "mime_type=audio_" not in url:
                seen.add(url)
                yield MediaURL(
                    url=url,
                    expires_at=expires_at(url),
                    width=clean_int(address.get("Width")) or size[0],
                    height=clean_int(address.get("Height")) or size[1],
                    bitrate=bits or None,
                    codec=kind,
                    size=clean_int(address.get("DataSize")),
                )


def _slides(post: Post) -> Iterator[SlideData]:
    for image in map(as_mapping, as_list(post.get("images"))):
        urls = pictures(urls_of({"url_list": as_mapping(image.get("imageURL")).get("urlList")}))
        if urls:
            yield SlideData(
                urls=urls[:MIRRORS], width=clean_int(image.get("imageWidth")), height=clean_int(image.get("imageHeight"))
            )


def _cover(video: Post) -> str:
    return next(iter(urls_of({"url_list": [video.get(key) for key in ("cover", "originCover", "dynamicCover")]})), "")


def _sound(music: Post, site_url: str, play_url: str) -> SoundData | None:
    external_id = exact_id(music.get("id"))
    if external_id in ("", "0"):
        return None
    duration, wrong = clean_count(music.get("duration"))
    title = as_text(music.get("title"))
    covers = urls_of({"url_list": [music.get(key) for key in ("coverMedium", "coverLarge", "coverThumb")]})
    return SoundData(
        external_id=external_id,
        title=title,
        author_name=as_text(music.get("authorName")),
        duration_seconds=float(duration) if duration and not wrong else None,
        play_url=next(iter(urls_of({"url_list": [music.get("playUrl"), play_url]})), ""),
        cover_url=next(iter(pictures(covers)), ""),
        is_original=music.get("original") is True,
        url=sound_url(title, external_id, site_url),
    )


def _hashtags(item: Post) -> Iterator[str]:
    for tag in map(as_mapping, as_list(item.get("textExtra"))):
        if name := as_text(tag.get("hashtagName")):
            yield name
    for challenge in map(as_mapping, as_list(item.get("challenges"))):
        if name := as_text(challenge.get("title")):
            yield name


def _counts(item: Post, flags: list[str]) -> Counts:
    """Exact where `statsV2` says so; `stats` rounds what is large."""
    exact, rounded = as_mapping(item.get("statsV2")), as_mapping(item.get("stats"))
    counts: dict[str, int | None] = {}
    for ours, theirs in _STATS.items():
        counts[ours], wrong = clean_count(exact.get(theirs))
        if counts[ours] is None:
            counts[ours], wrong = clean_count(rounded.get(theirs))
        if wrong:
            flags.append(f"{wrong}_{ours}")
    return Counts(**counts)
