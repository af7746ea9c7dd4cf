"""TikTok's answers, as its app, its web pages and the services that pass them on give them, read into our shapes.

Pure; nothing here raises on any JSON. Three families: the app's `aweme` (snake_case, whole or trimmed), the web's `itemStruct`
(camelCase, see tiktok_web.py), and the flat one of ScrapeCreators' top search.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from crawler.cleaning import clean_count, clean_id, clean_int, clean_time
from crawler.providers import tiktok_web
from crawler.providers.aweme import (
    MIRRORS,
    Malformed,
    Post,
    as_list,
    as_mapping,
    as_text,
    counts_of,
    cover_of,
    exact_id,
    gather,
    hashtags_of,
    is_hidden,
    media_of,
    pictures,
    size_of,
    sound_of,
    urls_of,
)
from crawler.providers.base import AuthorData, MediaURL, SlideData, SoundData, VideoData
from crawler.providers.tiktok_web import SITE, hashtags_in, sound_url

PHOTO = 150
LIVE = 101
LISTS = ("aweme_list", "search_item_list", "itemList", "items", "videos", "item_list", "data")
"""Under which an answer keeps its posts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one answer held."""

    videos: tuple[VideoData, ...] = ()
    skipped: Mapping[str, int]
    """Entries that are not videos, by reason: live, ad, deleted, malformed, other."""
    errors: tuple[str, ...] = ()
    has_list: bool = True
    """Whether there was a list of posts at all; without one an answer is a refusal, and not "nothing found"."""
    entries: int = 0


def unwrap(body: Any) -> Any:
    """The platform's own answer: out of a wrapper's `{"data": {…}}`, out of a page's data."""
    if isinstance(body, dict) and "__DEFAULT_SCOPE__" in body:
        scope = as_mapping(body["__DEFAULT_SCOPE__"])
        return scope.get("webapp.video-detail") or scope.get("webapp.user-detail") or {}
    if isinstance(body, dict) and "props" in body:
        return as_mapping(as_mapping(body["props"]).get("pageProps"))
    inner = body.get("data") if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else body


def entries_of(body: Any) -> list[Any] | None:
    """The posts of an answer, or its one post; None when there is no such list at all."""
    if isinstance(body, list):
        return body
    facts = as_mapping(body)
    if one := _only_post(facts):
        return [one]
    lists = [facts[key] for key in LISTS if isinstance(facts.get(key), list)]
    return next((entries for entries in lists if entries), lists[0] if lists else None)


def _only_post(facts: Mapping[str, Any]) -> Post:
    """The post of an answer about one; empty for a list's."""
    return as_mapping(facts.get("aweme_detail")) or as_mapping(as_mapping(facts.get("itemInfo")).get("itemStruct"))


def parse_listing(body: Any, *, site_url: str = SITE, now: datetime | None = None, own: str = "") -> Listing:
    """Every post of an answer, and a count of everything else in it.

    `own` is the user whose profile is listed: there, what its author also advertises is a post like the others.
    """
    body = unwrap(body)
    now = now or datetime.now(UTC)
    entries = entries_of(body)
    if entries is None:
        return Listing(skipped=_without_posts(body), has_list=False)
    is_single = bool(_only_post(as_mapping(body)))
    videos, skipped, errors = gather(
        entries,
        lambda entry: classify(entry, own=own, is_asked_for=is_single),
        lambda post: parse_post(post, site_url=site_url, now=now),
    )
    return Listing(videos=videos, skipped=dict(skipped), errors=errors, entries=len(entries))


