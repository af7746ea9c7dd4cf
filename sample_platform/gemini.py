"""A stand-in for Gemini's generateContent: strict about requests, and able to read what the studio wrote on its slides."""

import asyncio
import json
import re
import time
from typing import Any

from sample_platform import gemini_schema, services
from sample_platform.answers import Json
from sample_platform.art.lettering import readable
from sample_platform.faults import Fault
from sample_platform.gemini_request import Invalid, Question, read
from sample_platform.http import Request, Response, Routes, json_response
from sample_platform.platform import Platform
from sample_platform.recognition import NoPicture, Recognition
from sample_platform.world import Video

KEY = "sample-gemini-key"
PLACE = "gemini"
MODELS = {"gemini-2.5-flash-lite": False, "gemini-3.5-flash-lite": True, "gemini-3.6-flash": True, "gemini-3.8-flash": True}
"""Each with whether it is of the generation that takes thinking levels and refuses prefilled answers."""
RETIRED = {"gemini-2.5-flash", "gemini-2.0-flash", "gemini-1.5-flash"}
LARGEST = 20 * 1024 * 1024
PICTURE_TOKENS = 258
THOUGHTS = {"minimal": 0, "low": 180, "medium": 700, "high": 1600}
NAMES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
CATEGORIES = {
    "cat": "Pets",
    "food": "Cooking",
    "travel": "Travel",
    "dance": "Dance",
    "streetfood": "Street food",
    "fitness": "Fitness",
    "craft": "Crafts",
    "tech": "Technology",
}
Seen = list[tuple[Video, int] | None]
"""What the pictures of a request show, in their order."""


class Refused(Exception):
    def __init__(self, code: int, message: str, *details: Json) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, details


def routes(platform: Platform, table: Routes) -> None:
    api = Gemini(platform)
    model = r"/services/gemini/v1beta/models/(?P<model>[\w.-]+)"
    table.add("POST", f"{model}:generateContent", api.generate)
    table.add("GET", model, api.model)
    table.add("GET POST", "/services/gemini/.*", api.unknown)


