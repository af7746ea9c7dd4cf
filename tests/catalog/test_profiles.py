"""What is told of a profile: growth, what is usual for it, what stands out; and what is not told from too little."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.outliers import LEAST_VIDEOS, Course, compare, median_of
from catalog.profiles import profile
from crawler.models import AuthorSnapshot, MetricSnapshot
from tests.factories import AssetFactory, AuthorFactory, MetricSnapshotFactory, VideoFactory

RIPE = 30 * 24.0


def grown(video_id, total, *, age=RIPE):
    """Half of what it ever gets comes within the first day, as with most."""
    ages = [hours for hours in (1.0, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 168.0, 400.0, RIPE) if hours < age]
    return Course(id=video_id, ages=[*ages, age], counts=[round(total * at / (at + 24)) for at in [*ages, age]])


def even(count=9):
    return [grown(n, 10_000 + 500 * n) for n in range(count)]


def test_a_video_far_above_or_below_the_others_stands_out_and_an_even_profile_has_none():
    verdicts = compare([*even(), grown(100, 200_000), grown(101, 700)])

    assert verdicts[100].is_above
    assert 14 < verdicts[100].times < 18
    assert verdicts[101].is_below
    assert not any(verdicts[n].is_above or verdicts[n].is_below for n in range(9))
    assert not any(v.is_above or v.is_below for v in compare([grown(n, 1_000) for n in range(20)]).values())


def test_a_small_difference_in_a_very_even_profile_is_no_outlier():
    verdicts = compare([*(grown(n, 10_000) for n in range(10)), grown(100, 15_000)])

    assert verdicts[100].z > 3.5
    assert not verdicts[100].is_above


def test_a_young_video_is_compared_with_the_others_at_its_age():
    usual, early_hit = grown(100, 12_000, age=3.0), grown(101, 120_000, age=3.0)

    verdicts = compare([*even(), usual, early_hit])

    assert usual.count < 1_500  # of 12,000: far below the others as they stand
    assert not verdicts[100].is_below
    assert verdicts[101].is_above
    assert verdicts[101].others == 10


def test_a_young_video_is_not_compared_with_what_others_had_at_an_unknown_age():
    late = [Course(id=n, ages=[RIPE], counts=[10_000]) for n in range(9)]

    assert 100 not in compare([*late, grown(100, 10, age=3.0)])
    far_between = [Course(id=n, ages=[1.0, RIPE], counts=[10, 10_000]) for n in range(9)]
    assert 100 not in compare([*far_between, grown(100, 10, age=30.0)])


def test_young_videos_of_like_age_are_compared_as_they_stand():
    verdicts = compare(
        [*(Course(id=n, ages=[20.0 + n], counts=[1_000]) for n in range(8)), Course(id=9, ages=[24], counts=[9_000])]
    )

    assert verdicts[9].is_above
    assert verdicts[9].times == 9


def test_too_few_others_give_no_verdict_and_no_median():
    assert not compare(even(LEAST_VIDEOS))
    assert median_of(even(LEAST_VIDEOS - 1)) is None
    assert compare(even(LEAST_VIDEOS + 1))


def test_zeros_break_nothing():
    verdicts = compare([*(Course(id=n, ages=[RIPE], counts=[0]) for n in range(8)), Course(id=9, ages=[RIPE], counts=[500])])

    assert verdicts[9].times == 500
    assert verdicts[9].is_above
    assert not verdicts[0].is_below


@pytest.fixture
def author(db):
    return AuthorFactory(followers=2_000)


def published(author, *, days, **counts):
    """A video that was last looked at just now."""
    return VideoFactory(author=author, published_at=timezone.now() - timedelta(days=days), **counts)


def test_there_is_no_profile_of_nobody(db):
    assert profile(1) is None
    assert profile(2**63) is None


def test_outliers_come_with_their_median_the_farthest_first(author):
    usual = [published(author, days=10 + n, views=1_000 + n) for n in range(8)]
    hit, greater = published(author, days=20, views=30_000), published(author, days=21, views=90_000)
    flop = published(author, days=22, views=3)
    VideoFactory(views=10**9)  # another's

    found = profile(author.pk)

    assert [video.id for video in found.above] == [greater.pk, hit.pk]
    assert [video.id for video in found.below] == [flop.pk]
    assert found.median == 1_004
    assert 29 < found.above[1].verdict.times < 31
    assert found.metric == "views"
    assert found.seen == len(usual) + 3 == len(found.videos)


def test_a_young_hit_is_found_by_how_the_others_began(author):
    for n in range(8):
        video = published(author, days=30 + n, views=50_000)
        for hours, views in ((2, 400), (5, 900), (24, 20_000)):
            MetricSnapshotFactory(video=video, observed_at=video.published_at + timedelta(hours=hours), views=views)
    video = published(author, days=4 / 24, views=9_000)

    found = profile(author.pk)

    assert [outlier.id for outlier in found.above] == [video.pk]
    assert 10 < found.above[0].verdict.times < 14
    assert found.below == []


def test_where_no_views_are_shown_likes_are_compared(author):
    for n in range(8):
        published(author, days=10 + n, views=None, likes=100)
    hit = published(author, days=30, views=None, likes=4_000)

    found = profile(author.pk)

    assert found.metric == "likes"
    assert [video.id for video in found.above] == [hit.pk]
    assert found.engagement is None
    assert found.reactions_per_follower == 0.05


def test_engagement_is_of_views_and_the_rhythm_of_days(author):
    for n in range(10):
        published(author, days=3 * n + 1, views=1_000, likes=80, comments=10, shares=6, saves=4)

    found = profile(author.pk)

    assert found.engagement == pytest.approx(0.1)
    assert found.rhythm.gap == pytest.approx(timedelta(days=3), abs=timedelta(minutes=1))
    assert sum(found.rhythm.weeks) == 10
    assert found.rhythm.weeks[-1] == 2


def test_followers_are_the_profiles_own_and_before_those_what_its_videos_showed(author):
    now = timezone.now()
    video = published(author, days=9, views=10)
    for days, followers in ((8, 900), (6, 1_000), (1, 5)):
        MetricSnapshotFactory(video=video, observed_at=now - timedelta(days=days), followers=followers)
    for days, followers in ((3, 1_100), (2, 1_200), (1, 1_300)):
        AuthorSnapshot.objects.create(author=author, observed_at=now - timedelta(days=days), followers=followers)
    AuthorSnapshot.objects.create(author=author, observed_at=now, followers=None)

    found = profile(author.pk)

    assert [point.value for point in found.followers] == [900, 1_000, 1_100, 1_200, 1_300]
    assert found.followers_gained == 400


def test_a_profile_of_little_says_so_and_not_more(author):
    video = published(author, days=1, views=10)
    VideoFactory(author=author, published_at=None)
    MetricSnapshot.objects.all().delete()

    found = profile(author.pk)

    assert (found.seen, [v.id for v in found.videos]) == (2, [video.pk])
    assert (found.median, found.compared, found.rhythm, found.followers, found.followers_gained) == (None, 0, None, [], None)
    assert profile(AuthorFactory().pk).videos == []


def test_it_costs_five_statements_whatever_there_is(author, django_assert_num_queries):
    AssetFactory(of_author=True, author=author)
    for n in range(40):
        video = published(author, days=n / 2, views=1_000 * n)
        for hours in range(1, 12):
            MetricSnapshotFactory(video=video, observed_at=video.published_at + timedelta(hours=hours), views=100 * hours)

    with django_assert_num_queries(5):
        found = profile(author.pk)

    assert found.avatar.file is not None