def classify(entry: Any, *, own: str = "", is_asked_for: bool = False) -> tuple[str, Post]:
    """What an entry is (clip, carousel, live, ad, deleted, malformed, other), and the post in it if it is playable.

    A post that was asked for by its link is no advertisement, whatever its author pays for.
    """
    card = as_mapping(entry)
    if not card:
        return "malformed", {}
    if any(as_mapping(card.get(key)) for key in ("live_info", "lives", "liveRoom")):
        return "live", {}
    post = post_of(card)
    if post is None:
        return ("malformed" if card.get("type") == 1 else "other"), {}
    if tiktok_web.is_item(post):
        kind = tiktok_web.classify(post)
        return ("carousel" if "imagePost" in post else "clip") if kind == "ad" and is_asked_for else kind, post
    if post.get("aweme_type") == LIVE or as_mapping(post.get("room")):
        return "live", {}
    is_anothers = not own or clean_id(as_mapping(post.get("author")).get("uid")) != own
    if not is_asked_for and (post.get("is_ads") or post.get("raw_ad_data") or (post.get("is_ad") and is_anothers)):
        return "ad", {}
    if is_hidden(post):
        return "deleted", {}
    return ("carousel" if is_carousel(post) else "clip"), post


def post_of(card: Mapping[str, Any]) -> Post | None:
    """The post of a search card, or of a bare list."""
    for key in ("aweme_info", "item", "itemStruct"):
        if post := as_mapping(card.get(key)):
            return post
    if as_mapping(card.get("itemInfos")):
        return tiktok_web.of_2022(card)
    if tiktok_web.is_item(card):
        return card
    # Comments name the post they belong to as well, but describe nothing of it.
    is_flat = "id" in card and "content_type" in card
    return card if is_flat or ("aweme_id" in card and card.keys() & {"video", "statistics", "image_post_info"}) else None


def is_carousel(post: Post) -> bool:
    # Having a play address proves nothing: that of a photo post is its sound.
    return (
        bool(as_mapping(post.get("image_post_info")) or as_list(post.get("images")))
        or post.get("aweme_type") == PHOTO
        or post.get("content_type") == "multi_photo"
    )


def parse_post(post: Post, *, site_url: str = SITE, now: datetime) -> VideoData:
    """One post of any family. Raises Malformed when it has no id, or nothing to play or look at."""
    if tiktok_web.is_item(post):
        return tiktok_web.parse_item(post, site_url=site_url, now=now)
    external_id = clean_id(post.get("aweme_id") or post.get("id"))
    if not external_id.isdigit():
        raise Malformed(f"post without a usable id: {str(post.get('aweme_id') or post.get('id'))[:40]!r}")
    video, flags = as_mapping(post.get("video")), list[str]()
    slides: tuple[SlideData, ...] = ()
    media: tuple[MediaURL, ...] = ()
    if is_carousel(post):
        slides = tuple(_slides(post))
        if not slides:
            raise Malformed(f"photo post {external_id} without pictures")
        width, height = slides[0].width, slides[0].height
    else:
        media = tuple(media_of(video))
        if not media:
            raise Malformed(f"clip {external_id} without a media address")
        width, height = size_of(video) if video.get("width") else (media[0].width, media[0].height)
    published_at, is_odd = _published(post, now)
    if is_odd:
        flags.append("odd_published_at")
    if post.get("is_ad"):
        flags.append("promoted")
    if post.get("is_top") == 1:
        flags.append("pinned")
    author = author_of(as_mapping(post.get("author")), site_url)
    title = as_text(post.get("desc")) or as_text(as_mapping(post.get("image_post_info")).get("title"))
    kind = "photo" if slides else "video"
    return VideoData(
        platform="tiktok",
        external_id=external_id,
        kind="carousel" if slides else "clip",
        url=f"{site_url}/@{author.handle if author else ''}/{kind}/{external_id}",
        title=title,
        author=author,
        sound=_sound(post, is_photo=bool(slides), site_url=site_url),
        hashtags=tuple(dict.fromkeys(hashtags_of(post))) or hashtags_in(title),
        cover_url=(slides[0].urls[0] if slides else cover_of(video)) or cover_of(video),
        media=media,
        slides=slides,
        duration_ms=None if slides else clean_int(video.get("duration")) or clean_int(post.get("duration")),
        width=width,
        height=height,
        published_at=published_at,
        counts=counts_of(post, flags),
        flags=tuple(flags),
    )


