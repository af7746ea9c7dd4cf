"""Stand-ins for www.tiktok.com's pages: what they show is written into them, and its links want the page's cookie."""

import html
import json
import secrets
from pathlib import Path
from urllib.parse import unquote

from sample_platform import services
from sample_platform.answers import Json
from sample_platform.cdn import CHAIN
from sample_platform.http import Request, Response, Routes, json_response, redirect
from sample_platform.platform import Platform
from sample_platform.tiktok_answers import TikTokAnswers
from sample_platform.tiktok_web import item_struct, web_music, web_profile
from sample_platform.world import Video

PAGES = Path(__file__).parent / "pages"
PLACE = "tiktok"
DETAIL, USER, MUSIC, TAG = "webapp.video-detail", "webapp.user-detail", "webapp.music-detail", "webapp.challenge-detail"
GONE, PRIVATE, NOBODY = 10204, 10222, 10221


def routes(platform: Platform, table: Routes) -> None:
    pages = TikTokPages(platform)
    table.add("GET", r"/tiktok/@(?P<handle>[\w.]*)/(?P<kind>video|photo)/(?P<id>\d{1,20})/?", pages.post)
    table.add("GET", r"/tiktok/@(?P<handle>[\w.]+)/?", pages.person)
    table.add("GET", r"/tiktok/music/(?P<slug>.*?)-?(?P<id>\d{1,20})/?", pages.music)
    table.add("GET", r"/tiktok/tag/(?P<tag>[^/]+)/?", pages.tag)
    table.add("GET", r"/tiktok/(?:t/)?(?P<code>ZT\w{7})/?", pages.short)
    table.add("GET", "/tiktok/oembed", pages.oembed)
    table.add("GET", "/tiktok/api/.*", pages.unsigned)
    table.add("GET", "/tiktok/?", pages.home)


class TikTokPages:
    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    async def post(self, request: Request) -> Response:
        video = self.platform.tiktok.videos.get(request.params["id"])
        answers = self.platform.tiktok_answers(request)
        is_gone = self.platform.fault("gone", PLACE, video=video) is not None
        if video is None or is_gone or (code := self._hidden(answers, video)):
            code = GONE if video is None or is_gone else code
            words = {GONE: "item doesn't exist", PRIVATE: "author_secret"}.get(code, "")
            # The page says less than it knows: neither the post nor why it is missing.
            detail: Json = {"statusCode": code, "statusMsg": "status_deleted" if video and code == GONE else words}
            return await self._page(request, "TikTok - Make Your Day", {DETAIL: detail}, video)
        item = item_struct(answers, video)
        share = {"title": f"{video.author.name} on TikTok", "desc": video.description}
        detail = {"itemInfo": {"itemStruct": item}, "shareMeta": share, "statusCode": 0, "statusMsg": ""}
        return await self._page(request, share["title"], {DETAIL: detail}, video)

    def _hidden(self, answers: TikTokAnswers, video: Video) -> int:
        state = answers.creator(video.author).state
        if state == "private":
            return PRIVATE
        return 0 if answers.world.visible(answers.site_now, [video]) else GONE

    async def person(self, request: Request) -> Response:
        answers = self.platform.tiktok_answers(request)
        creator = answers.world.creator(handle=request.params["handle"])
        if creator is None or creator.state == "deleted":
            return await self._page(request, "TikTok", {USER: {"userInfo": {}, "statusCode": NOBODY, "statusMsg": ""}})
        if creator.handle != request.params["handle"]:
            return redirect(f"/tiktok/@{creator.handle}")
        info = {"userInfo": web_profile(answers, creator), "statusCode": PRIVATE if creator.state == "private" else 0}
        return await self._page(request, f"{creator.author.name} (@{creator.handle}) | TikTok", {USER: info})

    async def music(self, request: Request) -> Response:
        answers = self.platform.tiktok_answers(request)
        sound = next((one for one in answers.world.sounds if one.id == request.params["id"]), None)
        if sound is None:
            return await self._page(request, "TikTok", {MUSIC: {"statusCode": GONE, "statusMsg": "music doesn't exist"}})
        stats = {"videoCount": answers.world.uses(sound, answers.site_now)}
        info = {"musicInfo": {"music": web_music(answers, sound), "stats": stats}, "statusCode": 0, "statusMsg": ""}
        return await self._page(request, f"{sound.title} | TikTok", {MUSIC: info})

    async def tag(self, request: Request) -> Response:
        answers = self.platform.tiktok_answers(request)
        tag = unquote(request.params["tag"])
        found = answers.world.tagged(tag, answers.site_now)
        views = sum(video.growth.counts(answers.site_now)["play_count"] for video in found)
        info = {"challenge": {"title": tag}, "stats": {"videoCount": len(found), "viewCount": views}}
        return await self._page(request, f"#{tag} | TikTok", {TAG: {"challengeInfo": info, "statusCode": 0 if found else 10205}})

    async def short(self, request: Request) -> Response:
        """As the links of the share button: to the long address, with what the button hung on."""
        video = self.platform.tiktok.shared(request.params["code"])
        if video is None:
            return redirect("/tiktok/?_r=1")
        answers = self.platform.tiktok_answers(request)
        where = f"{answers.page_url(video)}?_r=1&_t={request.params['code']}"
        return Response(status=301, headers={"location": where})

    async def oembed(self, request: Request) -> Response:
        answers = self.platform.tiktok_answers(request)
        id_ = request.query.get("url", "").split("?")[0].rstrip("/").rpartition("/")[2]
        video = answers.world.videos.get(id_)
        if video is None or self._hidden(answers, video):
            return json_response({"message": "Something went wrong", "code": 400}, 400)
        thumbnail = answers.cover(video)["url_list"][0]
        author = {"author_name": video.author.name, "author_unique_id": answers.creator(video.author).handle}
        return json_response({"version": "1.0", "title": video.description, "thumbnail_url": thumbnail, **author})

    async def unsigned(self, request: Request) -> Response:
        """The data calls want signatures that nobody here can write: 200 with nothing in it."""
        return Response(b"", type="application/json")

    async def home(self, request: Request) -> Response:
        return await self._page(request, "TikTok - Make Your Day", {})

    async def _page(self, request: Request, title: str, scope: Json, video: Video | None = None) -> Response:
        fault = self.platform.fault("block changed cut_json unreachable slow ratelimit", PLACE, video=video)
        name = fault.name if fault else ""
        if name == "block":
            return Response((PAGES / "captcha.html").read_bytes())
        if fault and name in services.SHARED and name != "changed" and (refusal := await services.bent(fault, request)):
            return refusal
        context = {
            "language": "en",
            "region": "VN",
            "appId": 1988,
            "csrfToken": secrets.token_hex(8),
            "wid": "7525000000000000000",
        }
        data: Json = {"__DEFAULT_SCOPE__": {"webapp.app-context": context, "webapp.biz-context": {"os": "linux"}, **scope}}
        if name == "changed":
            data = {"state": {"version": 9, "sections": []}}
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003C")
        if name == "cut_json":
            text = text[: len(text) // 2]
        page = (PAGES / "tiktok.html").read_text(encoding="utf-8")
        page = page.replace("{{ title }}", html.escape(title)).replace("{{ data }}", text)
        cookie = f"{CHAIN}={secrets.token_urlsafe(12)}%3D%3D; Path=/; Max-Age=15552000; HttpOnly"
        return Response(page.encode("utf-8", "replace"), headers={"set-cookie": cookie})
