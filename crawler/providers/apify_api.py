"""Apify's API, as much of it as we use. Every question goes through the outgoing door; knows nothing of sounds."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from crawler.cleaning import clean_retry_after
from crawler.providers.base import Access
from crawler.providers.errors import (
    Changed,
    Gone,
    KeyRefused,
    NotConfigured,
    OutOfCredits,
    RateLimited,
    ServiceRefused,
    Unreachable,
    Unsupported,
)
from jobs.errors import JobError, PermanentError, TransientError

SECONDS = 60.0
MAX_FACTS = 1024 * 1024
MAX_ITEMS = 48 * 1024 * 1024
UNDERWAY = ("READY", "RUNNING", "TIMING-OUT", "ABORTING")
ENDED = ("SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RUN_PATH = re.compile(r"/actor-runs/([A-Za-z0-9_-]{1,64})/?")


class StartUnknown(Exception):
    """The question was sent and no answer to it came that could be read: a run may have begun, or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorRun:
    id: str
    status: str
    message: str = ""
    """What the actor says of itself, for people."""
    dataset_id: str = ""
    store_id: str = ""
    """Of the key-value store that holds its input."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    usd: float | None = None
    """What it cost so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some items of a dataset, and where the next ones begin."""

    items: list[Any]
    following: int
    is_last: bool
    """As far as the dataset knows just now: its total may lag behind the run's last writes."""


class Api:
    def __init__(self, access: Access) -> None:
        assert access.door is not None
        self._door = access.door
        self._base_url = access.base_url
        self._key = access.key

    def start(
        self, actor: str, given: Mapping[str, Any], *, webhooks: list[dict[str, Any]], most_items: int, seconds: int
    ) -> str:
        """Start a run and return its id. Asked once and never again: each start is billed.

        Raises StartUnknown where it may have begun all the same; any JobError means that it has not.
        """
        query = {"timeout": str(seconds), "maxItems": str(most_items)}
        if webhooks:
            query["webhooks"] = base64.b64encode(json.dumps(webhooks).encode()).decode()
        path = f"/v2/acts/{quote(actor.replace('/', '~'), safe='~')}/runs?{urlencode(query)}"
        try:
            status, headers, body = self._ask(path, method="POST", body=json.dumps(given).encode(), most=MAX_FACTS)
        except _Unreadable as error:
            status, headers, body = error.status, error.headers, b""
        except JobError as error:
            if getattr(error, "was_sent", True):
                raise StartUnknown(error.message) from error
            raise Unreachable(error.message) from error
        if status >= 500:
            raise StartUnknown(f"Apify has a fault of its own (HTTP {status}).")
        if status == 404:
            raise ServiceRefused(f"Apify does not know the actor {actor}: APIFY_SOUND_ACTOR names another.", code="no_actor")
        _check(status, headers, body)
        named = _RUN_PATH.search(urlsplit(headers.get("location", "")).path)
        run_id = _id(_data(_json(body, default={})).get("id")) or (named[1] if named else "")
        if not run_id:
            raise StartUnknown("Apify's answer cannot be read.")
        return run_id

    def run(self, run_id: str) -> ActorRun:
        """How a run stands. Raises Gone for one that is not there."""
        facts = _data(self._get(f"/v2/actor-runs/{_safe(run_id)}"))
        found = _run(facts)
        if found is None or found.id != run_id:
            raise Changed("Apify's answer about a run has another shape than before.")
        return found

    def newest_runs(self, actor: str, most: int) -> list[ActorRun] | None:
        """An actor's runs, newest first; None where they cannot be listed."""
        path = f"/v2/acts/{quote(actor.replace('/', '~'), safe='~')}/runs?desc=1&limit={most}"
        try:
            items = _data(self._get(path)).get("items")
        except JobError:
            return None
        if not isinstance(items, list):
            return None
        return [run for run in map(_run, items) if run is not None]

    def input_of(self, run: ActorRun) -> Any:
        """What a run was given; None where it cannot be read."""
        if not run.store_id:
            return None
        try:
            return self._get(f"/v2/key-value-stores/{_safe(run.store_id)}/records/INPUT")
        except JobError:
            return None

    def items(self, run: ActorRun, *, offset: int, limit: int) -> Batch:
        """A page of what a run found. Not to be read until it is short, but until its end: pages may be shorter than asked."""
        whose = f"datasets/{_safe(run.dataset_id)}" if run.dataset_id else f"actor-runs/{_safe(run.id)}/dataset"
        path = f"/v2/{whose}/items?format=json&offset={offset}&limit={limit}"
        status, headers, body = self._read(path, most=MAX_ITEMS)
        _check(status, headers, body)
        items = _json(body)
        if not isinstance(items, list):
            raise Changed("Apify's dataset is no list of items any more.")
        total, step = _number(headers, "total"), _number(headers, "limit")
        if total is None:
            return Batch(items=items, following=offset + len(items), is_last=not items)
        following = min(offset + (step if step and step < limit else limit), total)
        return Batch(items=items, following=max(following, offset), is_last=following >= total or following <= offset)

    def _get(self, path: str) -> Any:
        status, headers, body = self._read(path, most=MAX_FACTS)
        _check(status, headers, body)
        return _json(body)

    def _read(self, path: str, *, most: int) -> tuple[int, Mapping[str, str], bytes]:
        try:
            return self._ask(path, most=most)
        except _Unreadable as error:
            if isinstance(error.__cause__, PermanentError):
                raise error.__cause__ from None
            raise Unreachable("Apify broke off in the middle of its answer.") from error
        except TransientError as error:
            raise Unreachable(error.message) from error

    def _ask(
        self, path: str, *, most: int, method: str = "GET", body: bytes | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self._base_url}{path}"
        with self._door.open_stream(
            url, headers=headers, deadline_seconds=SECONDS, max_bytes=most, method=method, body=body
        ) as stream:
            told = {name.lower(): str(value) for name, value in stream.headers.items()}
            content, buffer = bytearray(), bytearray(65536)
            try:
                while count := stream.readinto(buffer):
                    content += memoryview(buffer)[:count]
            except JobError as error:
                raise _Unreadable(stream.status, told) from error
            return stream.status, told, bytes(content)


