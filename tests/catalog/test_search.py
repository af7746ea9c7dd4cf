"""Search: what it finds in any script, by whichever plan, and that grams never hide a match."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import feed as feed_module
from catalog.feed import feed
from catalog.filters import ORDERINGS, Filters
from catalog.models import SearchText
from catalog.search_plans import FirstWalk, Way, choose
from tests.factories import ScoreFactory, VideoFactory

pytestmark = pytest.mark.django_db


PLANS = {
    "the first walk": (1_000, Way.GATHERING, 0),
    "gathering": (1, Way.GATHERING, 0),
    "looking, in vain": (1, Way.LOOKING, 3),
    "looking": (1, Way.LOOKING, 1_000),
    "passing, in vain": (1, Way.PASSING, 3),
    "passing": (1, Way.PASSING, 1_000),
}


@pytest.fixture(params=list(PLANS.values()), ids=list(PLANS))
def _plan(request, monkeypatch):
    first, way, rows = request.param
    monkeypatch.setattr(feed_module, "FIRST_WALK", first)
    monkeypatch.setattr(feed_module, "choose", lambda *_, **__: (way, rows))


@pytest.mark.usefixtures("_plan")
@pytest.mark.parametrize(
    ("q", "finds"),
    [
        ("美食", True),
        ("美", True),
        ("ＳＴＲＥＥＴ", True),
        ("food st", True),
        ("50% off_", True),
        ("đường", True),
        ("🍜", True),
        ("食美", False),
        ("streets", False),
        ("50_", False),
        ("美食 nothing", False),
    ],
)
def test_a_search_finds_the_words_in_any_script_and_order(q, finds):
    for n in range(3):
        ScoreFactory(classic=100 + n)
    wanted = ScoreFactory(classic=1, video__title="【街头】美食🍜 Street FOOD st. ĐƯỜNG phố 50% off_x").video

    found = [card.id for card in feed(Filters(q=q), limit=1).cards]

    assert found == ([wanted.pk] if finds else [])


@pytest.mark.usefixtures("_plan")
def test_a_search_pages_like_any_feed():
    made = [ScoreFactory(classic=n % 3, video__title=f"舞蹈 {n}").video_id for n in range(7)]
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = feed(Filters(q="舞蹈"), cursor=cursor, limit=2)
        found += [card.id for card in page.cards]
        cursor = page.next_cursor

    assert len(found) == len(set(found)) == 7
    assert set(found) == set(made)


@pytest.mark.usefixtures("_plan")
@pytest.mark.parametrize("ordering", list(ORDERINGS))
def test_a_search_may_be_narrowed_and_ordered(ordering):
    wanted = [
        ScoreFactory(surging=True, classic=n, video__title=f"舞蹈 {n}", video__kind="carousel", video__views=n).video_id
        for n in (1, 2, 3)
    ]
    ScoreFactory(surging=True, classic=9, video__title="舞蹈", video__views=99)
    ScoreFactory(classic=8, video__title="舞蹈", video__kind="carousel")

    filters = Filters(q="舞蹈", surging=True, kind="carousel", min_views=2, min_score=2, ordering=ordering)

    assert {card.id for card in feed(filters).cards} == set(wanted[1:])


def test_a_new_title_is_found_and_the_old_one_is_not():
    video = ScoreFactory(video__title="旧标题").video
    video.title = "新标题"
    video.save()

    assert feed(Filters(q="旧标")).cards == []
    assert [card.id for card in feed(Filters(q="新标")).cards] == [video.pk]


def test_a_new_count_of_views_leaves_the_search_text_alone():
    video = VideoFactory()

    def version():
        with connection.cursor() as cursor:
            cursor.execute("SELECT xmin::text FROM catalog_searchtext WHERE video_id = %s", [video.pk])
            return cursor.fetchone()

    before = version()
    video.views = 77_777
    video.save()

    assert version() == before


def test_a_deleted_video_leaves_no_search_text():
    VideoFactory().delete()

    assert not SearchText.objects.exists()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30),
    start=st.integers(0, 29),
    length=st.integers(1, 8),
)
def test_every_text_has_the_grams_of_every_term_in_it(text, start, length):
    with connection.cursor() as cursor:
        cursor.execute("SELECT catalog_fold(%s)", [text])
        (folded,) = cursor.fetchone()
        for term in folded[start : start + length].split():
            cursor.execute("SELECT catalog_grams(%s) @> catalog_term_grams(%s)", [folded, term])
            assert cursor.fetchone() == (True,), (folded, term)


@pytest.mark.parametrize(
    ("has_terms", "found", "videos", "way"),
    [
        (0, 0, 1_000_000, Way.GATHERING),
        (1, 1, 1_000_000, Way.GATHERING),
        (6, 6, 1_000_000, Way.PASSING),
        (30, 30, 1_000_000, Way.LOOKING),
        (6, 6, 20_000, Way.GATHERING),
        (0, 0, 1_000, Way.GATHERING),
        (120, 4, 1_000_000, Way.LOOKING),
        (120, 0, 1_000_000, Way.PASSING),
    ],
)
def test_a_search_goes_on_as_its_first_rows_suggest(has_terms, found, videos, way):
    narrowed = has_terms != found

    assert choose(FirstWalk(has_terms=has_terms, found=found), limit=51, videos=videos, narrowed=narrowed)[0] is way
