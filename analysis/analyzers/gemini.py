"""Carousels read by Google's Gemini: pictures inline, an answer held to a schema, and each kind of refusal told apart."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from analysis.analyzers import question
from analysis.analyzers.base import Carousel, Picture, Progress, Reading, SlideReading, Spend, Usage
from analysis.analyzers.errors import BadAnswer, CutOff, Refused
from analysis.analyzers.prices import cost_micros
from crawler.outbound import Door, Fetched
from crawler.providers.errors import KeyRefused, RateLimited, ServiceRefused, Unreachable
from jobs.errors import PermanentError

ENGINE = "gemini"
MOST_REQUEST_BYTES = 17_000_000
"""Of pictures as base64. The service takes 20 MB in all; the words around them are few."""
MOST_PICTURE_BYTES = 4_000_000
MOST_PICTURES = 20
"""In one request: an answer about more would be long enough to be cut off."""
MOST_ANSWER_BYTES = 4_000_000
SECONDS = 150.0
DEFAULT_DELAY = timedelta(seconds=60)
"""After a 429 that does not say how long."""
QUOTA_ZONE = ZoneInfo("America/Los_Angeles")
"""Daily quotas begin anew at midnight there."""

REFUSALS = {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}


class QuotaSpent(RateLimited):
    """The day's requests are used up: until `retry_after` no request at all is answered."""

    code = "quota_spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemini:
    door: Door
    base_url: str
    key: str
    model: str

    def read(self, carousel: Carousel, *, progress: Progress, spend: Spend) -> Reading:
        """As many requests as the pictures need. Raises as Analyzer.read does.

        Refused, CutOff, BadAnswer; RateLimited and QuotaSpent with the pause; Unreachable; KeyRefused and ServiceRefused,
        which concern all carousels alike.
        """
        slides: list[SlideReading] = []
        category, confidence, model = "", None, self.model
        usage = Usage()
        for pictures in parts(carousel.pictures):
            document = self._ask(carousel, pictures)
            charged = self._usage(document)
            usage += charged
            spend(charged)
            answer = question.parse(answer_text(document), [picture.position for picture in pictures])
            slides += answer.slides
            # The first part holds the hook; a later one only speaks where the first recognised nothing.
            if answer.category and not category:
                category, confidence = answer.category, answer.confidence
            model = _version(document) or model
            progress(len(slides))
        return Reading(
            slides=slides,
            engine=ENGINE,
            model=model[:60],
            finish="STOP",
            category=category,
            category_confidence=confidence,
            usage=usage,
        )

    def _ask(self, carousel: Carousel, pictures: Sequence[Picture]) -> dict[str, Any]:
        body = json.dumps(request_body(self.model, carousel, pictures), ensure_ascii=False).encode()
        answer = self.door.fetch_bytes(
            f"{self.base_url}/v1beta/models/{quote(self.model.removeprefix('models/'), safe='')}:generateContent",
            method="POST",
            headers={"x-goog-api-key": self.key, "Content-Type": "application/json"},
            body=body,
            max_bytes=MOST_ANSWER_BYTES,
            deadline_seconds=SECONDS,
        )
        if answer.status != 200:
            raise error_of(answer, self.model, datetime.now(UTC))
        document = _json(answer.body)
        if not isinstance(document, dict):
            raise BadAnswer("Gemini's answer is not a JSON object.")
        return document

    def _usage(self, document: dict[str, Any]) -> Usage:
        told = document.get("usageMetadata")
        counts = told if isinstance(told, dict) else {}
        tokens_in = _count(counts, "promptTokenCount")
        tokens_out = _count(counts, "candidatesTokenCount") + _count(counts, "thoughtsTokenCount")
        cost = cost_micros(_version(document), tokens_in, tokens_out)
        if cost is None:
            cost = cost_micros(self.model, tokens_in, tokens_out)
        return Usage(tokens_in=tokens_in, tokens_out=tokens_out, cost_micros=cost)


def parts(pictures: Sequence[Picture]) -> Iterator[list[Picture]]:
    """The pictures in requests that are neither too heavy nor too many."""
    part: list[Picture] = []
    weight = 0
    for picture in pictures:
        if len(picture.jpeg) > MOST_PICTURE_BYTES:
            raise PermanentError("A picture is larger than Gemini takes.", code="picture_too_large")
        added = (len(picture.jpeg) + 2) // 3 * 4
        if part and (weight + added > MOST_REQUEST_BYTES or len(part) >= MOST_PICTURES):
            yield part
            part, weight = [], 0
        part.append(picture)
        weight += added
    if part:
        yield part


def request_body(model: str, carousel: Carousel, pictures: Sequence[Picture]) -> dict[str, Any]:
    """No temperature and the like: newer models ignore or refuse them."""
    content: list[dict[str, Any]] = [{"text": question.context(carousel)}]
    for number, picture in enumerate(pictures):
        content.append({"text": f"Slide {number}:"})
        data = base64.b64encode(picture.jpeg).decode("ascii")
        content.append({"inlineData": {"mimeType": "image/jpeg", "data": data}})
    config: dict[str, Any] = {
        "responseMimeType": "application/json",
        "responseJsonSchema": question.schema(len(pictures)),
        "maxOutputTokens": min(2_048 + 1_024 * len(pictures), 16_384),
    }
    if thinking := thinking_of(model):
        config["thinkingConfig"] = thinking
    return {
        "systemInstruction": {"parts": [{"text": question.INSTRUCTIONS}]},
        "contents": [{"role": "user", "parts": content}],
        "generationConfig": config,
    }


