"""The site's own origin: pages that load JSON, and the JSON."""

import asyncio
import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sample_platform.answers import Answers, Json, hashtag_id
from sample_platform.cdn import broken
from sample_platform.faults import Fault
from sample_platform.http import Request, Response, Routes, json_response, redirect
from sample_platform.platform import Platform
from sample_platform.words import TOPICS
from sample_platform.world import DAY, Video

PAGES = Path(__file__).parent / "pages"
MOST_PER_PAGE = 20
MOST_HOT = 30
SLOW_SECONDS = 10.0
MOST_SLOW_SECONDS = 300.0
DATA_FAULTS = "unreachable slow ratelimit block login changed empty gone"
SESSION = "sample-session"
"""The cookie `sessionid` of somebody who has signed in."""


def routes(platform: Platform) -> Routes:
    site = Site(platform)
    table = Routes()
    api = "/aweme/v1/web"
    table.add("GET", "/", site.home)
    table.add("GET", "/(?:search|jingxuan/search)/(?P<words>.+?)/?", site.search_page)
    table.add("GET", "/(?P<kind>video|note)/(?P<id>[^/]+)/?", site.video_page)
    table.add("GET", "/(?:share|s)/(?P<kind>video|note)/(?P<id>[^/]+)/?", site.shared)
    table.add("GET", "/user/(?P<id>[^/]+)/?", site.user_page)
    table.add("GET", "/hot/?(?:[0-9]+/?)?", site.hot_page)
    table.add("GET", "/(?P<kind>music|hashtag)/(?P<id>[^/]+)/?", site.list_page)
    table.add("GET", r"/static/(?P<name>[a-z]+\.(?:css|js))", site.static)
    table.add("GET", "/favicon.ico", site.icon)
    table.add("GET", f"{api}/(?:general/search/single|search/item)/?", site.search)
    table.add("GET", f"{api}/aweme/detail/?", site.detail)
    table.add("GET", f"{api}/aweme/post/?", site.posts)
    table.add("GET", f"{api}/user/profile/other/?", site.profile)
    table.add("GET", f"{api}/music/detail/?", site.music)
    table.add("GET", f"{api}/music/aweme/?", site.music_posts)
    table.add("GET", f"{api}/challenge/detail/?", site.challenge)
    table.add("GET", f"{api}/challenge/aweme/?", site.challenge_posts)
    table.add("GET", f"{api}/hot/search/list/?", site.hot)
    table.add("GET", "/aweme/v1/play/?", site.play)
    return table


