"""Links as people have them: inside a share text, short, with tracking behind them. Each post gets one spelling."""

import hashlib
import logging
import re
import time
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol, cast
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _

from crawler import outbound
from crawler.addresses import ForbiddenAddress
from crawler.providers import douyin_links, registry, tiktok_links
from jobs.errors import JobError

logger = logging.getLogger(__name__)

MAX_LINK = 500
SHORT_SECONDS = 6.0
"""For all hops of a short link: somebody waits for the answer."""
MOST_HOPS = 6
KEPT_SECONDS = 24 * 3600

# What stands around a link in a share text, in Chinese too, is not part of it.
_LINK = re.compile(r"https?://[!#-;=?-~]+", re.I)
_BARE = re.compile(
    r"(?<![\w./@-])(?:v\.douyin\.com|v[mt]\.tiktok\.com|(?:www\.)?(?:tiktok|douyin|iesdouyin)\.com)/[!#-;=?-~]+", re.I | re.A
)
_AFTER = ".,;:!?)]}'*"
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|igsh(?:id)?|si|feature|spm|share_\w+|_r|_t|is_from_webapp|sender_device", re.I)


class Links(Protocol):
    """What a platform's module of links can say of one. Pure."""

    def canonical(self, url: str, site_url: str) -> str: ...

    def post_id(self, url: str, site_url: str) -> str: ...

    def is_short(self, url: str, site_url: str) -> bool: ...

    def is_ours(self, url: str, site_url: str) -> bool: ...


def _module(module: ModuleType) -> Links:
    return cast(Links, module)  # a module is an object with functions


LINKS: dict[str, Links] = {"douyin": _module(douyin_links), "tiktok": _module(tiktok_links)}


class NoVideo(ForbiddenAddress):
    """The text holds no link, or one that leads to something other than a video."""

    code = "no_video"


@dataclass(frozen=True, slots=True)
class Settled:
    """A link as it is kept: whose it is, its one spelling, and the id of the post where the link says it."""

    platform: str
    url: str
    post_id: str = ""


def site_url(platform: str) -> str:
    """Where a platform's own pages are; empty where only links are read."""
    entry = registry.PLATFORMS.get(platform)
    return str(getattr(settings, entry.site_setting)).rstrip("/") if entry and entry.site_setting else ""


def link_in(text: str) -> str:
    """The link that somebody pasted, alone or within a text; that of a platform we know before any other.

    Raises NoVideo where there is none.
    """
    text = text.strip()
    if re.fullmatch(r"https?://[^\s<>\"，。！？；、（）【】《》「」]+", text, re.I):
        found = [text]
    else:
        found = [link.rstrip(_AFTER) for link in _LINK.findall(text)]
        found += [f"https://{link.rstrip(_AFTER)}" for link in _BARE.findall(text)]
    if not found:
        raise NoVideo(_("There is no link in this text."), code="no_link")
    link = next((link for link in found if _platform_of(link)), found[0])
    if len(link) > MAX_LINK:
        raise NoVideo(_("The link is too long."), code="invalid_url")
    return link


def settle(url: str) -> Settled:
    """The one spelling of a link. Short ones of our platforms are followed, for a few seconds.

    Raises NoVideo for what leads to no video; a short link that does not answer in time is kept as it is.
    """
    platform = _platform_of(url)
    if platform is None:
        return Settled(registry.ANY_LINK, plain(url))
    links, site = LINKS[platform], site_url(platform)
    if not links.canonical(url, site) and links.is_short(url, site):
        short = url.partition("?")[0].partition("#")[0]
        url = follow(short, platform) or ""
        if not url:
            return Settled(platform, short)
    if canonical := links.canonical(url, site):
        return Settled(platform, canonical, links.post_id(url, site))
    raise NoVideo(_("This link leads to no video. To watch a profile, hashtag or sound, add it as a source."))


def post_platform(url: str) -> str:
    """Whose post a link shows, or may lead to; empty where no platform of ours knows it."""
    platform = _platform_of(url) or ""
    return platform if platform and (LINKS[platform].canonical(url, site_url(platform)) or is_short(url, platform)) else ""


def spelling(url: str, platform: str) -> str:
    """The one spelling of a link as far as it shows without asking anybody; the link itself where it shows none."""
    links = LINKS.get(platform)
    return (links.canonical(url, site_url(platform)) or url) if links else plain(url)


def is_short(url: str, platform: str) -> bool:
    """Whether only a request shows where a platform's link leads."""
    links = LINKS.get(platform)
    return links is not None and links.is_short(url, site_url(platform))


def holds_link(text: str) -> bool:
    """Whether a text holds a link, or what only a link is written with."""
    try:
        link_in(text)
    except NoVideo as error:
        return error.code != "no_link" or "://" in text
    return True


def follow(url: str, platform: str) -> str | None:
    """Where a platform's short link leads: the address of a post, or else the last one; None if nobody answers in time."""
    key = f"short-link:{hashlib.sha256(url.encode()).hexdigest()}"
    if known := cache.get(key):
        return str(known)
    links, site = LINKS[platform], site_url(platform)
    ends_at = time.monotonic() + SHORT_SECONDS
    door = outbound.door_to(site, proxy=_proxy(platform))
    try:
        for _hop in range(MOST_HOPS):
            left = ends_at - time.monotonic()
            if left <= 0:
                return None
            with door.open_stream(url, deadline_seconds=left, max_bytes=2**20, follow=False) as stream:
                location = stream.headers.get("Location")
                if stream.status >= 500 or stream.status == 429:
                    return None
            if not location:
                break
            url = urljoin(url, location)
            if links.canonical(url, site):
                break
    except JobError as error:
        logger.info("A short link was not followed", extra={"platform": platform, "code": error.code})
        return None
    if links.canonical(url, site):
        cache.set(key, url, KEPT_SECONDS)
    return url


def plain(url: str) -> str:
    """A link of any site without what only says where it was found: fragment, tracking, the scheme's own port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    host = (parts.hostname or "").removeprefix("m.") if "youtu" in (parts.hostname or "") else parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if "@" in parts.netloc or not host:
        return url  # refused where it is checked
    if port and port != {"http": 80, "https": 443}.get(parts.scheme.lower()):
        host = f"{host}:{port}"
    pairs = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(name)]
    if host == "youtu.be":
        host, path, pairs = "www.youtube.com", "/watch", [("v", parts.path.strip("/"))]
    elif host in ("www.youtube.com", "youtube.com"):
        short = re.fullmatch(r"/(?:shorts|live|embed)/([\w-]{11})/?", parts.path)
        video = short[1] if short else dict(pairs).get("v", "")
        host, path = "www.youtube.com", "/watch" if video else parts.path
        pairs = [("v", video)] if video else pairs
    else:
        path = parts.path or "/"
    return f"{parts.scheme.lower()}://{host}{path}" + (f"?{urlencode(pairs)}" if pairs else "")


def _platform_of(url: str) -> str | None:
    return next((name for name, links in LINKS.items() if links.is_ours(url, site_url(name))), None)


def _proxy(platform: str) -> str:
    provider = registry.PROVIDERS[registry.provider_name(platform, "url")]
    return str(getattr(settings, provider.proxy_setting)) if provider.proxy_setting else ""