class Gemini:
    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        videos = {video.number: video for world in (platform.world, platform.tiktok) for video in world.videos.values()}
        self.recognition = Recognition(platform.studio.folder / "slides", videos)

    async def unknown(self, request: Request) -> Response:
        return failure(Refused(404, f"{request.method} {request.path} was not found"))

    async def model(self, request: Request) -> Response:
        try:
            self._check_key(request)
            self._is_new(request.params["model"])
        except Refused as refused:
            return failure(refused)
        return json_response({"name": f"models/{request.params['model']}", "supportedGenerationMethods": ["generateContent"]})

    async def generate(self, request: Request) -> Response:
        try:
            return await self._generate(request)
        except Refused as refused:
            return failure(refused)
        except Invalid as error:
            return failure(Refused(400, str(error)))

    async def _generate(self, request: Request) -> Response:
        self._check_key(request)
        is_new = self._is_new(request.params["model"])
        if len(request.body) > LARGEST:
            raise Invalid("Request payload size exceeds the limit: 20971520 bytes.")
        question = read(services.as_json(request.body), is_new=is_new)
        try:
            seen = await asyncio.to_thread(lambda: [self.recognition.find(picture) for picture in question.pictures])
        except NoPicture as error:
            raise Invalid("Unable to process input image. Please retry or report in the troubleshooting guide.") from error
        video = next((found[0] for found in seen if found), None)
        await self._hinder(request, video)
        answer = self._answer(request.params["model"], question, seen, is_new=is_new)
        answer = self._bent(answer, video)
        return services.cut(json_response(answer), self.platform.fault("cut_json", PLACE, video=video))

    def _check_key(self, request: Request) -> None:
        key = request.headers.get("x-goog-api-key") or request.query.get("key")
        if not key:
            raise Refused(403, "Method doesn't allow unregistered callers (callers without established identity).")
        if key != KEY or self.platform.fault("key_refused", PLACE):
            info = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
            raise Refused(400, "API key not valid. Please pass a valid API key.", info)

    @staticmethod
    def _is_new(model: str) -> bool:
        if model in RETIRED:
            newer = "Please update your code to use a newer model for the latest features and improvements."
            raise Refused(404, f"This model models/{model} is no longer available to new users. {newer}")
        if model not in MODELS:
            raise Refused(404, f"models/{model} is not found for API version v1beta, or is not supported for generateContent.")
        return MODELS[model]

    # --- faults ---------------------------------------------------------------------------------------------------------
    async def _hinder(self, request: Request, video: Video | None) -> None:
        fault = self.platform.fault("unreachable slow quota", PLACE, video=video)
        match fault:
            case Fault(name="slow"):
                await asyncio.sleep(services.seconds(fault.value))
            case Fault(name="unreachable"):
                code = fault.value if fault.value in NAMES else 503
                raise Refused(code, "The model is overloaded. Please try again later." if code == 503 else "Internal error.")
            case Fault(name="quota"):
                raise exhausted(request.params["model"], fault.value)

    def _bent(self, answer: Json, video: Video | None) -> Json:
        fault = self.platform.fault("refused prompt_refused cut_off broken_schema", PLACE, video=video)
        if fault is None:
            return answer
        candidate = answer["candidates"][0]
        text = candidate["content"]["parts"][0]["text"] if candidate["content"].get("parts") else ""
        match fault.name:
            case "prompt_refused":
                usage = {name: count for name, count in answer["usageMetadata"].items() if "andidates" not in name}
                blocked = {"blockReason": fault.value or "PROHIBITED_CONTENT"}
                return {"promptFeedback": blocked, "usageMetadata": usage, "modelVersion": answer["modelVersion"]}
            case "refused":
                ratings = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}]
                candidate.update(content={"role": "model"}, finishReason=fault.value or "SAFETY", safetyRatings=ratings)
            case "cut_off":
                candidate["finishReason"] = "MAX_TOKENS"
                half = [{"text": text[: len(text) // 2]}] if fault.value != "nothing" else []
                candidate["content"] = {"role": "model", **({"parts": half} if half else {})}
            case "broken_schema":
                candidate["content"]["parts"] = [{"text": broken(text, fault.value)}]
        return answer

    # --- the answer -----------------------------------------------------------------------------------------------------
    def _answer(self, model: str, question: Question, seen: Seen, *, is_new: bool) -> Json:
        text = self._text(question, seen)
        thoughts = thought_tokens(model, question.thinking)
        written = max(1, len(text.encode()) // 3)
        room = question.most_tokens - thoughts
        finish = "STOP"
        parts: list[Json] = [{"text": text}]
        if room < written:  # thinking counts too, and may leave room for nothing
            finish, written = "MAX_TOKENS", max(0, room)
            parts = [{"text": text.encode()[: room * 3].decode(errors="ignore")}] if room > 0 else []
        asked = PICTURE_TOKENS * len(question.pictures) + len(question.words) // 4 + 1
        content: Json = {"role": "model", **({"parts": parts} if parts else {})}
        return {
            "candidates": [{"index": 0, "content": content, "finishReason": finish}],
            "usageMetadata": {
                "promptTokenCount": asked,
                **({"candidatesTokenCount": written} if written else {}),
                **({"thoughtsTokenCount": thoughts} if thoughts else {}),
                "totalTokenCount": asked + written + thoughts,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": asked - PICTURE_TOKENS * len(question.pictures)},
                    {"modality": "IMAGE", "tokenCount": PICTURE_TOKENS * len(question.pictures)},
                ],
            },
            "modelVersion": model,
            "responseId": f"sample{time.time_ns():x}",
        }

    def _text(self, question: Question, seen: Seen) -> str:
        words = [planned(found) for found in seen]
        if question.schema is not None:
            said = gemini_schema.fill(question.schema, Speaker(question.words, seen).say, len(seen))
            return json.dumps(said, ensure_ascii=False)
        if question.is_json:
            return json.dumps([{"text": text} for text in words], ensure_ascii=False)
        return "\n\n".join(words)


class Speaker:
    """Chooses what to write under each name that a schema uses."""

    def __init__(self, words: str, seen: Seen) -> None:
        self.words = words.lower()
        self.seen = seen
        self.video = next((found[0] for found in seen if found), None)

    def say(self, name: str, schema: Json, place: int | None) -> Any:
        word = name.lower()
        kind = gemini_schema.kind_of(schema)
        found = self.seen[place] if place is not None and place < len(self.seen) else None
        if options := schema.get("enum"):
            return self._one_of(options, place)
        if kind == "BOOLEAN":
            return self._category().lower() not in self.words if "new" in word else found is not None
        if kind == "INTEGER" and place is not None:
            return place + (0 if schema.get("minimum") == 0 or "slide 0" in self.words else 1)
        if kind in {"NUMBER", "INTEGER"}:
            return 0.94 if found or (place is None and self.video) else 0.2
        if kind == "NULL":
            return None
        if "categor" in word or (place is None and word in {"name", "topic"}):
            return self._category()
        if "lang" in word:
            return "" if found is None else "vi" if found[0].number >= 100_000 else "zh"
        if "desc" in word or "summary" in word:
            return f"A drawn card, {found[1] + 1} of {len(found[0].slides)}, with a short headline." if found else ""
        return planned(found) if place is not None else "\n".join(filter(None, map(planned, self.seen)))

    def _one_of(self, options: list[Any], place: int | None) -> Any:
        """Of the kinds of slides the one that its place says, of categories the one that fits; else the first."""
        wanted = [self._category().lower()] if place is None else []
        if place is not None:
            wanted = ["hook"] if place == 0 else ["call", "cta"] if place == len(self.seen) - 1 else ["content", "body"]
        return next((one for one in options for word in wanted if word in str(one).lower()), options[0])

    def _category(self) -> str:
        return CATEGORIES[self.video.topic.slug] if self.video else "Other"


def planned(found: tuple[Video, int] | None) -> str:
    """What the studio wrote on a slide; nothing for a picture that is not its own."""
    if found is None:
        return ""
    slide = found[0].slides[found[1]]
    return "\n".join(filter(None, readable(slide.chinese, slide.english)))


def thought_tokens(model: str, thinking: str | None) -> int:
    if thinking is None:
        return 0 if model.endswith("-lite") else THOUGHTS["high"]
    if thinking in THOUGHTS:
        return THOUGHTS[thinking]
    return 700 if thinking == "-1" else min(int(thinking), 400)


def broken(text: str, how: object) -> str:
    """An answer that looks right and is not: "json", "count", "enum", "range" or "missing"."""
    if how == "json":
        return "Here is the JSON you asked for:\n```json\n" + text[:-1]
    if how == "enum":
        return re.sub(r'"(?:hook|content|call_to_action)"', '"banner"', text)
    if how == "range":
        return re.sub(r"0\.94|0\.2\b", "94", text)
    if how == "missing":
        return text.replace('"text"', '"words"')
    try:
        whole = json.loads(text)
    except ValueError:
        return text
    for part in [whole, *(whole.values() if isinstance(whole, dict) else [])]:
        if isinstance(part, list) and part:
            part.pop()
    return json.dumps(whole, ensure_ascii=False)


def exhausted(model: str, value: object) -> Refused:
    """`value` is "minute" (default), "day", or the seconds to wait within the minute's quota."""
    is_daily = value == "day"
    delay = 0.99 if is_daily else float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 34.07
    span = "PerDay" if is_daily else "PerMinute"
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": f"GenerateRequests{span}PerProjectPerModel-FreeTier",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": "20" if is_daily else "15",
    }
    message = f"You exceeded your current quota, please check your plan and billing details. Please retry in {delay}s."
    kind = "type.googleapis.com/google.rpc."
    return Refused(
        429,
        message,
        {"@type": f"{kind}QuotaFailure", "violations": [violation]},
        {
            "@type": f"{kind}Help",
            "links": [{"description": "Learn more", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}],
        },
        {"@type": f"{kind}RetryInfo", "retryDelay": f"{delay}s"},
    )


def failure(refused: Refused) -> Response:
    error: Json = {"code": refused.code, "message": refused.message, "status": NAMES.get(refused.code, "UNKNOWN")}
    if refused.details:
        error["details"] = list(refused.details)
    return json_response({"error": error}, refused.code)
