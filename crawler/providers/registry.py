"""Which platforms are watched, by which services they are read, and which settings those need.

To add a service, add a line to PROVIDERS and name it in PLATFORMS.
"""

import functools
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from crawler.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Entry:
    """A service that is asked, and the names of its settings."""

    label: str
    path: str
    """Of the provider's class; imported at first use, because a browser or a downloader weighs much."""
    base_url_setting: str = ""
    key_setting: str = ""
    """Without a value there, the provider says that it is not configured."""
    proxy_setting: str = ""
    needs_key: bool = True
    is_paid: bool = False
    """Every question costs: videos are looked at singly within the budget of paid services."""
    works_in_background: bool = False
    """It is given an order and called back: `pages` bound what is ordered, and all that was paid for is read."""
    kinds: tuple[str, ...] = ()
    """What it reads, where it may be chosen for a platform in the place of another; the rest stays with that one. Empty: all."""
    option_settings: Mapping[str, str] = field(default_factory=dict)
    """What of our settings it is told besides: option -> setting."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Where videos live, and which provider reads which kind of source there."""

    label: str
    provider: str
    site_setting: str = ""
    """Holds the address of its own pages."""
    by_kind: Mapping[str, str] = field(default_factory=dict)
    choice_setting: str = ""
    """A setting that may name another provider in the place of `provider`."""
    singles: tuple[str, ...] = ()
    """Who is asked for a single post by its link, one after the other until one can read it; the provider where empty."""


ANY_LINK = "link"
SINGLE = ("", "url")
"""The kinds that are about one post: a look at one, and a link that is watched."""
PROVIDERS = {
    "browser": Entry("Douyin in a browser", "crawler.providers.douyin:Douyin", "DOUYIN_URL", proxy_setting="DOUYIN_PROXY"),
    "scrapecreators": Entry(
        "TikTok by ScrapeCreators",
        "crawler.providers.scrapecreators:ScrapeCreators",
        "SCRAPECREATORS_URL",
        "SCRAPECREATORS_API_KEY",
        "SCRAPECREATORS_PROXY",
        is_paid=True,
    ),
    "tiktok-page": Entry(
        "TikTok's pages", "crawler.providers.tiktok_page:TikTokPage", "TIKTOK_URL", proxy_setting="TIKTOK_PROXY", needs_key=False
    ),
    "download_api": Entry(
        "Download API of our own",
        "crawler.providers.download_api:DownloadAPI",
        "DOWNLOAD_API_URL",
        "DOWNLOAD_API_KEY",
        "DOWNLOAD_API_PROXY",
        needs_key=False,
        kinds=("profile", "url", ""),
    ),
    "yt-dlp": Entry("Any link (yt-dlp)", "crawler.providers.ytdlp:AnyLink", proxy_setting="YTDLP_PROXY"),
    "apify": Entry(
        "TikTok sounds (Apify)",
        "crawler.providers.apify:Apify",
        "APIFY_URL",
        "APIFY_API_TOKEN",
        "APIFY_PROXY",
        is_paid=True,
        works_in_background=True,
        option_settings={"actor": "APIFY_SOUND_ACTOR", "secret": "APIFY_WEBHOOK_SECRET", "our_url": "SITE_URL"},
    ),
}
PLATFORMS = {
    "douyin": Platform("Douyin", "browser", "DOUYIN_URL", choice_setting="DOUYIN_PROVIDER"),
    "tiktok": Platform(
        "TikTok",
        "scrapecreators",
        "TIKTOK_URL",
        by_kind={"sound": "apify"},
        choice_setting="TIKTOK_PROVIDER",
        singles=("tiktok-page", "scrapecreators"),
    ),
    ANY_LINK: Platform("Link (yt-dlp)", "yt-dlp"),
}


def choices() -> list[tuple[str, str]]:
    return [(name, platform.label) for name, platform in PLATFORMS.items()]


def choosable(platform: str) -> list[str]:
    """Who may be named by a platform's choice setting."""
    return [PLATFORMS[platform].provider, "download_api"]


def reads(name: str, kind: str) -> bool:
    kinds = PROVIDERS[name].kinds
    return not kinds or kind in kinds


def provider_names(platform: str, kind: str = "", chosen: str = "") -> tuple[str, ...]:
    """Who reads a kind of source of a platform, in the order in which they are asked: several for single posts only.

    `chosen` is what its choice setting says. Raises KeyError for strangers.
    """
    entry = PLATFORMS[platform]
    if kind in entry.by_kind:
        return (entry.by_kind[kind],)
    own = chosen if chosen and reads(chosen, kind) else entry.provider
    if kind in SINGLE and entry.singles:
        return entry.singles if own in entry.singles else (own, *entry.singles)
    return (own,)


def provider_name(platform: str, kind: str = "", chosen: str = "") -> str:
    """The first of provider_names."""
    return provider_names(platform, kind, chosen)[0]


@functools.cache
def get_provider(name: str) -> Provider:
    """One instance per process. Raises KeyError for a provider that is not known."""
    provider: Provider = pkgutil.resolve_name(PROVIDERS[name].path)()
    return provider
