"""Single TikTok posts from their own pages: no key, no browser, the data that the page carries for its scripts."""

import html
import json
import re
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import Any

from crawler.cleaning import clean_retry_after
from crawler.providers import tiktok_links
from crawler.providers.aweme import Malformed, Post, as_mapping, as_text
from crawler.providers.base import Access, Page, Query, VideoData
from crawler.providers.errors import Blocked, Changed, Gone, RateLimited, Unreachable, Unsupported
from crawler.providers.tiktok_parser import parse_post, unwrap
from jobs.errors import TransientError

SECONDS = 40.0
MAX_BYTES = 8 * 1024 * 1024
NOT_VISIBLE = "not_visible"
"""The code of a Gone that may also mean "not from here": worth asking from elsewhere before it is believed."""
_SCRIPT = re.compile(
    r"<script\b[^>]*\bid=[\"']?(__UNIVERSAL_DATA_FOR_REHYDRATION__|SIGI_STATE|sigi-persisted-data|__NEXT_DATA__)[\"']?[^>]*>(.*?)</script>",
    re.S,
)
_ASSIGNED = re.compile(r"^\s*window\[['\"]SIGI_STATE['\"]\]\s*=\s*")
_GEO = ("geo_fencing", "cross_border")
_REVIEW = "status_reviewing"


class TikTokPage:
    """A post by its link; short links are followed."""

    def crawl(self, query: Query, access: Access, *, cursor: Mapping[str, Any] | None, pages: int) -> Generator[Page, None, None]:
        """See Provider."""
        raise Unsupported("TikTok's pages are read one by one; lists of posts need a service (ScrapeCreators).")
        yield  # a generator, as the others are

    def fetch_video(self, url: str, access: Access) -> VideoData:
        """See Provider."""
        site = access.site_url
        post = tiktok_links.find_post(url, site)
        if post is None:
            if not tiktok_links.is_short(url, site):
                raise Unsupported("This is not a link to a TikTok post.")
            landed, text = _read(url, access)
            if tiktok_links.find_post(landed, site) is None:
                raise Unsupported("This short link leads to no TikTok post.")
            if tiktok_links.is_tiktok(landed, site) and _SCRIPT.search(text):
                return video_of(text, site_url=site)
            post = tiktok_links.find_post(landed, site)
        assert post is not None
        handle, kind, post_id = post
        # A photo post's own address is served without its data at times; that of a clip with the same id has it too.
        for form in dict.fromkeys((kind, "video")):
            _landed, text = _read(f"{site}/@{handle}/{form}/{post_id}", access)
            if _SCRIPT.search(text):
                break
        return video_of(text, site_url=site)

    def knows(self, url: str, base_url: str) -> bool:
        """See Provider."""
        return tiktok_links.is_tiktok(url, base_url) and (
            tiktok_links.find_post(url, base_url) is not None or tiktok_links.is_short(url, base_url)
        )


def data_of(text: str) -> Any:
    """What the page carries for its scripts. Raises Blocked where nothing is, Changed where it cannot be read."""
    scripts = {found[1]: found[2] for found in _SCRIPT.finditer(text)}
    if not scripts:
        raise Blocked("TikTok shows a page without data: it takes us for a machine.")
    order = ("__UNIVERSAL_DATA_FOR_REHYDRATION__", "SIGI_STATE", "sigi-persisted-data", "__NEXT_DATA__")
    content = next(scripts[name] for name in order if name in scripts).strip()
    content = _ASSIGNED.sub("", content).rstrip(";")
    for candidate in (content, html.unescape(content)):
        try:
            return json.JSONDecoder().raw_decode(candidate)[0]
        except (ValueError, RecursionError):
            continue
    raise Changed("The data in TikTok's page is not JSON any more.")


