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


EXTRACTORS = {
    "crawl_url": Entry("Address from the crawl", "downloads.extractors.crawl_url:CrawlURL", 10, 600),
    "ytdlp": Entry("yt-dlp", "downloads.extractors.ytdlp:YtDlp", 20, 30),
    "browser_page": Entry("Page in the browser", "downloads.extractors.browser_page:BrowserPage", 30, 20),
}


@functools.cache
def get_extractor(name: str) -> Extractor:
    """One instance per process. Raises KeyError for a name that has left the code."""
    extractor: Extractor = pkgutil.resolve_name(EXTRACTORS[name].path)()
    return extractor
