"""Douyin's addresses, and what people paste for them: a share text, a link, or the bare id. Pure."""

import re
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

SHORT_HOSTS = frozenset({"v.douyin.com"})
SHARE_HOSTS = frozenset({"www.iesdouyin.com", "iesdouyin.com"})
HOT = "hot"
"""The value of a source that watches the hot list: there is only one."""

_POST = re.compile(r"/(?:share/|s/)?(video|note|slides)/([0-9]{8,20})(?:/|$)")
_PROFILE = re.compile(r"/(?:share/)?user/([A-Za-z0-9_-][A-Za-z0-9_.=-]*)/?")
_PROFILE_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.=-]*")
_HASHTAG = re.compile(r"/(?:share/challenge|hashtag|challenge)/([^/]+)/?")
_SOUND = re.compile(r"/(?:share/)?music/([0-9]{8,20})/?")
_NAME = re.compile(r"[^\s#＃@/?&]{1,100}")
_ID = re.compile(r"[0-9]{8,20}")


def is_ours(url: str, site_url: str) -> bool:
    """Whether a link leads to Douyin, or to the site that stands in its place."""
    host = host_of(url)
    return bool(host) and (host == host_of(site_url) or host == "douyin.com" or host.endswith((".douyin.com", ".iesdouyin.com")))


def is_short(url: str, site_url: str = "") -> bool:
    """Whether only a request shows where a link leads."""
    return host_of(url) in SHORT_HOSTS


def is_unclear(url: str) -> bool:
    """Whether a link is one of those that lead somewhere else before they show a post."""
    return host_of(url) in SHORT_HOSTS | SHARE_HOSTS


def is_id(text: str) -> bool:
    return bool(_ID.fullmatch(text))


def post_of(url: str) -> tuple[str, str] | None:
    """(video or note, its id) out of a link to one, share links and `modal_id=` included."""
    parts = _split(url)
    if found := _POST.search(parts.path):
        return ("video" if found[1] == "video" else "note"), found[2]
    modal = _first(parts, "modal_id")
    return ("video", modal) if _ID.fullmatch(modal) else None


def post_id(url: str, site_url: str = "") -> str:
    post = post_of(url)
    return post[1] if post else ""


def canonical(url: str, site_url: str) -> str:
    """The one spelling of a link to a post; nothing for any other link."""
    post = post_of(url) if is_ours(url, site_url) else None
    return f"{site_url}/{post[0]}/{post[1]}" if post else ""


def profile_id(text: str, site_url: str) -> str:
    """The `sec_uid` of a profile, out of its address or as it is; nothing for anything else."""
    if "/" not in text:
        return text if _PROFILE_ID.fullmatch(text) else ""
    parts = _split(text)
    found = _PROFILE.fullmatch(parts.path) if is_ours(text, site_url) else None
    return _first(parts, "sec_uid") or found[1] if found else ""


def hashtag_value(text: str, site_url: str) -> str:
    """A hashtag's id out of its address, or its name without the sign; nothing for anything else."""
    if "//" in text:
        found = _HASHTAG.fullmatch(_split(text).path) if is_ours(text, site_url) else None
        return unquote(found[1]) if found else ""
    name = text.lstrip("#＃").strip()
    return name if _NAME.fullmatch(name) else ""


def sound_id(text: str, site_url: str) -> str:
    """A sound's id out of its address or as it is; nothing for anything else."""
    if "//" in text:
        found = _SOUND.fullmatch(_split(text).path) if is_ours(text, site_url) else None
        return found[1] if found else ""
    return text if _ID.fullmatch(text) else ""


def hot_list(text: str, site_url: str) -> str:
    """The hot list, by its name or its address; nothing for anything else."""
    is_address = "//" in text and is_ours(text, site_url) and _split(text).path.rstrip("/") == "/hot"
    return HOT if is_address or text.casefold() in (HOT, "热榜", "抖音热榜", "trending") else ""


def hashtag_page(value: str) -> str:
    """Where the videos of a hashtag are listed: by its id on its own page, by its name in the search."""
    return f"/hashtag/{value}" if _ID.fullmatch(value) else f"/search/{quote(f'#{value}', safe='')}?type=general"


def host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _first(parts: SplitResult, name: str) -> str:
    return parse_qs(parts.query).get(name, [""])[0]
