"""One question to ScrapeCreators: its answer, or what the refusal in its place means."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from crawler.cleaning import clean_count, clean_retry_after, clean_text
from crawler.providers.base import Access
from crawler.providers.errors import Changed, Gone, KeyRefused, OutOfCredits, RateLimited, Unreachable, Unsupported
from jobs.errors import PermanentError, TransientError

SECONDS = 90.0
"""Answers take up to tens of seconds, and one that was not waited for may be charged all the same."""
MAX_BYTES = 32 * 1024 * 1024


def ask(access: Access, path: str, params: Mapping[str, str | int]) -> dict[str, Any]:
    """The JSON of an answer that is none of the refusals. Raises those as crawl does."""
    if access.door is None:
        raise Unsupported("The service cannot be asked without an outgoing door.")
    url = f"{access.base_url}{path}" + (f"?{urlencode(params)}" if params else "")
    headers = {"X-Api-Key": access.key, "Accept": "application/json"}
    try:
        with access.door.open_stream(
            url, headers=headers, deadline_seconds=SECONDS, max_bytes=MAX_BYTES, stall_seconds=SECONDS
        ) as stream:
            body, buffer = bytearray(), bytearray(65536)
            while count := stream.readinto(buffer):
                body += memoryview(buffer)[:count]
            status, answered = stream.status, stream.headers
    except TransientError as error:
        raise Unreachable(error.message, code=error.code) from error
    except PermanentError as error:
        if error.code == "too_large":
            raise Changed("The service's answer is larger than any that is known.", code="too_large") from error
        raise
    text = body.decode("utf-8", "replace")
    check_status(status, answered, text)
    return decode(text)


def credits_of(body: Mapping[str, Any]) -> int:
    """What the answer cost; one credit where it does not say."""
    charged, wrong = clean_count(body.get("credits_charged"))
    return 1 if charged is None or wrong or charged > 1000 else charged


def check_status(status: int, headers: Mapping[str, str], text: str) -> None:
    """Raise what an HTTP status other than 200 means."""
    if status == 200:
        return
    said = _message(text)
    words = said.lower()
    if status == 401 or "apikey is required" in words or (status in (400, 402, 403) and _blames_key(words)):
        raise KeyRefused(f"ScrapeCreators does not accept our key (HTTP {status}). {said}".strip())
    if status == 402 or (status == 403 and "credit" in words):
        raise OutOfCredits(f"The account at ScrapeCreators has no credits left (HTTP {status}). {said}".strip())
    if status == 404:
        raise Gone(f"TikTok has nothing of this name or link (HTTP 404). {said}".strip())
    if status == 429:
        wait = clean_retry_after(headers.get("Retry-After"), datetime.now(UTC))
        raise RateLimited("ScrapeCreators asks for fewer requests (HTTP 429).", retry_after=wait)
    if status >= 500:
        raise Unreachable(f"ScrapeCreators has a fault of its own (HTTP {status}). {said}".strip())
    raise Changed(f"ScrapeCreators does not take our question (HTTP {status}). {said}".strip())


def decode(text: str) -> dict[str, Any]:
    """The object in a 200. Raises the soft refusals that come as one: success false, a status code, half an answer."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        if text.lstrip()[:1] in ("{", "["):
            raise Unreachable("The service's answer breaks off in the middle.", code="truncated") from None
        raise Changed("The service's answer is not JSON.") from None
    if not isinstance(body, dict):
        raise Changed("The service's answer has another shape than before.")
    said = _message(text)
    if body.get("success") is False:
        words = said.lower()
        if "out of credits" in words:
            raise OutOfCredits(f"The account at ScrapeCreators has no credits left. {said}".strip())
        if "apikey is required" in words or _blames_key(words):
            raise KeyRefused(f"ScrapeCreators does not accept our key. {said}".strip())
        raise Unreachable(f"The service could not get it from TikTok. {said}".strip(), code="upstream_refused")
    code = body.get("status_code")
    if code not in (None, 0, "0"):
        raise Unreachable(
            f"TikTok refused the service with code {str(code)[:20]}. {clean_text(body.get('status_msg'), 200)[0]}".strip(),
            code="upstream_refused",
        )
    return body


def _message(text: str) -> str:
    """What the service says in words, as a sentence that quotes it, where it says anything."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    facts = body if isinstance(body, dict) else {}
    words = clean_text(facts.get("message") or facts.get("error"), 200, one_line=True)[0]
    return f"It says: “{words}”." if words else ""


def _blames_key(words: str) -> bool:
    return "key" in words and any(word in words for word in ("invalid", "api key", "apikey", "x-api-key", "not valid"))
