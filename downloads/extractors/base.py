"""What an extractor answers: where the bytes of a video can be fetched now. Knows nothing of Django."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from crawler.providers.base import Access, Door, MediaURL, SlideData, VideoData

SHORT_SIDES = {"1080": 1080, "720": 720, "540": 540}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A video as it is known already."""

    platform: str
    url: str
    is_carousel: bool
    media: tuple[MediaURL, ...] = ()
    slides: tuple[SlideData, ...] = ()
    sound_url: str = ""
    duration_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One file: mirrors of it, what to say to them, and what is known of it."""

    urls: tuple[str, ...]
    size: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    door: Door | None = None
    """Through which its addresses are fetched; None: the house's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything an extractor knows of a video."""

    media: tuple[MediaURL, ...] = ()
    slides: tuple[SlideData, ...] = ()
    sound_url: str = ""
    duration_seconds: float | None = None
    referer: str = ""
    is_fresh: bool = True
    """Asked for just now, and good for later downloads too; off: remembered, or of this moment only."""
    door: Door | None = None
    """Where the files come from a server of our own, which may stand in a private place: the door to it."""

    def clip(self, quality: str, *, now: datetime) -> Offer | None:
        """The file that serves a quality best, with all its mirrors; None if there is nothing to play."""
        media = choose(self.media, quality, now=now)
        if not media:
            return None
        return Offer(urls=tuple(m.url for m in media), size=media[0].size, headers=self.headers, door=self.door)

    def slide_offers(self) -> list[Offer]:
        return [Offer(urls=slide.urls, headers=self.headers, door=self.door) for slide in self.slides]

    def sound(self) -> Offer | None:
        return Offer(urls=(self.sound_url,), headers=self.headers, door=self.door) if self.sound_url else None

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Referer": self.referer} if self.referer else {}


class Extractor(Protocol):
    """One way to learn where the bytes are."""

    def find(self, wanted: Wanted, access: Access) -> Found:
        """Raises the errors of crawler.providers.errors; Gone only when the platform itself says so."""


def found_in(video: VideoData, referer: str) -> Found:
    """What a provider's answer says of the bytes."""
    return Found(
        media=video.media,
        slides=video.slides,
        sound_url=video.sound.play_url if video.sound else "",
        duration_seconds=video.duration_ms / 1000 if video.duration_ms else None,
        referer=referer,
    )


def choose(media: Sequence[MediaURL], quality: str, *, now: datetime) -> list[MediaURL]:
    """The mirrors of the variant that serves a quality best, those that still work by their own word first.

    H.264 before anything else, because every browser plays it; "best" and the sizes want the largest that fits
    ("1080" is the short side), or else the smallest there is; "audio" wants the least bytes.
    """
    variants: dict[tuple[Any, ...], list[MediaURL]] = {}
    for item in media:
        variants.setdefault((item.codec, item.width, item.height, item.bitrate, item.size), []).append(item)
    if not variants:
        return []
    chosen = min(variants.values(), key=lambda mirrors: _rank(mirrors[0], quality))
    return sorted(chosen, key=lambda item: item.expires_at is not None and item.expires_at <= now)


def _rank(item: MediaURL, quality: str) -> tuple[Any, ...]:
    """Smaller is better. Original order decides between equals, because `min` keeps the first."""
    playable = item.codec not in ("", "h264")
    side = min(item.width or 0, item.height or 0)
    bitrate = item.bitrate or 0
    if quality == "audio":
        return (False, side, bitrate)
    limit = SHORT_SIDES.get(quality)
    if limit is None:
        return (playable, -side, -bitrate)
    fits = 0 < side <= limit
    return (playable, not fits, -side if fits else side, -bitrate)
