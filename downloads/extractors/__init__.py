"""Which ways to the bytes there are. To add one, add a line: its row for staff appears by itself."""

import functools
import pkgutil
from dataclasses import dataclass

from downloads.extractors.base import Extractor


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    path: str
    """Of the extractor's class; imported at first use, because a browser or a downloader weighs much."""
    priority: int
    most_per_minute: int
    most_per_hour: int = 0
    """0: no limit beyond that of a minute."""
    base_url_setting: str = ""
    """Of a server of our own: unless it is set, the extractor is not there."""
    key_setting: str = ""
    proxy_setting: str = ""


EXTRACTORS = {
    "crawl_url": Entry("Address from the crawl", "downloads.extractors.crawl_url:CrawlURL", 10, 600),
    "ytdlp": Entry("yt-dlp", "downloads.extractors.ytdlp:YtDlp", 20, 30),
    "browser_page": Entry("Page in the browser", "downloads.extractors.browser_page:BrowserPage", 30, 20),
    "cobalt": Entry("cobalt", "downloads.extractors.cobalt:Cobalt", 40, 20, 200, "COBALT_URL", "COBALT_API_KEY", "COBALT_PROXY"),
}


@functools.cache
def get_extractor(name: str) -> Extractor:
    """One instance per process. Raises KeyError for a name that has left the code."""
    extractor: Extractor = pkgutil.resolve_name(EXTRACTORS[name].path)()
    return extractor