def author_of(author: Post, site_url: str = SITE) -> AuthorData | None:
    """Who posted, as the app's answers describe them."""
    external_id = exact_id(author.get("uid")) or exact_id(author.get("id"))
    if external_id in ("", "0"):
        return None
    handle = as_text(author.get("unique_id"))
    avatars = [url for key in ("avatar_medium", "avatar_larger", "avatar_thumb") for url in urls_of(as_mapping(author.get(key)))]
    counts = {
        ours: clean_count(author.get(theirs))
        for ours, theirs in (
            ("followers", "follower_count"),
            ("following", "following_count"),
            ("likes", "total_favorited"),
            ("videos", "aweme_count"),
        )
    }
    return AuthorData(
        external_id=external_id,
        handle=handle,
        name=as_text(author.get("nickname")),
        url=f"{site_url}/@{handle}" if handle else "",
        avatar_url=next(iter(pictures(avatars)), ""),
        bio=as_text(author.get("signature")),
        is_verified=bool(as_text(author.get("custom_verify")) or as_text(author.get("enterprise_verify_reason"))),
        **{name: None if wrong else count or None for name, (count, wrong) in counts.items()},  # 0 where it is not shown
    )


def sound_info(body: Any, *, site_url: str = SITE) -> SoundData | None:
    """The sound that an answer describes by itself (`music_info`)."""
    return _with_page(as_mapping(as_mapping(body).get("music_info")), site_url)


def _with_page(music: Post, site_url: str) -> SoundData | None:
    sound = sound_of(music)
    return sound and replace(sound, url=sound_url(sound.title, sound.external_id, site_url))


def _sound(post: Post, *, is_photo: bool, site_url: str) -> SoundData | None:
    sound = _with_page(as_mapping(post.get("music")), site_url) or _with_page(
        as_mapping(post.get("added_sound_music_info")), site_url
    )
    if sound is not None and is_photo and not sound.play_url:
        address = as_mapping(as_mapping(post.get("video")).get("play_addr"))
        return replace(sound, play_url=next(iter(urls_of(address)), ""))
    return sound


def _slides(post: Post) -> Iterator[SlideData]:
    """Every picture in its order, without the platform's watermark where there is such a copy."""
    images = as_list(as_mapping(post.get("image_post_info")).get("images")) or as_list(post.get("images"))
    for image in images:
        if isinstance(image, str):  # the flat family lists addresses
            urls, size = urls_of({"url_list": [image]}), size_of({})
        else:
            kinds = [as_mapping(as_mapping(image).get(key)) for key in ("display_image", "thumbnail")]
            marked = [as_mapping(as_mapping(image).get(key)) for key in ("user_watermark_image", "owner_watermark_image")]
            best = next((kind for kind in [*kinds, *marked, as_mapping(image)] if urls_of(kind)), {})
            urls, size = list(pictures(urls_of(best))), size_of(best)
        if urls:
            yield SlideData(urls=tuple(urls[:MIRRORS]), width=size[0], height=size[1])


def _published(post: Post, now: datetime) -> tuple[datetime | None, bool]:
    moment, is_odd = clean_time(post.get("create_time"), now)
    if moment is None and not is_odd:
        try:
            moment = datetime.fromisoformat(as_text(post.get("create_time_utc")))
        except ValueError:
            return None, False
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment, is_odd


def _without_posts(body: Any) -> Counter[str]:
    """What stands in an answer that lists no posts: a live room, people, comments, sounds."""
    facts = as_mapping(body)
    if as_mapping(facts.get("liveRoom")) or ("room_id" in facts and "viewer_count" in facts):
        return Counter(live=1)
    return +Counter(other=sum(len(value) for value in facts.values() if isinstance(value, list)))
