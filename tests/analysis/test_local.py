"""Carousels read on this machine, with the real models and the real sandbox."""

from typing import Any

import pytest

from analysis import categories, services
from analysis.analyzers import local
from analysis.analyzers.base import Carousel, KnownCategory, Picture, SlideType
from analysis.models import Analysis, AnalysisJob, Category, SlideText
from analysis.status import status_of
from downloads.models import Asset
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.analysis.conftest import MakeCarousel, drawn, store_slide

pytestmark = pytest.mark.django_db(transaction=True)
KIND = kinds.get("analysis")


def latest(video: Any) -> AnalysisJob:
    job: AnalysisJob = AnalysisJob.objects.filter(video=video).latest("pk")
    return job


def test_chinese_and_latin_text_of_each_slide_is_read_with_its_type_and_confidence(carousel: MakeCarousel) -> None:
    video = carousel([drawn("新手养猫清单"), drawn("先备好猫砂盆", "Litter box first"), drawn("记得关注我")])
    services.request_analysis(video)

    assert drain(KIND) == 1

    assert (latest(video).state, latest(video).outcome) == (State.COMPLETED, "done")
    slides = list(SlideText.objects.filter(video=video))
    assert [slide.text for slide in slides] == ["新手养猫清单", "先备好猫砂盆\nLitter box first", "记得关注我"]
    assert [slide.type for slide in slides] == ["hook", "content", "call_to_action"]
    assert all(slide.confidence and 0.8 < slide.confidence <= 1 for slide in slides)
    assert [slide.language for slide in slides] == ["zh"] * 3
    reading = Analysis.objects.get(video=video)
    assert (reading.engine, reading.model, reading.finish, reading.cost_micros) == ("local", local.MODEL, "ok", None)
    assert status_of(video.pk).status == "done"


def test_a_slide_without_words_has_no_confidence(carousel: MakeCarousel) -> None:
    video = carousel([drawn()])
    services.request_analysis(video)

    drain(KIND)

    slide = SlideText.objects.get(video=video)
    assert (slide.text, slide.confidence, slide.type) == ("", None, "hook")


def test_a_known_category_is_recognised_and_none_is_invented(carousel: MakeCarousel) -> None:
    categories.seed()
    cats = carousel([drawn("新手养猫清单")], hashtags=["猫咪"], title="养猫日常 猫")
    noise = carousel([drawn("今天天气")], hashtags=["fyp"], title="hello")
    services.request_many([cats.pk, noise.pk])
    before = Category.objects.count()

    drain(KIND)

    cats.refresh_from_db()
    noise.refresh_from_db()
    assert (cats.category, noise.category) == ("animals", "")
    reading = Analysis.objects.get(video=cats)
    assert reading.category is not None
    assert (reading.category.slug, reading.is_new) == ("animals", False)
    assert reading.confidence is not None
    assert 0 < reading.confidence <= 1
    assert Category.objects.count() == before


def test_it_waits_for_its_slides_without_using_up_an_attempt(carousel: MakeCarousel) -> None:
    video = carousel([drawn("一"), None])
    job = services.request_analysis(video)

    assert drain(KIND) == 1
    job.refresh_from_db()
    assert (job.state, job.error_code, job.attempt) == (State.PENDING, "waiting_for_slides", 0)
    assert status_of(video.pk).status == "queued"

    store_slide(video, 1, drawn("第二页"))
    services.request_analysis(video)
    assert drain(KIND) == 1
    assert SlideText.objects.filter(video=video).count() == 2


def test_a_slide_that_cannot_be_decoded_or_had_costs_the_others_nothing(carousel: MakeCarousel) -> None:
    video = carousel([drawn("新手养猫清单"), b"<html>not a picture</html>", drawn("多喝水")])
    services.request_analysis(video)
    Asset.objects.filter(video=video, position=2).update(state="failed", object=None)

    drain(KIND)

    assert (latest(video).state, latest(video).outcome) == (State.COMPLETED, "partly")
    assert list(SlideText.objects.filter(video=video).values_list("position", flat=True)) == [0]


def test_a_carousel_of_unreadable_pictures_fails_with_the_reason(carousel: MakeCarousel) -> None:
    video = carousel([b"\xff\xd8\xff" + b"broken" * 100])
    services.request_analysis(video)

    drain(KIND)

    assert (latest(video).state, latest(video).error_code) == (State.FAILED, "no_pictures")
    assert status_of(video.pk).status == "failed"
    assert status_of(video.pk).reason


@pytest.mark.parametrize(
    ("text", "position", "last", "kind"),
    [
        ("关注我", 0, 5, SlideType.HOOK),
        ("记得收藏，下次不迷路", 5, 5, SlideType.CALL_TO_ACTION),
        ("Follow for more", 5, 5, SlideType.CALL_TO_ACTION),
        ("Lưu lại nhé", 3, 5, SlideType.CALL_TO_ACTION),
        ("Follow the recipe and wait until the dough has doubled in size, then bake it", 3, 5, SlideType.CONTENT),
        ("大火快炒三十秒", 5, 5, SlideType.CONTENT),
        ("", 5, 5, SlideType.CONTENT),
    ],
)
def test_the_type_of_a_slide_is_by_its_place_and_what_it_asks(text: str, position: int, last: int, kind: SlideType) -> None:
    assert local.type_of(text, position, last) == kind


@pytest.mark.parametrize(
    ("hashtags", "title", "texts", "name"),
    [
        (["Food"], "", [], "Food"),
        ([], "my favourite food", [], "Food"),
        ([], "seafood", ["seafood"], ""),
        ([], "", ["做饭"], ""),
        ([], "", ["做饭", "食谱"], "Food"),
        (["food", "travel"], "", [], ""),
        (["solotravel"], "", [], "Travel"),
        (["TravelTok"], "", [], "Travel"),
        (["dulich"], "", [], "Travel"),
        (["夜市探店"], "", [], "Food"),
        (["aita"], "", [], ""),
        (["food", "travel"], "", ["街边小吃"], "Food"),
        ([], "", [], ""),
    ],
)
def test_a_category_wins_by_votes_or_there_is_none(hashtags: list[str], title: str, texts: list[str], name: str) -> None:
    known = [KnownCategory(slug="food", name="Food"), KnownCategory(slug="travel", name="Travel")]
    pictures = [Picture(position=0, jpeg=b"")]

    found, confidence = local.vote(Carousel(pictures=pictures, title=title, hashtags=hashtags, categories=known), texts)

    assert found == name
    assert (confidence is None) == (name == "")
