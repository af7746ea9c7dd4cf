"""Douyin through its own pages: a real browser opens them, and the JSON that they load is read as it comes."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from crawler.providers import browser, douyin_answers, douyin_facts, douyin_links
from crawler.providers.aweme import Listing
from crawler.providers.base import Access, HotWord, Page, Query, VideoData
from crawler.providers.browser import Answer, OpenPage
from crawler.providers.douyin_facts import About
from crawler.providers.douyin_parser import parse_listing
from crawler.providers.errors import Blocked, Changed, Gone, LoginRequired, Private, Unreachable, Unsupported

# The site itself and where its scripts come from. Media hosts are left out: a crawl downloads none.
HOSTS = (
    "douyin.com", "*.douyin.com", "*.iesdouyin.com", "*.douyinstatic.com", "*.bytegoofy.com", "*.bytescm.com",
    "*.byted-static.com", "*.bytedance.com", "*.bytednsdoc.com", "*.bytetos.com", "*.snssdk.com", "*.zijieapi.com",
    "*.pstatp.com",
)  # fmt: skip
DETAIL = "/aweme/v1/web/aweme/detail/"
ABOUT_SECONDS = 2.0
HOT_LIST = "/aweme/v1/web/hot/search/list/"
SEARCH = ("/aweme/v1/web/general/search/", "/aweme/v1/web/search/item/")


@dataclass(frozen=True, slots=True)
class _List:
    """A page that lists videos, and where its data comes from."""

    page: Callable[[str], str]
    paths: tuple[str, ...]
    position: str
    """The query parameter that says where an answer of the list begins."""
    goes_down: bool = False
    """Positions are times, newest first, rather than offsets."""
    about_path: str = ""
    """Where the page asks whose or what page it is."""
    about: Callable[[Mapping[str, Any], str], About] = douyin_facts.person_of

    def is_before(self, position: int, cursor: int) -> bool:
        if self.goes_down:
            return position == 0 or position > cursor
        return position < cursor


def _in_path(text: str) -> str:
    return quote(text, safe="")


LISTS = {
    "topic": _List(lambda words: f"/search/{_in_path(words)}?type=general", SEARCH, "offset"),
    "profile": _List(
        lambda sec_uid: f"/user/{_in_path(sec_uid)}",
        ("/aweme/v1/web/aweme/post/",),
        "max_cursor",
        goes_down=True,
        about_path="/aweme/v1/web/user/profile/other/",
    ),
    "hashtag": _List(douyin_links.hashtag_page, ("/aweme/v1/web/challenge/aweme/",), "cursor"),
    "sound": _List(
        lambda sound_id: f"/music/{_in_path(sound_id)}",
        ("/aweme/v1/web/music/aweme/",),
        "cursor",
        about_path="/aweme/v1/web/music/detail/",
        about=douyin_facts.sound_facts,
    ),
}
NAMED_HASHTAG = _List(douyin_links.hashtag_page, SEARCH, "offset")


class Douyin:
    """Topics, hashtags, profiles, sounds and the hot list; single videos and notes by their links, short ones included."""

    def crawl(self, query: Query, access: Access, *, cursor: Mapping[str, Any] | None, pages: int) -> Generator[Page, None, None]:
        """See Provider. A page always lists from its top, so what lies before `cursor` is scrolled past unread.

        Of the hot list, one page is what a search shows for one of its words; the list is read anew by each run.
        """
        value = query.value.strip()
        if query.kind == "trending":
            yield from self._hot_list(access, first=_int((cursor or {}).get("word"), 0), pages=pages)
            return
        listing = LISTS.get(query.kind)
        if listing is None:
            raise Unsupported(f"Sources of the kind “{query.kind}” are not read on Douyin.")
        if not value.strip(". "):
            raise Unsupported("There are no words to search for.")  # a browser takes "/search/.." for "/"
        is_named = query.kind == "hashtag" and not douyin_links.is_id(value)
        reading = _Reading(NAMED_HASHTAG if is_named else listing, access.base_url, cursor)
        with self._open(access, (*reading.list.paths, *filter(None, [reading.list.about_path]))) as page:
            self._arrive(page, access.base_url + reading.list.page(value))
            for found in reading.pages(page, pages):
                yield _only(found, value) if is_named else found

    def _hot_list(self, access: Access, *, first: int, pages: int) -> Generator[Page, None, None]:
        if pages <= 0:
            return
        words = self._hot_words(access)
        for number, hot in list(enumerate(words))[first : first + pages]:
            videos: tuple[VideoData, ...] = ()
            skipped: Mapping[str, int] = {}
            errors: tuple[str, ...] = ()
            reading = _Reading(LISTS["topic"], access.base_url, None)
            with self._open(access, SEARCH) as page:
                self._arrive(page, access.base_url + reading.list.page(hot.word))
                for found in reading.pages(page, 1):
                    videos, skipped, errors = found.videos, found.skipped, found.errors
            yield Page(
                videos=videos,
                cursor={"word": number + 1} if number + 1 < len(words) else None,
                skipped=skipped,
                errors=errors,
                words=words if number == first else (),
                word=hot.word,
            )

    def _hot_words(self, access: Access) -> tuple[HotWord, ...]:
        with self._open(access, (HOT_LIST,)) as page:
            self._arrive(page, f"{access.base_url}/hot")
            answer = page.next_answer()
            if answer is None:
                raise _nothing_came(page)
            words = douyin_facts.hot_words(_body(answer))
        if not words:
            raise Changed("The platform's hot list holds no words.")  # it never is empty in truth
        return words

    def fetch_video(self, url: str, access: Access) -> VideoData:
        """See Provider."""
        with self._open(access, (DETAIL,)) as page:
            link = douyin_links.post_of(url)
            if link is None and douyin_links.is_unclear(url):
                link = douyin_links.post_of(page.goto(url).url)
            if link is None:
                raise Unsupported("This is not a link to a Douyin video or note.")
            kind, video_id = link
            self._arrive(page, f"{access.base_url}/{kind}/{video_id}")
            while (answer := page.next_answer()) is not None:
                if parse_qs(urlsplit(answer.url).query).get("aweme_id", [video_id]) == [video_id]:
                    return douyin_answers.video_of_detail(_body(answer), base_url=access.base_url)
            raise _nothing_came(page)

    def knows(self, url: str, base_url: str) -> bool:
        """Whether `fetch_video` is the one to ask for this link."""
        is_post = douyin_links.post_of(url) is not None or douyin_links.is_unclear(url)
        return is_post and douyin_links.is_ours(url, base_url)

    @contextmanager
    def _open(self, access: Access, paths: tuple[str, ...]) -> Iterator[OpenPage]:
        own = douyin_links.host_of(access.base_url)
        hosts = HOSTS if own.endswith("douyin.com") else (own,)
        with ExitStack() as opened:
            relay = opened.enter_context(access.door.relay(hosts)) if access.proxy and access.door else ""
            yield opened.enter_context(
                browser.open_page(
                    hosts=hosts,
                    paths=paths,
                    storage_state=access.storage_state,
                    timeout_seconds=access.page_timeout_seconds,
                    relay=relay,
                )
            )

    def _arrive(self, page: OpenPage, url: str) -> None:
        landed = page.goto(url)
        douyin_answers.check_status(landed.status, landed.headers)


class _Reading:
    """One list, as its page loads it: the answers in their order, and what the page says of itself beside them."""

    def __init__(self, listing: _List, base_url: str, cursor: Mapping[str, Any] | None) -> None:
        self.list = listing
        self._base_url = base_url
        self._begin = _int((cursor or {}).get(listing.position), 0)
        self._waiting: deque[Answer] = deque()
        self._about: About | None = None
        self._trouble: Exception | None = None
        """Why the page could not say what it is; matters only if it lists nothing."""

    def pages(self, page: OpenPage, most: int) -> Generator[Page, None, None]:
        seen: set[int] = set()
        while most > 0:
            answer = self._waiting.popleft() if self._waiting else page.next_answer(scroll=bool(seen))
            if answer is None:
                if seen and not page.is_waiting:
                    return  # more was promised, but the page asks for no more
                self._explain_nothing({})
                raise _nothing_came(page)
            if self._is_about(answer):
                self._learn(answer)
                continue
            position = _int(parse_qs(urlsplit(answer.url).query).get(self.list.position, ["0"])[0], 0)
            body = self._listed(answer)
            if position in seen:
                continue
            seen.add(position)
            found = parse_listing(body, base_url=self._base_url)
            if not found.videos and set(found.skipped) == {"malformed"}:
                raise Changed("None of the entries in the platform's answer can be read.")
            self._hear_out(page)
            goes_on = found.has_more and found.next_offset is not None
            if position == 0 and not goes_on and not found.videos and not found.skipped:
                self._explain_nothing(body)
            if self._begin == 0 or not self.list.is_before(position, self._begin):
                yield self._page_of(found, goes_on=goes_on)
                most -= 1
            if not goes_on:
                return

    def _page_of(self, found: Listing, *, goes_on: bool) -> Page:
        about, self._about = self._about or About(), None  # told once
        return Page(
            videos=found.videos,
            cursor={self.list.position: found.next_offset} if goes_on else None,
            skipped=found.skipped,
            errors=found.errors,
            author=about.author,
            sound=about.sound,
        )

    def _is_about(self, answer: Answer) -> bool:
        return bool(self.list.about_path) and urlsplit(answer.url).path.startswith(self.list.about_path)

    def _learn(self, answer: Answer) -> None:
        try:
            self._about = self.list.about(_body(answer), self._base_url)
        except (Blocked, Changed, Gone, LoginRequired, Unreachable) as error:
            self._trouble = error

    def _hear_out(self, page: OpenPage) -> None:
        """What the page says of itself may come after the first of its list."""
        while self.list.about_path and not (self._about or self._trouble):
            # A page may ask for it only after the list: one moment more, unless it has asked already.
            answer = page.next_answer() if page.is_waiting else page.next_answer(within=ABOUT_SECONDS)
            if answer is None:
                return
            if self._is_about(answer):
                self._learn(answer)
            else:
                self._waiting.append(answer)

    def _explain_nothing(self, body: Mapping[str, Any]) -> None:
        """An empty list: nothing there, or nothing shown? Raises for the latter."""
        if self._trouble is not None:
            raise self._trouble
        if self._about is None:
            return
        if self._about.is_private:
            raise Private("The profile shows its videos only to whom it has accepted.")
        if self._about.author and self._about.author.videos:
            if body.get("not_login_module"):
                raise LoginRequired("The profile's videos are shown only to people who are signed in: set cookies.")
            raise Blocked("The profile counts videos, but the list of them comes back empty: the platform holds them back.")

    def _listed(self, answer: Answer) -> Mapping[str, Any]:
        try:
            body = _body(answer)
            douyin_answers.check_listing(body)
        except (Blocked, Changed):
            if isinstance(self._trouble, Gone):
                raise self._trouble from None  # a profile that is gone has no list that could be read
            raise
        return body


def _only(page: Page, tag: str) -> Page:
    """A search for a hashtag's name finds other videos too: those without it are counted, not kept."""
    wanted = tag.casefold()
    kept = tuple(video for video in page.videos if wanted in (name.casefold() for name in video.hashtags))
    others = len(page.videos) - len(kept)
    skipped = {**page.skipped, "other": page.skipped.get("other", 0) + others} if others else page.skipped
    return Page(videos=kept, cursor=page.cursor, skipped=skipped, errors=page.errors)


def _body(answer: Answer) -> Mapping[str, Any]:
    douyin_answers.check_status(answer.status, answer.headers)
    body: Mapping[str, Any] = douyin_answers.decode(answer.body)
    return body


def _nothing_came(page: OpenPage) -> Exception:
    """The page is there, its data is not: why?"""
    if page.is_waiting:
        return Unreachable("The page's data did not come in time.", code="timed_out")
    refusal = douyin_answers.refusal_of_page(page.text())
    return refusal or Changed("The page loaded, but asked for no data that is known here.")


def _int(value: Any, default: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return default
