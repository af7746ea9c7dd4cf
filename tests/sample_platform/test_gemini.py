"""The stand-in for Gemini: what its contract refuses is refused, and what it answers obeys the schema of the request."""

import base64
import io
import json
from typing import Any

import pytest
import requests
from PIL import Image

from tests.sample import Sample

MODEL = "gemini-3.5-flash-lite"
SLIDE = {
    "type": "object",
    "properties": {
        "position": {"type": "integer", "minimum": 0},
        "text": {"type": "string"},
        "type": {"type": "string", "enum": ["content", "hook", "call_to_action"]},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "required": ["position", "text", "type", "confidence"],
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": {
        "slides": {"type": "array", "items": SLIDE},
        "category": {"type": "object", "properties": {"name": {"type": "string"}, "is_new": {"type": "boolean"}}},
    },
    "required": ["slides", "category"],
}
GREY = Image.new("RGB", (90, 120), "#808080")


def encoded(picture: Image.Image, kind: str = "JPEG", quality: int = 70) -> str:
    out = io.BytesIO()
    picture.save(out, kind, quality=quality)
    return base64.b64encode(out.getvalue()).decode()


@pytest.fixture(scope="module")
def carousel(own_sample: Sample) -> tuple[list[list[str]], list[Image.Image]]:
    """The words planned for a carousel, and its slides as the CDN gives them."""
    plan = next(
        plan for plan in own_sample.truth()["videos"] if plan["slides"] and plan["is_published"] and not plan["is_deleted"]
    )
    headers = {"User-Agent": "Mozilla/5.0", "Referer": f"{own_sample.web_url}/"}
    urls = [image["url_list"][-1] for image in own_sample.detail(plan["id"])["images"]]
    pictures = [Image.open(io.BytesIO(requests.get(url, headers=headers, timeout=60).content)).convert("RGB") for url in urls]
    return plan["slides"], pictures


def body(*pictures: str, words: str = "Read these slides.", mime: str = "image/jpeg", **config: Any) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": words}]
    parts += [{"inline_data": {"mime_type": mime, "data": picture}} for picture in pictures]
    config = {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA, "maxOutputTokens": 8000, **config}
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}


def ask(site: Sample, asked: Any, model: str = MODEL, key: str | None = "sample-gemini-key") -> requests.Response:
    headers = {"x-goog-api-key": key} if key else {}
    return requests.post(f"{site.gemini_url}/v1beta/models/{model}:generateContent", json=asked, headers=headers, timeout=60)


def said(answer: requests.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return json.loads("".join(part["text"] for part in answer.json()["candidates"][0]["content"]["parts"]))


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("PNG", "image/png")])
def test_slides_are_read_however_they_were_encoded_and_scaled(site, carousel, kind, mime):
    planned, pictures = carousel
    sent = [encoded(picture.resize((432, 576)), kind, 55) for picture in pictures]

    answer = ask(site, body(*sent, mime=mime))
    told = said(answer)

    assert [slide["position"] for slide in told["slides"]] == list(range(len(planned)))
    for slide, (chinese, english) in zip(told["slides"], planned, strict=True):
        assert slide["text"] in {f"{chinese}\n{english}", english}
        assert 0 <= slide["confidence"] <= 1
    assert [slide["type"] for slide in told["slides"]] == ["hook", *["content"] * (len(planned) - 2), "call_to_action"]
    assert told["category"]["is_new"] is True
    usage = answer.json()["usageMetadata"]
    assert usage["promptTokenCount"] + usage["candidatesTokenCount"] == usage["totalTokenCount"]
    assert answer.json()["candidates"][0]["finishReason"] == "STOP"


def test_a_known_category_is_not_new(site, carousel):
    told = said(ask(site, body(encoded(carousel[1][0]))))
    again = said(ask(site, body(encoded(carousel[1][0]), words=f"Known: {told['category']['name']}")))

    assert again["category"] == {"name": told["category"]["name"], "is_new": False}


def test_a_picture_that_is_not_the_studios_has_no_words(site, carousel):
    told = said(ask(site, body(encoded(GREY))))

    assert [slide["text"] for slide in told["slides"]] == [""]


def test_an_open_api_schema_is_obeyed_too(site, carousel):
    schema = {"type": "ARRAY", "minItems": 1, "items": {"type": "OBJECT", "properties": {"text": {"type": "STRING"}}}}
    asked = body(*map(encoded, carousel[1]))
    del asked["generationConfig"]["responseJsonSchema"]
    asked["generationConfig"]["response_schema"] = schema

    assert [list(entry) for entry in said(ask(site, asked))] == [["text"]] * len(carousel[0])


@pytest.mark.parametrize(
    ("model", "status", "says"),
    [
        ("gemini-2.5-flash", 404, "no longer available to new users"),
        ("gemini-9-ultra", 404, "is not found"),
        ("gemini-2.5-flash-lite", 200, ""),
        ("gemini-3.8-flash", 200, ""),
    ],
)
def test_models_come_and_go(site, model, status, says):
    answer = ask(site, body(encoded(GREY)), model)

    assert (answer.status_code, says in answer.text) == (status, True)


