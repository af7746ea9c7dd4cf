"""What generateContent takes, checked as strictly as the service's own words say."""

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sample_platform import gemini_schema
from sample_platform.answers import Json

MIMES = {"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}
TOP = {"contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig", "cachedContent", "model"}
CONFIG = frozenset((
    "responseMimeType", "responseSchema", "responseJsonSchema", "temperature", "topP", "topK", "seed",
    "stopSequences", "presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs", "candidateCount",
    "maxOutputTokens", "thinkingConfig", "mediaResolution",
))  # fmt: skip
LEVELS = {"minimal", "low", "medium", "high"}
THRESHOLDS = {"BLOCK_NONE", "OFF", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE"}


class Invalid(ValueError):
    """400 INVALID_ARGUMENT; the message says where."""


@dataclass(frozen=True)
class Question:
    """What is left of a request that may be answered."""

    pictures: list[bytes]
    words: str
    schema: Json | None
    is_json: bool
    most_tokens: int
    thinking: str | None
    """A level or a budget, as said; None where nothing was said."""


def camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def named(value: Any, allowed: Collection[str], where: str) -> Json:
    """An object whose names are known, in camelCase: both spellings are taken."""
    if not isinstance(value, dict):
        raise Invalid(f"Invalid value at '{where}': an object was expected")
    found = {camel(name): part for name, part in value.items()}
    for name in found:
        if name not in allowed:
            raise Invalid(f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field.")
    return found


def read(body: Any, *, is_new: bool) -> Question:
    """`is_new`: a model of the generation that refuses prefilled answers. Raises Invalid."""
    request = named(body, TOP, "request")
    contents = request.get("contents")
    if not isinstance(contents, list) or not contents:
        raise Invalid("* GenerateContentRequest.contents: contents is not specified")
    pictures: list[bytes] = []
    words: list[str] = []
    for place, content in enumerate(contents):
        turn = named(content, {"role", "parts"}, f"contents[{place}]")
        if turn.get("role", "user") not in {"user", "model"}:
            raise Invalid("Please use a valid role: user, model.")
        _parts(turn.get("parts"), f"contents[{place}].parts", pictures, words)
    if is_new and contents[-1].get("role") == "model":
        raise Invalid("Requests that end in a model turn are not supported by this model.")
    if "systemInstruction" in request:
        system = named(request["systemInstruction"], {"role", "parts"}, "system_instruction")
        _parts(system.get("parts"), "system_instruction.parts", [], words)
    _safety(request.get("safetySettings", []))
    return _config(request.get("generationConfig", {}), pictures, " ".join(words), is_new=is_new)


def _parts(parts: Any, where: str, pictures: list[bytes], words: list[str]) -> None:
    if not isinstance(parts, list) or not parts:
        raise Invalid(f"* GenerateContentRequest.{where}: contents.parts must not be empty.")
    for place, part in enumerate(parts):
        found = named(part, {"text", "inlineData", "fileData", "thought", "thoughtSignature"}, f"{where}[{place}]")
        data = {"text", "inlineData", "fileData"} & set(found)
        if len(data) != 1:
            raise Invalid(
                f"* GenerateContentRequest.{where}[{place}].data: required oneof field 'data' must have one initialized field"
            )
        if "text" in found:
            if not isinstance(found["text"], str):
                raise Invalid(f"Invalid value at '{where}[{place}].text' (TYPE_STRING)")
            words.append(found["text"])
        elif "inlineData" in found:
            pictures.append(_blob(found["inlineData"], f"{where}[{place}].inline_data"))
        else:
            raise Invalid("Cannot fetch content from the provided URL.")


def _blob(value: Any, where: str) -> bytes:
    blob = named(value, {"mimeType", "data"}, where)
    if blob.get("mimeType") not in MIMES:
        raise Invalid(f"Unsupported MIME type: {blob.get('mimeType')}")
    try:
        return base64.b64decode(blob.get("data", ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise Invalid(f"Invalid value at '{where}.data' (TYPE_BYTES), Base64 decoding failed") from error


def _safety(settings: Any) -> None:
    if not isinstance(settings, list):
        raise Invalid("Invalid value at 'safety_settings'")
    for setting in settings:
        found = named(setting, {"category", "threshold"}, "safety_settings")
        if not str(found.get("category", "")).startswith("HARM_CATEGORY_") or found.get("threshold") not in THRESHOLDS:
            raise Invalid("Invalid value at 'safety_settings'")


def _config(value: Any, pictures: list[bytes], words: str, *, is_new: bool) -> Question:
    config = named(value, CONFIG, "generation_config")
    mime = config.get("responseMimeType", "text/plain")
    if mime not in {"text/plain", "application/json", "text/x.enum"}:
        raise Invalid(f"* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are {mime!r} not")
    schema = _schema(config, mime)
    count = config.get("candidateCount", 1)
    if count != 1:
        raise Invalid("candidateCount is not supported by this model" if is_new else "Only one candidate can be specified")
    most = config.get("maxOutputTokens", 65_536)
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= 65_536:
        raise Invalid("Unable to submit request because it has a maxOutputTokens value outside of 1 to 65536")
    warmth = config.get("temperature", 1)
    if isinstance(warmth, bool) or not isinstance(warmth, (int, float)) or not 0 <= warmth <= 2:
        raise Invalid("Unable to submit request because temperature must be from 0 to 2")
    if len(config.get("stopSequences", [])) > 5:
        raise Invalid("Up to 5 stop sequences can be specified")
    thinking = _thinking(config.get("thinkingConfig", {}), is_new=is_new)
    return Question(pictures, words, schema, mime == "application/json", most, thinking)


def _schema(config: Json, mime: str) -> Json | None:
    if "responseSchema" in config and "responseJsonSchema" in config:
        raise Invalid("Only one of response_schema and response_json_schema may be set")
    name = next((one for one in ("responseSchema", "responseJsonSchema") if one in config), None)
    if name is None:
        return None
    if mime != "application/json":
        raise Invalid("A response schema wants response_mime_type: application/json")
    schema: Json = config[name]
    words = gemini_schema.OPEN_API if name == "responseSchema" else gemini_schema.JSON_SCHEMA
    try:
        gemini_schema.check(schema, words, f"generation_config.{name}")
    except gemini_schema.BadSchema as error:
        raise Invalid(str(error)) from error
    return schema


def _thinking(value: Any, *, is_new: bool) -> str | None:
    config = named(value, {"includeThoughts", "thinkingBudget", "thinkingLevel"}, "generation_config.thinking_config")
    if "thinkingBudget" in config and "thinkingLevel" in config:
        raise Invalid("You can only set one of thinking budget and thinking level.")
    if "thinkingLevel" in config:
        level = str(config["thinkingLevel"]).lower()
        if level not in LEVELS:
            raise Invalid("Invalid value at 'generation_config.thinking_config.thinking_level'")
        if not is_new:
            raise Invalid("Thinking level is not supported for this model.")
        return level
    if "thinkingBudget" in config:
        budget = config["thinkingBudget"]
        if isinstance(budget, bool) or not isinstance(budget, int) or not -1 <= budget <= 24_576:
            raise Invalid("The thinking budget is invalid. Please choose a value between 0 and 24576.")
        return str(budget)
    return None
