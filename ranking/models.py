"""How a video ranks now, what is remembered to say so, and what was foretold: narrow tables beside the wide video rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crawler.models import Video


class Family(models.TextChoices):
    """Which counters a model reads: Douyin's web pages, for one, hide the views."""

    VIEWS = "views", _("with views")
    REACTIONS = "reactions", _("without views")


class ModelState(models.TextChoices):
    ACTIVE = "active", _("active")
    REFUSED = "refused", _("refused")  # a refit that was worse on held-out videos
    RETIRED = "retired", _("retired")


class RankingModel(models.Model):
    """One version of the coefficients. At most one per family is active; scores name the version they come from."""

    family = models.CharField(_("family"), max_length=10, choices=Family)
    state = models.CharField(_("state"), max_length=10, choices=ModelState, default=ModelState.RETIRED, editable=False)
    origin = models.CharField(_("origin"), max_length=60, help_text=_("“shipped”, or “refit” on our own history."))
    data = models.JSONField(_("coefficients"), editable=False)
    alert_threshold = models.FloatField(
        _("alert threshold"),
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("Probability from which a surge is an alert; fitted for a precision of one half."),
    )
    watch_threshold = models.FloatField(
        _("watch threshold"),
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("Probability from which a video is watched; fitted for a precision of three tenths."),
    )
    evidence = models.JSONField(_("how it did on held-out videos"), default=dict, blank=True, editable=False)
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("fitted"), default=timezone.now, editable=False)
    activated_at = models.DateTimeField(_("activated"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("ranking model")
        verbose_name_plural = _("ranking models")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["family"], condition=Q(state=ModelState.ACTIVE), name="one_active_ranking_model_per_family"
            )
        ]

    def __str__(self) -> str:
        return f"{self.family} v{self.pk}"


class CounterState(models.Model):
    """What is remembered of a video's counters (ranking/scoring/state.py). Arrays are in the order of METRICS."""

    video = models.OneToOneField(Video, on_delete=models.CASCADE, primary_key=True, related_name="counter_state")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="The newest snapshot applied: later ones are still to come.")
    snapshots = models.IntegerField()
    moving = models.SmallIntegerField()
    is_clipped = models.BooleanField()
    raw: Any = ArrayField(models.BigIntegerField(null=True))
    hour: Any = ArrayField(models.FloatField(null=True), help_text="Hours since 1970 of each counter's last believed value.")
    total: Any = ArrayField(models.FloatField(null=True))
    fast: Any = ArrayField(models.FloatField(null=True))
    slow: Any = ArrayField(models.FloatField(null=True))
    seen: Any = ArrayField(models.IntegerField(null=True))

    class Meta:
        verbose_name = _("counter state")
        verbose_name_plural = _("counter states")

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def shows_views(self) -> bool:
        """Whether its views ever were above 0: which family of models speaks of it."""
        return bool(self.raw[0])


class Score(models.Model):
    """The heads' probabilities at the newest observation, and the classic score. No clock in it: same input, same row."""

    video = models.OneToOneField(Video, on_delete=models.CASCADE, primary_key=True, related_name="score")
    virality = models.FloatField(_("virality"), null=True, help_text=_("Chance of a top-5 % gain in the next day."))
    breakout = models.FloatField(_("breakout"), null=True, help_text=_("Chance of a top-5 % relative gain."))
    reach = models.FloatField(_("reach"), null=True, help_text=_("Chance of reaching the top level."))
    model = models.ForeignKey(RankingModel, on_delete=models.PROTECT, null=True, db_index=False, verbose_name=_("model"))
    classic = models.FloatField(_("classic score"))
    momentum = models.FloatField(
        _("momentum"), null=True, help_text=_("Relative change of the classic score within 24 h; 0.5 is +50 %.")
    )
    # The counters that the classic score was made of, and those a day before: new weights need no look at the history.
    views = models.BigIntegerField(_("views"), null=True)
    likes = models.BigIntegerField(_("likes"), null=True)
    shares = models.BigIntegerField(_("shares"), null=True)
    views_before = models.BigIntegerField(_("views a day before"), null=True)
    likes_before = models.BigIntegerField(_("likes a day before"), null=True)
    shares_before = models.BigIntegerField(_("shares a day before"), null=True)
    is_surging = models.BooleanField(_("surging"), default=False)
    surging_since = models.DateTimeField(_("surging since"), null=True)
    surged_at = models.DateTimeField(_("last surge seen"), null=True, help_text=_("Stays when the surge is over."))
    observed_at = models.DateTimeField(_("of the observation at"))

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        indexes = [
            # Without NULLs: a keyset cannot page through them. What no model has spoken of comes last.
            models.Index(Coalesce("virality", -1.0).desc(), F("video").desc(), name="score_by_virality"),
            models.Index(Coalesce("breakout", -1.0).desc(), F("video").desc(), name="score_by_breakout"),
            models.Index(fields=["-classic", "-video"], name="score_feed"),
            models.Index(fields=["-classic", "-video"], condition=Q(is_surging=True), name="score_surging"),
        ]

    def __str__(self) -> str:
        return f"score of video {self.video_id}"