def test_a_key_is_wanted_in_the_header_or_the_query(site):
    assert ask(site, body(encoded(GREY)), key=None).json()["error"]["status"] == "PERMISSION_DENIED"
    wrong = ask(site, body(encoded(GREY)), key="AIza-wrong")
    assert (wrong.status_code, wrong.json()["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")
    in_query = f"{site.gemini_url}/v1beta/models/{MODEL}:generateContent?key=sample-gemini-key"
    assert requests.post(in_query, json=body(encoded(GREY)), timeout=30).status_code == 200


PICTURE = encoded(GREY)


@pytest.mark.parametrize(
    "asked",
    [
        body(PICTURE, responseSchema={"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}),
        body(PICTURE, responseMimeType="text/plain"),
        body(PICTURE, responseJsonSchema={"type": "object", "properties": {"a": {"type": "string", "minLength": 1}}}),
        body(PICTURE, responseJsonSchema={"type": "object", "properties": {"a": {"type": "text"}}}),
        body(PICTURE, thinkingConfig={"thinkingBudget": 0, "thinkingLevel": "low"}),
        body(PICTURE, thinkingConfig={"thinkingLevel": "deep"}),
        body(PICTURE, temperature=3),
        body(PICTURE, maxOutputTokens=0),
        body(PICTURE, candidateCount=2),
        body(PICTURE, temprature=1),
        body(PICTURE, mime="image/gif"),
        body(PICTURE, mime="image/avif"),
        body("not base64"),
        body(base64.b64encode(b"<html>").decode()),
        body(PICTURE) | {"content": []},
        body(PICTURE) | {"contents": []},
        body(PICTURE) | {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]},
        body(PICTURE) | {"contents": [*body(PICTURE)["contents"], {"role": "model", "parts": [{"text": "{"}]}]},
        body(PICTURE) | {"safetySettings": [{"category": "ALL", "threshold": "BLOCK_NONE"}]},
        ["contents"],
    ],
)
def test_requests_against_the_rules_are_invalid_arguments(site, asked):
    answer = ask(site, asked)

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_thinking_levels_are_of_the_newer_models_only(site):
    asked = body(PICTURE, thinkingConfig={"thinkingLevel": "minimal"})

    assert ask(site, asked).status_code == 200
    assert ask(site, asked, "gemini-2.5-flash-lite").status_code == 400


def test_a_request_of_more_than_20_mb_is_refused(site):
    answer = ask(site, body("A" * (21 * 1024 * 1024)))

    assert (answer.status_code, "20971520" in answer.text) == (400, True)


def test_an_answer_longer_than_allowed_is_cut_and_thinking_counts(site, carousel):
    sent = [encoded(picture) for picture in carousel[1]]
    short = ask(site, body(*sent, maxOutputTokens=20)).json()
    spent = ask(site, body(*sent, maxOutputTokens=600), "gemini-3.8-flash").json()

    assert short["candidates"][0]["finishReason"] == spent["candidates"][0]["finishReason"] == "MAX_TOKENS"
    with pytest.raises(json.JSONDecodeError):
        json.loads(short["candidates"][0]["content"]["parts"][0]["text"])
    assert "parts" not in spent["candidates"][0]["content"]
    assert spent["usageMetadata"]["thoughtsTokenCount"] > 600


@pytest.mark.parametrize(
    ("value", "quota", "delay"), [(None, "PerMinute", "34.07s"), ("day", "PerDay", "0.99s"), (1.5, "PerMinute", "1.5s")]
)
def test_a_spent_quota_says_which_and_how_long(site, value, quota, delay):
    site.set_fault("quota", value=value)

    answer = ask(site, body(PICTURE))

    details = {detail["@type"].rpartition(".")[2]: detail for detail in answer.json()["error"]["details"]}
    assert (answer.status_code, answer.json()["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert quota in details["QuotaFailure"]["violations"][0]["quotaId"]
    assert details["RetryInfo"]["retryDelay"] == delay
    assert "retry-after" not in answer.headers


def test_switches_for_what_else_goes_wrong(site, carousel):
    sent = body(*map(encoded, carousel[1]))

    site.set_fault("unreachable", places=["gemini"], count=1)
    assert ask(site, sent).json()["error"]["status"] == "UNAVAILABLE"
    site.set_fault("refused", count=1)
    refused = ask(site, sent).json()["candidates"][0]
    assert (refused["finishReason"], "parts" in refused["content"]) == ("SAFETY", False)
    site.set_fault("prompt_refused", count=1)
    blocked = ask(site, sent).json()
    assert ("candidates" in blocked, blocked["promptFeedback"]["blockReason"]) == (False, "PROHIBITED_CONTENT")
    site.set_fault("cut_off", count=1)
    assert ask(site, sent).json()["candidates"][0]["finishReason"] == "MAX_TOKENS"
    site.set_fault("broken_schema", count=1)
    assert len(said(ask(site, sent))["slides"]) == len(carousel[0]) - 1
    site.set_fault("broken_schema", value="enum", count=1)
    assert {slide["type"] for slide in said(ask(site, sent))["slides"]} == {"banner"}
    assert len(said(ask(site, sent))["slides"]) == len(carousel[0])


def test_a_switch_can_be_about_one_post(site, carousel):
    plan = next(plan for plan in site.truth()["videos"] if plan["slides"] == carousel[0])
    site.set_fault("quota", video=plan["id"])

    assert ask(site, body(encoded(carousel[1][0]))).status_code == 429
    assert ask(site, body(PICTURE)).status_code == 200
