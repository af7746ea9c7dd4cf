"""The platform's own page in a real browser: slow, and the one that knows for sure whether a video is gone."""

from crawler.providers import registry
from crawler.providers.base import Access
from crawler.providers.errors import Unsupported
from downloads.extractors.base import Found, Wanted, found_in


class BrowserPage:
    def find(self, wanted: Wanted, access: Access) -> Found:
        """See Extractor."""
        if wanted.platform == registry.ANY_LINK:
            raise Unsupported("No page of ours reads this link.")
        video = registry.get_provider(access.provider).fetch_video(wanted.url, access)
        return found_in(video, referer=f"{access.site_url}/")