class Baseline(models.Model):
    """What is usual on a platform: of all its videos (age_bucket −1), or of those of one age (see ranking/baselines.py)."""

    platform = models.CharField(_("platform"), max_length=20)
    family = models.CharField(_("family"), max_length=10, choices=Family)
    age_bucket = models.SmallIntegerField(_("age bucket"), default=-1)
    videos = models.IntegerField(_("videos"))
    median_size = models.FloatField(_("median of the primary counter"))
    level = models.FloatField(_("top level"), help_text=_("What one video in twenty reaches."))
    median_rate = models.FloatField(_("median of ln(1 + rise per hour)"))
    spread_rate = models.FloatField(_("median absolute deviation of it"))
    computed_at = models.DateTimeField(_("computed"), default=timezone.now)

    class Meta:
        verbose_name = _("baseline")
        verbose_name_plural = _("baselines")
        constraints = [
            models.UniqueConstraint(fields=["platform", "family", "age_bucket"], name="one_baseline_per_platform_and_age")
        ]

    def __str__(self) -> str:
        ages = _("all ages") if self.age_bucket < 0 else _("age bucket %d") % self.age_bucket
        return f"{self.platform} {self.family}, {ages}"


class SurgeState(models.TextChoices):
    WATCH = "watch", _("watched")
    OPEN = "open", _("surging")
    PEAKED = "peaked", _("past its peak")
    CLEARED = "cleared", _("over")


class Surge(models.Model):
    """One surge of one video: when it was foretold, on what evidence, and what came of it."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="surges", verbose_name=_("video"))
    model = models.ForeignKey(RankingModel, on_delete=models.PROTECT, verbose_name=_("model"))
    state = models.CharField(_("state"), max_length=10, choices=SurgeState, default=SurgeState.WATCH)
    watched_at = models.DateTimeField(_("watched since"))
    alerted_at = models.DateTimeField(_("alerted"), null=True, blank=True)
    confirmed_at = models.DateTimeField(
        _("confirmed"), null=True, blank=True, help_text=_("Two counters or more rose, and none of them alone.")
    )
    peaked_at = models.DateTimeField(_("peaked"), null=True, blank=True)
    cleared_at = models.DateTimeField(_("cleared"), null=True, blank=True)
    reached_at = models.DateTimeField(_("reached the top level"), null=True, blank=True)
    probability = models.FloatField(_("probability at the alert"))
    highest = models.FloatField(_("highest probability"))
    level = models.FloatField(_("top level foretold"))
    top_rate = models.FloatField(_("highest rise per hour"), default=0)
    low_streak = models.SmallIntegerField(default=0, help_text="Observations in a row below the clearing line.")
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    observed_at = models.DateTimeField(_("last judged observation"))

    class Meta:
        verbose_name = _("surge")
        verbose_name_plural = _("surges")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["video"], condition=~Q(state=SurgeState.CLEARED), name="one_open_surge_per_video")
        ]
        indexes = [models.Index(fields=["-alerted_at", "-id"], condition=Q(alerted_at__isnull=False), name="surge_latest")]

    def __str__(self) -> str:
        return f"surge of video {self.video_id} since {self.watched_at:%Y-%m-%d %H:%M}"

    @property
    def lead(self) -> timedelta | None:
        """From the alert to the top level; None where one of them never came."""
        return self.reached_at - self.alerted_at if self.reached_at and self.alerted_at else None


class Milestone(models.Model):
    """When a video reached the top level, and when the classic rule first called it a surge: what alerts are judged by."""

    video = models.OneToOneField(Video, on_delete=models.CASCADE, primary_key=True, related_name="milestone")
    level = models.FloatField(_("top level then"), null=True)
    reached_at = models.DateTimeField(
        _("reached the top level"), null=True, help_text=_("Only of videos that were below it when first seen.")
    )
    classic_at = models.DateTimeField(_("first surge by the classic rule"), null=True)

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        indexes = [
            models.Index(fields=["-reached_at"], condition=Q(reached_at__isnull=False), name="milestone_reached"),
            models.Index(fields=["-classic_at"], condition=Q(classic_at__isnull=False), name="milestone_classic"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
