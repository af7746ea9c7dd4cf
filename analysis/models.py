"""What the pictures of a carousel say: the jobs that read them, the text of each slide, and the category of the whole."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analysis.analyzers.base import SlideType
from crawler.models import Video
from jobs.models import FINAL, Job, JobQuerySet

LONGEST_NAME = 60
"""Of a category's name and slug: as long as Video.category, which holds the slug."""

SLIDE_TYPES = [
    (SlideType.HOOK.value, _("hook")),
    (SlideType.CONTENT.value, _("content")),
    (SlideType.CALL_TO_ACTION.value, _("call to action")),
]

_share = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class CategoryQuerySet(models.QuerySet["Category"]):
    def current(self) -> CategoryQuerySet:
        """Without those that were merged into another: they only lead there."""
        return self.filter(merged_into=None)


class Category(models.Model):
    """What videos are about. `Video.category` holds the slug of a current one, or nothing."""

    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    slug = models.CharField(_("in links"), max_length=LONGEST_NAME, unique=True, editable=False)
    is_from_model = models.BooleanField(_("made by the model"), default=False, editable=False)
    merged_into = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, editable=False, related_name="former",
        verbose_name=_("merged into"), help_text=_("Its link and name lead there."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects: ClassVar[Any] = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(merged_into=models.F("id")), name="a_category_is_not_merged_into_itself"),
        ]

    def __str__(self) -> str:
        return self.name


class AnalysisJob(Job):
    """Reads one carousel. Asked for twice, it is still one job. Its costs add up over all attempts."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="analysis_jobs", verbose_name=_("video"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("requested by"), help_text=_("Empty: by the rule for new carousels."),
    )  # fmt: skip
    engine = models.CharField(_("engine"), max_length=20, blank=True, help_text=_("Empty: as the settings say when it runs."))
    tokens_in = models.PositiveIntegerField(_("tokens in"), default=0)
    tokens_out = models.PositiveIntegerField(_("tokens out"), default=0)
    cost_micros = models.PositiveBigIntegerField(
        _("cost, millionths of a US dollar"),
        null=True,
        blank=True,
        help_text=_("Empty: nothing was paid, or the price is unknown."),
    )

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta(Job.Meta):
        verbose_name = _("analysis")
        verbose_name_plural = _("analyses")
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["video"], condition=~Q(state__in=FINAL), name="one_live_analysis_per_video"),
        ]
        indexes = [*Job.Meta.indexes, models.Index(fields=["video", "-id"], name="analysis_latest")]


class Analysis(models.Model):
    """The latest reading of a carousel that went well. A later one that fails leaves it as it is."""

    video = models.OneToOneField(
        Video, on_delete=models.CASCADE, primary_key=True, related_name="analysis", verbose_name=_("video")
    )
    category = models.ForeignKey(
        Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="analyses", verbose_name=_("category"),
        help_text=_("As the engine saw it; what a person chose stands on the video."),
    )  # fmt: skip
    confidence = models.FloatField(_("confidence in the category"), null=True, blank=True, validators=_share)
    is_new = models.BooleanField(_("the category is new"), default=False, help_text=_("This reading made the category."))
    engine = models.CharField(_("engine"), max_length=20)
    model = models.CharField(_("model"), max_length=60)
    tokens_in = models.PositiveIntegerField(_("tokens in"), default=0)
    tokens_out = models.PositiveIntegerField(_("tokens out"), default=0)
    cost_micros = models.PositiveBigIntegerField(_("cost, millionths of a US dollar"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration, ms"))
    finish = models.CharField(_("finish"), max_length=30, help_text=_("How the engine said that it ended."))
    read_at = models.DateTimeField(_("read"), default=timezone.now)

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")

    def __str__(self) -> str:
        return f"reading of video {self.video_id}"


class SlideText(models.Model):
    """What stands on one slide, as the latest good reading has it."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="slide_texts", verbose_name=_("video"))
    position = models.PositiveSmallIntegerField(_("position"), help_text=_("From 0, as its picture's."))
    text = models.TextField(_("text"), blank=True)
    description = models.TextField(_("description"), blank=True, help_text=_("What is to be seen, when the model says it."))
    type = models.CharField(_("type"), max_length=20, choices=SLIDE_TYPES)
    confidence = models.FloatField(_("confidence"), null=True, blank=True, validators=_share)
    language = models.CharField(_("language"), max_length=12, blank=True)
    sha256 = models.CharField(_("SHA-256 of the picture read"), max_length=64)

    class Meta:
        verbose_name = _("slide text")
        verbose_name_plural = _("slide texts")
        ordering = ["video", "position"]
        constraints = [models.UniqueConstraint(fields=["video", "position"], name="a_slide_has_its_text_once")]

    def __str__(self) -> str:
        return f"slide {self.position + 1} of video {self.video_id}"


class ReuploadKind(models.TextChoices):
    EQUAL_BYTES = "equal_bytes", _("equal bytes")
    SIMILAR_PICTURES = "similar_pictures", _("similar pictures")


class Reupload(models.Model):
    """A video is the same as one that was posted before. Dismissed by a person it stays, so that it is not found again."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="reupload_of", verbose_name=_("video"))
    original = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="reuploads", verbose_name=_("earliest post"))
    kind = models.CharField(_("kind"), max_length=20, choices=ReuploadKind)
    distance = models.PositiveSmallIntegerField(
        _("distance, bits"), default=0, help_text=_("Of 64: the largest difference between the pictures that agree.")
    )
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    dismissed_at = models.DateTimeField(_("not the same, since"), null=True, blank=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("not the same, says"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("re-upload")
        verbose_name_plural = _("re-uploads")
        constraints = [
            models.UniqueConstraint(fields=["video", "original"], name="a_pair_is_linked_once"),
            models.UniqueConstraint(fields=["video"], condition=Q(dismissed_at=None), name="a_reupload_has_one_original"),
            models.CheckConstraint(condition=~Q(video=models.F("original")), name="a_video_is_no_reupload_of_itself"),
        ]

    def __str__(self) -> str:
        return f"video {self.video_id} is video {self.original_id} again"

    @property
    def is_equal(self) -> bool:
        return self.kind == ReuploadKind.EQUAL_BYTES


class Comparison(models.Model):
    """What a video had when it was last compared with the others; when it has something else, it is compared again."""

    video = models.OneToOneField(Video, on_delete=models.CASCADE, primary_key=True, related_name="+", verbose_name=_("video"))
    parts = models.PositiveIntegerField(_("stored parts"))
    latest_at = models.DateTimeField(_("the latest of them"), null=True, blank=True)

    class Meta:
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")

    def __str__(self) -> str:
        return f"comparison of video {self.video_id}"
