"""TikTok by ScrapeCreators: profiles, hashtags, keywords, trending lists, sounds, single posts. Every answer costs."""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from crawler.cleaning import clean_count, clean_id
from crawler.providers import tiktok_links, tiktok_parser, tiktok_web
from crawler.providers.aweme import Malformed, as_mapping
from crawler.providers.base import Access, AuthorData, Page, Query, VideoData
from crawler.providers.errors import Changed, Gone, OutOfCredits, Private, Unreachable, Unsupported
from crawler.providers.scrapecreators_answers import ask, credits_of

PAUSE_SECONDS = 1.0
"""Between two pages of one list."""
OTHER_REGION = "US"
"""From where a list is asked for again that comes back empty although there are posts: the vendor's own advice."""

Params = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class _Listing:
    path: str
    params: Callable[[str], Params]
    cursor: str = "cursor"
    """The name under which the place to go on from is given and taken."""
    key: str = "aweme_list"
    is_paged: bool = True


def _hashtag(value: str) -> Params:
    return {"hashtag": value.strip().lstrip("#＃")}


def _region(value: str) -> Params:
    region = tiktok_links.region(value)
    if not region:
        raise Unsupported("A trending list is that of a country: two letters, such as US or VN.")
    return {"region": region}


def _clip(value: str) -> Params:
    """The number at the end of a sound's link, or that number itself."""
    number = value.strip().rstrip("/").rpartition("-")[2].partition("?")[0]
    if not number.isdigit() or not number.strip("0"):
        raise Unsupported("A sound is the number at the end of its link.")
    return {"clipId": number}


VIDEOS = _Listing("/v3/tiktok/profile/videos", lambda value: {"user_id": value}, cursor="max_cursor")
KEYWORD = _Listing("/v1/tiktok/search/keyword", lambda value: {"query": value.strip()}, key="search_item_list")
TOP = _Listing("/v1/tiktok/search/top", lambda value: {"query": value.strip()}, key="items")
LISTINGS = {
    "hashtag": _Listing("/v1/tiktok/search/hashtag", _hashtag),
    "trending": _Listing("/v1/tiktok/get-trending-feed", _region, is_paged=False),
    "sound": _Listing("/v1/tiktok/song/videos", _clip),
}


