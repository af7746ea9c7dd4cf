from datetime import timedelta

import pytest
from django.utils import timezone

from crawler.providers.base import HotWord, Page
from crawler.trending import TrendingWord, record_words, words_now
from tests.factories import SourceFactory, VideoFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def test_a_hot_list_is_kept_word_by_word_with_its_videos(django_assert_num_queries):
    source, video = SourceFactory(kind="trending", value="hot"), VideoFactory()
    words = tuple(HotWord(word=f"word {n}", position=n, heat=100 - n) for n in range(1, 51))

    with django_assert_num_queries(4):
        record_words(source, Page(videos=(), cursor=None, words=words, word="word 1"), [video.pk], at=NOW)

    assert [(row.word, row.position, row.heat, row.video_count) for row in words_now(source)][:2] == [
        ("word 1", 1, 99, 1),
        ("word 2", 2, 98, 0),
    ]


def test_a_word_keeps_its_first_time_and_gets_its_new_place():
    source = SourceFactory(kind="trending", value="hot")
    later = NOW + timedelta(hours=1)
    for position, at in ((9, NOW), (1, later)):
        record_words(source, Page(videos=(), cursor=None, words=(HotWord(word="a", position=position),)), [], at=at)

    row = TrendingWord.objects.get()
    assert (row.position, row.first_seen_at, row.last_seen_at) == (1, NOW, later)


def test_what_has_left_the_list_is_not_on_it_and_is_forgotten_in_the_end():
    source = SourceFactory(kind="trending", value="hot")
    for word, at in (("old", NOW - timedelta(days=31)), ("left", NOW - timedelta(hours=2)), ("now", NOW)):
        record_words(source, Page(videos=(), cursor=None, words=(HotWord(word=word, position=1),)), [], at=at)

    assert [row.word for row in words_now(source)] == ["now"]
    assert set(TrendingWord.objects.values_list("word", flat=True)) == {"left", "now"}


def test_a_hostile_list_is_made_fit_to_store():
    source = SourceFactory(kind="trending", value="hot")
    words = (HotWord(word="a\x00b" + "c" * 500, position=10**9, heat=2**70), HotWord(word="\u202e", position=1))

    record_words(source, Page(videos=(), cursor=None, words=words, word="nowhere"), [1], at=NOW)

    row = TrendingWord.objects.get()
    assert (len(row.word), row.position, row.heat) == (200, 32767, 2**63 - 1)
