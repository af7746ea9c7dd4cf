"""The switches: a page for people, and the calls behind it for tests."""

import json
import math
import re
from pathlib import Path
from typing import Any

from sample_platform.faults import KINDS, PLACES, UnknownFault
from sample_platform.http import Request, Response, Routes, json_response
from sample_platform.platform import Platform
from sample_platform.words import TOPICS

PAGE = Path(__file__).parent / "pages" / "control.html"
MOST_SPEED = 3600.0
MOST_HOURS = 24.0 * 30


def add_routes(table: Routes, platform: Platform) -> None:
    control = Control(platform)
    table.add("GET", "/control/?", control.page)
    table.add("GET", "/control/state.json", control.state)
    table.add("GET", "/control/truth.json", control.truth)
    table.add("GET", "/control/health", control.health)
    table.add("PUT", "/control/faults/(?P<name>[a-z_0-9]+)", control.switch)
    table.add("DELETE", "/control/faults", control.clear)
    table.add("PUT", "/control/clock", control.clock)
    table.add("PUT", "/control/media", control.media)
    table.add("GET", "/control/tiktok.json", control.tiktok)
    table.add("PUT", "/control/credits", control.credits)
    table.add("PUT", r"/control/people/(?P<handle>[\w.]+)", control.person)


class Control:
    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    async def page(self, request: Request) -> Response:
        return Response(PAGE.read_bytes())

    async def health(self, request: Request) -> Response:
        return json_response({"status": "ok", "videos": len(self.platform.published())})

    async def truth(self, request: Request) -> Response:
        return json_response(self.platform.truth())

    async def state(self, request: Request) -> Response:
        return json_response(self._state())

    async def switch(self, request: Request) -> Response:
        order = parsed(request.body)
        if order is None:
            return refused("the body is a JSON object, or nothing")
        try:
            self.platform.faults.switch(request.params["name"], order)
        except (UnknownFault, TypeError) as error:
            return refused(str(error))
        return json_response(self._state())

    async def clear(self, request: Request) -> Response:
        self.platform.faults.clear()
        return json_response(self._state())

    async def clock(self, request: Request) -> Response:
        order = parsed(request.body) or {}
        speed, hours = order.get("speed"), order.get("advance_hours", 0)
        if speed is not None and not in_range(speed, 0, MOST_SPEED):
            return refused(f"speed is a number from 0 to {MOST_SPEED:.0f}")
        if not in_range(hours, 0, MOST_HOURS):
            return refused(f"advance_hours is a number from 0 to {MOST_HOURS:.0f}")
        self.platform.clock.change(speed=speed, advance_seconds=hours * 3600)
        self.platform.save()
        return json_response(self._state())

    async def tiktok(self, request: Request) -> Response:
        return json_response(self.platform.tiktok_truth(request))

    async def credits(self, request: Request) -> Response:
        left = (parsed(request.body) or {}).get("left")
        if not isinstance(left, int) or not in_range(left, 0, 10**12):
            return refused("left is a whole number from 0")
        self.platform.scrapecreators.left = left
        return json_response(self._state())

    async def person(self, request: Request) -> Response:
        """A profile becomes private, deleted, empty or open again; on TikTok it may also change its name."""
        order = parsed(request.body) or {}
        name = request.params["handle"]
        if (state := order.get("state")) not in (None, "", "private", "deleted", "empty"):
            return refused('state is "private", "deleted", "empty", or "" for an open profile')
        if creator := self.platform.tiktok.creator(handle=name):
            handle = order.get("handle", creator.handle)
            if not isinstance(handle, str) or not re.fullmatch(r"[a-z0-9_.]{2,24}", handle):
                return refused("handle is 2 to 24 small letters, digits, dots and underscores")
            if handle != creator.handle:
                creator.former, creator.handle = creator.handle, handle
            creator.state = creator.state if state is None else state
            return json_response(self._state())
        author = next((one for one in self.platform.world.authors if name in {one.handle, one.sec_uid}), None)
        if author is None:
            return refused("nobody has this handle")
        if "handle" in order:
            return refused("only TikTok's creators change their names here")
        self.platform.people[author.sec_uid] = state or ""
        return json_response(self._state())

    async def media(self, request: Request) -> Response:
        order = parsed(request.body) or {}
        if order.get("expire") is True:
            self.platform.expire_links()
            return json_response(self._state())
        seconds = order.get("seconds")
        if not isinstance(seconds, int) or not in_range(seconds, 1, 10**7):
            return refused("seconds is a whole number from 1")
        self.platform.media_seconds = seconds
        return json_response(self._state())

    def _state(self) -> dict[str, Any]:
        clock = self.platform.clock
        return {
            "faults": [fault.as_json() for fault in self.platform.faults.active],
            "clock": {"speed": clock.speed, "ahead_seconds": clock.ahead, "site_now": clock.now()},
            "media_seconds": self.platform.media_seconds,
            "media_expired_times": self.platform.epoch,
            "scrapecreators_credits": self.platform.scrapecreators.left,
            "people": [
                {"handle": author.handle, "sec_uid": author.sec_uid, "state": state}
                for author in self.platform.world.authors
                if (state := self.platform.people.get(author.sec_uid))
            ]
            + [
                {"handle": creator.handle, "former": creator.former, "state": creator.state}
                for creator in self.platform.tiktok.creators.values()
            ],
            "videos": len(self.platform.published()),
            "kinds": [
                {"name": kind.name, "shows": kind.shows, "value": kind.value, "places": sorted(kind.places)}
                for kind in KINDS.values()
            ],
            "places": sorted(PLACES),
            "topics": [topic.name for topic in TOPICS],
        }


def parsed(body: bytes) -> dict[str, Any] | None:
    try:
        order = json.loads(body or b"{}")
    except ValueError:
        return None
    return order if isinstance(order, dict) else None


def in_range(number: object, least: float, most: float) -> bool:
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return False
    return math.isfinite(number) and least <= number <= most


def refused(reason: str) -> Response:
    return json_response({"detail": reason}, 400)
