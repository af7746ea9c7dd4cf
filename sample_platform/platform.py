"""The running site: its world, its time, its files and its faults, and what one request may know of them."""

import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sample_platform.answers import Answers, Signer
from sample_platform.clock import Anchor, Clock
from sample_platform.faults import Fault, Faults
from sample_platform.http import Request
from sample_platform.media import Studio
from sample_platform.tiktok_answers import TikTokAnswers
from sample_platform.tiktok_world import TikTokWorld
from sample_platform.world import Video, World

LOOPBACK = ("localhost", "127.0.0.1")


@dataclass
class Account:
    """What a buyer of answers has at a service."""

    left: int = 25_000


@dataclass
class Platform:
    world: World
    clock: Clock
    studio: Studio
    web_port: int
    cdn_port: int
    media_seconds: int
    """How long a link to a clip lives."""
    state: Path
    tiktok: TikTokWorld
    faults: Faults = field(default_factory=Faults)
    people: dict[str, str] = field(default_factory=dict)
    """Who of the Douyin side is private, deleted or empty, by sec_uid. TikTok's creators know it themselves."""
    scrapecreators: Account = field(default_factory=Account)
    epoch: int = 0
    """How often all links to media were made to end at once."""
    started_at: float = field(default_factory=time.time)

    @classmethod
    def open(cls, folder: Path, *, seed: int, size: int, web_port: int, cdn_port: int, media_seconds: int) -> "Platform":
        """The world kept in `folder`, or a new one that begins now."""
        home = folder / f"world-{seed}-{size}"
        home.mkdir(parents=True, exist_ok=True)
        state = home / "state.json"
        known: dict[str, Any] = {"first_day": time.time(), "anchors": []}
        if state.exists():
            known = json.loads(state.read_text())
        clock = Clock([Anchor(*anchor) for anchor in known["anchors"]] or Clock().anchors)
        world = World(seed=seed, first_day=known["first_day"], size=size)
        tiktok = TikTokWorld(seed=seed, first_day=known["first_day"], other=world)
        platform = cls(world, clock, Studio(world, home), web_port, cdn_port, media_seconds, state, tiktok)
        platform.epoch = known.get("epoch", 0)
        platform.save()
        return platform

    def save(self) -> None:
        anchors = [[anchor.real, anchor.site, anchor.speed] for anchor in self.clock.anchors]
        part = self.state.with_suffix(".part")
        part.write_text(json.dumps({"first_day": self.world.first_day, "anchors": anchors, "epoch": self.epoch}))
        part.replace(self.state)

    @property
    def signer(self) -> Signer:
        return self._signer(self.epoch)

    @property
    def former_signers(self) -> list[Signer]:
        """Of links that ended when all did."""
        return [self._signer(epoch) for epoch in range(self.epoch)]

    def _signer(self, epoch: int) -> Signer:
        return Signer(f"sample-{self.world.seed}" + f"-{epoch}" * bool(epoch))

    def expire_links(self) -> None:
        """Every link to media given so far ends now; new ones are good."""
        self.epoch += 1
        self.save()

    def answers(self, request: Request) -> Answers:
        return Answers(world=self.world, **self._of(request))

    def tiktok_answers(self, request: Request) -> TikTokAnswers:
        return TikTokAnswers(world=self.tiktok, **self._of(request))

    def _of(self, request: Request) -> dict[str, Any]:
        """What answers need to know of the one who asks, and of the hour."""
        host = request.hostname
        hosts = ("127.0.0.1", "localhost") if host in LOOPBACK else (host,)
        now = time.time()
        return {
            "signer": self.signer,
            "web": f"http://{host}:{self.web_port}",
            "cdns": tuple(f"http://{name}:{self.cdn_port}" for name in hosts),
            "now": now,
            "site_now": self.clock.now(),
            "media_seconds": self.media_seconds,
            "clock": self.clock,
            "log_id": time.strftime("%Y%m%d%H%M%S", time.gmtime(now + 8 * 3600)) + secrets.token_hex(9).upper(),
        }

    def is_own_page(self, referer: str, hostname: str) -> bool:
        """Whether a media request says that it comes from the site's own pages, as hot-link checks want."""
        hosts = {*LOOPBACK, hostname}
        return any(referer.startswith(f"http://{host}:{self.web_port}/") for host in hosts)

    def fault(self, names: str, place: str, *, topics: Iterable[str] = (), video: Video | None = None) -> Fault | None:
        if video is not None:
            topics = {*topics, video.topic.name}
        return self.faults.take(names, place, topics=topics, video=video.id if video else None)

    def published(self) -> list[Video]:
        now = self.clock.now()
        return [video for video in self.world.videos.values() if video.published_at <= now]

    def truth(self) -> dict[str, Any]:
        """What is planned, for tests and for judging how early a surge was seen. Times are real unix seconds."""
        return {
            "first_day": self.world.first_day,
            "speed": self.clock.speed,
            "ahead_seconds": self.clock.ahead,
            "site_now": self.clock.now(),
            "videos": [self._plan(video) for video in self.world.videos.values()],
        }

    def tiktok_truth(self, request: Request) -> dict[str, Any]:
        """The same for the TikTok side, with its creators and sounds."""
        world, now, answers = self.tiktok, self.clock.now(), self.tiktok_answers(request)
        return {
            "site_now": now,
            "videos": [
                self._plan(video)
                | {
                    "handle": world.creators[video.author.uid].handle,
                    "uid": video.author.uid,
                    "sound": video.sound.id,
                    "hashtags": video.hashtags,
                    "url": answers.page_url(video),
                    "short_url": f"{answers.site}/t/{world.short_code(video)}",
                    "is_shown": bool(world.visible(now, [video])),
                    "is_repost": video.art != video.number,
                }
                for video in world.videos.values()
            ],
            "creators": [
                {
                    "uid": uid,
                    "handle": creator.handle,
                    "former": creator.former,
                    "state": creator.state,
                    "followers": creator.followers(answers.days),
                    "videos": len(world.by_creator(creator, now)),
                    "pinned": creator.pinned,
                }
                for uid, creator in world.creators.items()
            ],
            "sounds": [
                {
                    "id": sound.id,
                    "title": sound.title,
                    "url": answers.music_url(sound),
                    "uses": world.uses(sound, now),
                    "videos": len(world.with_sound(sound, now)),
                }
                for sound in world.sounds
            ],
        }

    def _plan(self, video: Video) -> dict[str, Any]:
        growth = video.growth
        wave = growth.wave
        return {
            "id": video.id,
            "topic": video.topic.name,
            "kind": "carousel" if video.is_carousel else "clip",
            "published_at": video.published_at,
            "is_published": video.published_at <= self.clock.now(),
            "shows_views": video.shows_views,
            "is_deleted": video.is_deleted,
            "is_ad": video.is_ad,
            "is_repost": video.art != video.number,
            "seconds": 0 if video.is_carousel else video.seconds,
            "sizes": [gear.short_side for gear in video.gears if gear.codec == "h264"],
            "slides": [[slide.chinese, slide.english] for slide in video.slides],
            "surge": wave and {"starts_at": wave.starts_at, "peaks_at": wave.peaks_at},
            "quirks": [
                {"name": quirk.name, "counter": quirk.counter, "starts_at": quirk.starts_at, "ends_at": quirk.ends_at}
                for quirk in growth.quirks
            ],
            "counts": growth.counts(self.clock.now()),
        }
