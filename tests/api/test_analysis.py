"""Carousels read over the API: one, many, by whom, and what of it stands in a video and in the list of categories."""

from typing import Any

import pytest

from analysis.models import AnalysisJob
from tests.api.conftest import ApiClient, People
from tests.factories import (
    AnalysisFactory,
    AnalysisJobFactory,
    AssetFactory,
    CategoryFactory,
    SlideTextFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db


def slide_of(video: Any, position: int = 0) -> None:
    AssetFactory.create(video=video, role="slide", quality="", position=position)


@pytest.mark.parametrize(
    ("role", "status"), [("anonymous", 401), ("viewer", 403), ("editor", 202), ("owner", 202), ("staff", 202)]
)
def test_editors_and_staff_have_a_carousel_read(people: People, role: str, status: int) -> None:
    video = VideoFactory.create(carousel=True)

    answer = people.client(role).send("POST", f"/api/videos/{video.pk}/ocr")

    assert answer.status_code == status
    assert AnalysisJob.objects.count() == (1 if status == 202 else 0)
    if status == 202:
        assert (answer.json()["video_id"], answer.json()["status"]) == (video.pk, "queued")
        assert AnalysisJob.objects.get().requested_by == getattr(people, role).user


def test_asking_twice_is_asking_once(people: People) -> None:
    video = VideoFactory.create(carousel=True)

    for _ in range(3):
        assert people.client("editor").send("POST", f"/api/videos/{video.pk}/ocr", {}).status_code == 202

    assert AnalysisJob.objects.count() == 1


def test_a_clip_and_what_there_is_not_are_told_apart(people: People) -> None:
    client = people.client("editor")

    clip = client.send("POST", f"/api/videos/{VideoFactory.create().pk}/ocr")
    nothing = client.send("POST", "/api/videos/999999999/ocr")
    strange = client.send("POST", f"/api/videos/{VideoFactory.create(carousel=True).pk}/ocr", {"engine": "x"})

    assert (clip.status_code, clip.json()["code"]) == (409, "not_a_carousel")
    assert nothing.status_code == 404
    assert strange.status_code == 400


def test_each_of_many_is_answered_for_itself(people: People) -> None:
    carousel, clip = VideoFactory.create(carousel=True), VideoFactory.create()

    answer = people.client("editor").send("POST", "/api/videos/bulk-ocr", {"ids": [clip.pk, carousel.pk, 999999, carousel.pk]})

    assert answer.status_code == 202
    told = [(row["id"], row["status"], row["error_code"]) for row in answer.json()["results"]]
    assert told == [(clip.pk, "error", "not_a_carousel"), (carousel.pk, "queued", ""), (999999, "error", "not_found")]
    assert AnalysisJob.objects.get().video == carousel


@pytest.mark.parametrize("ids", [[], list(range(1, 52)), ["1"], [0], [-1], [True], [1.5], None, "1", {}])
def test_one_to_fifty_numbers_are_taken(people: People, ids: Any) -> None:
    answer = people.client("editor").send("POST", "/api/videos/bulk-ocr", {"ids": ids})

    assert (answer.status_code, next(iter(answer.json()["fields"])).startswith("ids")) == (400, True)
    assert not AnalysisJob.objects.exists()


@pytest.mark.parametrize("role", ["anonymous", "viewer"])
def test_who_may_not_write_reads_nothing_in_bulk(people: People, role: str) -> None:
    ids = [VideoFactory.create(carousel=True).pk]

    assert people.client(role).send("POST", "/api/videos/bulk-ocr", {"ids": ids}).status_code in (401, 403)
    assert not AnalysisJob.objects.exists()


def test_a_video_tells_what_stands_on_its_slides(anonymous: ApiClient) -> None:
    category = CategoryFactory.create(name="Animals")
    video = VideoFactory.create(carousel=True, category="animals", slides=[{"urls": []}, {"urls": []}])
    slide_of(video, 0)
    AnalysisFactory.create(video=video, category=category, confidence=0.7, engine="gemini", model="gemini-3.5-flash-lite")
    SlideTextFactory.create(video=video, position=0, text="新手养猫清单", type="hook", language="zh", description="A cat.")
    AnalysisJobFactory.create(video=video, completed=True, outcome="done")

    told = anonymous.get(f"/api/videos/{video.pk}").json()

    first, second = told["slides"]
    assert (first["text"], first["type"], first["confidence"]) == ("新手养猫清单", "hook", 0.9)
    assert (first["description"], first["language"]) == ("A cat.", "zh")
    assert (second["text"], second["type"], second["confidence"]) == (None, None, None)
    assert told["analysis"]["status"] == "done"
    assert told["analysis"]["category"] == {"slug": "animals", "name": "Animals", "confidence": 0.7, "is_new": False}
    assert (told["analysis"]["engine"], told["analysis"]["model"]) == ("gemini", "gemini-3.5-flash-lite")


@pytest.mark.parametrize(
    ("job", "status"),
    [
        ({}, "queued"),
        ({"running": True, "progress": 40}, "running"),
        ({"retrying": True}, "queued"),
        ({"completed": True, "outcome": "done"}, "done"),
        ({"failed": True, "outcome": "refused", "error_code": "refused"}, "refused"),
        ({"failed": True, "outcome": "cut_off", "error_code": "cut_off"}, "cut_off"),
        ({"failed": True}, "failed"),
        ({"cancelled": True}, "none"),
    ],
)
def test_each_state_of_a_reading_has_its_word(anonymous: ApiClient, job: dict[str, Any], status: str) -> None:
    video = AnalysisJobFactory.create(**job).video

    told = anonymous.get(f"/api/videos/{video.pk}").json()["analysis"]

    assert told["status"] == status
    assert bool(told["error"]) == (status in ("refused", "cut_off", "failed") or "retrying" in job)


def test_what_was_never_asked_for_is_none_and_a_clip_has_no_reading(anonymous: ApiClient) -> None:
    carousel, clip = VideoFactory.create(carousel=True), VideoFactory.create()

    assert anonymous.get(f"/api/videos/{carousel.pk}").json()["analysis"]["status"] == "none"
    assert anonymous.get(f"/api/videos/{clip.pk}").json()["analysis"] is None


def test_categories_are_listed_by_size_page_by_page(anonymous: ApiClient, django_assert_num_queries: Any) -> None:
    food = CategoryFactory.create(name="Food")
    CategoryFactory.create(name="Travel", is_from_model=True)
    CategoryFactory.create(name="Snacks", merged_into=food)
    VideoFactory.create_batch(2, category="food")
    VideoFactory.create(category="travel")

    anonymous.get("/api/categories")  # what is read once per process is read now
    with django_assert_num_queries(1):
        first = anonymous.get("/api/categories?limit=1").json()
    second = anonymous.get(first["next"]).json()

    assert [(row["slug"], row["name"], row["videos"], row["is_from_model"]) for row in first["results"]] == [
        ("food", "Food", 2, False)
    ]
    assert [(row["slug"], row["videos"], row["is_from_model"]) for row in second["results"]] == [("travel", 1, True)]
    assert second["next"] is None
    assert anonymous.get("/api/categories?cursor=zzz").status_code == 400