def thinking_of(model: str) -> dict[str, Any]:
    """As little as the model's family allows: transcribing needs none, and thoughts count as output."""
    name = model.removeprefix("models/")
    family = re.match(r"gemini-(\d+)(?:\.(\d+))?", name)
    if family is None:
        return {}
    if int(family[1]) >= 3:
        return {"thinkingLevel": "low" if "pro" in name else "minimal"}
    if (int(family[1]), int(family[2] or 0)) == (2, 5):
        return {"thinkingBudget": 128 if "pro" in name else 0}
    return {}


def answer_text(document: dict[str, Any]) -> str:
    """What the model said, thoughts left out. Raises Refused, CutOff, BadAnswer."""
    candidates = document.get("candidates")
    candidate = candidates[0] if isinstance(candidates, list) and candidates else None
    if not isinstance(candidate, dict):
        feedback = document.get("promptFeedback")
        reason = _word(feedback.get("blockReason")) if isinstance(feedback, dict) else ""
        if reason:
            raise Refused(f"Gemini refused the pictures ({reason}).")
        raise BadAnswer("Gemini's answer holds no candidate.")
    finish = _word(candidate.get("finishReason"))
    if finish in REFUSALS or finish.startswith("IMAGE_"):
        raise Refused(f"Gemini refused to answer ({finish}).")
    if finish == "MAX_TOKENS":
        raise CutOff("Gemini's answer was cut off at the longest length that was asked for.")
    if finish not in ("STOP", "", "FINISH_REASON_UNSPECIFIED"):
        raise BadAnswer(f"Gemini ended in an unexpected way ({finish}).")
    content = candidate.get("content")
    given = content.get("parts") if isinstance(content, dict) else None
    texts = [
        part["text"]
        for part in (given if isinstance(given, list) else [])
        if isinstance(part, dict) and isinstance(part.get("text"), str) and not part.get("thought")
    ]
    if not texts:
        raise BadAnswer("Gemini's answer is empty.")
    return "".join(texts)


def error_of(answer: Fetched, model: str, now: datetime) -> Exception:
    """What an answer other than 200 means."""
    document = _json(answer.body)
    if isinstance(document, list) and document:
        document = document[0]
    told = document.get("error") if isinstance(document, dict) else None
    error: dict[str, Any] = told if isinstance(told, dict) else {}
    details = [each for each in error.get("details") or [] if isinstance(each, dict)] if _is_list(error, "details") else []
    status = _word(error.get("status"))
    words = question.one_line(str(error.get("message") or ""))[:300] or "no reason was given"
    match answer.status:
        case 429:
            return _too_many(details, words, now)
        case 400 if any(each.get("reason") == "API_KEY_INVALID" for each in details):
            return KeyRefused(f"Gemini does not accept GEMINI_API_KEY: {words}")
        case 401 | 403:
            return KeyRefused(f"Gemini does not let GEMINI_API_KEY do this: {words}")
        case 400 if status == "FAILED_PRECONDITION":
            return ServiceRefused(f"Gemini cannot be used with this account or from here: {words}")
        case 404:
            return ServiceRefused(f"Gemini has no model {model}; set GEMINI_MODEL: {words}", code="model_gone")
        case 503:
            return Unreachable(f"Gemini is overloaded: {words}", code="overloaded")
        case code if code >= 500:
            return Unreachable(f"Gemini failed ({code}): {words}")
        case code:
            return PermanentError(f"Gemini refused the request ({code}): {words}", code="bad_request")


def _too_many(details: Sequence[dict[str, Any]], words: str, now: datetime) -> RateLimited:
    """A daily quota is waited out until it begins anew, whatever small delay is named beside it."""
    violations = [each for detail in details if _is_list(detail, "violations") for each in detail["violations"]]
    quotas = [str(each.get("quotaId") or "") for each in violations if isinstance(each, dict)]
    delay = next((found for each in details if (found := _seconds(each.get("retryDelay"))) is not None), None)
    if any("perday" in quota.lower() for quota in quotas):
        pause = max(until_reset(now), delay or timedelta(0))
        return QuotaSpent(f"Gemini's quota of this day is spent: {words}", retry_after=pause)
    return RateLimited(f"Gemini asks to wait: {words}", retry_after=delay if delay is not None else DEFAULT_DELAY)


def until_reset(now: datetime) -> timedelta:
    """To the next midnight of the quota's zone, and a minute."""
    local = now.astimezone(QUOTA_ZONE)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=1, second=0, microsecond=0)
    return midnight.astimezone(UTC) - now


def _seconds(text: Any) -> timedelta | None:
    """A protobuf duration such as "34.07s"."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", text) if isinstance(text, str) else None
    return timedelta(seconds=float(found[1])) if found else None


def _is_list(entry: dict[str, Any], name: str) -> bool:
    return isinstance(entry.get(name), list)


def _count(counts: dict[str, Any], name: str) -> int:
    value = counts.get(name)
    return min(value, 2**31 - 1) if type(value) is int and value > 0 else 0


def _version(document: dict[str, Any]) -> str:
    version = document.get("modelVersion")
    return question.one_line(version)[:60] if isinstance(version, str) else ""


def _word(value: Any) -> str:
    return value[:60] if isinstance(value, str) else ""


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
