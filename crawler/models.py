"""What is watched, and what was seen: sources, authors, sounds, videos and their counters over time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crawler.encryption import EncryptedJSONField
from crawler.providers.base import VideoData
from crawler.trending import TrendingWord as TrendingWord
from crawler.validators import clean_value, is_offered, validate_cron, validate_plain_text
from jobs.models import FINAL, Job, JobQuerySet
from workspaces.models import Workspace


class SourceKind(models.TextChoices):
    TOPIC = "topic", _("topic")
    HASHTAG = "hashtag", _("hashtag")
    PROFILE = "profile", _("profile")
    SOUND = "sound", _("sound")
    TRENDING = "trending", _("trending list")
    URL = "url", _("link")


class Outcome(models.TextChoices):
    """How the last look at a source went. Blocked is not empty."""

    NEVER = "", _("not looked at yet")
    OK = "ok", _("ok")
    EMPTY = "empty", _("empty")
    BLOCKED = "blocked", _("blocked")
    LOGIN_REQUIRED = "login_required", _("login required")
    RATE_LIMITED = "rate_limited", _("rate limited")
    CHANGED = "changed", _("answer changed")
    UNREACHABLE = "unreachable", _("unreachable")
    GONE = "gone", _("gone")
    PRIVATE = "private", _("private")
    RENAMED = "renamed", _("renamed")
    SERVICE_REFUSED = "service_refused", _("service not usable")
    FAILED = "failed", _("failed")


class AutoDownload(models.TextChoices):
    NONE = "none", _("nothing")
    SURGING = "surging", _("what surges")
    ALL = "all", _("everything")


class VideoKind(models.TextChoices):
    CLIP = "clip", _("clip")
    CAROUSEL = "carousel", _("carousel")


def default_kinds() -> list[str]:
    return [VideoKind.CLIP.value, VideoKind.CAROUSEL.value]


def platform_choices() -> list[tuple[str, str]]:
    from crawler.providers import registry

    return registry.choices()


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


class Author(models.Model):
    platform = models.CharField(_("platform"), max_length=20)
    external_id = models.CharField(_("id there"), max_length=128)
    handle = models.CharField(_("handle"), max_length=200, blank=True)
    name = models.CharField(_("name"), max_length=300, blank=True)
    url = models.URLField(_("link"), max_length=1000, blank=True)
    avatar_url = models.URLField(_("avatar link"), max_length=2000, blank=True)
    bio = models.TextField(_("bio"), blank=True)
    followers = models.BigIntegerField(_("followers"), null=True, blank=True)
    following = models.BigIntegerField(_("following"), null=True, blank=True)
    likes = models.BigIntegerField(_("likes of all videos"), null=True, blank=True)
    video_count = models.BigIntegerField(_("videos there"), null=True, blank=True)
    is_verified = models.BooleanField(_("verified"), default=False)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("author")
        verbose_name_plural = _("authors")
        constraints = [models.UniqueConstraint(fields=["platform", "external_id"], name="an_author_exists_once")]
        indexes = [models.Index(fields=["handle"], name="author_handle")]

    def __str__(self) -> str:
        return self.name or self.handle or self.external_id


class Sound(models.Model):
    platform = models.CharField(_("platform"), max_length=20)
    external_id = models.CharField(_("id there"), max_length=128)
    title = models.CharField(_("title"), max_length=500, blank=True)
    author_name = models.CharField(_("author"), max_length=300, blank=True)
    duration_seconds = models.FloatField(_("duration, seconds"), null=True, blank=True)
    play_url = models.URLField(_("media link"), max_length=2000, blank=True)
    cover_url = models.URLField(_("cover link"), max_length=2000, blank=True)
    is_original = models.BooleanField(_("original"), default=False)
    url = models.URLField(_("link"), max_length=1000, blank=True)
    uses = models.BigIntegerField(_("videos that use it"), null=True, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("sound")
        verbose_name_plural = _("sounds")
        constraints = [models.UniqueConstraint(fields=["platform", "external_id"], name="a_sound_exists_once")]

    def __str__(self) -> str:
        return self.title or self.external_id


class Video(models.Model):
    """One clip or carousel of a platform, known by its id there. Counters are its latest observation."""

    platform = models.CharField(_("platform"), max_length=20)
    external_id = models.CharField(_("id there"), max_length=128)
    kind = models.CharField(_("kind"), max_length=10, choices=VideoKind, default=VideoKind.CLIP)
    url = models.URLField(_("link"), max_length=2000)
    title = models.TextField(_("title"), blank=True)
    author = models.ForeignKey(
        Author, on_delete=models.SET_NULL, null=True, blank=True, related_name="videos", verbose_name=_("author")
    )
    sound = models.ForeignKey(
        Sound, on_delete=models.SET_NULL, null=True, blank=True, related_name="videos", verbose_name=_("sound")
    )
    sources = models.ManyToManyField(Source, through="SourceVideo", related_name="videos", verbose_name=_("sources"))
    category = models.CharField(_("category"), max_length=60, blank=True)
    hashtags = ArrayField(models.CharField(max_length=200), verbose_name=_("hashtags"), default=list, blank=True)
    cover_url = models.URLField(_("cover link"), max_length=2000, blank=True)
    media = models.JSONField(
        _("media links"), default=list, blank=True,
        help_text=_("Best first: url, expires_at, width, height, bitrate, codec, size."),
    )  # fmt: skip
    slides = models.JSONField(_("slides"), default=list, blank=True, help_text=_("In order: urls (mirrors), width, height."))
    duration_ms = models.PositiveIntegerField(_("duration, ms"), null=True, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    flags = ArrayField(models.CharField(max_length=60), verbose_name=_("mended"), default=list, blank=True)

    views = models.BigIntegerField(_("views"), null=True, blank=True)
    likes = models.BigIntegerField(_("likes"), null=True, blank=True)
    comments = models.BigIntegerField(_("comments"), null=True, blank=True)
    shares = models.BigIntegerField(_("shares"), null=True, blank=True)
    saves = models.BigIntegerField(_("saves"), null=True, blank=True)

    gone_at = models.DateTimeField(_("gone since"), null=True, blank=True)
    gone_reason = models.CharField(_("why gone"), max_length=200, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("video")
        verbose_name_plural = _("videos")
        constraints = [models.UniqueConstraint(fields=["platform", "external_id"], name="a_video_exists_once")]
        indexes = [
            # Without NULLs: a keyset cannot page through them, and the feed shows these videos too.
            models.Index(Coalesce("published_at", "first_seen_at").desc(), F("id").desc(), name="video_by_time"),
            models.Index(Coalesce("views", -1).desc(), F("id").desc(), name="video_by_views"),
            models.Index(fields=["author", "-id"], name="video_of_author"),
            GinIndex(fields=["hashtags"], name="video_hashtags"),
        ]

    def __str__(self) -> str:
        return self.title[:60] or f"{self.platform} {self.external_id}"


class SourceVideo(models.Model):
    """A source showed a video."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="sightings")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="sightings")
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("sighting")
        verbose_name_plural = _("sightings")
        constraints = [models.UniqueConstraint(fields=["source", "video"], name="a_source_shows_a_video_once")]

    def __str__(self) -> str:
        return f"{self.source_id} → {self.video_id}"


