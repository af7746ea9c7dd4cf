"""Asking for carousels to be read: once however many ask, by rule, and again; and what becomes of categories."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from constance import config
from django.db import connections
from django.utils import timezone

from analysis import categories, services
from analysis.models import Analysis, AnalysisJob, Category, SlideText
from crawler.models import Video
from downloads.models import Asset, AssetJob
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.analysis.conftest import MakeCarousel, StandIn, drawn, store_slide
from tests.factories import (
    AnalysisFactory,
    AnalysisJobFactory,
    AssetFactory,
    CategoryFactory,
    StoredObjectFactory,
    UserFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
KIND = kinds.get("analysis")


def stored(*, ready: int = 2, wanted: int = 0, **facts: Any) -> Video:
    """A carousel with rows of slides, as many stored and as many on their way."""
    video: Video = VideoFactory.create(carousel=True, **facts)
    for position in range(ready + wanted):
        is_ready = position < ready
        AssetFactory.create(video=video, role="slide", quality="", position=position, **({} if is_ready else {"wanted": True}))
    return video


def test_many_who_ask_at_once_share_one_job(media: Any) -> None:
    video, person = stored(), UserFactory.create()

    def ask(_: int) -> int:
        try:
            return services.request_analysis(video, by=person).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        asked = set(threads.map(ask, range(12)))

    assert asked == {AnalysisJob.objects.get().pk}


def test_a_person_comes_before_the_rule_and_does_not_wait_for_its_next_look() -> None:
    job = AnalysisJobFactory.create(
        priority=services.BY_A_RULE,
        error_code="waiting_for_slides",
        scheduled_at=timezone.now() + timedelta(minutes=5),
    )

    asked = services.request_analysis(job.video, by=UserFactory.create())

    assert (asked.pk, asked.priority) == (job.pk, services.FOR_A_PERSON)
    assert asked.scheduled_at <= timezone.now()


def test_a_pause_that_the_service_asked_for_is_kept() -> None:
    until = timezone.now() + timedelta(minutes=5)
    job = AnalysisJobFactory.create(error_code="rate_limited", scheduled_at=until)

    assert services.request_analysis(job.video).scheduled_at == until


def test_slides_that_nobody_fetched_are_fetched_when_somebody_asks() -> None:
    video = VideoFactory.create(carousel=True, slides=[{"urls": ["https://cdn.example/1.jpg"]}])

    services.request_analysis(video)

    assert Asset.objects.get(video=video, role="slide").state == "wanted"
    assert AssetJob.objects.exists()


@pytest.mark.parametrize(
    ("video", "is_asked"),
    [
        (lambda: stored(), True),
        (lambda: stored(ready=1, wanted=1), False),
        (lambda: stored(ready=0, wanted=2), False),
        (lambda: VideoFactory.create(), False),
        (lambda: AnalysisFactory.create(video=stored()).video, False),
        (lambda: AnalysisJobFactory.create(video=stored(), failed=True).video, False),
        (lambda: AnalysisJobFactory.create(video=stored()).video, False),
        (lambda: stored(last_seen_at=timezone.now() - timedelta(days=9)), False),
    ],
    ids=["stored", "partly", "nothing", "a clip", "read", "failed", "asked for", "not seen for long"],
)
def test_the_rule_asks_for_new_carousels_whose_slides_are_stored(video: Any, is_asked: bool) -> None:
    made = video()
    before = AnalysisJob.objects.count()

    assert services.find_missed() == ({"enqueued": 1} if is_asked else {})

    assert AnalysisJob.objects.count() - before == int(is_asked)
    if is_asked:
        job = AnalysisJob.objects.get(video=made)
        assert (job.priority, job.requested_by, job.engine) == (services.BY_A_RULE, None, "")


@pytest.mark.parametrize(("rule", "engines"), [("off", []), ("local", ["local"]), ("all", [""])])
def test_staff_choose_the_rule(rule: str, engines: list[str]) -> None:
    config.ANALYZE_CAROUSELS = rule
    stored()

    services.find_missed()

    assert list(AnalysisJob.objects.values_list("engine", flat=True)) == engines


def test_on_this_machine_means_so_even_with_a_key(gemini: StandIn, carousel: MakeCarousel) -> None:
    config.ANALYZE_CAROUSELS = "local"
    video = carousel([drawn("新手养猫清单")])
    services.find_missed()

    drain(KIND)

    assert gemini.paths == []
    assert Analysis.objects.get(video=video).engine == "local"


def test_the_last_slide_that_is_stored_has_the_carousel_read(media: Any) -> None:
    video = stored(ready=1, wanted=1)
    last = Asset.objects.get(video=video, state="wanted")
    AssetJob.objects.create(asset=last)
    job = AssetJob.objects.claim()

    Asset.objects.filter(pk=last.pk).update(state="ready", object=StoredObjectFactory.create())
    job.complete("stored")

    assert AnalysisJob.objects.get().video == video


@pytest.mark.parametrize("ids", [[], list(range(1, 52))])
def test_one_to_fifty_are_taken(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        services.request_many(ids)


# -- again, and categories ---------------------------------------------------------------------------


def test_reading_again_replaces_everything_at_once(carousel: MakeCarousel) -> None:
    video = carousel([drawn("新手养猫清单"), drawn("多喝水")])
    services.request_analysis(video)
    drain(KIND)
    Asset.objects.filter(video=video, position=1).delete()
    Video.objects.filter(pk=video.pk).update(slides=video.slides[:1])
    store_slide(video, 0, drawn("先备好猫砂盆"))

    services.request_analysis(video)
    drain(KIND)

    assert list(SlideText.objects.filter(video=video).values_list("position", "text")) == [(0, "先备好猫砂盆")]


def test_what_a_person_chose_is_not_overwritten_by_a_reading(gemini: StandIn, carousel: MakeCarousel) -> None:
    video = carousel([drawn("one")])
    categories.assign(video, "Architecture")

    services.request_analysis(video)
    drain(KIND)

    video.refresh_from_db()
    assert video.category == "architecture"
    assert Analysis.objects.select_related("category").get().category.slug == "street-photography"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Street Food", "street-food"),
        ("  STREET   food ", "street-food"),
        ("Ｓｔｒｅｅｔ food", "street-food"),
        ("美食", "美食"),
        ("Ẩm thực", "ẩm-thực"),
        ("x" * 80, "x" * 60),
    ],
)
def test_spellings_meet_in_one_slug_of_any_script(name: str, slug: str) -> None:
    assert categories.slug_of(name) == slug


def test_a_name_of_emoji_has_a_slug_of_its_own() -> None:
    assert categories.slug_of("🐈") != categories.slug_of("🐕") != ""


def test_renaming_back_and_forth_leaves_one_current_category() -> None:
    food, _is_new = categories.find_or_create("Fodo", is_from_model=True)
    video = VideoFactory.create(category="fodo")

    categories.rename(food, "Food")
    categories.rename(food, "Fodo")
    categories.rename(food, "Food")

    video.refresh_from_db()
    assert video.category == "food"
    assert list(Category.objects.current()) == [food]
    assert categories.find("fodo") == food


def test_a_merged_category_cannot_be_merged_again_or_become_another() -> None:
    food, eats, snacks = CategoryFactory.create(name="Food"), CategoryFactory.create(name="Eats"), CategoryFactory.create()
    categories.merge([eats], food)

    with pytest.raises(ValueError, match="meanwhile"):
        categories.merge([snacks], eats)
    with pytest.raises(categories.NameTaken):
        categories.rename(snacks, "food")
    assert categories.find_or_create("Eats", is_from_model=True) == (food, False)


def test_the_starters_are_made_once_and_never_again() -> None:
    assert categories.seed() > 5
    Category.objects.exclude(slug="food").delete()

    assert categories.seed() == 0


def test_a_cancelled_reading_may_be_asked_for_again(carousel: MakeCarousel) -> None:
    video = carousel([drawn("one")])
    services.request_analysis(video).cancel(by="me")

    job = services.request_analysis(video)

    assert (job.state, AnalysisJob.objects.count()) == (State.PENDING, 2)
