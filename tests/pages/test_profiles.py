"""The author's public page and the page of the source that watches them: growth, what is usual, what stands out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crawler.models import AuthorSnapshot
from tests.factories import AuthorFactory, ScoreFactory, SourceFactory, SourceVideoFactory, VideoFactory
from tests.pages.conftest import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def author():
    """Followed three times; of ten videos one did far better."""
    author = AuthorFactory(
        platform="tiktok", handle="her", name="Her Name", followers=1_234_567, following=12, likes=9_876_543, video_count=345,
        is_verified=True,
    )  # fmt: skip
    for days, followers in ((2, 1_000_000), (1, 1_100_000), (0, 1_234_567)):
        AuthorSnapshot.objects.create(
            author=author, observed_at=timezone.now() - timedelta(days=days, minutes=1), followers=followers
        )
    for n in range(9):
        video(author, days=10 + n, views=10_000 + n, title=f"usual {n}")
    video(author, days=20, views=120_000, title="the great hit")
    return author


def video(author, *, days, **facts):
    return ScoreFactory(
        video__author=author, video__published_at=timezone.now() - timedelta(days=days),
        **{f"video__{name}": value for name, value in facts.items()},
    ).video  # fmt: skip


def test_everybody_sees_how_a_profile_grows_and_what_stands_out(client, author):
    page = text_of(client.get(f"/authors/{author.pk}/"))

    for words in ("Her Name", "@her", "1.2M", "9.8M", "345", "Followers over time", "+234K since", "(3 looks)"):
        assert words in page
    assert "11.9 × the profile’s median" in page or "12 × the profile’s median" in page
    assert "120K views, where 9 others of a like age have 10K" in page
    assert page.count('class="spot') == 10
    assert page.count('class="spot above"') == 1
    assert "every" in page  # how often is posted


def test_followers_that_did_not_change_are_said_to_be_unchanged(client):
    author = AuthorFactory()
    for days in (2, 1):
        AuthorSnapshot.objects.create(author=author, observed_at=timezone.now() - timedelta(days=days), followers=199_242)

    page = text_of(client.get(f"/authors/{author.pk}/"))

    assert "no change since" in page
    assert "+0" not in page


def test_the_page_of_the_watching_source_shows_the_same_to_its_members(member, stranger, membership, author):
    source = SourceFactory(workspace=membership.workspace, platform="tiktok", kind="profile", value="her", author=author)

    page = text_of(member.get(f"/sources/{source.pk}/"))

    assert page.count("<h1") == 1
    assert "Followers over time" in page
    assert "the great hit" in page
    assert "the profile’s median" in page
    assert stranger.get(f"/sources/{source.pk}/").status_code == 404


def test_whose_profile_it_is_is_told_from_its_handle_or_its_videos_until_it_is_known(member, membership):
    by_handle = SourceFactory(workspace=membership.workspace, platform="tiktok", kind="profile", value="her")
    AuthorFactory(platform="tiktok", handle="her", name="By her handle")
    by_videos = SourceFactory(workspace=membership.workspace, kind="profile", value="MS4wLjABAAAA")
    SourceVideoFactory(source=by_videos, video=VideoFactory(author__name="By his videos"))
    unread = SourceFactory(workspace=membership.workspace, kind="profile", value="MS4wLjABBBBB")
    topic = SourceFactory(workspace=membership.workspace, value="her")

    assert "By her handle" in text_of(member.get(f"/sources/{by_handle.pk}/"))
    assert "By his videos" in text_of(member.get(f"/sources/{by_videos.pk}/"))
    for source in (unread, topic):
        assert "Followers over time" not in text_of(member.get(f"/sources/{source.pk}/"))


@pytest.mark.parametrize("videos", [0, 1, 4])
def test_a_profile_of_few_videos_says_that_it_is_too_little_to_compare(client, videos):
    author = AuthorFactory()
    for n in range(videos):
        video(author, days=n + 1, views=100 * 10**n)

    page = text_of(client.get(f"/authors/{author.pk}/"))

    assert "Too little to compare" in page
    assert "it takes 7 of a like age" in page
    assert "The platform has not shown its followers yet." in page
    assert "×" not in page.split("All its videos")[0]


def test_its_videos_are_put_in_order_by_the_url(client, author):
    def rows(sort):
        page = text_of(client.get(f"/authors/{author.pk}/?sort={sort}"))
        assert "There is no such filter" not in page
        return page.split('<table class="compared">')[1].split("<tbody>")[1]

    assert rows("newest").index("usual 0") < rows("newest").index("the great hit")
    for sort in ("count", "times"):
        assert rows(sort).index("the great hit") < rows(sort).index("usual 0")
    assert rows("nonsense") == rows("newest")


def test_the_page_costs_the_same_for_many_videos(client, author, django_assert_max_num_queries):
    client.get(f"/authors/{author.pk}/")  # the first one reads what a process keeps
    for n in range(40):
        video(author, days=n / 3, views=1_000 * n)
    with django_assert_max_num_queries(16):
        client.get(f"/authors/{author.pk}/")