class MetricSnapshot(models.Model):
    """A video's public counters as seen at one moment. Written once, never changed; null: not shown.

    Partitioned by `observed_at` (a month each, and a DEFAULT), so its key holds the time and nothing refers to it.
    """

    pk = models.CompositePrimaryKey("video_id", "observed_at")
    video = models.ForeignKey(Video, on_delete=models.DO_NOTHING, related_name="snapshots", db_constraint=False)
    observed_at = models.DateTimeField(_("observed"))
    views = models.BigIntegerField(_("views"), null=True)
    likes = models.BigIntegerField(_("likes"), null=True)
    comments = models.BigIntegerField(_("comments"), null=True)
    shares = models.BigIntegerField(_("shares"), null=True)
    saves = models.BigIntegerField(_("saves"), null=True)
    followers = models.BigIntegerField(_("author's followers"), null=True)

    class Meta:
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")

    def __str__(self) -> str:
        return f"{self.video_id} at {self.observed_at:%Y-%m-%d %H:%M}"


class AuthorSnapshot(models.Model):
    """An author's own counters as a profile showed them at one moment. Written once; null: not shown."""

    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="snapshots", verbose_name=_("author"))
    observed_at = models.DateTimeField(_("observed"))
    followers = models.BigIntegerField(_("followers"), null=True)
    following = models.BigIntegerField(_("following"), null=True)
    likes = models.BigIntegerField(_("likes of all videos"), null=True)
    video_count = models.BigIntegerField(_("videos there"), null=True)

    class Meta:
        verbose_name = _("author snapshot")
        verbose_name_plural = _("author snapshots")
        constraints = [models.UniqueConstraint(fields=["author", "observed_at"], name="an_author_is_observed_once_at_a_time")]

    def __str__(self) -> str:
        return f"{self.author_id} at {self.observed_at:%Y-%m-%d %H:%M}"


