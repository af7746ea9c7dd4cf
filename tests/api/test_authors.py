"""An author over the API: facts, growth, outliers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crawler.models import AuthorSnapshot
from tests.factories import AssetFactory, AuthorFactory, VideoFactory

pytestmark = pytest.mark.django_db


def test_an_author_comes_with_growth_and_outliers(client):
    author = AuthorFactory(followers=300, following=7, likes=9_000, video_count=12)
    AssetFactory(of_author=True, author=author)
    for days in (2, 1, 0):
        AuthorSnapshot.objects.create(
            author=author, observed_at=timezone.now() - timedelta(days=days), followers=300 - 100 * days
        )
    for n in range(8):
        VideoFactory(author=author, published_at=timezone.now() - timedelta(days=20 + n), views=1_000)
    hit = VideoFactory(author=author, published_at=timezone.now() - timedelta(days=9), views=40_000)

    answer = client.get(f"/api/authors/{author.pk}").json()

    assert (answer["followers"], answer["following"], answer["likes"], answer["video_count"]) == (300, 7, 9_000, 12)
    assert answer["avatar_url"].startswith("http")
    told = answer["performance"]
    assert [(point["followers"]) for point in told["followers_history"]] == [100, 200, 300]
    assert told["followers_gained"] == 200
    assert [(row["id"], row["side"], row["times"], row["compared_with"]) for row in told["outliers"]] == [
        (hit.pk, "above", 40.0, 8)
    ]
    assert told["median"] == 1_000


def test_an_author_of_whom_little_is_known_has_nulls_not_guesses(client):
    answer = client.get(f"/api/authors/{AuthorFactory().pk}").json()

    assert answer["avatar_url"] is None
    told = answer["performance"]
    assert (told["median"], told["engagement"], told["outliers"], told["followers_history"]) == (None, None, [], [])
    assert client.get("/api/authors/999999").status_code == 404