class ScrapeCreators:
    """See the contract of each path in its vendor's catalogue; a page of a list costs one credit, a profile one more."""

    def crawl(self, query: Query, access: Access, *, cursor: Mapping[str, Any] | None, pages: int) -> Generator[Page, None, None]:
        """See Provider. The place is the service's own cursor as it was given, with those that led to it."""
        begin = dict(cursor or {})
        if query.kind == "profile":
            yield from self._profile(query, access, begin, pages)
            return
        if query.kind == "topic":
            # The keyword search lists videos only; whoever wants but photo posts is read the mixed one.
            listing = TOP if query.video_kinds == ("carousel",) else KEYWORD
        elif query.kind in LISTINGS:
            listing = LISTINGS[query.kind]
        else:
            raise Unsupported(f"Sources of the kind “{query.kind}” are not read on TikTok.")
        params = listing.params(query.value)
        if not all(str(value) for value in params.values()):
            raise Unsupported("There are no words to search for.")
        yield from self._pages(listing, params, access, begin, pages)

    def fetch_video(self, url: str, access: Access) -> VideoData:
        """See Provider. One credit."""
        if not self.knows(url, access.site_url):
            raise Unsupported("This is not a link to a TikTok post.")
        body = ask(access, "/v2/tiktok/video", {"url": url})
        detail = as_mapping(body.get("aweme_detail"))
        if not detail:
            if as_mapping(body.get("filter_detail")):
                raise Gone("TikTok shows this post no more.")
            raise Unreachable("The service answered without the post.", code="no_data")
        kind, post = tiktok_parser.classify(detail, is_asked_for=True)
        if kind in ("deleted", "live"):
            raise Gone("The post was deleted, is kept private, or is a live room.")
        try:
            return tiktok_parser.parse_post(post or detail, site_url=access.site_url, now=datetime.now(UTC))
        except Malformed as error:
            raise Changed(f"The service's description of this post cannot be read: {error}.") from error

    def knows(self, url: str, base_url: str) -> bool:
        """See Provider."""
        return tiktok_links.is_tiktok(url, base_url) and (
            tiktok_links.find_post(url, base_url) is not None or tiktok_links.is_short(url, base_url)
        )

    def check(self, access: Access) -> None:
        """Ask whether the service would work for us; costs nothing. Raises as crawl does."""
        body = ask(access, "/v1/credit-balance", {})
        balance, wrong = clean_count(body.get("creditCount"))
        if balance is None or wrong:
            raise Changed("The service does not say how many credits are left.")
        if balance < 1:
            raise OutOfCredits("The account at ScrapeCreators has no credits left.")

    def _profile(self, query: Query, access: Access, begin: dict[str, Any], pages: int) -> Generator[Page, None, None]:
        if user_id := clean_id(begin.get("user_id")):
            yield from self._pages(VIDEOS, _of_user(user_id), access, begin, pages, own=user_id)
            return
        person, is_private, charged = self._person(query, access)
        handle = tiktok_links.find_handle(query.value, access.site_url)
        renamed = person.handle if person.handle.lower() != handle.lower() else ""
        if is_private:
            # The person's own counters are kept before it is said; the empty place makes a later attempt ask anew.
            yield Page(videos=(), cursor={}, author=person, credits=charged)
            raise Private("The profile is private: it shows its posts only to whom it accepted.")
        if person.videos == 0:
            yield Page(videos=(), cursor=None, author=person, credits=charged, renamed_to=renamed)
            return
        params = _of_user(person.external_id)
        listed = self._pages(VIDEOS, params, access, begin, pages, own=person.external_id, has_posts=bool(person.videos))
        for number, page in enumerate(listed):
            if number == 0:
                page = replace(page, author=_exact(person, page.videos), credits=page.credits + charged, renamed_to=renamed)
            yield page

    def _person(self, query: Query, access: Access) -> tuple[AuthorData, bool, int]:
        """Who the profile is, whether it is private, and what the answer cost. By the id once it is known: names change."""
        known = clean_id(query.author_id)
        handle = tiktok_links.find_handle(query.value, access.site_url)
        if not known and not handle:
            raise Unsupported("This is no name that a TikTok profile can have.")
        body = ask(access, "/v1/tiktok/profile", {"user_id": known} if known else {"handle": handle})
        user = as_mapping(body.get("user"))
        stats = [as_mapping(body.get(key)) for key in ("statsV2", "stats")]
        person = tiktok_web.person(user, *stats, site_url=access.site_url)
        if person is None:
            if not user and "user" in body:
                raise Gone("TikTok has no such profile: it was deleted, banned, or never there.")
            raise Unreachable("The service answered without the profile.", code="no_data")
        is_private = bool(user.get("privateAccount") or user.get("secret"))
        return person, is_private, credits_of(body)

    def _pages(
        self,
        listing: _Listing,
        params: Params,
        access: Access,
        begin: dict[str, Any],
        pages: int,
        *,
        own: str = "",
        has_posts: bool = False,
    ) -> Generator[Page, None, None]:
        """Page after page, until the list ends, turns in a circle, or only promises."""
        place = begin.get("cursor")
        used = [str(each) for each in begin.get("used", [])] if isinstance(begin.get("used"), list) else []
        seen: set[str] = set()
        for number in range(pages):
            if number:
                time.sleep(PAUSE_SECONDS)
            asked = params if place is None else {**params, listing.cursor: place}
            found, body, charged = _list(listing, asked, access, own)
            if has_posts and place is None and not found.entries:
                time.sleep(PAUSE_SECONDS)
                found, body, more = _list(listing, {**asked, "region": OTHER_REGION}, access, own)
                charged += more
            following = _cursor(body.get(listing.cursor))
            if place is None and not found.entries and (has_posts or (listing.is_paged and _promises(body))):
                raise Unreachable("The service gave an empty list where there are posts.", code="empty_refusal")
            if not found.videos and set(found.skipped) == {"malformed"}:
                raise Changed("None of the entries in the service's answer can be read.")
            ids = {video.external_id for video in found.videos}
            repeats = bool(ids) and ids <= seen
            ends = (
                not listing.is_paged
                or not found.entries
                or repeats
                or following is None
                or not _goes_on(body)
                or str(following) in used
                or str(following) == str(place)
            )
            if not found.entries or repeats:
                yield Page(videos=(), cursor=None, credits=charged)
                return
            seen |= ids
            used = [*used, str(place)] if place is not None else used
            there = {"cursor": following, "used": used, **({"user_id": own} if own else {})}
            yield Page(
                videos=found.videos,
                cursor=None if ends else there,
                skipped=found.skipped,
                errors=found.errors,
                credits=charged,
            )
            if ends:
                return
            place = following


def _exact(person: AuthorData, videos: tuple[VideoData, ...]) -> AuthorData:
    """The person with the counters that their posts show of them: those are exact, and the profile's rounded."""
    author = next((v.author for v in videos if v.author and v.author.external_id == person.external_id), None)
    if author is None:
        return person
    names = ("followers", "following", "likes", "videos")
    return replace(person, **{name: value for name in names if (value := getattr(author, name)) is not None})


def _of_user(user_id: str) -> Params:
    return {"user_id": user_id, "sort_by": "latest"}


def _list(listing: _Listing, params: Params, access: Access, own: str) -> tuple[tiktok_parser.Listing, dict[str, Any], int]:
    """One answer of a list, what else stands in it, and what it cost. Raises Unreachable for one that holds no list."""
    body = ask(access, listing.path, params)
    if not isinstance(body.get(listing.key), list):
        raise Unreachable("The service answered without the list: TikTok refused it, most likely.", code="no_data")
    found = tiktok_parser.parse_listing({listing.key: body[listing.key]}, site_url=access.site_url, own=own)
    return found, body, credits_of(body)


def _cursor(value: Any) -> str | int | None:
    """The place as it was given, number or text, to be handed back unchanged."""
    is_place = (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and 0 < len(value) <= 500)
    return value if is_place else None


def _goes_on(body: Mapping[str, Any]) -> bool:
    """`has_more` where it is said; trimmed answers and the keyword search say nothing, and the next page will tell."""
    more = body.get("has_more")
    return True if more is None else bool(more) and more != "0"


def _promises(body: Mapping[str, Any]) -> bool:
    return "has_more" in body and _goes_on(body)
