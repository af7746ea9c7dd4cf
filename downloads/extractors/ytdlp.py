"""yt-dlp reads the video's page: it knows more sites than anybody. Only addresses are taken from it, no bytes."""

from crawler.providers import registry
from crawler.providers.base import Access
from downloads.extractors.base import Found, Wanted, found_in


class YtDlp:
    def find(self, wanted: Wanted, access: Access) -> Found:
        """See Extractor."""
        video = registry.get_provider(registry.provider_name(registry.ANY_LINK)).fetch_video(wanted.url, access)
        return found_in(video, referer=f"{access.site_url}/" if access.site_url else wanted.url)
