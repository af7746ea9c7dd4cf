"""Carousels read by Gemini: what is sent, what is believed, and what becomes of each kind of refusal."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from analysis import services
from analysis.analyzers import gemini as engine
from analysis.analyzers.prices import cost_micros
from analysis.models import Analysis, AnalysisJob, SlideText
from analysis.status import status_of
from crawler import pauses
from crawler.models import ProviderPause
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.analysis.conftest import KEY, MakeCarousel, StandIn, answered, drawn, problem, said
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
KIND = kinds.get("analysis")
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
QUOTA = "type.googleapis.com/google.rpc.QuotaFailure"


def read(video: Any) -> AnalysisJob:
    job = services.request_analysis(video)
    assert drain(KIND) == 1
    job.refresh_from_db()
    return job


def test_an_answer_by_the_schema_becomes_texts_a_new_category_and_a_cost(gemini: StandIn, carousel: MakeCarousel) -> None:
    video = carousel([drawn("one"), drawn("two")], title="街拍", hashtags=["street"])

    job = read(video)

    assert gemini.wrong == []
    assert gemini.paths == ["/v1beta/models/gemini-3.5-flash-lite:generateContent"]
    assert (job.state, job.outcome) == (State.COMPLETED, "done")
    assert (job.tokens_in, job.tokens_out, job.cost_micros) == (1_000, 240, 900)
    reading = Analysis.objects.select_related("category").get(video=video)
    assert reading.category is not None
    assert (reading.category.slug, reading.category.is_from_model, reading.is_new) == ("street-photography", True, True)
    assert (reading.engine, reading.model, reading.finish) == ("gemini", "gemini-3.5-flash-lite", "STOP")
    assert (reading.tokens_in, reading.tokens_out, reading.cost_micros, reading.confidence) == (1_000, 240, 900, 0.8)
    slides = list(SlideText.objects.filter(video=video).values_list("text", "description", "type", "confidence", "language"))
    assert slides == [
        ("第0页的字", "A page with letters.", "hook", 0.93, "zh"),
        ("第1页的字", "A page with letters.", "content", 0.93, "zh"),
    ]
    video.refresh_from_db()
    assert video.category == "street-photography"


def test_a_category_that_is_known_in_another_spelling_is_not_made_twice(gemini: StandIn, carousel: MakeCarousel) -> None:
    read(carousel([drawn("one")]))
    gemini.say = lambda count: said(count, category={"name": "  STREET  photography ", "confidence": 0.5})

    second = carousel([drawn("two")])
    read(second)

    reading = Analysis.objects.get(video=second)
    assert reading.category is not None
    assert (reading.category.slug, reading.is_new) == ("street-photography", False)


def test_many_pictures_are_asked_about_in_several_requests(gemini: StandIn, carousel: MakeCarousel) -> None:
    video = carousel([drawn(str(n), size=(160, 200)) for n in range(23)])

    job = read(video)

    assert gemini.wrong == []
    assert len(gemini.asked) == 2
    assert SlideText.objects.filter(video=video).count() == 23
    assert (job.tokens_in, job.cost_micros) == (2_000, 1_800)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x00" * 100,
        b"[]",
        b"{" * 100_000,
        b'{"candidates": "x"}',
        b'{"candidates": [{"finishReason": "STOP"}]}',
        b'{"candidates": [{"finishReason": "OTHER"}]}',
        answered("not json"),
        answered("[]"),
        answered("[" * 100_000),
        answered('{"slides": [], "category": {"name": "", "confidence": 0}}'),
    ],
)
def test_an_answer_of_another_shape_is_tried_again_and_leaves_nothing(
    gemini: StandIn, carousel: MakeCarousel, broken: Any
) -> None:
    video = carousel([drawn("one")])
    gemini.next = [(200, broken)]

    job = read(video)

    assert (job.state, job.error_code) == (State.RETRYING, "bad_answer")
    assert not SlideText.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"position": 1},
        {"position": "0"},
        {"type": "intro"},
        {"confidence": 1.2},
        {"confidence": True},
        {"confidence": None},
        {"text": None},
        {"text": ["x"]},
        {"description": 5},
    ],
)
def test_a_slide_that_breaks_the_schema_is_refused(gemini: StandIn, carousel: MakeCarousel, change: dict[str, Any]) -> None:
    def broken(count: int) -> dict[str, Any]:
        answer = said(count)
        answer["slides"][0] |= change
        return answer

    gemini.say = broken

    job = read(carousel([drawn("one")]))

    assert (job.state, job.error_code) == (State.RETRYING, "bad_answer")
    assert job.tokens_in == 1_000, "what was paid for is known even so"


def test_a_fenced_answer_with_thoughts_and_hidden_characters_is_understood(gemini: StandIn, carousel: MakeCarousel) -> None:
    answer = answered("```json\n" + __import__("json").dumps(said(1)).replace("A page", "A \\u202epage") + "\n```")
    answer["candidates"][0]["content"]["parts"].insert(0, {"text": "Let me think", "thought": True})
    gemini.next = [(200, answer)]
    video = carousel([drawn("one")])

    assert read(video).outcome == "done"

    assert SlideText.objects.get(video=video).description == "A page with letters."


def test_an_answer_of_nothing_but_space_is_no_work(gemini: StandIn, carousel: MakeCarousel) -> None:
    """A slide may ask the model to say so."""
    gemini.next = [(200, answered("```" + " " * 5_000))]
    video = carousel([drawn("one")])
    began = time.process_time()

    assert read(video).error_code == "bad_answer"
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"candidates": [{"finishReason": "SAFETY"}]}, "refused"),
        ({"candidates": [{"finishReason": "RECITATION"}]}, "refused"),
        ({"candidates": [{"finishReason": "IMAGE_SAFETY"}]}, "refused"),
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, "refused"),
        ({"promptFeedback": {"blockReason": "OTHER"}, "candidates": []}, "refused"),
        ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, "cut_off"),
        (answered('{"slides": [{"pos', finish="MAX_TOKENS"), "cut_off"),
    ],
)
def test_refusals_and_cut_off_answers_are_outcomes_of_their_own(
    gemini: StandIn, carousel: MakeCarousel, answer: Any, outcome: str
) -> None:
    video = carousel([drawn("one")])
    gemini.next = [(200, {"usageMetadata": {"promptTokenCount": 7}} | answer)]

    job = read(video)

    assert (job.state, job.outcome, job.error_code) == (State.FAILED, outcome, outcome)
    assert job.tokens_in in (7, 1_000)
    assert status_of(video.pk).status == outcome
    assert status_of(video.pk).reason


def test_a_failed_rereading_keeps_the_old_result(gemini: StandIn, carousel: MakeCarousel) -> None:
    video = carousel([drawn("one")])
    read(video)
    gemini.finish = "SAFETY"

    read(video)

    assert SlideText.objects.get(video=video).text == "第0页的字"
    assert (status_of(video.pk).status, status_of(video.pk).has_reading) == ("refused", True)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(400, "INVALID_ARGUMENT", "API key not valid", [{"reason": "API_KEY_INVALID"}]), "key_refused"),
        (problem(403, "PERMISSION_DENIED", "no"), "key_refused"),
        (problem(400, "FAILED_PRECONDITION", "User location is not supported"), "service_refused"),
        (problem(404, "NOT_FOUND", "no longer available to new users"), "model_gone"),
    ],
)
def test_what_concerns_every_carousel_pauses_the_service_once(
    gemini: StandIn, carousel: MakeCarousel, answer: Any, code: str
) -> None:
    videos = [carousel([drawn(str(n))]) for n in range(4)]
    services.request_many([video.pk for video in videos])
    gemini.next = [answer] * 4

    drain(KIND)

    assert len(gemini.paths) == 1
    pause = ProviderPause.objects.get()
    assert (pause.provider, pause.code) == ("gemini", code)
    assert pause.until is not None
    assert pause.until > timezone.now() + timedelta(minutes=59)
    assert set(AnalysisJob.objects.values_list("state", "attempt")) == {(State.PENDING, 0)}
    assert KEY not in pause.reason
    assert pauses.try_again() == 0, "the upkeep pass leaves it alone before its time"

    gemini.next = []
    services.request_analysis(videos[0], by=UserFactory.create())
    assert not ProviderPause.objects.exists(), "a person had it tried again"
    assert drain(KIND) == 4
    assert set(AnalysisJob.objects.values_list("state", flat=True)) == {State.COMPLETED}


def test_too_many_requests_wait_as_long_as_the_service_says(gemini: StandIn, carousel: MakeCarousel) -> None:
    videos = [carousel([drawn(str(n))]) for n in range(3)]
    services.request_many([video.pk for video in videos])
    violations = [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]
    details = [{"@type": QUOTA, "violations": violations}, {"@type": RETRY_INFO, "retryDelay": "34.07s"}]
    gemini.next = [problem(429, "RESOURCE_EXHAUSTED", "Please retry in 34.07s.", details)]

    drain(KIND)

    assert len(gemini.paths) == 1, "the others wait too"
    waits = [job.scheduled_at - timezone.now() for job in AnalysisJob.objects.all()]
    assert all(timedelta(seconds=30) < wait <= timedelta(seconds=35) for wait in waits)
    assert set(AnalysisJob.objects.values_list("state", "attempt")) == {(State.PENDING, 0)}


def test_a_daily_quota_waits_for_its_reset_whatever_small_delay_is_named(gemini: StandIn, carousel: MakeCarousel) -> None:
    video = carousel([drawn("one")])
    details = [
        {"@type": QUOTA, "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
        {"@type": RETRY_INFO, "retryDelay": "0.99s"},
    ]
    gemini.next = [problem(429, "RESOURCE_EXHAUSTED", "Please retry in 0.99s.", details)]

    job = read(video)

    reset = timezone.now() + engine.until_reset(timezone.now())
    assert abs(job.scheduled_at - reset) < timedelta(seconds=30)
    assert job.error_code == "quota_spent"
    pause = ProviderPause.objects.get()
    assert pause.until is not None
    assert abs(pause.until - reset) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 21, 7, 0, tzinfo=UTC), 1),
        (datetime(2026, 11, 21, 8, 30, tzinfo=UTC), 23.5),
        (datetime(2026, 7, 1, 6, 0, tzinfo=UTC), 1),
    ],
)
def test_the_day_of_a_quota_ends_at_midnight_in_california(now: datetime, hours: float) -> None:
    assert engine.until_reset(now) == timedelta(hours=hours, minutes=1)


@pytest.mark.parametrize(("status", "code"), [(500, "unreachable"), (503, "overloaded"), (504, "unreachable")])
def test_a_service_in_trouble_is_asked_again_a_few_times_only(
    gemini: StandIn, carousel: MakeCarousel, status: int, code: str
) -> None:
    gemini.next = [problem(status, "UNAVAILABLE", "overloaded")] * 9
    video = carousel([drawn("one")])
    job = services.request_analysis(video)

    for _ in range(job.max_attempts):
        AnalysisJob.objects.waiting().update(scheduled_at=timezone.now())
        drain(KIND)

    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, code)
    assert len(gemini.paths) == job.max_attempts


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("gemini-3.5-flash-lite", {"thinkingLevel": "minimal"}),
        ("gemini-3.8-flash", {"thinkingLevel": "minimal"}),
        ("gemini-3-pro-preview", {"thinkingLevel": "low"}),
        ("models/gemini-3.5-flash-lite", {"thinkingLevel": "minimal"}),
        ("gemini-2.5-flash-lite", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", {"thinkingBudget": 128}),
        ("gemini-2.0-flash", {}),
        ("gemini-flash-latest", {}),
        ("gemma-3-27b-it", {}),
    ],
)
def test_thinking_is_bounded_as_the_family_allows(model: str, thinking: dict[str, Any]) -> None:
    assert engine.thinking_of(model) == thinking


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        ("gemini-3.5-flash-lite", 300 + 2_500),
        ("gemini-2.5-flash-lite", 100 + 400),
        ("gemini-2.5-flash-lite-001", 100 + 400),
        ("gemini-9-ultra", None),
    ],
)
def test_an_unknown_model_has_tokens_and_no_price(model: str, cost: int | None) -> None:
    assert cost_micros(model, 1_000, 1_000) == cost
