"""The carousel on its video's page: slides with their pictures or why there are none, and what was read on them."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analysis.models import AnalysisJob
from catalog.carousels import carousel as read
from catalog.detail import slides_of as pictures_of
from downloads.models import AssetRole, AssetState
from pages.templatetags.carousels import marked
from tests.factories import (
    AnalysisFactory,
    AnalysisJobFactory,
    AssetFactory,
    CategoryFactory,
    SlideTextFactory,
    VideoFactory,
)
from tests.pages.conftest import text_of

pytestmark = pytest.mark.django_db


def slides_of(texts, **traits):
    """A carousel whose slides all have pictures, and the texts that were read on them (None: not read)."""
    video = VideoFactory(carousel=True, slides=[{"urls": []} for _ in texts], **traits)
    for position, text in enumerate(texts):
        AssetFactory(video=video, role=AssetRole.SLIDE, quality="", position=position, object__mime="image/webp")
        if text is not None:
            SlideTextFactory(video=video, position=position, text=text, type="hook" if position == 0 else "content")
    return video


def carousel(video):
    return read(video, pictures_of(video))


def part_of(client, video, query=""):
    return client.get(f"/videos/{video.pk}/slides/{query}", headers={"HX-Request": "true"})


def test_each_slide_stands_beside_what_was_read_on_it(client):
    video = slides_of(["五个早餐", "燕麦牛奶", ""])
    AnalysisFactory(video=video, engine="local", category=CategoryFactory(name="美食", slug="美食"))

    page = text_of(client.get(f"/videos/{video.pk}/"))

    assert page.count('class="slide"') == 3
    assert page.count('alt="Slide 2 of 3') == 1
    assert re.search(r'id="slide-text-1"[^>]*>五个早餐</p>', page)
    assert re.search(r'id="slide-text-2"[^>]*>燕麦牛奶</p>', page)
    assert 'class="slide-type hook"' in page
    assert "No text on this slide." in page
    assert 'data-copy="slide-text-1"' in page
    assert "the reader on this machine" in page
    assert "of Vietnamese, letters with accents may be missing" in page
    assert "/categories/%E7%BE%8E%E9%A3%9F/" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (AssetState.WANTED, "This picture is on its way."),
        (AssetState.FAILED, "This picture could not be fetched."),
        (AssetState.REMOVED, "This picture was removed to make room."),
    ],
)
def test_a_slide_without_a_picture_says_why_and_keeps_its_text(client, state, words):
    video = VideoFactory(carousel=True, slides=[{"urls": []}, {"urls": []}])
    AssetFactory(video=video, role=AssetRole.SLIDE, quality="", position=0, object__mime="image/webp")
    AssetFactory(video=video, role=AssetRole.SLIDE, quality="", position=1, state=state, object=None)
    SlideTextFactory(video=video, position=1, text="read before")

    page = text_of(client.get(f"/videos/{video.pk}/"))

    assert words in page
    assert "read before" in page
    assert page.count("<img") >= 1


def test_slides_that_were_only_listed_are_on_their_way(client):
    video = VideoFactory(carousel=True, slides=[{"urls": []} for _ in range(4)])

    page = text_of(client.get(f"/videos/{video.pk}/"))

    assert page.count("This picture is on its way.") == 4
    assert "4 pictures are still on their way" in page


@pytest.mark.parametrize(
    ("traits", "state", "words"),
    [
        ({}, "queued", "The text is read in a moment."),
        ({"running": True, "progress": 40}, "running", "40 %"),
        ({"retrying": True}, "queued", "The platform did not answer. Next attempt"),
        ({"failed": True}, "failed", "The text could not be read."),
        (
            {"failed": True, "outcome": "refused", "error": "SAFETY"},
            "refused",
            "The model refused to read these slides. SAFETY",
        ),
        ({"failed": True, "outcome": "cut_off"}, "cut_off", "cut off"),
        ({"cancelled": True}, "none", "Not read yet."),
    ],
)
def test_how_far_the_reading_is_stands_on_the_page(client, traits, state, words):
    video = slides_of([None, None])
    AnalysisJobFactory(video=video, **traits)

    page = text_of(client.get(f"/videos/{video.pk}/"))

    assert carousel(video).status.status == state
    assert words in page
    assert ("every 3s" in page.partition('id="reading"')[2].partition("</section>")[0]) is (state in ("queued", "running"))


def test_an_earlier_result_stays_while_the_slides_are_read_again(client):
    video = slides_of(["old words"])
    AnalysisFactory(video=video, read_at=timezone.now() - timedelta(days=3))
    AnalysisJobFactory(video=video, running=True)

    page = text_of(client.get(f"/videos/{video.pk}/"))

    assert "old words" in page
    assert "3 days ago" in page
    assert carousel(video).status.status == "running"


def test_who_follows_the_reading_gets_the_slides_only_when_they_changed(client):
    video = slides_of([None])
    AnalysisJobFactory(video=video, running=True)
    seen = carousel(video).signature
    assert 'id="carousel"' not in part_of(client, video, f"?seen={seen}").content.decode()

    SlideTextFactory(video=video, position=0, text="new words")
    AnalysisFactory(video=video)

    page = text_of(part_of(client, video, f"?seen={seen}"))
    assert page.count('hx-swap-oob="true"') == 1
    assert "new words" in page


def test_words_searched_for_are_marked_where_they_stand(client):
    video = slides_of(["First", "ＯＡＴ milk & <b>oats</b>", "oat"], title="breakfast")
    ids = re.findall(r'href="(/videos/\d+/[^"]*)"', text_of(client.get("/?ordering=-published_at&q=breakfast")))
    assert f"/videos/{video.pk}/?q=breakfast" in ids

    page = client.get(f"/videos/{video.pk}/?q=oat").content.decode()

    assert "<mark>ＯＡＴ</mark> milk &amp; &lt;b&gt;<mark>oat</mark>s&lt;/b&gt;" in page
    assert page.count('class="hit"') == 2
    assert "“oat” stands on slide" in page
    assert "<mark>" not in text_of(client.get(f"/videos/{video.pk}/?q=x"))  # one narrow letter is no search


@pytest.mark.parametrize(
    ("text", "terms", "shown"),
    [
        ("", ["a"], ""),
        ("aaa", ["aa"], "<mark>aaa</mark>"),
        ("abcd", ["ab", "bc"], "<mark>abc</mark>d"),
        ("ﬁne", ["fi"], "<mark>ﬁ</mark>ne"),
        ("İx", ["x"], "İ<mark>x</mark>"),
        ("<script>", ["script"], "&lt;<mark>script</mark>&gt;"),
        ("&amp;", ["amp"], "&amp;<mark>amp</mark>;"),
        ("街头美食", ["头美"], "街<mark>头美</mark>食"),
        ("plain", [""], "plain"),
    ],
)
def test_marking_compares_as_the_search_does_and_escapes(text, terms, shown):
    assert marked(text, terms) == shown


def test_the_carousel_costs_four_statements_however_many_slides(client):
    few, many = slides_of(["a"] * 2), slides_of(["b"] * 30)
    for video in (few, many):
        AnalysisFactory(video=video)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = carousel(many)

    assert len(queries) == 4
    assert len(found.slides) == 30
    counts = []
    for video in (few, many, few, many):  # how downloads stand is remembered from the first time
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/videos/{video.pk}/")
        counts.append(len(queries))
    assert counts[2] == counts[3]


def test_a_clip_has_no_slides(client):
    video = VideoFactory()

    assert 'id="reading"' not in text_of(client.get(f"/videos/{video.pk}/"))
    assert part_of(client, video).status_code == 404


def test_editors_have_the_slides_read_once(member, viewer, client):
    video = slides_of([None, None])
    url = f"/videos/{video.pk}/read/"
    assert "Read the text" in text_of(member.get(f"/videos/{video.pk}/"))
    for nobody in (viewer, client):
        assert "Read the text" not in text_of(nobody.get(f"/videos/{video.pk}/"))
        assert nobody.post(url).status_code in (302, 403)
    assert not AnalysisJob.objects.exists()

    part = text_of(member.post(url, headers={"HX-Request": "true"}))
    response = member.post(url)

    assert "queued" in part
    assert "<html" not in part
    assert response["Location"] == f"/videos/{video.pk}/#reading"
    assert AnalysisJob.objects.filter(video=video).count() == 1
    assert "Read the text" not in text_of(member.get(f"/videos/{video.pk}/"))


@pytest.mark.parametrize(
    ("traits", "words"),
    [({"failed": True}, "Try again"), ({"failed": True, "outcome": "refused"}, "Try again"), ({"completed": True}, "Read again")],
)
def test_what_went_wrong_can_be_tried_again(member, traits, words):
    video = slides_of(["a text"])
    AnalysisFactory(video=video)
    AnalysisJobFactory(video=video, **traits)

    assert words in text_of(member.get(f"/videos/{video.pk}/"))


def test_clips_are_not_read(member):
    assert member.post(f"/videos/{VideoFactory().pk}/read/").status_code == 404
