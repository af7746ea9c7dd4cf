"""A run of the sound scraper: what it was asked, how far it is, and what its dataset holds by then."""

import asyncio
import re
import secrets
import time
from dataclasses import dataclass, field

from sample_platform.answers import Json
from sample_platform.apify_webhooks import Dispatch, Webhook, stamp

ACTOR_ID = "JVisUAY6oGn2dBn99"
USER_ID = "sAmPlEuSeR7nBx4Qe"
READY_SECONDS = 0.5
RUN_SECONDS = 3.0
OVER = {"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"}
FLAGS = [f"shouldDownload{what}" for what in ("Videos", "Covers", "Subtitles", "SlideshowImages", "MusicCovers")]


@dataclass
class Run:
    id: str
    input: Json
    options: Json
    webhooks: list[Webhook]
    items: list[Json]
    seconds: float = RUN_SECONDS
    ends_as: str = "SUCCEEDED"
    started_at: float = field(default_factory=time.time)
    status: str = "READY"
    message: str = ""
    finished_at: float | None = None
    dataset: str = field(default_factory=lambda: secrets.token_urlsafe(13)[:17])
    store: str = field(default_factory=lambda: secrets.token_urlsafe(13)[:17])
    dispatches: list[Dispatch] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    abort: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def sounds(self) -> set[str]:
        """What switches for a topic may name: the ids of the sounds asked for."""
        return {digits for music in self.input["musics"] for digits in re.findall(r"\d{15,20}", music)}

    def pushed(self) -> list[Json]:
        """What the dataset holds by now."""
        if self.finished_at is not None:
            share = 1.0 if self.status == "SUCCEEDED" else 0.5
        else:
            share = max(0.0, min(0.9, (time.time() - self.started_at - READY_SECONDS) / max(self.seconds, 0.1)))
        return self.items[: int(len(self.items) * share)]

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "actId": ACTOR_ID,
            "userId": USER_ID,
            "startedAt": stamp(self.started_at),
            "finishedAt": stamp(self.finished_at) if self.finished_at else None,
            "status": self.status,
            "statusMessage": self.message or None,
            "isStatusMessageTerminal": self.status in OVER,
            "meta": {"origin": "API"},
            "stats": {"restartCount": 0, "runTimeSecs": (self.finished_at or time.time()) - self.started_at},
            "options": self.options,
            "buildId": "s4mPleBu1ld00000x",
            "buildNumber": "0.0.1",
            "exitCode": {"SUCCEEDED": 0, "FAILED": 91}.get(self.status),
            "generalAccess": "FOLLOW_USER_SETTING",
            "defaultKeyValueStoreId": self.store,
            "defaultDatasetId": self.dataset,
            "defaultRequestQueueId": "q" + self.store[1:],
            "usageTotalUsd": round(len(self.pushed()) * 0.002, 4),
            "chargedEventCounts": {"result": len(self.pushed())},
        }


def input_error(given: Json) -> str:
    """Why an input breaks the actor's schema, or nothing."""
    if unknown := set(given) - {"musics", "resultsPerPage", "videoKvStoreIdOrName", *FLAGS}:
        return f"Property input.{min(unknown)} is not allowed."
    musics = given.get("musics")
    if musics is None:
        return "Field input.musics is required"
    if not isinstance(musics, list) or not musics or not all(isinstance(music, str) and music for music in musics):
        return "Field input.musics must be a non-empty array of strings"
    most = given.get("resultsPerPage", 100)
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= 1_000_000:
        return "Field input.resultsPerPage must be an integer from 1"
    if any(not isinstance(given.get(flag, False), bool) for flag in FLAGS):
        return "The download switches must be booleans"
    return "" if isinstance(given.get("videoKvStoreIdOrName", ""), str) else "Field input.videoKvStoreIdOrName must be a string"
