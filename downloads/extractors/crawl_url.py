"""The addresses that the crawl saw: no request at all, but they expire."""

from crawler.providers.base import Access
from downloads.extractors.base import Found, Wanted


class CrawlURL:
    def find(self, wanted: Wanted, access: Access) -> Found:
        """See Extractor. Never raises: what was not seen is simply not there."""
        return Found(
            media=wanted.media,
            slides=wanted.slides,
            sound_url=wanted.sound_url,
            duration_seconds=wanted.duration_seconds,
            referer=f"{access.base_url}/" if access.base_url else wanted.url,
            is_fresh=False,
        )
