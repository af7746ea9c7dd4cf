"""Category pages: counts, the feed of one, merged ones, and the links that lead there."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import CategoryFactory, ScoreFactory, SurgeFactory, VideoFactory
from tests.pages.conftest import text_of

pytestmark = pytest.mark.django_db


def test_nothing_sorted_yet_says_how_it_comes(client):
    assert "Nothing is sorted yet" in text_of(client.get("/categories/"))


def test_the_overview_counts_videos_and_the_share_that_surged(client):
    CategoryFactory(name="Food", slug="food", is_from_model=True)
    CategoryFactory(name="Travel", slug="travel")
    CategoryFactory(name="Cars", slug="cars")
    old = timezone.now() - timedelta(days=60)
    food = [VideoFactory(category="food") for _ in range(3)]
    SurgeFactory(video=VideoFactory(category="food", published_at=old), alerted=True)
    for video in food[:2]:
        SurgeFactory(video=video, alerted=True)
        SurgeFactory(video=video, alerted=True, state="cleared")
    SurgeFactory(video=food[2])  # watched, never alerted
    VideoFactory(category="travel")

    page = text_of(client.get("/categories/"))

    assert "Surged: of the videos" in page
    assert page.index(">Food<") < page.index(">Travel<") < page.index("Without videos") < page.index(">Cars<")
    assert "4 videos" in page
    assert "67 % surged" in page  # two of the three of the last days, each once
    assert page.count("by the model") == 1


def test_what_surged_means_is_told_only_where_something_has(client):
    VideoFactory(category=CategoryFactory().slug)

    assert "Surged:" not in text_of(client.get("/categories/"))


def test_the_overview_costs_the_same_however_many_categories(client):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            client.get("/categories/")
        return len(queries)

    ScoreFactory(video__category=CategoryFactory().slug)
    client.get("/categories/")
    before = cost()
    for _ in range(5):
        ScoreFactory(video__category=CategoryFactory().slug)

    assert cost() == before


def test_a_category_has_the_feeds_orderings_and_filters(client):
    CategoryFactory(name="街头美食", slug="街头美食", is_from_model=True)
    ours = ScoreFactory(video__category="街头美食", video__title="ours").video
    slides = ScoreFactory(video=VideoFactory(carousel=True, category="街头美食", title="slides")).video
    ScoreFactory(video__category="other", video__title="other")

    page = text_of(client.get("/categories/街头美食/"))
    carousels = text_of(client.get("/categories/街头美食/?kind=carousel"))

    assert '<h1 lang="und">街头美食</h1>' in page
    assert f"/videos/{ours.pk}/" in page
    assert f"/videos/{slides.pk}/" in page
    assert "other" not in page.partition('<ol class="grid"')[2].partition("</ol>")[0]
    assert "the model" in page
    assert f"/videos/{ours.pk}/" not in carousels
    assert "/categories/%E8%A1%97%E5%A4%B4%E7%BE%8E%E9%A3%9F/?ordering=-views" in page
    assert "There is no such filter" in text_of(client.get("/categories/街头美食/?colour=red"))
    assert client.get("/categories/街头美食/?cursor=x").status_code == 400


def test_a_long_category_goes_on_page_by_page(client):
    CategoryFactory(name="Food", slug="food")
    for _ in range(31):
        ScoreFactory(video__category="food")

    page = text_of(client.get("/categories/food/"))

    more = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert more.startswith("/categories/food/?")
    assert text_of(client.get(more, headers={"HX-Request": "true"})).count("data-card") == 1


def test_a_merged_category_leads_to_the_one_that_is_left(client):
    left = CategoryFactory(name="Food", slug="food")
    between = CategoryFactory(slug="snacks", merged_into=left)
    CategoryFactory(slug="street-snacks", merged_into=between)

    response = client.get("/categories/street-snacks/?ordering=-views")

    assert (response.status_code, response["Location"]) == (302, "/categories/food/?ordering=-views")
    assert "snacks" not in text_of(client.get("/categories/"))


def test_mergers_that_run_in_a_circle_end(client):
    a = CategoryFactory(slug="a")
    b = CategoryFactory(slug="b", merged_into=a)
    a.merged_into = b
    a.save()

    assert client.get("/categories/a/").status_code in (302, 404)


@pytest.mark.parametrize("slug", ["nothing", "a%00b", "%2e%2e", "x" * 300])
def test_no_such_category_is_not_found(client, slug):
    assert client.get(f"/categories/{slug}/").status_code in (400, 404)


def test_cards_and_the_videos_page_lead_to_its_category(client):
    CategoryFactory(name="Street food", slug="street-food")
    video = ScoreFactory(video__category="street-food").video

    for path in ("/", f"/videos/{video.pk}/"):
        page = text_of(client.get(path))
        assert 'href="/categories/street-food/" lang="und">Street food<' in page, path
    assert "category Street food" in text_of(client.get("/?category=street-food"))


def test_every_page_leads_to_the_categories(client):
    assert 'href="/categories/"' in text_of(client.get("/downloads/"))
