"""Assets in the admin: what they are, why they failed, and fetched again; the queue as programs see it."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from downloads.models import Asset, AssetJob, AssetState
from tests.factories import AssetFactory, AssetJobFactory, SoundFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:downloads_asset_changelist")


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return client


def test_assets_of_every_kind_are_listed_with_their_reason(staff: Client) -> None:
    AssetFactory.create(of_author=True)
    AssetFactory.create(video=None, sound=SoundFactory.create(title="A song"), role="audio", quality="")
    AssetFactory.create(role="cover", quality="", state=AssetState.FAILED, object=None, error_code="not_a_picture")

    page = staff.get(LIST).content.decode()

    assert "A song" in page
    assert "not_a_picture" in page
    assert staff.get(LIST, {"state__exact": "failed", "q": "x"}).status_code == 200


def test_a_job_says_which_slide_of_which_video_it_brings(staff: Client) -> None:
    carousel = VideoFactory.create(title="Ten dishes " * 9)
    AssetJobFactory.create(asset__video=carousel, asset__role="slide", asset__position=6)
    AssetJobFactory.create(asset__video=carousel)
    AssetJobFactory.create(asset__of_author=True, asset__role="avatar", asset__author__name="Her Name")

    page = staff.get(reverse("admin:downloads_assetjob_changelist")).content.decode()

    said = re.findall(r"field-show_(asset|owner)[^>]*>(?:\s*<[^>]+>)*\s*([^<]+?)\s*<", page)
    assert said == [
        ("asset", "avatar"), ("owner", "Her Name"),
        ("asset", "cover"), ("owner", "Ten dishes Ten dishes Ten dishes Ten dishes Ten dishes Ten …"),
        ("asset", "slide 7"), ("owner", "Ten dishes Ten dishes Ten dishes Ten dishes Ten dishes Ten …"),
    ]  # fmt: skip


def test_many_are_fetched_again_at_once_and_the_rest_is_said(staff: Client) -> None:
    video = VideoFactory.create(cover_url="https://p3.example.org/c.jpeg")
    failed = AssetFactory.create(video=video, role="cover", quality="", state=AssetState.FAILED, object=None)
    kept = AssetFactory.create(video=VideoFactory.create(cover_url="https://p3.example.org/d.jpeg"), role="cover", quality="")
    nowhere = AssetFactory.create(role="cover", quality="", wanted=True)

    answer = staff.post(
        LIST, {"action": "fetch_again", "_selected_action": [failed.pk, kept.pk, nowhere.pk]}, follow=True
    ).content.decode()

    assert "2 assets are fetched again." in answer
    assert "1 was left" in answer
    assert set(AssetJob.objects.values_list("asset", flat=True)) == {failed.pk, kept.pk}
    assert Asset.objects.get(pk=failed.pk).state == AssetState.WANTED
    assert Asset.objects.get(pk=kept.pk).state == AssetState.READY, "it stays until the new one is there"


def test_the_queue_counts_them_by_state(client: Client) -> None:
    AssetJobFactory.create()
    AssetJobFactory.create(completed=True)

    [counts] = [row for row in client.get("/api/queues").json()["results"] if row["kind"] == "asset"]

    assert (counts["waiting"], counts["completed"], counts["active"], counts["failed"], counts["delayed"]) == (1, 1, 0, 0, 0)
