"""What the services beside the site have in common: the faults that any of them can have."""

import asyncio
import json
from collections.abc import Iterable

from sample_platform.cdn import broken
from sample_platform.faults import Fault
from sample_platform.http import Request, Response, json_response
from sample_platform.platform import Platform
from sample_platform.world import Video

SHARED = "unreachable slow ratelimit changed"
SLOW_SECONDS = 10.0
MOST_SLOW_SECONDS = 300.0


def seconds(value: object, default: float = SLOW_SECONDS) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return min(float(value), MOST_SLOW_SECONDS) if is_number and value > 0 else default  # type: ignore[arg-type,operator]


async def hindered(
    platform: Platform, request: Request, place: str, *, topics: Iterable[str] = (), video: Video | None = None
) -> Response | None:
    """What a fault that every service can have answers, after it waited where it is slowness."""
    fault = platform.fault(SHARED, place, topics=topics, video=video)
    return await bent(fault, request) if fault else None


async def bent(fault: Fault, request: Request) -> Response | None:
    """The whole answer of a fault, or None after the wait of a slow one."""
    if fault.name == "slow":
        await asyncio.sleep(seconds(fault.value))
        return None
    if fault.name == "changed":
        return json_response({"v": 3, "payload": {"sections": [{"tiles": [], "next": None}]}, "ok": True})
    return broken(fault, request, "application/json")


def cut(response: Response, fault: Fault | None) -> Response:
    """The first half of an answer under its whole status: what a proxy that gave up leaves."""
    if fault and isinstance(response.body, bytes):
        response.body = response.body[: len(response.body) // 2]
    return response


def as_json(body: bytes) -> object:
    """What a body says, or None for one that is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
