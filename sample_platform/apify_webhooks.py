"""Ad-hoc webhooks of runs: what they may say, what is posted, and how often."""

import asyncio
import base64
import binascii
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sample_platform.answers import Json

EVENTS = frozenset(f"ACTOR.RUN.{name}" for name in ("CREATED", "SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT", "RESURRECTED"))
OPTIONAL = {
    "payloadTemplate": str,
    "headersTemplate": str,
    "shouldInterpolateStrings": bool,
    "idempotencyKey": str,
    "ignoreSslErrors": bool,
    "doNotRetry": bool,
    "description": str,
    "isAdHoc": bool,
}
FIXED_HEADERS = frozenset({"host", "content-type", "x-apify-webhook", "x-apify-webhook-dispatch-id", "x-apify-request-origin"})
RETRIES = 11
RETRY_SECONDS = 1.0
"""The first pause, doubled each time; the real service waits minutes where this one waits seconds."""
TIMEOUT_SECONDS = 30.0
VARIABLE = re.compile(r"\{\{\s*([A-Za-z][\w.]*)\s*\}\}")
DEFAULT_TEMPLATE = (
    '{"userId":{{userId}},"createdAt":{{createdAt}},"eventType":{{eventType}},"eventData":{{eventData}},"resource":{{resource}}}'
)


class BadWebhooks(ValueError):
    """The `webhooks` parameter is not what the service takes; the message says why."""


@dataclass(frozen=True)
class Webhook:
    events: frozenset[str]
    url: str
    template: str
    headers: dict[str, str]
    interpolates: bool
    retries: bool


@dataclass
class Dispatch:
    """One event's way to one address."""

    event: str
    url: str
    id: str = field(default_factory=lambda: secrets.token_hex(9))
    status: str = "ACTIVE"
    answers: list[int | str] = field(default_factory=list)
    """A status or an error for each attempt."""


def read(parameter: str) -> list[Webhook]:
    """The webhooks of a start call. Raises BadWebhooks."""
    if not parameter:
        return []
    try:
        found = json.loads(base64.b64decode(parameter, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadWebhooks("webhooks must be a base64-encoded JSON array") from error
    if not isinstance(found, list):
        raise BadWebhooks("webhooks must be a JSON array")
    return [_webhook(entry) for entry in found]


def _webhook(entry: Any) -> Webhook:
    if not isinstance(entry, dict):
        raise BadWebhooks("a webhook must be an object")
    if unknown := set(entry) - {"eventTypes", "requestUrl", *OPTIONAL}:
        raise BadWebhooks(f"unknown property of a webhook: {min(unknown)}")
    events = entry.get("eventTypes")
    if not isinstance(events, list) or not events or not all(isinstance(event, str) and event in EVENTS for event in events):
        raise BadWebhooks(f"eventTypes must be some of {', '.join(sorted(EVENTS))}")
    url = entry.get("requestUrl")
    if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise BadWebhooks("requestUrl must be an address")
    for name, kind in OPTIONAL.items():
        if name in entry and not isinstance(entry[name], kind):
            raise BadWebhooks(f"{name} must be a {kind.__name__}")
    interpolates = entry.get("shouldInterpolateStrings", False)
    template = entry.get("payloadTemplate") or DEFAULT_TEMPLATE
    try:
        json.loads(filled(template, {}, interpolates=interpolates))
    except ValueError as error:
        raise BadWebhooks("payloadTemplate is not JSON once its variables are filled in") from error
    headers = _headers(entry.get("headersTemplate") or "{}")
    return Webhook(frozenset(events), url, template, headers, interpolates, not entry.get("doNotRetry", False))


def _headers(template: str) -> dict[str, str]:
    try:
        headers = json.loads(template)
    except ValueError as error:
        raise BadWebhooks("headersTemplate must be a JSON object") from error
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise BadWebhooks("headersTemplate must be a JSON object of strings")
    if bad := [name for name, value in headers.items() if not re.fullmatch(r"[\w-]+", name) or re.search(r"[\r\n\0]", value)]:
        raise BadWebhooks(f"not a header: {bad[0]!r}")
    return {name: value for name, value in headers.items() if name.lower() not in FIXED_HEADERS}


def filled(template: str, values: dict[str, Any], *, interpolates: bool) -> str:
    """A template with its variables as JSON; those inside of quoted strings as bare text, and only where that was asked for."""
    done, is_quoted, at = [], False, 0
    while at < len(template):
        match = VARIABLE.match(template, at)
        if match and (not is_quoted or interpolates):
            text = json.dumps(looked_up(values, match[1]), ensure_ascii=False)
            done.append(text.strip('"') if is_quoted else text)
            at = match.end()
            continue
        char = template[at]
        if char == "\\" and is_quoted:
            done.append(template[at : at + 2])
            at += 2
            continue
        is_quoted ^= char == '"'
        done.append(char)
        at += 1
    return "".join(done)


def looked_up(values: dict[str, Any], path: str) -> Any:
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def deliver(webhook: Webhook, dispatch: Dispatch, run: Json, now: float) -> None:
    """Post one event until it is taken, or given up."""
    data = {"actorId": run["actId"], "actorRunId": run["id"]}
    values = {
        "userId": run["userId"],
        "createdAt": stamp(now),
        "eventType": dispatch.event,
        "eventData": data,
        "resource": run,
        "globals": {"dateISO": stamp(now), "dateUnix": int(now)},
    }
    body = filled(webhook.template, values, interpolates=webhook.interpolates).encode()
    headers = {
        **webhook.headers,
        "Content-Type": "application/json",
        "X-Apify-Webhook": "1",
        "X-Apify-Webhook-Dispatch-Id": dispatch.id,
        "X-Apify-Request-Origin": "WEBHOOK",
        "User-Agent": "Apify-Webhook",
    }
    for attempt in range(1 + (RETRIES if webhook.retries else 0)):
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status = await post(webhook.url, headers, body)
        except (OSError, ValueError, TimeoutError) as error:
            dispatch.answers.append(type(error).__name__)
        else:
            dispatch.answers.append(status)
            if 200 <= status < 300:
                dispatch.status = "SUCCEEDED"
                return
        await asyncio.sleep(RETRY_SECONDS * 2**attempt)
    dispatch.status = "FAILED"


async def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """The status of the answer. By hand, so that a hundred go out at the same moment."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=parts.scheme == "https" or None)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)
        await writer.drain()
        first = (await reader.readline()).decode("latin-1").split()
        return int(first[1])
    except IndexError as error:
        raise ValueError("no answer") from error
    finally:
        writer.close()
