"""What a provider says about one platform, before anything is stored. Knows nothing of Django."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Public counters of one video at one moment. None: the platform did not show it; 0: it showed zero."""

    views: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorData:
    external_id: str
    handle: str = ""
    name: str = ""
    url: str = ""
    avatar_url: str = ""
    bio: str = ""
    followers: int | None = None
    following: int | None = None
    likes: int | None = None
    """Of all videos together."""
    videos: int | None = None
    is_verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundData:
    external_id: str
    title: str = ""
    author_name: str = ""
    duration_seconds: float | None = None
    play_url: str = ""
    cover_url: str = ""
    is_original: bool = False
    url: str = ""
    uses: int | None = None
    """How many videos use it, as the platform counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaURL:
    """One way to fetch a clip. `expires_at` is read from the URL where it carries a time."""

    url: str
    expires_at: datetime | None = None
    width: int | None = None
    height: int | None = None
    bitrate: int | None = None
    codec: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlideData:
    """One picture of a carousel; `urls` are mirrors of the same picture, best first."""

    urls: tuple[str, ...]
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoData:
    """One clip or carousel as the platform described it. `kind` is "clip" or "carousel"."""

    platform: str
    external_id: str
    kind: str
    url: str
    title: str = ""
    author: AuthorData | None = None
    sound: SoundData | None = None
    hashtags: tuple[str, ...] = ()
    cover_url: str = ""
    media: tuple[MediaURL, ...] = ()
    slides: tuple[SlideData, ...] = ()
    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None
    published_at: datetime | None = None
    counts: Counts = field(default_factory=Counts)
    flags: tuple[str, ...] = ()
    """What the parser had to mend, e.g. "negative_likes", "title_cut": kept so that a doubt can be traced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HotWord:
    """What people search for most at this moment, by the platform's own list."""

    word: str
    position: int
    heat: int | None = None
    """As the platform counts it; a number to compare with the others of the list, and with nothing else."""
    external_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a listing. `cursor` is what to hand back to continue after this page; None at the end."""

    videos: tuple[VideoData, ...]
    cursor: Mapping[str, Any] | None
    skipped: Mapping[str, int] = field(default_factory=dict)
    """How many entries were not videos, by reason: live, ad, deleted, malformed, other."""
    errors: tuple[str, ...] = ()
    """One short sentence per malformed entry (bounded), for the crawl's record."""
    author: AuthorData | None = None
    """Of a profile: the profile itself, where the answer describes it."""
    sound: SoundData | None = None
    """Of a sound's list: the sound itself, where the answer describes it."""
    words: tuple[HotWord, ...] = ()
    """Of a hot list: the whole list, with the first page of a run."""
    word: str = ""
    """Of a hot list: for which of its words these videos were found."""
    credits: int = 0
    """What a paid service charged for this page."""
    renamed_to: str = ""
    """Of a profile that is no longer called what is watched: its name now."""
    is_mark: bool = False
    """No answer of a listing: it only keeps the place, before or after a step that must not be done twice."""
    order: str = ""
    """Of a service that works in the background: how it calls what it was asked to do. A mark without it: nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look at: kind is topic, hashtag, profile, sound, trending or url."""

    kind: str
    value: str
    author_id: str = ""
    """Of a profile that was read before: its lasting id there, which outlives its name."""
    video_kinds: tuple[str, ...] = ("clip", "carousel")
    """What of it is kept."""
    url: str = ""
    """Its page on the platform, where it is known."""


class Door(Protocol):
    """What of crawler.outbound.Door a provider may use: every address checked, every answer bounded."""

    def check_url(self, url: str) -> None: ...

    def relay(self, hosts: Sequence[str]) -> AbstractContextManager[str]:
        """A SOCKS5 address on this machine, for a browser that goes out as the door does, to these hosts only."""

    def open_stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float,
        max_bytes: int,
        method: str = "GET",
        body: bytes | None = None,
        stall_seconds: float = 20.0,
    ) -> AbstractContextManager[Any]:
        """An object with `status`, `headers`, `url` (after redirects) and `readinto`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a provider may use: addresses, key, proxy, the browser's signed-in state, and how long it may take."""

    base_url: str
    """Of the service that is asked."""
    provider: str = ""
    platform: str = ""
    """Which is to be read, for providers that read several."""
    site_url: str = ""
    """Of the platform's own pages; links to videos and people begin with it."""
    key: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    """As http://user:password@host:port or socks5://…; the door goes through it already; a browser takes the door's relay."""
    storage_state: Mapping[str, Any] | None = None
    page_timeout_seconds: float = 30.0
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What else the provider needs to know of our settings, by the names of its registry entry."""
    door: "Door | None" = None
    """The house's outgoing door, for providers that ask over HTTP themselves."""


class Provider(Protocol):
    """How to read one platform."""

    def crawl(self, query: Query, access: Access, *, cursor: Mapping[str, Any] | None, pages: int) -> Generator[Page, None, None]:
        """Yield at most `pages` pages from `cursor` on.

        Raises providers.errors: Blocked, LoginRequired, RateLimited, Changed, Unreachable, Unsupported.
        """

    def fetch_video(self, url: str, access: Access) -> VideoData:
        """One video by its link. Raises Gone when the platform says that it was removed or is private."""

    def knows(self, url: str, base_url: str) -> bool:
        """Whether `fetch_video` is the one to ask for this link."""
