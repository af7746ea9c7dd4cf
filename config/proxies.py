"""Which proxies are set, and whether they connect us to the services they are for."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from crawler.outbound import door_to
from crawler.proxies import Proxy
from jobs.errors import JobError

PROXIES = {
    "DOUYIN_PROXY": ("Douyin", "DOUYIN_URL"),
    "TIKTOK_PROXY": ("TikTok's pages", "TIKTOK_URL"),
    "SCRAPECREATORS_PROXY": ("ScrapeCreators", "SCRAPECREATORS_URL"),
    "APIFY_PROXY": ("Apify", "APIFY_URL"),
    "DOWNLOAD_API_PROXY": ("Download API", "DOWNLOAD_API_URL"),
    "COBALT_PROXY": ("cobalt", "COBALT_URL"),
    "GEMINI_PROXY": ("Gemini", "GEMINI_URL"),
    "YTDLP_PROXY": ("Any link (yt-dlp)", ""),
}
"""The setting, whom it is for, and the setting of the address that is tried through it."""
ANYWHERE = "https://www.youtube.com"
SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Tried:
    setting: str
    label: str
    shown: str
    """Without its password."""
    error: str = ""
    """Empty: it connected us."""


def try_all() -> Iterator[Tried]:
    """Ask every proxy that is set for a connection to its service. Nothing is sent through it."""
    for setting, (label, address_setting) in PROXIES.items():
        if text := getattr(settings, setting):
            base_url = (getattr(settings, address_setting) if address_setting else "") or ANYWHERE
            yield Tried(setting, label, str(Proxy.parse(text)), _error(base_url, text))


def _error(base_url: str, proxy: str) -> str:
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        door_to(base_url, proxy=proxy).open_socket(parts.hostname or "", port, deadline_seconds=SECONDS).close()
    except JobError as error:
        return error.message
    return ""
