"""What programs are told of the ranking: three chances, why, and the surges."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ranking import services
from tests.api.conftest import ApiClient
from tests.factories import MetricSnapshotFactory, ScoreFactory, SurgeFactory, VideoFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ranked() -> int:
    """The id of a video seen three times while it grew."""
    video = VideoFactory.create(published_at=timezone.now() - timedelta(hours=6))
    for hours, views in ((4, 1_000), (2, 9_000), (0, 40_000)):
        MetricSnapshotFactory.create(
            video=video, observed_at=timezone.now() - timedelta(hours=hours), views=views, likes=views // 10, shares=views // 90
        )
    services.rank([video.pk])
    return int(video.pk)


def test_a_video_has_three_chances_beside_the_classic_score(anonymous: ApiClient, ranked: int) -> None:
    ScoreFactory.create()

    document = anonymous.get(f"/api/videos/{ranked}").json()
    unspoken = anonymous.get("/api/videos?ordering=newest").json()["results"][-1]

    assert all(0 < document[head] < 1 for head in ("virality", "breakout", "reach"))
    assert document["score"] > 0
    assert unspoken["virality"] is unspoken["breakout"] is unspoken["reach"] is None


@pytest.mark.parametrize(("head", "column"), [("virality", "virality"), ("breakout", "breakout"), ("surge", "reach")])
def test_each_head_is_explained(anonymous: ApiClient, ranked: int, head: str, column: str) -> None:
    chance = anonymous.get(f"/api/videos/{ranked}").json()[column]

    told = anonymous.get(f"/api/videos/{ranked}/metrics?head={head}").json()["explanation"]

    assert (told["head"], told["probability"]) == (head, chance)
    assert {"age", "views"} <= {share["group"] for share in told["contributions"]}
    sizes = [abs(share["points"]) for share in told["contributions"]]
    assert sizes == sorted(sizes, reverse=True)
    assert next(rate for rate in told["rates"] if rate["metric"] == "views")["per_hour"] > 1_000
    assert told["model"]["origin"] == "shipped"
    assert told["fallback"] is True  # one video does not tell what is usual


def test_what_no_model_has_spoken_of_is_not_explained(anonymous: ApiClient) -> None:
    document = anonymous.get(f"/api/videos/{ScoreFactory.create().video_id}/metrics").json()

    assert document["explanation"] is None
    assert document["surges"] == []


def test_surges_are_listed_latest_first_and_by_state(anonymous: ApiClient) -> None:
    watched = SurgeFactory.create()
    right = SurgeFactory.create(
        model=watched.model,
        alerted=True,
        alerted_at=timezone.now() - timedelta(hours=9),
        confirmed_at=timezone.now(),
        reached_at=timezone.now(),
    )

    whole = anonymous.get("/api/surges").json()["results"]
    opened = anonymous.get("/api/surges?state=open&platform=douyin").json()["results"]
    pages = anonymous.get("/api/surges?limit=1").json()

    assert [surge["id"] for surge in whole] == [right.pk, watched.pk]
    assert [surge["id"] for surge in opened] == [right.pk]
    assert opened[0]["lead_hours"] == pytest.approx(9, abs=0.01)
    assert opened[0]["is_confirmed"] is True
    assert whole[1]["lead_hours"] is None
    assert [surge["id"] for surge in anonymous.get(pages["next"]).json()["results"]] == [watched.pk]
    assert anonymous.get(f"/api/videos/{right.video_id}/metrics").json()["surges"] == opened


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("state=storming", "“storming” is not a choice. There are: watch, open, peaked, cleared."),
        ("platform=myspace", "Must be one of: douyin, tiktok."),
    ],
)
def test_a_state_or_platform_that_there_is_not_is_named(anonymous: ApiClient, query: str, sentence: str) -> None:
    response = anonymous.get(f"/api/surges?{query}")

    assert response.status_code == 400
    assert response.json()["fields"] == {query.partition("=")[0]: [sentence]}
