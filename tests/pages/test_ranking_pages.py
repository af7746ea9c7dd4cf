"""Why it ranks, what surges, what trends, and how good the alerts were: the pages that ranking has."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import ordering
from pages.calibration import BOTTOM, LEFT, RIGHT, TOP, places, wilson
from pages.templatetags.ranking import chance, points, rate, share, times
from pages.why import say
from ranking import services
from ranking.explanation import explain
from ranking.models import Milestone, RankingModel, Surge
from tests.factories import (
    BaselineFactory,
    MetricSnapshotFactory,
    RankingModelFactory,
    ScoreFactory,
    SourceFactory,
    SourceVideoFactory,
    SurgeFactory,
    VideoFactory,
)
from tests.pages.conftest import client_of
from tests.pages.conftest import text_of as any_text_of

pytestmark = pytest.mark.django_db


def ago(**period):
    return timezone.now() - timedelta(**period)


def text_of(response):
    assert response.status_code == 200
    return any_text_of(response)


def grown(**traits):
    """A video seen three times while it grew, and scored."""
    video = VideoFactory(published_at=ago(hours=8), **traits)
    for hours, views in ((6, 1_000), (3, 9_000), (0, 60_000)):
        MetricSnapshotFactory(
            video=video, observed_at=ago(hours=hours), views=views, likes=views // 9, comments=views // 80, shares=views // 200
        )
    services.rank([video.pk])
    return video


@pytest.fixture
def usual():
    return BaselineFactory(platform="douyin", age_bucket=2, median_rate=3.0, spread_rate=0.8)


# -- why -------------------------------------------------------------------------------------------


def test_a_card_says_why_without_any_script(client, usual):
    video = grown()

    page = text_of(client.get("/"))

    card = page[page.index('<details class="why">') : page.index("</details>", page.index('<details class="why">'))]
    assert "<summary>" in card
    assert "chance to be among the top 5 % by gain within a day" in card
    assert "as fast as usual at this age" in card
    assert card.count("<li>") in (2, 3)
    assert f"/videos/{video.pk}/?head=virality#why" in card


def test_the_order_that_is_asked_for_is_the_one_that_is_explained(client):
    grown()

    assert "by gain for its size" in text_of(client.get("/?ordering=-breakout"))


def test_what_no_model_has_spoken_of_is_shown_without_a_why(client):
    video = ScoreFactory().video

    assert '<details class="why">' not in text_of(client.get("/"))
    assert "No model has spoken of it yet" in text_of(client.get(f"/videos/{video.pk}/"))


@pytest.mark.parametrize(
    ("head", "question"),
    [
        ("virality", "top 5 % by gain within a day"),
        ("breakout", "by gain for its size"),
        ("surge", "what one video in twenty does"),
        ("nonsense", "top 5 % by gain within a day"),
    ],
)
def test_a_video_explains_each_head_in_bars_and_words(client, usual, head, question):
    video = grown()

    page = text_of(client.get(f"/videos/{video.pk}/?head={head}"))
    panel = page[page.index('id="why"') :].split("</section>")[0]

    assert question in panel
    assert panel.count("for it") + panel.count("against it") >= 4
    assert 'class="part-for"' in panel or 'class="part-against"' in panel
    assert "Views per hour" in panel
    assert "shipped: fitted on public series" in panel
    assert "Classic score" in page


def test_borrowed_coefficients_are_admitted_until_the_platform_is_known(client):
    video = grown()
    words = "Too few videos of this platform are known yet"

    assert words in text_of(client.get(f"/videos/{video.pk}/"))
    BaselineFactory(platform="douyin")
    assert words not in text_of(client.get(f"/videos/{video.pk}/"))


def test_bars_start_in_the_middle_and_the_largest_fills_its_half():
    video = grown()

    said = say(explain([video.pk])[video.pk])

    assert max(bar.width for bar in said.shares) == pytest.approx(50)
    assert all(bar.start == 50 if bar.points > 0 else bar.start + bar.width == pytest.approx(50) for bar in said.shares)


def test_the_chart_marks_what_was_foretold_and_what_came(client):
    video = grown()
    SurgeFactory(
        video=video,
        state="peaked",
        watched_at=ago(hours=5),
        alerted_at=ago(hours=4),
        peaked_at=ago(hours=1),
        reached_at=ago(hours=2),
    )

    page = text_of(client.get(f"/videos/{video.pk}/"))

    for kind in ("watch", "alert", "peak", "reached"):
        assert f'class="chart-mark {kind}"' in page
        assert f'<li class="{kind}">' in page  # the same for those who do not see the chart
    assert 'aria-describedby="chart-moments"' in page


# -- surging now -----------------------------------------------------------------------------------


def test_a_surge_tells_since_when_how_likely_how_fast_and_what_confirms_it(client, usual):
    video = grown(title="街头美食")
    SurgeFactory(
        video=video, alerted=True, alerted_at=ago(minutes=42), watched_at=ago(hours=1), confirmed_at=ago(minutes=42), level=10**9
    )

    page = text_of(client.get("/surging/"))

    for words in (
        "街头美食",
        "42 min ago",
        "Views per hour",
        "Times usual",
        "confirmed by likes, comments, shares",
        "1B foretold",
    ):
        assert words in page, words
    assert "No surge is open" not in page


def test_one_counter_alone_is_called_unconfirmed(client):
    SurgeFactory(video=grown())

    page = text_of(client.get("/surging/"))

    assert "unconfirmed: one counter only" in page
    assert "No surge is open" in page  # it is watched only


def test_what_was_seen_once_and_found_at_the_top_says_so(client):
    video = VideoFactory(published_at=ago(hours=4))
    MetricSnapshotFactory(video=video, observed_at=ago(minutes=3), views=632_000)
    services.rank([video.pk])
    Surge.objects.filter(video=video).delete()  # what it would say by the level of before
    SurgeFactory(video=video, level=619_000)

    page = text_of(client.get("/surging/"))

    assert "unconfirmed: seen once so far" in page
    assert "above the top level of 619K when found" in page


def test_an_empty_page_says_what_it_waits_for(client):
    assert "No video has been seen yet" in text_of(client.get("/surging/"))

    VideoFactory(first_seen_at=ago(days=3))
    page = text_of(client.get("/surging/"))

    assert "3 days ago" in page
    assert "It waits for a second look at the videos" in page
    assert "On Douyin, 1 video is known of the 30" in page

    VideoFactory.create_batch(30)
    assert "known of the 30" not in text_of(client.get("/surging/"))


# -- trends ----------------------------------------------------------------------------------------


def test_trends_say_nothing_of_calm_once_a_video_surged(client):
    for n in range(3):
        SurgeFactory(video=grown(hashtags=["a"]), alerted=n == 0)

    page = text_of(client.get("/trends/"))

    assert "1 of 3" in page
    assert "has surged" not in page


def test_trends_are_shown_by_group_and_period(client, member, membership):
    source = SourceFactory(workspace=membership.workspace, value="our topic")
    for _ in range(3):
        SourceVideoFactory(source=source, video=grown(hashtags=["街头 美食"]))

    page = text_of(client.get("/trends/"))

    assert "#街头 美食" in page
    assert "?hashtag=%E8%A1%97%E5%A4%B4+%E7%BE%8E%E9%A3%9F" in page
    assert "0 of 3" in page
    assert "None of their videos has surged in the last 24 hours." in page
    assert "No group is large enough yet" in text_of(client.get("/trends/?by=authors&period=7d"))
    assert "our topic" in text_of(member.get("/trends/?by=sources"))
    assert "Your sources" not in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("by=nothing&period=1y", ["topics, authors, sounds.", "24h, 7d."]),
        ("by=sources", ["topics, authors, sounds."]),
        ("by=&period=", []),
    ],
)
def test_what_trends_do_not_know_is_as_good_as_none_and_said_to_be(client, query, said):
    page = text_of(client.get(f"/trends/?{query}"))

    assert 'aria-current="true">Topics' in page
    assert re.findall(r"It is one of: ([^<]+\.)", page) == said


# -- quality ---------------------------------------------------------------------------------------


def test_the_quality_page_is_for_staff(client, member, staff_client):
    assert client.get("/ranking/quality/").status_code == 302
    assert member.get("/ranking/quality/").status_code == 403
    assert 'href="/ranking/quality/"' in text_of(staff_client.get("/"))
    assert 'href="/ranking/quality/"' not in text_of(member.get("/"))


def test_without_figures_it_says_what_is_counted_and_when_to_expect_them(staff_client):
    page = text_of(staff_client.get("/ranking/quality/"))

    assert "No figures yet" in page
    assert "has not after 3 days" in page
    assert "No video has been seen yet" in page
    assert "0 of 120 this hour" in page

    SurgeFactory(alerted=True, model=RankingModelFactory(state="retired"))
    assert "No alert has been judged yet" in text_of(staff_client.get("/ranking/quality/"))


def test_precision_recall_and_lead_stand_beside_the_classic_rules(staff_client):
    model = RankingModelFactory(state="retired")
    right, wrong, missed = VideoFactory(), VideoFactory(), VideoFactory()
    SurgeFactory(video=right, model=model, alerted=True, watched_at=ago(days=5), alerted_at=ago(days=5))
    SurgeFactory(video=wrong, model=model, alerted=True, watched_at=ago(days=5), alerted_at=ago(days=5))
    Milestone.objects.create(video=right, level=1, reached_at=ago(days=4), classic_at=ago(days=4, hours=6))
    Milestone.objects.create(video=missed, level=1, reached_at=ago(days=4), classic_at=ago(days=1))

    page = text_of(staff_client.get("/ranking/quality/"))

    assert "<dd>50 %</dd>" in page  # precision, and recall
    assert "<dd>24.0 h</dd>" in page
    assert "classic rule 6.0 h" in page
    assert "classic rule 100 %" in page
    assert 'class="calibration"' in page


def test_a_model_is_fitted_when_it_was_not_when_its_row_was_made(staff_client):
    grown()  # a shipped model is there from the first ranking on
    BaselineFactory(platform="douyin")
    page = text_of(staff_client.get("/ranking/quality/"))
    models = page[page.index("Models that speak") :]

    assert ">shipped</span>" in models
    assert "fitted<time" not in models.lower()
    assert ">Douyin<span" in models

    RankingModel.objects.update(origin="refit")
    assert "fitted<time" in text_of(staff_client.get("/ranking/quality/"))


def test_the_next_looks_are_shown_with_their_reason(staff_client):
    video = grown(title="猫咪日常")
    SurgeFactory(video=video, alerted=True)

    page = text_of(staff_client.get("/ranking/quality/"))

    assert "猫咪日常" in page[page.index("The next looks") :]
    assert "surging" in page[page.index("The next looks") :]


@pytest.mark.parametrize("path", ["/surging/", "/trends/", "/ranking/quality/", "/"])
def test_a_page_asks_no_more_statements_the_more_it_shows(staff, path):
    client = client_of(staff)
    model = RankingModelFactory(state="retired")

    def fill(count):
        for _ in range(count):
            SurgeFactory(video=grown(hashtags=["a"]), model=model, alerted=True, confirmed_at=timezone.now())

    def statements():
        client.get(path)
        ordering.forget()  # trusted for seconds only: which load reads it again must not be chance
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        return len(queries)

    fill(3)
    few = statements()
    fill(9)

    assert statements() <= few <= 20


# -- how numbers are written ------------------------------------------------------------------------


def test_chances_are_never_certain():
    assert [chance(value) for value in (None, 0.0, 0.004, 0.345, 0.994, 0.9999)] == [
        "–",
        "< 1 %",
        "< 1 %",
        "34 %",
        "99 %",
        "> 99 %",
    ]
    assert [share(value) for value in (None, 0.0, 1.0)] == ["–", "0 %", "100 %"]


def test_factors_rates_and_points_have_as_many_digits_as_say_something():
    assert [times(value) for value in (None, 0.734, 1.0, 6.31, 44.4, 1481.4)] == [
        "–",
        "0.73 ×",
        "1.0 ×",
        "6.3 ×",
        "44 ×",
        "1.4K ×",
    ]
    assert [rate(value) for value in (None, 0.0, 0.26, 224.9, 3376.2)] == ["–", "+0.0", "+0.3", "+224", "+3.3K"]
    assert [points(value) for value in (3.14, -0.5)] == ["+3.1", "−0.5"]


def test_a_share_of_few_has_a_wide_interval_within_its_bounds():
    assert wilson(0, 3)[0] == 0
    assert wilson(3, 3)[1] == 1
    low, high = wilson(50, 100)
    assert 0.40 < low < 0.41
    assert 0.59 < high < 0.60


def test_groups_of_surges_lie_inside_the_plot():
    found = places([(0.0, 4, 0), (0.5, 0, 0), (1.0, 100, 100)])

    assert [(place.x, place.y) for place in found] == [(LEFT, BOTTOM), (RIGHT, TOP)]
    assert found[0].radius < found[1].radius
    assert all(TOP <= place.high <= place.low <= BOTTOM for place in found)
