"""What a person may paste for a TikTok sound: its link, a short link, a shared text with either, or its id. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

WWW = "https://www.tiktok.com"
LONGEST = 2_000
_URL = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_BARE = re.compile(r"(?:[a-z0-9-]+\.)*tiktok\.com/[^\s<>\"']+", re.IGNORECASE)
_PAGE = re.compile(r"/(?:h5/share/|share/)?music/(?:(?P<slug>[^/]*)-)?(?P<id>[0-9]{1,20})(?:\.html)?/?")
_SHORT_HOSTS = ("vm.tiktok.com", "vt.tiktok.com")
_SHORT_PATH = re.compile(r"/t/[\w-]{3,40}/?", re.ASCII)
_ID = re.compile(r"[0-9]{5,20}")
_TRAILING = ".,;:!?)]}。，！）”’»"


class NotASound(ValueError):
    """What was pasted names no sound; the code says how far it was understood: no_sound, no_id, other_page."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class SoundLink:
    id: str
    slug: str = ""
    """As it stands in the address; empty where only the id is known."""

    def url(self, site_url: str = WWW) -> str:
        """Its page. TikTok looks at the id alone, but wants some slug before it."""
        return f"{site_url}/music/{self.slug or 'sound'}-{self.id}"


@dataclass(frozen=True, slots=True)
class ShortLink:
    """Leads to a page of the platform, perhaps a sound's: it must be followed to know."""

    url: str


def read_sound(text: str, site_url: str = WWW) -> SoundLink | ShortLink:
    """The first link or id in a text that is of a sound, or that may lead to one. Raises NotASound."""
    text = text.strip()[:LONGEST]
    if _ID.fullmatch(text):
        return _link(text)
    urls = _URL.findall(text) or [f"https://{bare}" for bare in _BARE.findall(text)]
    shorts, others = [], 0
    for url in urls:
        url = url.rstrip(_TRAILING)
        path = _path(url, site_url)
        if path is None:
            continue
        if found := _PAGE.fullmatch(unquote(path)):
            return _link(found["id"], found["slug"] or "")
        if _is_short(url, path):
            shorts.append(ShortLink(url))
        others += 1
    if shorts:
        return shorts[0]
    raise NotASound("other_page" if others else "no_sound")


def sound_id(text: str, site_url: str = "") -> str:
    """The id of the sound that a text names; empty where it names none, or only a short link might."""
    try:
        found = read_sound(text, site_url or WWW)
    except NotASound:
        return ""
    return found.id if isinstance(found, SoundLink) else ""


def _link(number: str, slug: str = "") -> SoundLink:
    # Posts without a sound of their own carry id 0: it is everybody's, and nobody's.
    if not number.strip("0"):
        raise NotASound("no_id")
    return SoundLink(number, quote(slug[:200], safe=""))


def _path(url: str, site_url: str) -> str | None:
    """The path on the platform's own site; None for an address elsewhere."""
    try:
        parts, site = urlsplit(url), urlsplit(site_url)
        host = (parts.hostname or "").lower().rstrip(".")
        if (host, parts.port) == (site.hostname, site.port) and parts.path.startswith(site.path):
            return parts.path[len(site.path) :]
        is_theirs = (host == "tiktok.com" or host.endswith(".tiktok.com")) and parts.port in (None, 80, 443)
    except ValueError:
        return None
    return parts.path if is_theirs and not parts.username else None


def _is_short(url: str, path: str) -> bool:
    return (urlsplit(url).hostname or "").lower() in _SHORT_HOSTS or bool(_SHORT_PATH.fullmatch(path))
