"""Live hints at /ws/events: that something changed, never what. Pages then ask the server as they would without them.

A page names what it shows (`?video=1&video=2`, `?source=3`). Everybody hears of new videos and of the videos named; of a source
only who belongs to its workspace. Messages are JSON: {"event": "news" | "video-1" | "source-3", …}.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import threading
import time
from concurrent.futures import Future
from typing import Any, cast
from urllib.parse import parse_qs

import redis.exceptions
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from django.urls import re_path

from catalog.filters import is_id
from crawler.models import Source
from workspaces.models import active_membership

logger = logging.getLogger(__name__)

NEWS = "news"
MOST_NAMED = 60
SEND_SECONDS = 1.0
MOST_WAITING = 200
"""Hints on their way; more are dropped."""
REST_SECONDS = 30.0
"""After Redis failed, nothing is sent for so long: hints are worth no waiting."""


class EventsConsumer(AsyncJsonWebsocketConsumer):
    """Only speaks; what a client sends is not read."""

    async def connect(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        groups = [NEWS, *(f"video-{pk}" for pk in _ids(query.get("video", [])))]
        if sources := _ids(query.get("source", [])):
            groups += [f"source-{pk}" for pk in await database_sync_to_async(_visible)(self.scope.get("user"), sources)]
        self.joined: list[str] = []
        try:
            for group in groups:
                await asyncio.wait_for(self.channel_layer.group_add(group, self.channel_name), SEND_SECONDS)
                self.joined.append(group)
        except (redis.exceptions.RedisError, OSError, TimeoutError):
            await self.close(code=4503)  # the page asks by itself from time to time
            return
        await self.accept()

    async def disconnect(self, code: int) -> None:
        try:
            for group in getattr(self, "joined", []):
                await asyncio.wait_for(self.channel_layer.group_discard(group, self.channel_name), SEND_SECONDS)
        except (redis.exceptions.RedisError, OSError, TimeoutError):
            logger.debug("A listener could not be taken off; its channel ends by itself")

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        return None

    async def hint(self, message: dict[str, Any]) -> None:
        """A message of `announce`."""
        await self.send_json(message["content"])


# Channels reads these routes, not Django: the application is no view.
routes = [re_path(r"^ws/events$", cast(Any, EventsConsumer.as_asgi()))]


def announce(group: str, **content: Any) -> None:
    """Tell the pages that show it. Never raises and never waits: what is missed is seen at the next look."""
    if _rest.is_over() and _waiting.acquire(blocking=False):
        sent = asyncio.run_coroutine_threadsafe(_send(group, {"event": group, **content}), _voice())
        sent.add_done_callback(_note)


async def _send(group: str, content: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is not None:
        await asyncio.wait_for(layer.group_send(group, {"type": "hint", "content": content}), SEND_SECONDS)


def _note(sent: Future[None]) -> None:
    _waiting.release()
    error = None if sent.cancelled() else sent.exception()
    if error is not None:
        _rest.begin()
        logger.info("Live hints rest for a while", extra={"error": repr(error)[:200]})


class _Rest:
    """A pause for the whole process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0

    def begin(self) -> None:
        with self._lock:
            self._until = time.monotonic() + REST_SECONDS

    def is_over(self) -> bool:
        with self._lock:
            return time.monotonic() >= self._until


_rest = _Rest()
_waiting = threading.BoundedSemaphore(MOST_WAITING)


def _voice() -> asyncio.AbstractEventLoop:
    """This process's loop for sending, with its one connection. A new connection for each hint would cost ten times as much."""
    return _voice_of(os.getpid())  # a fork has no threads of its parent


@functools.cache
def _voice_of(pid: int) -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="live-hints", daemon=True).start()
    return loop


def _ids(texts: list[str]) -> list[int]:
    """Those that are ids at all, and not too many."""
    return [int(text) for text in texts[:MOST_NAMED] if is_id(text)]


def _visible(user: Any, sources: list[int]) -> list[int]:
    membership = active_membership(user) if user is not None else None
    if membership is None:
        return []
    return list(Source.objects.filter(pk__in=sources, workspace=membership.workspace_id).values_list("pk", flat=True))