def video_of(text: str, *, site_url: str, now: datetime | None = None) -> VideoData:
    """The post that a page shows. Raises Gone, Blocked, Changed or Unreachable where it shows none."""
    data = data_of(text)
    item = _sigi_item(as_mapping(data))
    if item is None:
        facts = as_mapping(unwrap(data))
        check_status(facts)
        item = as_mapping(as_mapping(facts.get("itemInfo")).get("itemStruct"))
    if not item:
        raise Changed("TikTok's page has its data in another place than before.")
    if item.get("takeDown") or item.get("privateItem") or item.get("secret"):
        raise Gone("The post was taken down, or its author keeps it private.")
    try:
        return parse_post(item, site_url=site_url, now=now or datetime.now(UTC))
    except Malformed as error:
        raise Changed(f"TikTok's description of this post cannot be read: {error}.") from error


def check_status(facts: Mapping[str, Any]) -> None:
    """Raise what a page's status code means, of which there are two spellings."""
    codes = [facts.get("statusCode"), facts.get("status_code")]
    code = next((str(code) for code in codes if code not in (0, None, "", "0")), "0")
    words = as_text(facts.get("statusMsg")) or as_text(facts.get("status_msg"))
    match code:
        case "0":
            return
        case "10204" if any(word in words for word in _GEO):
            raise Blocked("TikTok does not show this post in this part of the world.", code="geo_blocked")
        case "10204" if _REVIEW in words:
            raise Unreachable("TikTok is still reviewing this post.", code="in_review")
        case "10204" if "deleted" not in words:
            raise Gone("TikTok shows this post no more, or not from here.", code=NOT_VISIBLE)
        case "10204" | "10216" | "10217":
            raise Gone("TikTok shows this post no more: it was deleted, or made private.")
        case "10222":
            raise Gone("The author's account is private.")
        case "10221":
            raise Gone("The author's account is banned, or does not exist.")
        case "10000":
            raise Blocked("TikTok shows a captcha.")
        case "10101":
            raise Unreachable("TikTok has a fault of its own (10101).")
    raise Changed(f"TikTok answers with code {code[:20]}, which is not known here. {words[:100]}".strip())


def _sigi_item(data: Mapping[str, Any]) -> Post | None:
    """The post of an older page (`ItemModule`), its author put back where newer pages have it."""
    items = as_mapping(data.get("ItemModule"))
    if not items:
        return None
    item = as_mapping(next(iter(items.values())))
    people = as_mapping(data.get("UserModule"))
    if isinstance(item.get("author"), str):
        author = as_mapping(as_mapping(people.get("users")).get(item["author"]))
        stats = as_mapping(as_mapping(people.get("stats")).get(item["author"]))
        item = {**item, "author": author or {"id": item.get("authorId"), "uniqueId": item["author"]}, "authorStats": stats}
    return item


def _read(url: str, access: Access) -> tuple[str, str]:
    """A page by its address: (where it ended after redirects, its text)."""
    if access.door is None:
        raise Unsupported("Pages cannot be read without an outgoing door.")
    headers = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "en"}
    try:
        with access.door.open_stream(url, headers=headers, deadline_seconds=SECONDS, max_bytes=MAX_BYTES) as stream:
            _check_http(stream.status, stream.headers)
            body = bytearray()
            buffer = bytearray(65536)
            while count := stream.readinto(buffer):
                body += memoryview(buffer)[:count]
            landed = stream.url
    except TransientError as error:
        if error.outcome:
            raise
        raise Unreachable(error.message, code=error.code) from error
    text = body.decode("utf-8", "replace")
    if not text.strip():
        raise Blocked("TikTok gave an empty answer: it takes us for a machine.")
    return landed, text


def _check_http(status: int, headers: Mapping[str, str]) -> None:
    if status == 429:
        wait = clean_retry_after(headers.get("Retry-After"), datetime.now(UTC))
        raise RateLimited("TikTok asks for fewer requests (HTTP 429).", retry_after=wait)
    if status in (404, 410):
        raise Gone(f"There is no such post on TikTok (HTTP {status}).")
    if status >= 500:
        raise Unreachable(f"TikTok has a fault of its own (HTTP {status}).")
    if status >= 400:
        raise Blocked(f"TikTok refuses us (HTTP {status}).")
