"""The media host: another origin, with links that end, a hot-link check, and honest answers to Range."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import formatdate
from functools import partial
from pathlib import Path
from urllib.parse import quote

from sample_platform.clips import CannotMake
from sample_platform.faults import Fault
from sample_platform.http import Cut, Request, Response, Routes, redirect
from sample_platform.platform import Platform
from sample_platform.tiktok_world import FIRST_INDEX, FIRST_NUMBER
from sample_platform.world import Video, token

CHUNK = 256 * 1024
PICTURES = (".webp", ".heic", ".avif")
CHAIN = "tt_chain_token"
"""The cookie of a TikTok page; links that it shows name it, and work with it only."""
MEDIA_FAULTS = "huge unreachable ratelimit gone expired redirect_loop html_as_mp4 truncated wrong_length slow"


def routes(platform: Platform) -> Routes:
    cdn = Cdn(platform)
    table = Routes()
    table.add("GET", r"/(?P<sign>[0-9a-f]{32})/(?P<ends>[0-9a-f]{1,12})/video/tos/\w+/[\w-]+/(?P<key>\w+)/?", cdn.clip)
    table.add("GET", r"/tos-[\w-]+/(?P<key>\w+)(?:~(?P<variant>.+))?", cdn.picture)
    table.add("GET", r"/aweme/(?P<size>\d+)x\d+/aweme-avatar/tos-cn-avt-0015_(?P<key>\w+)(?P<suffix>\.jpeg|\.heic)", cdn.avatar)
    table.add("GET", r"/obj/ies-music/(?P<key>\w+)\.mp3", cdn.sound)
    return table


class Cdn:
    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        world, tiktok = platform.world, platform.tiktok
        self.avatars = {token(world.seed, "avatar", one.index, length=32): one for one in (*world.authors, *tiktok.authors)}
        self.sounds = {sound.key: sound for sound in (*world.sounds, *tiktok.sounds)}
        self.clips = world.by_key | tiktok.by_key
        self.pictures = world.by_picture | tiktok.by_picture

    async def clip(self, request: Request) -> Response:
        key, ends = request.params["key"], request.params["ends"]
        video, gear = self.clips.get(key, (None, None))
        if video is None or gear is None:
            return Response(b"no such object", 404)
        if refusal := self._refuse(request, key, request.params["sign"], ends, int(ends, 16), self._site_of(video)):
            return refusal
        make = partial(self.platform.studio.clip, video, gear)
        return await self._answer(request, "clip", "video/mp4", make, video)

    async def picture(self, request: Request) -> Response:
        key = request.params["key"]
        video, position = self.pictures.get(key, (None, -1))
        if video is None:
            return Response(b"no such object", 404)
        if refusal := self._refuse_picture(request, key, self._site_of(video)):
            return refusal
        variant = request.params["variant"] or ""
        suffix = next((known for known in PICTURES if variant.endswith(known)), ".jpeg")
        studio = self.platform.studio
        make = partial(studio.cover, video, suffix) if position < 0 else partial(studio.slide, video, position, suffix)
        place = "cover" if position < 0 else "slide"
        return await self._answer(request, place, f"image/{suffix[1:]}", make, video)

    async def avatar(self, request: Request) -> Response:
        author = self.avatars.get(request.params["key"])
        if author is None:
            return Response(b"no such object", 404)
        if author.index >= FIRST_INDEX and (refusal := self._refuse_picture(request, request.params["key"], "tiktok")):
            return refusal
        size = 100 if request.params["size"] == "100" else 720
        suffix = request.params["suffix"]
        make = partial(self.platform.studio.avatar, author, size, suffix)
        return await self._answer(request, "avatar", f"image/{suffix[1:]}", make)

    async def sound(self, request: Request) -> Response:
        sound = self.sounds.get(request.params["key"])
        if sound is None:
            return Response(b"no such object", 404)
        if sound.index >= FIRST_INDEX and (refusal := self._refuse_picture(request, sound.key, "tiktok")):
            return refusal
        return await self._answer(request, "sound", "audio/mpeg", partial(self.platform.studio.sound, sound))

    async def _answer(
        self, request: Request, place: str, kind: str, make: Callable[[], Awaitable[Path]], video: Video | None = None
    ) -> Response:
        """The file, made now if need be; or what a fault makes of it."""
        fault = self.platform.fault(MEDIA_FAULTS, place, video=video)
        if fault and (refusal := broken(fault, request, kind)):
            return refusal
        if fault and fault.name == "huge":
            make = self.platform.studio.huge
        try:
            path = await make()
        except CannotMake as error:
            return Response(str(error).encode(), 503)
        asks_range = "range" in request.headers
        ignores = asks_range and self.platform.fault("range_ignored", place, video=video) is not None
        return send_file(request, path, kind, fault, ignores_range=ignores)

    @staticmethod
    def _site_of(video: Video) -> str:
        return "tiktok" if video.number >= FIRST_NUMBER else "douyin"

    def _refuse_picture(self, request: Request, key: str, site: str) -> Response | None:
        ends = request.number("x-expires", 0)
        return self._refuse(request, key, request.query.get("x-signature", ""), ends, ends, site)

    def _refuse(self, request: Request, key: str, sign: str, said: object, ends: int, site: str) -> Response | None:
        """403 as a CDN gives it: no browser, another site's page, a changed link, a link that ended.

        TikTok's asks for the page only where the link came from a page: then for the cookie it set, too.
        """
        if not request.headers.get("user-agent"):
            return Response(b"forbidden: no user agent", 403)
        of_page = request.query.get("tk") == CHAIN
        asks_page = of_page or site == "douyin"
        if asks_page and not self.platform.is_own_page(request.headers.get("referer", ""), request.hostname):
            return Response(b"forbidden: referer", 403)
        if of_page and not request.cookies.get(CHAIN):
            return Response(b"forbidden: tt_chain_token", 403)
        if not self.platform.signer.wrote(sign, key, said):
            was = any(signer.wrote(sign, key, said) for signer in self.platform.former_signers)
            return Response(b"forbidden: expired" if was else b"forbidden: signature", 403)
        if time.time() >= ends:
            return Response(b"forbidden: expired", 403)
        return None


def broken(fault: Fault, request: Request, kind: str) -> Response | None:
    """The whole answer of a fault that needs no file, or None where the fault bends the file's own answer."""
    match fault.name:
        case "unreachable":
            return Response(b"service unavailable", whole(fault.value, 503))
        case "ratelimit":
            return Response(b"too many requests", 429, {"retry-after": str(fault.value or 30)})
        case "gone":
            return Response(b"not found", whole(fault.value, 404))
        case "expired":
            return Response(b"forbidden: expired", 403)
        case "redirect_loop":
            hop = request.number("hop", 0) + 1
            query = re.sub(r"(^|&)hop=\d*", "", request.query_string)
            return redirect(f"{quote(request.path)}?{query}&hop={hop}")
        case "html_as_mp4":
            page = "<!doctype html><html><title>验证码中间页</title><body>请完成验证</body></html>"
            return Response(page.encode(), type=kind)
    return None


def whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def send_file(request: Request, path: Path, kind: str, fault: Fault | None = None, *, ignores_range: bool = False) -> Response:
    facts = path.stat()
    size = facts.st_size
    name = fault.name if fault else ""
    share = fault.value if fault and isinstance(fault.value, (int, float)) else None
    if name == "wrong_length":
        size = int(size * (share or 0.8))
    headers = {
        "etag": f'"{facts.st_size:x}-{facts.st_mtime_ns:x}"',
        "last-modified": formatdate(facts.st_mtime, usegmt=True),
        "accept-ranges": "none" if ignores_range else "bytes",
        "cache-control": "max-age=2592000",
        "access-control-allow-origin": "*",
    }
    if request.headers.get("if-none-match") in {headers["etag"], "*"}:
        return Response(b"", 304, headers)
    status, first, last = 200, 0, size - 1
    wanted = None if ignores_range or not may_range(request, headers) else asked_range(request, size)
    if wanted == "nothing":
        return Response(b"", 416, {**headers, "content-range": f"bytes */{size}"})
    if isinstance(wanted, tuple):
        status, (first, last) = 206, wanted
        headers["content-range"] = f"bytes {first}-{last}/{size}"
    headers["content-length"] = str(last - first + 1)
    if request.method == "HEAD":
        return Response(b"", status, headers, kind)
    stop = None
    if name == "truncated":
        stop = first + int((last - first + 1) * (share or 0.5))
    pace = float(share or 2048) if name == "slow" else None
    return Response(read(path, first, last + 1, stop=stop, pace=pace), status, headers, kind)


def may_range(request: Request, headers: dict[str, str]) -> bool:
    """If-Range: the part is wanted only if the file is still the one that the first part came from."""
    condition = request.headers.get("if-range")
    return condition is None or condition in {headers["etag"], headers["last-modified"]}


def asked_range(request: Request, size: int) -> tuple[int, int] | str | None:
    """First and last byte; None for the whole file (no range, several, or not understood); "nothing" for 416."""
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", request.headers.get("range", "").replace(" ", ""))
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) and size else "nothing"
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        return "nothing"
    return int(first), min(int(last or size), size - 1)


async def read(path: Path, first: int, end: int, *, stop: int | None, pace: float | None) -> AsyncIterator[bytes]:
    """The bytes from `first` up to `end`; cut short at `stop`; at `pace` bytes per second."""
    with path.open("rb") as file:
        file.seek(first)
        at = first
        while at < end:
            if stop is not None and at >= stop:
                raise Cut
            step = min(CHUNK if pace is None else max(1, int(pace / 5)), (stop or end) - at)
            chunk = file.read(step)
            at += len(chunk)
            yield chunk
            await asyncio.sleep(0 if pace is None else 0.2)
