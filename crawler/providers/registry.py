"""Which platforms can be read, by whom, and which setting holds their address. To add one, add a line."""

import functools
import pkgutil
from dataclasses import dataclass

from crawler.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    path: str
    """Of the provider's class; imported at first use, because a browser or a downloader weighs much."""
    base_url_setting: str = ""


ANY_LINK = "link"
PROVIDERS = {
    "douyin": Entry("Douyin", "crawler.providers.douyin:Douyin", "DOUYIN_URL"),
    ANY_LINK: Entry("Link (yt-dlp)", "crawler.providers.ytdlp:AnyLink"),
}


def choices() -> list[tuple[str, str]]:
    return [(platform, entry.label) for platform, entry in PROVIDERS.items()]


@functools.cache
def get_provider(platform: str) -> Provider:
    """One instance per process. Raises KeyError for a platform that nobody reads."""
    provider: Provider = pkgutil.resolve_name(PROVIDERS[platform].path)()
    return provider