class SoundSnapshot(models.Model):
    """How many videos used a sound at one moment, as the platform counted. Written once."""

    sound = models.ForeignKey(Sound, on_delete=models.CASCADE, related_name="snapshots", verbose_name=_("sound"))
    observed_at = models.DateTimeField(_("observed"))
    uses = models.BigIntegerField(_("videos that use it"))

    class Meta:
        verbose_name = _("sound snapshot")
        verbose_name_plural = _("sound snapshots")
        constraints = [models.UniqueConstraint(fields=["sound", "observed_at"], name="a_sound_is_observed_once_at_a_time")]

    def __str__(self) -> str:
        return f"{self.sound_id} at {self.observed_at:%Y-%m-%d %H:%M}"


class ProviderPause(models.Model):
    """A provider that is asked nothing until somebody mends what it complains of, or until a time. No row: it is asked."""

    provider = models.CharField(_("provider"), max_length=30, unique=True)
    code = models.CharField(_("code"), max_length=40)
    reason = models.TextField(_("reason"))
    since = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: until it is resumed."))

    class Meta:
        verbose_name = _("provider pause")
        verbose_name_plural = _("provider pauses")

    def __str__(self) -> str:
        return self.provider


class WebhookDelivery(models.Model):
    """A message that an outside service sent us of itself, verified and stored once; what it says is looked up, not believed."""

    service = models.CharField(_("service"), max_length=30)
    key = models.CharField(_("key"), max_length=200, help_text=_("What makes it the same message when it comes again."))
    body = models.JSONField(_("body"), default=dict)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [models.UniqueConstraint(fields=["service", "key"], name="a_delivery_is_stored_once")]

    def __str__(self) -> str:
        return f"{self.service} {self.key}"


class BrowserSession(models.Model):
    """The signed-in state of a browser for one platform (its cookies), kept encrypted and never shown again."""

    platform = models.CharField(_("platform"), max_length=20, choices=platform_choices, unique=True)
    storage_state = EncryptedJSONField(_("storage state"))
    expires_at = models.DateTimeField(_("first cookie expires"), null=True, blank=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("browser session")
        verbose_name_plural = _("browser sessions")

    def __str__(self) -> str:
        return self.platform


class CrawlJob(Job):
    """One look at a source: resumes from `cursor`, counts what it saw."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="runs", verbose_name=_("source"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("requested by")
    )
    cursor = models.JSONField(_("cursor"), null=True, blank=True)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    counts = models.JSONField(
        _("counts"), default=dict, blank=True,
        help_text=_("seen, new, updated, credits, clip, carousel, filtered, live, ad, deleted, malformed, other"),
    )  # fmt: skip
    errors = models.JSONField(_("bad entries"), default=list, blank=True)
    order = models.CharField(
        _("run at the service"), max_length=100, blank=True, editable=False,
        help_text=_("Of a service that works in the background: how it calls what it was asked to do."),
    )  # fmt: skip
    force_recache = models.BooleanField(_("fetch all media again"), default=False)

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta(Job.Meta):
        verbose_name = _("crawl")
        verbose_name_plural = _("crawls")
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["source"], condition=~Q(state__in=FINAL), name="one_live_crawl_per_source"),
        ]
        indexes = [
            *Job.Meta.indexes,
            models.Index(fields=["order"], condition=~Q(order=""), name="crawl_by_order"),
            models.Index(fields=["source", "-id"], name="crawl_of_source"),
        ]


class ObserveJob(Job):
    """One look at a single video's counters, asked for by who plans where to look next."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="observations", verbose_name=_("video"))
    reason = models.CharField(_("why"), max_length=30, blank=True)

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta(Job.Meta):
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["video"], condition=~Q(state__in=FINAL), name="one_live_observation_per_video"),
        ]
        indexes = [*Job.Meta.indexes, models.Index(fields=["created_at"], name="observation_asked")]
