"""What people paste of TikTok: handles, links to people, posts and sounds. Pure."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

_HANDLE = re.compile(r"[\w.]{1,64}")  # letters of any script were once allowed
_POST = re.compile(r"/@([\w.%-]*)/(video|photo)/([0-9]{8,20})(?:/|$)")
_BARE_POST = re.compile(r"/(?:v|embed(?:/v[0-9])?|player/v[0-9]|share/video)/([0-9]{8,20})(?:\.html|/|$)")
_PERSON = re.compile(r"/@([\w.%-]+)/?(?:$|live$)")
_HASHTAG = re.compile(r"/tag/([^/?#]+)/?$")
_SHORT_HOSTS = {"vm.tiktok.com", "vt.tiktok.com"}
_SHORT_PATH = re.compile(r"/t/[\w-]+/?")


def host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def is_tiktok(url: str, site_url: str = "") -> bool:
    """Whether it leads to TikTok, or to where a setting says that TikTok is."""
    host = host_of(url)
    if host == "tiktok.com" or host.endswith(".tiktok.com"):
        return True
    return bool(host) and _is_below(url, site_url)


is_ours = is_tiktok


def find_post(url: str, site_url: str = "") -> tuple[str, str, str] | None:
    """(handle or nothing, "video" or "photo", id) of a link to a post; share links and embedded ones included."""
    path = _path(url, site_url)
    if found := _POST.search(path):
        return unquote(found[1]), found[2], found[3]
    if found := _BARE_POST.search(path):
        return "", "video", found[1]
    shared = parse_qs(urlsplit(url).query).get("share_item_id", [""])[0] if host_of(url) else ""
    return ("", "video", shared) if re.fullmatch("[0-9]{8,20}", shared) else None


def post_id(url: str, site_url: str = "") -> str:
    post = find_post(url, site_url)
    return post[2] if post else ""


def canonical(url: str, site_url: str) -> str:
    """The one spelling of a link to a post; nothing for any other link."""
    post = find_post(url, site_url) if is_tiktok(url, site_url) else None
    return f"{site_url}/@{post[0]}/{post[1]}/{post[2]}" if post else ""


def is_short(url: str, site_url: str = "") -> bool:
    """A link that redirects to a post, a person or a sound."""
    if host_of(url) in _SHORT_HOSTS:
        return len(_path(url, "")) > 1
    return is_tiktok(url, site_url) and _SHORT_PATH.fullmatch(_path(url, site_url)) is not None


def find_handle(text: str, site_url: str = "") -> str:
    """The handle in "@name", "name" or a link to a person; nothing where there is none."""
    text = text.strip()
    if "/" in text:
        url = text if "://" in text else f"https://{text}"
        found = _PERSON.search(_path(url, site_url)) if is_tiktok(url, site_url) else None
        text = unquote(found[1]) if found else ""
    handle = text.removeprefix("@").lower()
    return handle if _HANDLE.fullmatch(handle) and not handle.endswith(".") else ""


def find_hashtag(text: str, site_url: str = "") -> str:
    """The name in "#name", "name" or a link to a hashtag's page; nothing where there is none."""
    text = text.strip()
    if "/" in text:
        url = text if "://" in text else f"https://{text}"
        found = _HASHTAG.search(_path(url, site_url)) if is_tiktok(url, site_url) else None
        text = unquote(found[1]) if found else ""
    name = text.lstrip("#＃").strip()
    return name if name and not re.search(r"[\s#＃/?&]", name) and len(name) <= 100 else ""


def region(text: str, site_url: str = "") -> str:
    """A country as two capital letters; nothing for anything else."""
    code = text.strip().upper()
    return code if re.fullmatch("[A-Z]{2}", code) else ""


def _is_below(url: str, site_url: str) -> bool:
    """Under the site's address, path included: several sites may share a host."""
    return bool(site_url) and (url.rstrip("/") == site_url or url.startswith(f"{site_url}/"))


def _path(url: str, site_url: str) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return path.removeprefix(urlsplit(site_url).path.rstrip("/")) if _is_below(url, site_url) else path