class _Unreadable(Exception):
    """An answer of which only the beginning came."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.headers = headers


def _check(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise for an answer that is a refusal or a fault."""
    if status < 300:
        return
    error = _json(body, default={})
    error = error.get("error") if isinstance(error, dict) else None
    facts = error if isinstance(error, dict) else {}
    kind, told = str(facts.get("type") or "")[:60], str(facts.get("message") or "")[:200]
    why = f" {told}" if told else ""
    match status:
        case 401 | 403:
            raise KeyRefused(f"Apify does not accept our token (HTTP {status}).{why}")
        case 402:
            raise OutOfCredits(f"Apify wants to be paid first (HTTP 402).{why}")
        case 404:
            raise Gone(f"Apify no longer has what was asked for.{why}")
        case 429:
            wait = clean_retry_after(headers.get("retry-after") or "10", datetime.now(UTC))
            raise RateLimited(f"Apify asks for fewer requests (HTTP 429).{why}", retry_after=max(wait, timedelta(seconds=1)))
        case 400:
            raise Unsupported(f"Apify refuses what it was asked for{f' ({kind})' if kind else ''}.{why}")
        case _ if status >= 500:
            raise Unreachable(f"Apify has a fault of its own (HTTP {status}).")
    raise Changed(f"Apify's address is no longer as it was (HTTP {status}).{why}")


_MISSING = object()


def _json(body: bytes, default: Any = _MISSING) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        if default is not _MISSING:
            return default
        raise Changed("Apify's answer is not JSON.") from error


def _data(body: Any) -> Mapping[str, Any]:
    data = body.get("data") if isinstance(body, dict) else None
    return data if isinstance(data, dict) else {}


def _run(facts: Any) -> ActorRun | None:
    if not isinstance(facts, dict) or not _id(facts.get("id")):
        return None
    usd = facts.get("usageTotalUsd")
    message = facts.get("statusMessage")
    return ActorRun(
        id=_id(facts["id"]),
        status=str(facts.get("status") or "")[:30],
        message=message[:300] if isinstance(message, str) else "",
        dataset_id=_id(facts.get("defaultDatasetId")),
        store_id=_id(facts.get("defaultKeyValueStoreId")),
        started_at=_moment(facts.get("startedAt")),
        finished_at=_moment(facts.get("finishedAt")),
        usd=float(usd) if isinstance(usd, int | float) and not isinstance(usd, bool) and 0 <= usd < 1e6 else None,
    )


def _id(value: Any) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _safe(value: str) -> str:
    if not _id(value):
        raise Changed("Apify's ids look different from before.")
    return value


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"x-apify-pagination-{name}", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else None


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def check_actor(actor: str) -> str:
    """The actor's name as a path has it. Raises NotConfigured for what cannot be one."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+(?:[~/][A-Za-z0-9._-]+)?", actor):
        raise NotConfigured("APIFY_SOUND_ACTOR must be an actor's id, or owner~name.")
    return actor
