"""Douyin through its own pages: a real browser opens them, and the JSON that they load is read as it comes."""

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from crawler.providers import browser, douyin_answers
from crawler.providers.base import Access, Page, Query, VideoData
from crawler.providers.browser import Answer, OpenPage
from crawler.providers.douyin_parser import parse_listing
from crawler.providers.errors import Changed, Unreachable, Unsupported

# The site itself and where its scripts come from. Media hosts are left out: a crawl downloads none.
HOSTS = (
    "douyin.com", "*.douyin.com", "*.iesdouyin.com", "*.douyinstatic.com", "*.bytegoofy.com", "*.bytescm.com",
    "*.byted-static.com", "*.bytedance.com", "*.bytednsdoc.com", "*.bytetos.com", "*.snssdk.com", "*.zijieapi.com",
    "*.pstatp.com",
)  # fmt: skip
DETAIL = "/aweme/v1/web/aweme/detail/"
_LINK = re.compile(r"/(?:share/|s/)?(video|note|slides)/([0-9]{8,20})(?:/|$)")
_SHORT_LINK_HOSTS = {"v.douyin.com", "www.iesdouyin.com", "iesdouyin.com"}


@dataclass(frozen=True, slots=True)
class _Listing:
    """A page that lists videos, and where its data comes from."""

    page: str
    paths: tuple[str, ...]
    position: str
    """The query parameter that says where an answer of the list begins."""
    goes_down: bool = False
    """Positions are times, newest first, rather than offsets."""

    def is_before(self, position: int, cursor: int) -> bool:
        if self.goes_down:
            return position == 0 or position > cursor
        return position < cursor


LISTINGS = {
    "topic": _Listing(
        "/search/{value}?type=general",
        ("/aweme/v1/web/general/search/", "/aweme/v1/web/search/item/"),
        "offset",
    ),
    "profile": _Listing("/user/{value}", ("/aweme/v1/web/aweme/post/",), "max_cursor", goes_down=True),
}


class Douyin:
    """Topics and profiles; single videos and notes by their links, short ones included."""

    def crawl(self, query: Query, access: Access, *, cursor: Mapping[str, Any] | None, pages: int) -> Generator[Page, None, None]:
        """See Provider. A page always lists from its top, so what lies before `cursor` is scrolled past unread."""
        listing = LISTINGS.get(query.kind)
        if listing is None:
            raise Unsupported(f"Sources of the kind “{query.kind}” are not read on Douyin yet; topics and profiles are.")
        if not query.value.strip(". "):
            raise Unsupported("There are no words to search for.")  # a browser takes "/search/.." for "/"
        begin = _int((cursor or {}).get(listing.position), 0)
        url = access.base_url + listing.page.format(value=quote(query.value.strip(), safe=""))
        seen: set[int] = set()
        with self._open(access, listing.paths) as page:
            self._arrive(page, url)
            while pages > 0:
                answer = page.next_answer(scroll=bool(seen))
                if answer is None:
                    if seen and not page.is_waiting:
                        return  # more was promised, but the page asks for no more
                    raise self._nothing_came(page)
                position = _int(parse_qs(urlsplit(answer.url).query).get(listing.position, ["0"])[0], 0)
                body = self._read(answer)
                if position in seen:
                    continue
                seen.add(position)
                found = parse_listing(body, base_url=access.base_url)
                if not found.videos and set(found.skipped) == {"malformed"}:
                    raise Changed("None of the entries in the platform's answer can be read.")
                goes_on = found.has_more and found.next_offset is not None
                if begin == 0 or not listing.is_before(position, begin):
                    yield Page(
                        videos=found.videos,
                        cursor={listing.position: found.next_offset} if goes_on else None,
                        skipped=found.skipped,
                        errors=found.errors,
                    )
                    pages -= 1
                if not goes_on:
                    return

    def fetch_video(self, url: str, access: Access) -> VideoData:
        """See Provider."""
        with self._open(access, (DETAIL,)) as page:
            link = find_link(url)
            if link is None and _host(url) in _SHORT_LINK_HOSTS:
                link = find_link(page.goto(url).url)
            if link is None:
                raise Unsupported("This is not a link to a Douyin video or note.")
            kind, video_id = link
            self._arrive(page, f"{access.base_url}/{kind}/{video_id}")
            while (answer := page.next_answer()) is not None:
                if parse_qs(urlsplit(answer.url).query).get("aweme_id", [video_id]) == [video_id]:
                    douyin_answers.check_status(answer.status, answer.headers)
                    body = douyin_answers.decode(answer.body)
                    return douyin_answers.video_of_detail(body, base_url=access.base_url)
            raise self._nothing_came(page)

    def knows(self, url: str, base_url: str) -> bool:
        """Whether `fetch_video` is the one to ask for this link."""
        host = _host(url)
        is_ours = host == _host(base_url) or host == "douyin.com" or host.endswith((".douyin.com", ".iesdouyin.com"))
        return is_ours and (find_link(url) is not None or host in _SHORT_LINK_HOSTS)

    def _open(self, access: Access, paths: tuple[str, ...]) -> Any:
        own = _host(access.base_url)
        return browser.open_page(
            hosts=HOSTS if own.endswith("douyin.com") else (own,),
            paths=paths,
            storage_state=access.storage_state,
            timeout_seconds=access.page_timeout_seconds,
        )

    def _arrive(self, page: OpenPage, url: str) -> None:
        landed = page.goto(url)
        douyin_answers.check_status(landed.status, landed.headers)

    def _read(self, answer: Answer) -> Any:
        douyin_answers.check_status(answer.status, answer.headers)
        body = douyin_answers.decode(answer.body)
        douyin_answers.check_listing(body)
        return body

    def _nothing_came(self, page: OpenPage) -> Exception:
        """The page is there, its data is not: why?"""
        if page.is_waiting:
            return Unreachable("The page's data did not come in time.", code="timed_out")
        refusal = douyin_answers.refusal_of_page(page.text())
        return refusal or Changed("The page loaded, but asked for no data that is known here.")


def find_link(url: str) -> tuple[str, str] | None:
    """(video or note, its id) out of a link to one, share links and `modal_id=` included."""
    parts = urlsplit(url)
    if found := _LINK.search(parts.path):
        return ("video" if found[1] == "video" else "note"), found[2]
    modal = parse_qs(parts.query).get("modal_id", [""])[0]
    return ("video", modal) if re.fullmatch("[0-9]{8,20}", modal) else None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _int(value: Any, default: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return default
