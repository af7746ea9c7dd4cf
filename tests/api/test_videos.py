"""The feed, a video, its history, its author."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from analysis.models import Category
from api.videos import FeedQuery
from catalog.filters import PARSERS
from crawler.models import Video
from tests.api.conftest import ApiClient, People
from tests.factories import (
    AssetFactory,
    AuthorFactory,
    CategoryFactory,
    MetricSnapshotFactory,
    ScoreFactory,
    SourceFactory,
    SourceVideoFactory,
    VideoFactory,
)


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.content
    return [card["id"] for card in response.json()["results"]]


def test_the_document_names_every_filter_there_is() -> None:
    assert set(FeedQuery().fields) == {*PARSERS, "limit", "cursor"}


def test_the_feed_goes_by_score_page_after_page(anonymous: ApiClient) -> None:
    scores = [ScoreFactory.create(classic=float(n)) for n in range(5)]

    seen, url = [], "/api/videos?limit=2"
    while url:
        page = anonymous.get(url)
        seen += ids(page)
        assert len(page.json()["results"]) <= 2
        url = page.json()["next"]

    assert seen == [score.video_id for score in reversed(scores)]


def test_the_next_page_keeps_the_filters(anonymous: ApiClient) -> None:
    for n in range(3):
        VideoFactory.create(title=f"猫 {n} & more", views=n)
    VideoFactory.create(title="狗")

    first = anonymous.get(f"/api/videos?q={quote('猫')}&ordering=-views&limit=2").json()
    second = anonymous.get(first["next"]).json()

    assert [card["views"] for card in first["results"] + second["results"]] == [2, 1, 0]
    assert second["next"] is None


def test_a_card_says_null_where_the_platform_shows_nothing(anonymous: ApiClient) -> None:
    video = VideoFactory.create(views=None, saves=0, author=None, published_at=None)
    ScoreFactory.create(video=video, momentum=None)

    [card] = anonymous.get("/api/videos").json()["results"]

    assert (card["views"], card["saves"], card["author"], card["published_at"]) == (None, 0, None, None)
    assert card["cover_url"] is None
    assert card["download_status"] == "pending"


def test_a_cover_is_a_whole_address(anonymous: ApiClient) -> None:
    score = ScoreFactory.create()
    AssetFactory.create(video=score.video, role="cover", quality="", object__mime="image/webp")

    [card] = anonymous.get("/api/videos").json()["results"]

    assert card["cover_url"].startswith("http://testserver/media/")


@pytest.mark.parametrize(
    "query",
    [
        "platform=douyin",
        "kind=carousel",
        "hashtag=%23cats",
        "category=animals",
        "q=kitten",
        "min_views=500",
        "min_score=10.5",
        "surging=true",
        "published_after=2026-11-01",
        "published_before=2026-11-10T00:00:00Z&published_after=2026-11-01",
        "download_status=ready",
    ],
)
def test_each_filter_narrows(anonymous: ApiClient, query: str) -> None:
    wanted = VideoFactory.create(
        kind="carousel", title="Kitten", hashtags=["cats"], category="animals", views=500,
        published_at=datetime(2026, 11, 5, tzinfo=UTC),
    )  # fmt: skip
    ScoreFactory.create(video=wanted, classic=20.0, surging=True)
    AssetFactory.create(video=wanted)
    other = VideoFactory.create(platform="tiktok", views=499, published_at=datetime(2026, 10, 1, tzinfo=UTC))
    ScoreFactory.create(video=other, classic=10.0)

    assert ids(anonymous.get(f"/api/videos?{query}")) == [wanted.pk]
    assert len(ids(anonymous.get("/api/videos"))) == 2


def test_author_and_sound_are_filters_too(anonymous: ApiClient) -> None:
    score = ScoreFactory.create()
    ScoreFactory.create()

    assert ids(anonymous.get(f"/api/videos?author={score.video.author_id}")) == [score.video_id]
    assert ids(anonymous.get("/api/videos?author=999999&sound=1")) == []


@pytest.mark.parametrize(
    "query",
    [
        *("sort=new", "page=2", "offset=10", "kind=live", "ordering=views", "download_status=done", "surging=maybe", "surging=1"),
        *("min_views=-1", "min_views=1.5", "min_views=x", "min_views=9223372036854775808", "min_score=nan", "min_score=inf"),
        *("published_after=yesterday", "published_after=2026-13-01", "platform=My Space", "q=%00", "q=a", "hashtag=%23"),
        *(
            "author=x",
            "sound=-1",
            "source=0x1",
            "limit=0",
            "limit=101",
            "limit=",
            "cursor=",
            "kind=",
            "cursor=!!!",
            "cursor=AAAA",
        ),
        *("author=1&author=2", "category=" + "x" * 101, "cursor=" + "x" * 501, "ordering=-views&ordering=-score"),
    ],
)
def test_an_unknown_name_or_value_is_a_400_that_names_it(anonymous: ApiClient, query: str) -> None:
    response = anonymous.get(f"/api/videos?{query}")

    assert response.status_code == 400, response.content
    assert response.json()["code"] == "invalid"
    assert list(response.json()["fields"]) == [query.partition("=")[0]]


@pytest.mark.parametrize("path", ["/api/videos", "/api/videos/export"])
def test_a_platform_or_category_that_there_is_not_is_refused_with_those_there_are(anonymous: ApiClient, path: str) -> None:
    CategoryFactory.create(name="Food")
    VideoFactory.create(platform="vimeo")

    response = anonymous.get(f"{path}?platform=myspace&category=fod")

    assert response.status_code == 400
    assert response.json()["fields"] == {
        "platform": ["Must be one of: douyin, tiktok, vimeo."],
        "category": ["Must be one of: food."],
    }


@pytest.mark.parametrize("platform", ["douyin", "vimeo"])
def test_a_platform_is_known_by_who_reads_it_or_by_its_videos(anonymous: ApiClient, platform: str) -> None:
    video = ScoreFactory.create(video__platform="vimeo").video

    assert ids(anonymous.get(f"/api/videos?platform={platform}")) == ([video.pk] if platform == "vimeo" else [])


def test_a_former_category_filters_as_what_it_became(anonymous: ApiClient) -> None:
    food = CategoryFactory.create(name="Food")
    CategoryFactory.create(name="Snacks", merged_into=food)
    video = ScoreFactory.create(video__category="food").video

    assert ids(anonymous.get("/api/videos?category=snacks")) == [video.pk]


def test_an_address_without_parameters_says_so(anonymous: ApiClient) -> None:
    response = anonymous.get(f"/api/videos/{VideoFactory.create().pk}?qualty=1")

    assert response.status_code == 400
    assert response.json()["fields"] == {"qualty": ["This address takes no parameters."]}


def test_all_mistakes_are_named_at_once(anonymous: ApiClient) -> None:
    response = anonymous.get("/api/videos?kind=live&limit=x&nonsense=1&surging=perhaps")

    assert set(response.json()["fields"]) == {"kind", "limit", "nonsense", "surging"}


def test_a_cursor_of_another_ordering_is_refused(anonymous: ApiClient) -> None:
    for _ in range(2):
        ScoreFactory.create()
    url = anonymous.get("/api/videos?limit=1").json()["next"]

    response = anonymous.get(f"{url}&ordering=-views")

    assert list(response.json()["fields"]) == ["cursor"]


def test_a_source_filters_only_for_its_own_workspace(people: People) -> None:
    mine = SourceVideoFactory.create(source__workspace=people.owner.workspace)
    ScoreFactory.create(video=mine.video)
    query = f"/api/videos?source={mine.source_id}"

    assert ids(people.client("viewer").get(query)) == [mine.video_id]
    for role in ("anonymous", "foreigner", "staff"):
        assert people.client(role).get(query).status_code == 404
    assert people.client("viewer").get("/api/videos?source=999999").status_code == 404


def test_a_page_costs_one_statement_however_long(anonymous: ApiClient, django_assert_num_queries: Any) -> None:
    for _ in range(20):
        score = ScoreFactory.create()
        AssetFactory.create(video=score.video, role="cover", quality="", object__mime="image/webp")
    anonymous.get("/api/videos")

    with django_assert_num_queries(1):
        assert len(ids(anonymous.get("/api/videos"))) == 20


def test_a_video_comes_with_its_files_and_links_that_play(anonymous: ApiClient) -> None:
    asset = AssetFactory.create(video__sound=None)
    AssetFactory.create(video=asset.video, role="thumbnail", quality="", position=50, object__mime="image/webp")
    AssetFactory.create(video=asset.video, quality="720", wanted=True)

    document = anonymous.get(f"/api/videos/{asset.video_id}").json()
    assert asset.object

    assert [(file["role"], file["quality"], file["position"]) for file in document["files"]] == [
        ("thumbnail", "", 50),
        ("video", "best", 0),
    ]
    assert document["files"][1]["sha256"] == asset.object.sha256
    assert document["files"][1]["url"].startswith("http://testserver/media/")
    assert document["sound"] is None
    assert document["download_status"] == "ready"


def test_sources_of_a_video_are_shown_to_their_own_workspace(people: People) -> None:
    sighting = SourceVideoFactory.create(source__workspace=people.owner.workspace)
    SourceVideoFactory.create(video=sighting.video)
    path = f"/api/videos/{sighting.video_id}"

    assert [source["source_id"] for source in people.client("viewer").get(path).json()["sources"]] == [sighting.source_id]
    assert people.client("anonymous").get(path).json()["sources"] == []


@pytest.mark.parametrize(
    ("role", "status"), [("anonymous", 401), ("viewer", 403), ("editor", 200), ("owner", 200), ("staff", 200)]
)
def test_editors_and_staff_choose_the_category(people: People, role: str, status: int) -> None:
    video = VideoFactory.create()

    response = people.client(role).send("PATCH", f"/api/videos/{video.pk}", {"category": " 动物\n \u202eworld"})

    assert response.status_code == status
    video.refresh_from_db()
    assert video.category == ("动物-world" if status == 200 else "")
    assert [category.name for category in Category.objects.all()] == (["动物 world"] if status == 200 else [])


def test_a_category_is_found_by_any_spelling_and_by_a_name_it_had(people: People) -> None:
    food = CategoryFactory.create(name="Street Food")
    CategoryFactory.create(name="Snacks", merged_into=food)
    video = VideoFactory.create()

    for spelling in ("street-food", "STREET  FOOD", "snacks"):
        answer = people.client("editor").send("PATCH", f"/api/videos/{video.pk}", {"category": spelling})
        assert answer.json()["category"] == "street-food"
    assert people.client("editor").send("PATCH", f"/api/videos/{video.pk}", {"category": ""}).json()["category"] == ""
    assert Category.objects.count() == 2


@pytest.mark.parametrize("field", sorted({field.name for field in Video._meta.get_fields()} - {"category"}))
def test_nothing_else_of_a_video_can_be_assigned(people: People, field: str) -> None:
    video = VideoFactory.create()
    before = Video.objects.values().get()

    response = people.client("staff").send("PATCH", f"/api/videos/{video.pk}", {field: 1, "category": "x"})

    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]
    assert Video.objects.values().get() == before


@pytest.mark.parametrize("category", ["x" * 61, None, 5, ["x"]])
def test_a_category_is_a_short_plain_text(people: People, category: Any) -> None:
    video = VideoFactory.create()

    response = people.client("editor").send("PATCH", f"/api/videos/{video.pk}", {"category": category})

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["category"]


def test_a_history_is_told_in_pages_back_to_its_beginning(anonymous: ApiClient) -> None:
    score = ScoreFactory.create(momentum=0.25)
    start = timezone.now() - timedelta(hours=5)
    for hour in range(5):
        MetricSnapshotFactory.create(video=score.video, observed_at=start + timedelta(hours=hour), views=hour, saves=None)

    pages, url = [], f"/api/videos/{score.video_id}/metrics?limit=2"
    while url:
        document = anonymous.get(url).json()
        pages.append([seen["views"] for seen in document["history"]])
        url = document["next"]

    assert pages == [[3, 4], [1, 2], [0]]
    assert document["history"][0]["saves"] is None
    assert document["score"]["momentum"] == 0.25


def test_the_score_is_explained_by_its_parts(anonymous: ApiClient) -> None:
    score = ScoreFactory.create(video__views=1000, video__likes=100, video__shares=None)

    parts = anonymous.get(f"/api/videos/{score.video_id}/metrics").json()["score"]["parts"]

    assert [(part["metric"], part["count"]) for part in parts] == [("views", 1000), ("likes", 100)]
    assert sum(part["weight"] for part in parts) == pytest.approx(1.0)
    assert all(part["points"] == pytest.approx(part["count"] * part["weight"]) for part in parts)


@pytest.mark.parametrize("cursor", ["!", "AAAA", "MjAyNi0xMS0yMA", "MjAyNi0xMS0yMFQxMjowMDowMA"])
def test_a_wrong_cursor_of_a_history_is_named(anonymous: ApiClient, cursor: str) -> None:
    response = anonymous.get(f"/api/videos/{VideoFactory.create().pk}/metrics?cursor={cursor}")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["cursor"]


def test_an_author_is_shown(anonymous: ApiClient) -> None:
    author = AuthorFactory.create(followers=None, bio="<script>")

    document = anonymous.get(f"/api/authors/{author.pk}").json()

    assert document["name"] == author.name
    assert (document["followers"], document["bio"]) == (None, "<script>")
    assert anonymous.get(f"/api/authors/{author.pk + 1}").status_code == 404


def test_a_deleted_workspace_member_sees_no_sources(people: People) -> None:
    SourceFactory.create(workspace=people.viewer.workspace)
    client = people.client("viewer")
    people.viewer.delete()

    assert client.get("/api/sources").status_code == 403


def test_a_wrong_ordering_is_told_all_that_are_taken(anonymous: ApiClient) -> None:
    refused = anonymous.get("/api/videos?ordering=best")

    assert refused.status_code == 400
    taken = refused.json()["fields"]["ordering"][0].partition(": ")[2].removesuffix(".").split(", ")
    assert {"newest", "-published_at", "classic", "-score"} <= set(taken)
    assert {anonymous.get(f"/api/videos?ordering={ordering}").status_code for ordering in taken} == {200}
