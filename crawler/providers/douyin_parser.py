"""Douyin's answers, as its web pages and its app load them, read into our shapes. Pure; nothing here raises on any JSON."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from crawler.cleaning import clean_count, clean_id, clean_int, clean_time
from crawler.providers.aweme import (
    MIRRORS,
    Listing,
    Malformed,
    as_list,
    as_mapping,
    as_text,
    counts_of,
    cover_of,
    gather,
    handle_of,
    hashtags_of,
    is_hidden,
    media_of,
    pictures,
    position_of,
    sec_uid_of,
    size_of,
    sound_of,
    urls_of,
)
from crawler.providers.base import AuthorData, MediaURL, SlideData, VideoData

CAROUSEL_TYPES = (2, 68, 150)
_HASHTAG = re.compile(r"[#＃]([^\s#＃@]+)")


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
        entries = as_mapping(body).get(key)
        if isinstance(entries, list):
            return entries
    detail = as_mapping(as_mapping(body).get("aweme_detail"))
    return [detail] if detail else None


def parse_listing(body: Any, *, base_url: str = "https://www.douyin.com", now: datetime | None = None) -> Listing:
    """Every post of an answer, and a count of everything else in it."""
    body = unwrap(body)
    now = now or datetime.now(UTC)
    entries = entries_of(body)
    videos, skipped, errors = gather(entries or [], classify, lambda post: parse_post(post, base_url=base_url, now=now))
    if entries is None:
        skipped.update(_without_posts(body))
    facts = as_mapping(body)
    following = facts.get("max_cursor") if "aweme_list" in facts else facts.get("cursor")
    return Listing(
        videos=videos,
        skipped=dict(skipped),
        errors=errors,
        has_more=bool(facts.get("has_more")),
        next_offset=position_of(following),
        search_id=as_text(as_mapping(facts.get("log_pb")).get("impr_id")),
    )


def classify(entry: Any) -> tuple[str, Mapping[str, Any]]:
    """What an entry is (clip, carousel, live, ad, deleted, malformed, other), and the post in it if it is playable."""
    card = as_mapping(entry)
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
    if is_hidden(post):
        return "deleted", {}
    return ("carousel" if _is_carousel(post) else "clip"), post


def parse_post(post: Mapping[str, Any], *, base_url: str, now: datetime) -> VideoData:
    """One aweme object. Raises Malformed when it has no id, or nothing to play or look at."""
    external_id = clean_id(post.get("aweme_id"))
    if not external_id.isdigit():
        raise Malformed(f"post without a usable id: {str(post.get('aweme_id'))[:40]!r}")
    video = as_mapping(post.get("video"))
    flags: list[str] = []
    if _is_carousel(post):
        slides = tuple(_slides(post))
        media: tuple[MediaURL, ...] = ()
        if not slides:
            raise Malformed(f"carousel {external_id} without pictures")
        width, height = slides[0].width, slides[0].height
    else:
        slides = ()
        media = tuple(media_of(video))
        if not media:
            raise Malformed(f"clip {external_id} without a media address")
        width, height = size_of(video) if video.get("width") else (media[0].width, media[0].height)
    published_at, is_odd = clean_time(post.get("create_time"), now)
    if is_odd:
        flags.append("odd_published_at")
    counts = counts_of(post, flags)
    title = next((text for key in ("desc", "caption", "preview_title", "item_title") if (text := as_text(post.get(key)))), "")
    return VideoData(
        platform="douyin",
        external_id=external_id,
        kind="carousel" if slides else "clip",
        url=f"{base_url}/{'note' if slides else 'video'}/{external_id}",
        title=title,
        author=_author(post, base_url),
        sound=sound_of(as_mapping(post.get("music")), base_url),
        hashtags=tuple(dict.fromkeys(hashtags_of(post))) or tuple(dict.fromkeys(_HASHTAG.findall(title))),
        cover_url=cover_of(video) or (slides[0].urls[0] if slides else ""),
        media=media,
        slides=slides,
        duration_ms=None if slides else clean_int(post.get("duration")) or clean_int(video.get("duration")),
        width=width,
        height=height,
        published_at=published_at,
        # Web and app search always answer 0 views: not shown, rather than not seen by anybody.
        counts=replace(counts, views=counts.views or None),
        flags=tuple(flags),
    )


def _post_of(card: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The aweme object of a search card, a collection card, or a bare list."""
    if post := as_mapping(card.get("aweme_info")):
        return post
    collection = as_mapping(card.get("aweme_mix_info"))
    for item in as_list(collection.get("mix_items")):
        if post := as_mapping(item):
            return post
    # Comments name the post they belong to as well, but describe nothing of it.
    return card if "aweme_id" in card and card.keys() & {"video", "images", "statistics", "desc"} else None


def _is_carousel(post: Mapping[str, Any]) -> bool:
    # Having a play address proves nothing: that of a carousel is its music.
    return bool(as_list(post.get("images"))) or post.get("aweme_type") in CAROUSEL_TYPES or post.get("media_type") == 2


def _without_posts(body: Any) -> Counter[str]:
    """What stands in an answer that lists no posts: a live room, hot words, sounds, hashtags."""
    inner = as_mapping(as_mapping(body).get("data")) or as_mapping(body)
    if as_mapping(inner.get("room")) or "live_room_mode" in inner or "stream_url" in inner:
        return Counter(live=1)
    return Counter(other=sum(len(value) for value in inner.values() if isinstance(value, list)))


def _is_live(card: Mapping[str, Any]) -> bool:
    for key in ("lives", "cell_room"):
        if as_mapping(card.get(key)):
            return True
    room = card.get("rawdata") or card.get("room")
    if isinstance(room, str):  # a JSON string inside the JSON
        try:
            room = json.loads(room)
        except ValueError:
            return False
    return bool(as_mapping(room)) or card.get("aweme_type") == 101


def _slides(post: Mapping[str, Any]) -> Iterator[SlideData]:
    for image in map(as_mapping, as_list(post.get("images"))):
        # download_url_list carries a watermark, so it comes last.
        clean = [*as_list(image.get("watermark_free_download_url_list")), *as_list(image.get("url_list"))]
        urls = pictures(urls_of({"url_list": clean})) or pictures(urls_of({"url_list": image.get("download_url_list")}))
        if urls:
            width, height = size_of(image)
            yield SlideData(urls=urls[:MIRRORS], width=width, height=height)


def _author(post: Mapping[str, Any], base_url: str) -> AuthorData | None:
    author = as_mapping(post.get("author"))
    external_id = clean_id(author.get("uid")) or clean_id(post.get("author_user_id"))
    if external_id in ("", "0"):
        return None
    sec_uid = sec_uid_of(author.get("sec_uid"))
    avatars = [url for key in ("avatar_medium", "avatar_larger", "avatar_thumb") for url in urls_of(as_mapping(author.get(key)))]
    followers, wrong = clean_count(author.get("follower_count"))
    return AuthorData(
        external_id=external_id,
        handle=as_text(author.get("unique_id")) or handle_of(author.get("short_id")),
        name=as_text(author.get("nickname")),
        url=f"{base_url}/user/{sec_uid}" if sec_uid else "",
        avatar_url=next(iter(pictures(avatars)), ""),
        bio=as_text(author.get("signature")),
        followers=None if wrong else followers or None,  # 0 where it is not shown, as for views
        is_verified=bool(as_text(author.get("custom_verify")) or as_text(author.get("enterprise_verify_reason"))),
    )
