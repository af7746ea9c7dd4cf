"""A stand-in for the ScrapeCreators API, as strict as its catalogue: keys, parameters, paging, credits."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sample_platform import services
from sample_platform.answers import Json
from sample_platform.http import Request, Response, Routes, json_response
from sample_platform.platform import Platform
from sample_platform.tiktok_answers import TikTokAnswers
from sample_platform.tiktok_web import web_profile
from sample_platform.tiktok_world import Creator
from sample_platform.world import DAY, Video

KEY = "sample-scrapecreators-key"
PLACE = "scrapecreators"
POSTS_PER_PAGE = 10
FOUND_PER_PAGE = 12
TRENDING = 20
ANY = r"[\s\S]+"
TRIM = {"trim": "true|false"}
REGION = {"region": "[A-Za-z]{2}"}
DATES = "yesterday|this-week|this-month|last-3-months|last-6-months|all-time"
DAYS = {"yesterday": 1, "this-week": 7, "this-month": 31, "last-3-months": 92, "last-6-months": 184}
ORDERS = "relevance|most-liked|date-posted"
PAGED = {"cursor": r"\d{1,10}"}


class Refused(Exception):
    """The call ends with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Call:
    """One endpoint: what it may be asked, each parameter with the pattern of its values."""

    path: str
    allowed: dict[str, str]
    needs: tuple[str, ...] = ()
    """Of these one must be there."""
    tells_credits: bool = True
    """Not every endpoint says what it cost."""
    free: bool = False


def routes(platform: Platform, table: Routes) -> None:
    api = ScrapeCreators(platform)
    for call, work in api.calls:
        table.add("GET", f"/services/scrapecreators{re.escape(call.path)}/?", api.answerer(call, work))
    table.add("GET", "/services/scrapecreators/.*", api.unknown)


Work = Callable[[Request, TikTokAnswers], Json]