class Site:
    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.authors = {author.sec_uid: author for author in platform.world.authors}
        self.sounds = {sound.id: sound for sound in platform.world.sounds}

    # --- pages ------------------------------------------------------------------------------------------------------
    async def home(self, request: Request) -> Response:
        return redirect(f"/search/{quote(TOPICS[0].name)}?type=general")

    async def search_page(self, request: Request) -> Response:
        words = request.params["words"]
        return self._page(request, "list.html", words, topics={words}, heading=words, kind="search", id=words)

    async def user_page(self, request: Request) -> Response:
        author = self.authors.get(request.params["id"])
        name = author.name if author else "用户不存在"
        return self._page(request, "list.html", name, heading=name, kind="user", id=request.params["id"])

    async def hot_page(self, request: Request) -> Response:
        return self._page(request, "list.html", "抖音热榜", topics={"hot"}, heading="抖音热榜", kind="hot", id="hot")

    async def list_page(self, request: Request) -> Response:
        kind, id_ = request.params["kind"], request.params["id"]
        name = f"@{self.sounds[id_].title}" if kind == "music" and id_ in self.sounds else self._tag(id_) or id_
        return self._page(request, "list.html", name, heading=name, kind=kind, id=id_)

    async def video_page(self, request: Request) -> Response:
        video = self.platform.world.videos.get(request.params["id"])
        title = video.description[:80] if video else "视频不存在"
        player = linked_data(self.platform.answers(request), video) if video and video.gears and not video.is_deleted else ""
        return self._page(request, "video.html", title, video=video, player=player, id=request.params["id"])

    async def shared(self, request: Request) -> Response:
        return redirect(f"/{request.params['kind']}/{quote(request.params['id'])}")

    def _page(
        self,
        request: Request,
        file: str,
        title: str,
        *,
        topics: Iterable[str] = (),
        video: Video | None = None,
        player: str = "",
        **facts: str,
    ) -> Response:
        """A page's shell. What it shows comes later, by the data calls of its script."""
        fault = self.platform.fault("unreachable ratelimit block", "page", topics=topics, video=video)
        if fault and fault.name == "block":
            return Response((PAGES / "captcha.html").read_bytes())
        if fault and (refusal := broken(fault, request, "text/html")):
            return refusal
        settings = {"app": {"user": {"isLogin": self._is_known(request)}, "odin": {"user_type": 12}}}
        text = (PAGES / file).read_text(encoding="utf-8")
        values = {
            "title": html.escape(title),
            "player": player,
            "facts": html.escape(json.dumps(facts, ensure_ascii=False), quote=True),
            "render_data": quote(json.dumps(settings)),
            "topics": "".join(
                f'<a href="/search/{quote(topic.name)}?type=general">{html.escape(topic.name)}</a>' for topic in TOPICS
            ),
        }
        for name, value in values.items():
            text = text.replace(f"{{{{ {name} }}}}", value)
        cookies = "ttwid=1%7Csample; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"
        return Response(text.encode("utf-8", "replace"), headers={"set-cookie": cookies})

    async def static(self, request: Request) -> Response:
        file = PAGES / request.params["name"]
        if not file.exists():
            return Response(b"not found", 404)
        kind = "text/css" if file.suffix == ".css" else "text/javascript"
        return Response(file.read_bytes(), headers={"cache-control": "no-cache"}, type=f"{kind}; charset=utf-8")

    async def icon(self, request: Request) -> Response:
        return Response(b"", 204)

    # --- data -------------------------------------------------------------------------------------------------------
    async def search(self, request: Request) -> Response:
        words = request.query.get("keyword", "")
        topic = self.platform.world.topic_named(words)
        topics = {words.strip(), *([topic.name] if topic else [])}
        refusal, is_empty = await self._gate(request, "search", topics=topics)
        if refusal:
            return refusal
        answers = self.platform.answers(request)
        offset, count = request.number("offset", 0), request.number("count", 10, most=MOST_PER_PAGE) or 10
        found = [] if is_empty else self._sorted(request, self.platform.world.search(words, self.platform.clock.now()))
        videos = found[offset : offset + count]
        cards = [answers.card(video, offset + place) for place, video in enumerate(videos)]
        for place, card in answers.other_cards(words, offset, videos):
            cards.insert(min(place, len(cards)), card)
        more = offset + count < len(found)
        body = envelope(answers, data=cards, cursor=offset + count, has_more=int(more), ad_info={}, qc="", backtrace="")
        body["global_doodle_config"] = {"keyword": words}
        if not found:
            body["search_nil_info"] = {"search_nil_type": "no_result", "search_nil_item": "general", "text_type": 1}
        return json_response(body)

    def _sorted(self, request: Request, videos: list[Video]) -> list[Video]:
        now = self.platform.clock.now()
        if days := request.number("publish_time", 0):
            videos = [video for video in videos if now - video.published_at <= days * DAY]
        if request.query.get("sort_type") == "1":
            return sorted(videos, key=lambda video: -video.growth.counts(now)["digg_count"])
        if request.query.get("sort_type") == "2":
            return sorted(videos, key=lambda video: -video.published_at)
        return videos

    async def detail(self, request: Request) -> Response:
        id_ = request.query.get("aweme_id", "")
        video = self.platform.world.videos.get(id_)
        refusal, is_gone = await self._gate(request, "detail", video=video)
        if refusal:
            return refusal
        answers = self.platform.answers(request)
        is_out = video is not None and video.published_at <= self.platform.clock.now() and not video.is_deleted
        if video is None or not is_out or is_gone:
            reason = {"aweme_id": id_, "filter_reason": "status_deleted", "detail_msg": "抱歉，作品不见了", "notice": ""}
            return json_response(envelope(answers, aweme_detail=None, filter_detail=reason))
        return json_response(envelope(answers, aweme_detail=answers.aweme(video)))

    async def posts(self, request: Request) -> Response:
        author = self.authors.get(request.query.get("sec_user_id", ""))
        refusal, is_empty = await self._gate(request, "posts")
        if refusal:
            return refusal
        answers = self.platform.answers(request)
        own: list[Video] = []
        if author and not is_empty and not self.platform.people.get(author.sec_uid):
            own = self.platform.world.posts(author, self.platform.clock.now())
        times = {video.id: int(answers.clock.real(video.published_at) * 1000) for video in own}
        before, count = request.number("max_cursor", 0), request.number("count", 18, most=MOST_PER_PAGE) or 18
        older = [video for video in own if not before or times[video.id] < before]
        page = older[:count]
        return json_response(
            envelope(
                answers,
                min_cursor=times[page[0].id] if page else 0,
                max_cursor=times[page[-1].id] if page else before,
                has_more=int(len(older) > count),
                aweme_list=[answers.aweme(video) for video in page],
                time_list=None,
                post_serial=2,
                replace_series_cover=1,
            )
        )

    async def profile(self, request: Request) -> Response:
        author = self.authors.get(request.query.get("sec_user_id", ""))
        refusal, _ = await self._gate(request, "profile")
        if refusal:
            return refusal
        answers = self.platform.answers(request)
        user = answers.author(author) if author else None
        if user and (state := self.platform.people.get(str(user["sec_uid"]))):
            user |= {"aweme_count": 0, "secret": int(state == "private"), "user_canceled": state == "deleted"}
        return json_response(envelope(answers, user=user))

    async def music(self, request: Request) -> Response:
        sound = self.sounds.get(request.query.get("music_id", ""))
        answers = self.platform.answers(request)
        return json_response(envelope(answers, music_info=answers.sound(sound) if sound else None))

    async def music_posts(self, request: Request) -> Response:
        id_ = request.query.get("music_id", "")
        return await self._listed(request, [video for video in self.platform.published() if video.sound.id == id_])

    async def challenge(self, request: Request) -> Response:
        tag = self._tag(request.query.get("ch_id", ""))
        views = sum(video.growth.counts(self.platform.clock.now())["play_count"] for video in self._tagged(tag))
        info = {"cid": request.query.get("ch_id"), "cha_name": tag, "view_count": views} if tag else None
        return json_response(envelope(self.platform.answers(request), ch_info=info))

    async def challenge_posts(self, request: Request) -> Response:
        return await self._listed(request, self._tagged(self._tag(request.query.get("ch_id", ""))))

    async def _listed(self, request: Request, videos: Sequence[Video]) -> Response:
        refusal, is_empty = await self._gate(request, "posts")
        if refusal:
            return refusal
        answers = self.platform.answers(request)
        first, count = request.number("cursor", 0), request.number("count", 18, most=MOST_PER_PAGE) or 18
        page = [] if is_empty else videos[first : first + count]
        more = int(not is_empty and first + count < len(videos))
        entries = [answers.aweme(video) for video in page]
        return json_response(envelope(answers, aweme_list=entries, cursor=first + count, has_more=more))

    async def hot(self, request: Request) -> Response:
        refusal, is_empty = await self._gate(request, "hot", topics={"hot"})
        if refusal:
            return refusal
        answers = self.platform.answers(request)
        now = answers.site_now
        hottest = sorted(self.platform.published(), key=lambda video: -video.growth.rate(now))
        by_word = {} if is_empty else {video.title[0]: video for video in reversed(hottest)}  # the hottest of a word stays
        first = sorted(by_word.values(), key=lambda video: -video.growth.rate(now))[:MOST_HOT]
        words = [
            {
                "word": video.title[0],
                "hot_value": int(video.growth.rate(now) * 36000),
                "position": place,
                "label": 0 if place > 3 else 3,
                "word_type": 1,
                "event_time": int(answers.clock.real(video.published_at)),
                "sentence_id": str(2_000_000 + video.number),
                "group_id": video.id,
                "video_count": len(self.platform.world.search(video.title[0], now)),
                "word_cover": answers.cover(video),
            }
            for place, video in enumerate(first, 1)
        ]
        return json_response(envelope(answers, data={"word_list": words, "trending_list": None, "active_time": None}))

    async def play(self, request: Request) -> Response:
        """The lasting address of a clip: leads to a fresh link on the CDN."""
        video = self.platform.world.by_uri.get(request.query.get("video_id", ""))
        if video is None or not video.gears or video.is_deleted:
            return Response(b"", 404)
        fault = self.platform.fault("unreachable gone redirect_loop", "play", video=video)
        if fault and (refusal := broken(fault, request, "video/mp4")):
            return refusal
        wanted = request.query.get("ratio", "default").removesuffix("p")
        fitting = [gear for gear in video.gears if str(gear.short_side) == wanted and gear.codec == "h264"]
        gear = (fitting or video.gears)[0]
        return redirect(self.platform.answers(request).clip_urls(video, gear)[0])

    # --- faults -----------------------------------------------------------------------------------------------------
    async def _gate(
        self, request: Request, place: str, *, topics: Iterable[str] = (), video: Video | None = None
    ) -> tuple[Response | None, bool]:
        """What a fault answers in place of data, if it does; and whether the data are to be left out."""
        fault = self.platform.fault(DATA_FAULTS, place, topics=topics, video=video)
        match fault:
            case None:
                return None, False
            case Fault(name="unreachable" | "ratelimit"):
                return broken(fault, request, "application/json"), False
            case Fault(name="block"):
                return self._wall(self.platform.answers(request), str(fault.value or "empty")), False
            case Fault(name="login") if not self._is_known(request):
                body = envelope(self.platform.answers(request), data=[], aweme_list=[], aweme_detail=None)
                return json_response({**body, "status_code": 2483, "status_msg": "请先登录"}), False
            case Fault(name="changed"):
                return json_response({"v": 3, "payload": {"sections": [{"tiles": [], "next": None}]}, "ok": True}), False
            case Fault(name="slow"):
                await asyncio.sleep(min(_seconds(fault.value), MOST_SLOW_SECONDS))
        return None, fault.name in {"empty", "gone"}

    @staticmethod
    def _wall(answers: Answers, variant: str) -> Response:
        if variant == "blocked":
            return Response(b"blocked", type="text/plain; charset=utf-8")
        if variant in {"captcha", "page"}:
            nil = {"search_nil_type": "verify_check", "search_nil_item": "verify", "is_load_more": "0"}
            return json_response(envelope(answers, data=[], search_nil_info=nil, has_more=0, cursor=0))
        if variant == "no_data":
            return json_response(envelope(answers))
        return Response(b"", type="text/plain; charset=utf-8")

    @staticmethod
    def _is_known(request: Request) -> bool:
        return request.cookies.get("sessionid") == SESSION

    def _tag(self, id_: str) -> str:
        tags = {tag for topic in TOPICS for tag in topic.tags}
        return next((tag for tag in tags if id_ in {hashtag_id(tag), tag}), "")

    def _tagged(self, tag: str) -> list[Video]:
        return [video for video in self.platform.published() if tag and tag in video.hashtags]


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else SLOW_SECONDS


def envelope(answers: Answers, **fields: Any) -> Json:
    """What every answer carries: a status, and the id by which the platform's own people would find it."""
    return {
        "status_code": 0,
        **fields,
        "log_pb": {"impr_id": answers.log_id},
        "extra": {"now": int(answers.now * 1000), "logid": answers.log_id, "fatal_item_ids": []},
    }


def linked_data(answers: Answers, video: Video) -> str:
    """The video for machines that read pages, as schema.org has it."""
    facts = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": video.description[:100],
        "contentUrl": answers.clip_urls(video, video.gears[0])[0],
        "thumbnailUrl": answers.cover(video)["url_list"][0],
        "duration": f"PT{int(video.seconds)}S",
    }
    text = json.dumps(facts).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{text}</script>'
