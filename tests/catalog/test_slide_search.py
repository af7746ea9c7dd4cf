"""What stands on slides is found as what stands in titles is, as soon as it is written, whoever writes it."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from analysis.models import SlideText
from catalog.feed import feed
from catalog.filters import Filters
from catalog.models import SearchText
from crawler.models import Video
from tests.factories import ScoreFactory, SlideTextFactory

pytestmark = pytest.mark.django_db


def found(q: str) -> list[int]:
    return [card.id for card in feed(Filters(q=q), limit=10, sparklines=False).cards]


def carousel(*texts: str, title: str = "周末") -> Video:
    video: Video = ScoreFactory.create(video__title=title, video__kind="carousel").video
    for position, text in enumerate(texts):
        SlideTextFactory.create(video=video, position=position, text=text)
    return video


@pytest.mark.parametrize(
    ("q", "is_there"),
    [
        ("先备好猫砂盆", True),
        ("猫砂", True),
        ("砂", True),
        ("litter BOX", True),
        ("ｌｉｔｔｅｒ", True),
        ("周末 猫砂", True),
        ("清单", True),
        ("养猫清单", True),
        ("ly cat", True),
        ("盆多", False),
        ("周末新手", False),
        ("狗", False),
        ("litters", False),
    ],
)
def test_words_on_slides_are_found_in_any_script(q: str, is_there: bool) -> None:
    carousel("something else")
    video = carousel("新手养\n猫清单\nOnly cat", "先备好猫砂盆\nLitter box first", "多喝水")

    assert found(q) == ([video.pk] if is_there else [])


def test_a_text_that_changes_or_goes_is_searched_as_it_is_now() -> None:
    video = carousel("猫砂盆", "多喝水")

    SlideText.objects.filter(video=video, position=0).update(text="纱窗")
    assert (found("猫砂"), found("纱窗")) == ([], [video.pk])
    SlideText.objects.filter(video=video, position=0).delete()
    assert (found("纱窗"), found("喝水")) == ([], [video.pk])


def test_a_title_that_changes_keeps_what_the_slides_say() -> None:
    video = carousel("猫砂盆")

    video.title = "搬家"
    video.save(update_fields=["title"])

    assert found("搬家 猫砂") == [video.pk]
    assert found("周末") == []


def test_a_carousel_that_is_deleted_leaves_nothing() -> None:
    video = carousel("猫砂盆")

    video.delete()

    assert not SearchText.objects.exists()


def test_a_very_long_text_is_searched_as_far_as_20000_letters() -> None:
    video = carousel(*["字" * 1_900 for _ in range(12)], "猫砂盆")

    assert len(SearchText.objects.get(video=video).text) <= 20_010
    assert found("字字字") == [video.pk]


@pytest.mark.django_db(transaction=True)
def test_what_was_read_before_search_knew_of_slides_is_found_after_the_migration() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("catalog", "0001_search_text")])
    video = carousel("猫砂盆")
    assert found("猫砂") == []

    executor.loader.build_graph()
    executor.migrate(executor.loader.graph.leaf_nodes("catalog"))

    assert found("猫砂") == [video.pk]