@dataclass
class ScrapeCreators:
    platform: Platform
    calls: list[tuple[Call, Work]] = field(init=False)

    def __post_init__(self) -> None:
        person = {"handle": r"@?[\w.]{1,32}", "user_id": r"\d{1,20}"}
        posts = {**person, "sort_by": "latest|popular", "max_cursor": r"0|\d{13}", **REGION, **TRIM}
        hashtag = {"hashtag": r"[^\s#]{1,100}", **REGION, **PAGED, **TRIM}
        words = {"query": ANY, "sort_by": ORDERS, **REGION, **PAGED}
        video = {"url": ANY, "get_transcript": "true|false", "download_media": "true|false", **REGION, **TRIM}
        song = {"clipId": r"\d{1,20}"}
        self.calls = [
            (Call("/v1/tiktok/profile", person, ("handle", "user_id")), self.profile),
            (Call("/v3/tiktok/profile/videos", posts, ("handle", "user_id"), tells_credits=False), self.posts),
            (Call("/v1/tiktok/search/hashtag", hashtag, ("hashtag",)), self.hashtag),
            (Call("/v1/tiktok/search/keyword", {**words, "date_posted": DATES, **TRIM}, ("query",)), self.keyword),
            (Call("/v1/tiktok/search/top", {**words, "publish_time": DATES}, ("query",)), self.top),
            (Call("/v1/tiktok/get-trending-feed", {**REGION, **TRIM}, ("region",)), self.trending),
            (Call("/v2/tiktok/video", video, ("url",)), self.video),
            (Call("/v1/tiktok/song", song, ("clipId",), tells_credits=False), self.song),
            (Call("/v1/tiktok/song/videos", {**song, **PAGED}, ("clipId",), tells_credits=False), self.song_posts),
            (Call("/v1/credit-balance", {}, free=True), self.balance),
            (Call("/v1/account/credit-balance", {}, free=True), self.balance),
        ]

    # --- what holds for every call --------------------------------------------------------------------------------------
    def answerer(self, call: Call, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await self._answer(call, work, request)
            except Refused as refused:
                return failure(refused.status, refused.message)

        return answer

    async def _answer(self, call: Call, work: Work, request: Request) -> Response:
        scope = self._scope(request)
        if hindrance := await services.hindered(self.platform, request, PLACE, topics=scope):
            return hindrance
        self._check_key(request, scope)
        check(call, request)
        account = self.platform.scrapecreators
        if not call.free and (account.left <= 0 or self._fault("no_credits", scope)):
            raise Refused(402, "Looks like you're out of credits")
        body = work(request, self.platform.tiktok_answers(request))
        cost = 0 if call.free else 10 if request.query.get("download_media") == "true" else 1
        account.left = max(0, account.left - cost)
        body = self._bent(body, request, scope)
        if call.tells_credits and not call.free:
            body = {"success": True, "credits_remaining": account.left, "credits_charged": cost, **body}
        return services.cut(json_response(body), self._fault("cut_json", scope))

    def _check_key(self, request: Request, scope: set[str]) -> None:
        key = request.headers.get("x-api-key")
        if not key:
            raise Refused(500, "apiKey is required")
        if key != KEY or self._fault("key_refused", scope):
            raise Refused(401, "Invalid API key")

    def _fault(self, names: str, scope: Iterable[str]) -> Any:
        return self.platform.fault(names, PLACE, topics=scope)

    @staticmethod
    def _scope(request: Request) -> set[str]:
        """Whom a call is about: switches for a topic name these."""
        names = ("handle", "user_id", "hashtag", "query", "clipId")
        return {request.query[name].lower().lstrip("@") for name in names if request.query.get(name)}

    def _bent(self, body: Json, request: Request, scope: set[str]) -> Json:
        """A page as a fault makes it; bodies without a list stay."""
        key = next((name for name in ("aweme_list", "search_item_list", "items") if name in body), None)
        if key is None:
            return body
        if fault := self._fault("soft_refusal", scope):
            code = fault.value if isinstance(fault.value, int) else 2154
            return {"status_code": code, "status_msg": "Service is currently unavailable", key: []}
        if self._fault("empty_page", scope):
            body = {**body, key: [], **({"has_more": 1} if "has_more" in body else {})}
        if self._fault("stuck_cursor", scope):
            name = "max_cursor" if "max_cursor" in body else "cursor"
            body = {**body, name: request.number(name, 0), **({"has_more": 1} if "has_more" in body else {})}
        return body

    async def unknown(self, request: Request) -> Response:
        return failure(404, "Endpoint not found")

    # --- people ---------------------------------------------------------------------------------------------------------
    def _creator(self, request: Request) -> Creator:
        query = request.query
        found = self.platform.tiktok.creator(handle=query.get("handle", ""), uid=query.get("user_id", ""))
        if found is None or found.state == "deleted":
            raise Refused(404, "User not found")
        return found

    def profile(self, request: Request, answers: TikTokAnswers) -> Json:
        return web_profile(answers, self._creator(request))

    def posts(self, request: Request, answers: TikTokAnswers) -> Json:
        creator = self._creator(request)
        own = answers.world.by_creator(creator, answers.site_now)
        if request.query.get("sort_by") == "popular":
            own = sorted(own, key=lambda video: -video.growth.counts(answers.site_now)["play_count"])
        times = {video.id: answers.posted_at(video) * 1000 for video in own}
        before = request.number("max_cursor", 0)
        older = [video for video in own if not before or times[video.id] < before]
        page = older[:POSTS_PER_PAGE]
        # What is pinned stands on top of the first page, and again at its own place.
        shown = {video.id: video for video in own}
        pinned = [shown[id_] for id_ in creator.pinned if id_ in shown and not before]
        write = writer(request, answers)
        entries = [*(write(video, is_top=True) for video in pinned), *(write(video) for video in page)]
        return self._page(
            request,
            answers,
            "aweme_list",
            entries,
            max_cursor=times[page[-1].id] if page else before,
            min_cursor=times[page[0].id] if page else 0,
            has_more=int(len(older) > POSTS_PER_PAGE),
        )

    # --- lists ----------------------------------------------------------------------------------------------------------
    def hashtag(self, request: Request, answers: TikTokAnswers) -> Json:
        return self._list(request, answers, answers.world.tagged(request.query["hashtag"], answers.site_now))

    def song_posts(self, request: Request, answers: TikTokAnswers) -> Json:
        sound = next((one for one in answers.world.sounds if one.id == request.query["clipId"]), None)
        if sound is None:
            raise Refused(404, "Song not found")
        return self._list(request, answers, answers.world.with_sound(sound, answers.site_now))

    def _list(self, request: Request, answers: TikTokAnswers, videos: list[Video]) -> Json:
        page, cursor, more = turned(request, videos)
        entries = list(map(writer(request, answers), page))
        return self._page(request, answers, "aweme_list", entries, cursor=cursor, has_more=more)

    def keyword(self, request: Request, answers: TikTokAnswers) -> Json:
        """Videos only. It does not say whether there is more: the page after the last is empty."""
        found = [video for video in self._found(request, answers, "date_posted") if not video.is_carousel]
        page, cursor, _ = turned(request, found)
        entries = list(map(writer(request, answers), page))
        if request.query.get("trim") != "true":
            entries = [{"aweme_info": entry, "search_aweme_info": None} for entry in entries]
        return {"cursor": cursor, "search_item_list": entries}

    def top(self, request: Request, answers: TikTokAnswers) -> Json:
        page, cursor, _ = turned(request, self._found(request, answers, "publish_time"))
        return {"items": [answers.flat(video) for video in page], "cursor": cursor}

    def _found(self, request: Request, answers: TikTokAnswers, dates: str) -> list[Video]:
        now = answers.site_now
        found = answers.world.visible(now, answers.world.search(request.query["query"], now))
        if days := DAYS.get(request.query.get(dates, "")):
            found = [video for video in found if now - video.published_at <= days * DAY]
        if request.query.get("sort_by") == "most-liked":
            return sorted(found, key=lambda video: -video.growth.counts(now)["digg_count"])
        if request.query.get("sort_by") == "date-posted":
            return sorted(found, key=lambda video: -video.published_at)
        return found

    def trending(self, request: Request, answers: TikTokAnswers) -> Json:
        videos = answers.world.trending(answers.site_now, TRENDING)
        entries = list(map(writer(request, answers), videos))
        # The feed is drawn anew for everybody, and shows now and then what it has shown.
        return {"aweme_list": [*entries, *entries[:1]], "status_code": 0, "status_msg": ""}

    def _page(self, request: Request, answers: TikTokAnswers, key: str, entries: list[Json], **paging: int) -> Json:
        if request.query.get("trim") == "true":
            return {key: entries, **{name: paging[name] for name in ("max_cursor", "cursor") if name in paging}}
        extra = {"fatal_item_ids": [], "logid": answers.log_id, "now": int(answers.now) * 1000}
        log = {"impr_id": answers.log_id}
        return {key: entries, **paging, "extra": extra, "log_pb": log, "status_code": 0, "status_msg": ""}

    # --- one post, one sound, the account ---------------------------------------------------------------------------------
    def video(self, request: Request, answers: TikTokAnswers) -> Json:
        match = re.search(r"/(?:video|photo)/(\d{1,20})(?:[/?#]|$)", request.query["url"])
        video = answers.world.videos.get(match[1]) if match else answers.world.shared(request.query["url"])
        if match is None and video is None:
            raise Refused(400, "url must be the link of a TikTok video")
        if video is None or video not in answers.world.visible(answers.site_now, [video]):
            raise Refused(404, "Video not found")
        body = {"aweme_detail": writer(request, answers)(video), "status_code": 0, "status_msg": ""}
        return {**body, "transcript": None} if request.query.get("get_transcript") == "true" else body

    def song(self, request: Request, answers: TikTokAnswers) -> Json:
        sound = next((one for one in answers.world.sounds if one.id == request.query["clipId"]), None)
        if sound is None:
            raise Refused(404, "Song not found")
        return {"music_info": answers.music_info(sound), "rec_list": [], "similar_music": [], "status_code": 0, "status_msg": ""}

    def balance(self, request: Request, answers: TikTokAnswers) -> Json:
        return {"success": True, "creditCount": self.platform.scrapecreators.left}


def failure(status: int, message: str) -> Response:
    return json_response({"success": False, "message": message}, status)


def check(call: Call, request: Request) -> None:
    """Refuse what the catalogue does not know, and values that are not of the kind it names."""
    for name, value in request.query.items():
        pattern = call.allowed.get(name)
        if pattern is None:
            raise Refused(400, f"Unknown parameter: {name}")
        if not re.fullmatch(pattern, value):
            raise Refused(400, f"Invalid value for {name}")
    if call.needs and not any(request.query.get(name) for name in call.needs):
        raise Refused(400, f"{' or '.join(call.needs)} is required")


def writer(request: Request, answers: TikTokAnswers) -> Callable[..., Json]:
    return answers.trimmed if request.query.get("trim") == "true" else answers.aweme


def turned(request: Request, videos: list[Video]) -> tuple[list[Video], int, int]:
    """One page by its place, the next place, and whether there is more. A page may repeat the last of the one before."""
    first = request.number("cursor", 0)
    after = first + FOUND_PER_PAGE
    page = videos[first:after]
    repeated = videos[first - 1 : first] if page and first % (2 * FOUND_PER_PAGE) else []
    return [*repeated, *page], min(after, max(first, len(videos))) if page else first, int(after < len(videos))
