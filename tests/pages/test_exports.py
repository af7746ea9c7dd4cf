"""Every list has its export, of what the URL says and of what the visitor may see."""

import re

import pytest
from constance import config

from tests.factories import ScoreFactory, SourceFactory, SourceVideoFactory, VideoFactory
from tests.pages.conftest import text_of

pytestmark = pytest.mark.django_db


def body_of(response):
    return b"".join(response.streaming_content).decode("utf-8-sig")


@pytest.mark.parametrize(("extension", "mime"), [("csv", "text/csv; charset=utf-8"), ("json", "application/json")])
def test_it_is_saved_as_a_file(client, extension, mime):
    ScoreFactory(video__title="the one")
    VideoFactory(views=3)

    response = client.get(f"/export/videos.{extension}?min_views=100")

    assert response["Content-Type"] == mime
    assert re.fullmatch(rf'attachment; filename="groundswell-videos-[\d-]+\.{extension}"', response["Content-Disposition"])
    assert response["Cache-Control"] == "private, no-store"
    assert "the one" in body_of(response)
    assert client.head(f"/export/videos.{extension}").status_code == 200
    assert client.post(f"/export/videos.{extension}").status_code == 405


@pytest.mark.parametrize("query", ["colour=red", "min_views=many", "ordering=sideways", "q=%00"])
def test_what_is_not_understood_is_no_file(client, query):
    assert client.get(f"/export/videos.csv?{query}").status_code == 400


def test_what_a_source_has_shown_is_for_its_workspace(client, member, stranger, membership):
    source = SourceFactory(workspace=membership.workspace)
    SourceVideoFactory(source=source, video__title="ours")

    assert "ours" in body_of(member.get(f"/export/videos.csv?source={source.pk}&ordering=-published_at"))
    for other in (client, stranger):
        assert other.get(f"/export/videos.csv?source={source.pk}").status_code == 404
        assert other.get(f"/?source={source.pk}").status_code == 404
    assert member.get(f"/?source={source.pk}").status_code == 200


def test_too_many_in_a_minute_are_refused_and_a_person_may_more_than_a_stranger(client, member):
    config.EXPORTS_ANONYMOUS_PER_MINUTE = 2
    config.EXPORTS_USER_PER_MINUTE = 3

    answers = [client.get("/export/videos.csv") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert "Too many exports in this minute." in text_of(answers[-1])
    assert client.get("/api/videos/export").status_code == 429
    assert [member.get("/export/videos.csv").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_lists_offer_the_export_of_what_they_show(client, member, membership):
    video = ScoreFactory(video__category="food").video
    source = SourceFactory(workspace=membership.workspace)
    SourceVideoFactory(source=source, video=video)

    assert "/export/videos.csv?kind=clip&amp;min_views=5" in text_of(client.get("/?kind=clip&min_views=5"))
    assert f"/export/videos.json?author={video.author_id}&amp;ordering=-published_at" in text_of(
        client.get(f"/authors/{video.author_id}/")
    )
    assert f"/export/videos.csv?source={source.pk}&amp;ordering=-published_at" in text_of(member.get(f"/sources/{source.pk}/"))
