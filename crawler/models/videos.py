"""What was seen: authors, sounds and videos, each known by its id on its platform, and which source showed which video."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from crawler.models.choices import VideoKind
from crawler.models.sources import Source


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
        return Truncator(self.title).chars(60) or f"{self.platform} {self.external_id}"


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
