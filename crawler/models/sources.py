"""What is watched: sources, how often they are looked at, and what of them is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crawler.models.choices import AutoDownload, Outcome, SourceKind, VideoKind, default_kinds, platform_choices
from crawler.providers.base import VideoData
from crawler.validators import clean_value, is_offered, validate_cron, validate_plain_text
from workspaces.models import Workspace


class Source(models.Model):
    """Something a workspace watches on a platform, how often, and what of it is kept."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="sources", verbose_name=_("workspace"))
    platform = models.CharField(_("platform"), max_length=20, choices=platform_choices, default="douyin")
    kind = models.CharField(_("kind"), max_length=10, choices=SourceKind, default=SourceKind.TOPIC)
    value = models.CharField(
        _("value"), max_length=500, validators=[validate_plain_text], help_text=_("The words, handle, id or link to watch.")
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Off: nothing is looked at by schedule."))
    is_own = models.BooleanField(_("our own"), default=False)
    author = models.ForeignKey(
        "Author", on_delete=models.SET_NULL, null=True, blank=True, related_name="watched_by", editable=False,
        verbose_name=_("author"), help_text=_("Of a profile: whose it is, once it was read."),
    )  # fmt: skip
    sound = models.ForeignKey(
        "Sound", on_delete=models.SET_NULL, null=True, blank=True, related_name="watched_by", editable=False,
        verbose_name=_("sound"), help_text=_("Of a sound: which it is."),
    )  # fmt: skip

    cron = models.CharField(
        _("cron"), max_length=100, blank=True, validators=[validate_cron],
        help_text=_("Five fields, UTC, e.g. “0 */2 * * *”; else the interval holds."),
    )  # fmt: skip
    interval_minutes = models.PositiveIntegerField(
        _("interval, minutes"), default=60, validators=[MinValueValidator(1), MaxValueValidator(60 * 24 * 366)]
    )
    pages_per_run = models.PositiveSmallIntegerField(
        _("pages per run"), default=3, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )

    # A count, age or size that the platform does not show passes the filters: not shown is not too small.
    min_views = models.PositiveBigIntegerField(_("least views"), null=True, blank=True)
    min_likes = models.PositiveBigIntegerField(_("least likes"), null=True, blank=True)
    max_age_days = models.PositiveIntegerField(_("greatest age, days"), null=True, blank=True)
    min_height = models.PositiveIntegerField(_("least height, pixels"), null=True, blank=True)
    kinds = ArrayField(models.CharField(max_length=10, choices=VideoKind), verbose_name=_("kinds"), default=default_kinds)
    auto_download = models.CharField(_("download by itself"), max_length=10, choices=AutoDownload, default=AutoDownload.NONE)

    outcome = models.CharField(_("last outcome"), max_length=20, choices=Outcome, default=Outcome.NEVER, blank=True)
    outcome_detail = models.TextField(_("detail"), blank=True)
    failures_in_a_row = models.PositiveIntegerField(_("failures in a row"), default=0)
    last_run_at = models.DateTimeField(_("last run"), null=True, blank=True)
    last_good_at = models.DateTimeField(_("last good run"), null=True, blank=True)
    next_run_at = models.DateTimeField(_("next run"), default=timezone.now)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["platform", "kind", "value", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "platform", "kind", "value"], name="a_workspace_watches_a_thing_once")
        ]
        indexes = [models.Index(fields=["next_run_at"], condition=Q(is_active=True), name="source_due")]

    def __str__(self) -> str:
        return f"{self.platform} {self.kind} {self.value}"

    @property
    def is_looked_at_when_asked(self) -> bool:
        """An imported link: by no schedule, though nobody has paused it."""
        return self.kind == SourceKind.URL and not self.is_active

    @property
    def shown_name(self) -> str:
        """A sound is watched by its number, and known by its title."""
        return str(self.sound) if self.sound else self.value

    @property
    def in_words(self) -> str:
        """What is watched and where, as staff read it; it asks for the sound."""
        return f"{self.platform} {self.kind} {self.shown_name}"

    def clean(self) -> None:
        # Of a new one only: an edit shows no field for what is watched, and an error needs a field.
        if self._state.adding and self.value:
            if not is_offered(self.platform, self.kind):
                raise ValidationError({"kind": _("This platform reads only links.")})
            try:
                self.value = clean_value(self.platform, self.kind, self.value)
            except ValidationError as error:
                raise ValidationError({"value": error}) from error

    def wants(self, video: VideoData, now: datetime) -> bool:
        """Whether the filters let a video through."""
        if video.kind not in self.kinds:
            return False
        least = (
            (self.min_views, video.counts.views),
            (self.min_likes, video.counts.likes),
            (self.min_height, video.height),
        )
        if any(limit is not None and value is not None and value < limit for limit, value in least):
            return False
        oldest = None if self.max_age_days is None else now - timedelta(days=min(self.max_age_days, 36_500))
        return oldest is None or video.published_at is None or video.published_at >= oldest
