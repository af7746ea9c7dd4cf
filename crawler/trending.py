"""What a platform's hot list says people search for, and which videos were found for each of its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.cleaning import MAX_BIGINT, clean_text
from crawler.providers.base import Page

if TYPE_CHECKING:
    from crawler.models import Source

KEPT = timedelta(days=30)
"""Words that have not been on the list for so long are forgotten; their videos stay."""
MAX_WORD = 200


class TrendingWord(models.Model):
    """A word of the hot list that a source watches, as the list showed it last."""

    source = models.ForeignKey("crawler.Source", on_delete=models.CASCADE, related_name="words", verbose_name=_("source"))
    word = models.CharField(_("word"), max_length=MAX_WORD)
    position = models.PositiveSmallIntegerField(_("position"))
    heat = models.BigIntegerField(_("heat"), null=True, help_text=_("As the platform counts it."))
    videos: models.ManyToManyField[models.Model, models.Model] = models.ManyToManyField(
        "crawler.Video", related_name="trending_words", blank=True, verbose_name=_("videos")
    )
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("trending word")
        verbose_name_plural = _("trending words")
        ordering = ["-last_seen_at", "position"]
        constraints = [models.UniqueConstraint(fields=["source", "word"], name="a_word_is_on_a_list_once")]

    def __str__(self) -> str:
        return self.word


def record_words(source: Source, page: Page, video_ids: Sequence[int], *, at: datetime) -> None:
    """Keep a page's part of a hot list: the words with their places, and which of its videos belong to which word."""
    if page.words:
        TrendingWord.objects.bulk_create(
            [
                TrendingWord(
                    source=source,
                    word=word,
                    position=min(hot.position, 32_767),
                    heat=None if hot.heat is None else min(hot.heat, MAX_BIGINT),
                    first_seen_at=at,
                    last_seen_at=at,
                )
                for word, hot in {_clean(hot.word): hot for hot in page.words}.items()
                if word
            ],
            update_conflicts=True,
            unique_fields=["source", "word"],
            update_fields=["position", "heat", "last_seen_at"],
        )
        TrendingWord.objects.filter(source=source, last_seen_at__lt=at - KEPT).delete()
    if page.word and video_ids:
        found = TrendingWord.objects.filter(source=source, word=_clean(page.word)).first()
        if found is not None:
            found.videos.add(*video_ids)


def words_now(source: Source) -> models.QuerySet[Any]:
    """The list as it was when it was last read, in its order, each word with its number of videos."""
    latest = TrendingWord.objects.filter(source=source).order_by("-last_seen_at").values("last_seen_at")[:1]
    return (
        TrendingWord.objects.filter(source=source, last_seen_at=latest)
        .annotate(video_count=models.Count("videos"))
        .order_by("position")
    )


def _clean(word: str) -> str:
    return clean_text(word, MAX_WORD, one_line=True)[0]
