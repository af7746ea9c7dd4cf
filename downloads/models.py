"""Bytes: what a video has, where the verified objects lie, and the jobs and wishes that brought them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crawler.models import Author, Sound, Video
from jobs.models import FINAL, Job, JobQuerySet


class Quality(models.TextChoices):
    BEST = "best", _("best")
    P1080 = "1080", "1080p"
    P720 = "720", "720p"
    P540 = "540", "540p"
    AUDIO = "audio", _("audio only")


class StoredObjectQuerySet(models.QuerySet["StoredObject"]):
    def unused(self) -> Self:
        """Neither an asset's object or original, nor a thumbnail of another object.

        Thumbnails of an unused one are found when it is gone.
        """
        return self.filter(~Exists(_assets_of()), ~Exists(_larger_ones()))

    def unused_without(self, going: Q) -> Self:
        """What would be unused in the end if the assets that `going` describes were not there."""
        others = _assets_of().exclude(going)
        return self.filter(~Exists(others), ~Exists(_larger_ones().filter(Exists(others))))


def _assets_of() -> models.QuerySet[Asset]:
    return Asset.objects.filter(Q(object=OuterRef("pk")) | Q(original=OuterRef("pk")))


def _larger_ones() -> models.QuerySet[StoredObject]:
    # One that is its own thumbnail (already small enough) keeps nothing.
    return StoredObject.objects.filter(Q(small=OuterRef("pk")) | Q(medium=OuterRef("pk"))).exclude(pk=OuterRef("pk"))


class StoredObject(models.Model):
    """One verified object in the media storage, named by the sha256 of its bytes, which never change once written.

    Of a picture, `small` and `medium` are thumbnails (WebP, at most 240 and 720 pixels across): they belong to the bytes, so
    that two videos with the same picture share them too.
    """

    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True)
    size = models.PositiveBigIntegerField(_("size, bytes"))
    mime = models.CharField(_("type"), max_length=60)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration, ms"), null=True, blank=True)
    facts = models.JSONField(_("what the probe found"), default=dict, blank=True)
    small = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="small_of", verbose_name=_("small thumbnail")
    )
    medium = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="medium_of", verbose_name=_("thumbnail")
    )
    phash = models.BigIntegerField(
        _("perceptual hash"), null=True, blank=True, db_index=True,
        help_text=_("64 bits, signed; pictures that look alike differ in few of them. Empty where there is nothing to see."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("stored"), default=timezone.now)
    verified_at = models.DateTimeField(_("last verified"), default=timezone.now)

    objects = models.Manager.from_queryset(StoredObjectQuerySet)()

    class Meta:
        verbose_name = _("stored object")
        verbose_name_plural = _("stored objects")

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def key(self) -> str:
        """Where the bytes lie in the storage."""
        return f"blobs/{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"


class AssetRole(models.TextChoices):
    VIDEO = "video", _("video")
    AUDIO = "audio", _("audio")
    COVER = "cover", _("cover")
    SLIDE = "slide", _("slide")
    THUMBNAIL = "thumbnail", _("thumbnail")
    AVATAR = "avatar", _("avatar")


class AssetState(models.TextChoices):
    WANTED = "wanted", _("wanted")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")
    REMOVED = "removed", _("removed by retention")


class Asset(models.Model):
    """One thing that a video, an author or a sound has, and the object that holds it once it is ready."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, null=True, blank=True, related_name="assets")
    author = models.ForeignKey(Author, on_delete=models.CASCADE, null=True, blank=True, related_name="assets")
    sound = models.ForeignKey(Sound, on_delete=models.CASCADE, null=True, blank=True, related_name="assets")
    role = models.CharField(_("role"), max_length=10, choices=AssetRole)
    quality = models.CharField(_("quality"), max_length=10, choices=Quality, blank=True)
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("Of a slide: its number from 0; of a thumbnail: percent of the duration.")
    )
    state = models.CharField(_("state"), max_length=10, choices=AssetState, default=AssetState.WANTED)
    object = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, null=True, blank=True, related_name="assets", verbose_name=_("object")
    )
    original = models.ForeignKey(
        StoredObject, on_delete=models.PROTECT, null=True, blank=True, related_name="originals_of", verbose_name=_("original"),
        help_text=_("The bytes as the platform gave them, where the object was made of them because browsers do not show them."),
    )  # fmt: skip
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    tried_address = models.CharField(
        _("address tried"), max_length=32, blank=True,
        help_text=_("A fingerprint of the address that failed: another one is worth another try."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    ready_at = models.DateTimeField(_("ready"), null=True, blank=True)

    class Meta:
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        constraints = [
            models.UniqueConstraint(fields=["video", "role", "quality", "position"], name="a_video_has_an_asset_once"),
            models.UniqueConstraint(
                fields=["author", "role"], condition=Q(author__isnull=False), name="an_author_has_an_asset_once"
            ),
            models.UniqueConstraint(fields=["sound", "role"], condition=Q(sound__isnull=False), name="a_sound_has_an_asset_once"),
            models.CheckConstraint(
                condition=Q(video__isnull=False, author=None, sound=None)
                | Q(video=None, author__isnull=False, sound=None)
                | Q(video=None, author=None, sound__isnull=False),
                name="an_asset_is_of_a_video_or_an_author_or_a_sound",
            ),
            models.CheckConstraint(
                condition=~Q(state=AssetState.READY) | Q(object__isnull=False), name="a_ready_asset_has_its_object"
            ),
        ]
        # Few at any time, and looked for every other minute.
        indexes = [models.Index(fields=["state", "id"], condition=~Q(state=AssetState.READY), name="asset_not_ready")]

    def __str__(self) -> str:
        things = {"video": self.video_id, "author": self.author_id, "sound": self.sound_id}
        return f"{self.name} of " + " ".join(f"{thing} {pk}" for thing, pk in things.items() if pk)

    @property
    def name(self) -> str:
        """Which of its thing's assets it is; slides are numbered as on the pages."""
        match self.role:
            case AssetRole.SLIDE:
                return f"{self.get_role_display()} {self.position + 1}"
            case AssetRole.THUMBNAIL:
                return f"{self.get_role_display()} {self.position} %"
            case _:
                return self.get_role_display()

    @property
    def owner(self) -> Video | Author | Sound | None:
        """Whose it is; one of the three, which it asks for."""
        return self.video or self.author or self.sound


class DownloadJob(Job):
    """Brings one video in one quality. Asked for twice, it is still one job."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="downloads", verbose_name=_("video"))
    quality = models.CharField(_("quality"), max_length=10, choices=Quality, default=Quality.BEST)
    is_refetch = models.BooleanField(
        _("fetched again"), default=False, help_text=_("What is kept already is fetched anew, and stays until then.")
    )
    extractor = models.CharField(_("extractor"), max_length=30, blank=True)
    bytes_done = models.PositiveBigIntegerField(_("bytes so far"), default=0)
    bytes_total = models.PositiveBigIntegerField(_("bytes in all"), null=True, blank=True)

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta(Job.Meta):
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["video", "quality"],
                condition=~Q(state__in=FINAL),
                name="one_live_download_per_video_and_quality",
            ),
        ]
        indexes = [*Job.Meta.indexes, models.Index(fields=["video", "quality", "-id"], name="download_latest")]


class AssetJob(Job):
    """Brings one small thing (a cover, a slide, a face, a sound), so that pages load nothing from other sites."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="jobs", verbose_name=_("asset"))

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    prepared: Any = None
    """What was fetched for this attempt together with others (downloads.assets.prepare), if it was."""
    tried_address = ""
    """See Asset; known once this attempt has read the address."""

    class Meta(Job.Meta):
        verbose_name = _("asset job")
        verbose_name_plural = _("asset jobs")
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["asset"], condition=~Q(state__in=FINAL), name="one_live_job_per_asset"),
        ]


class IncomingObject(models.Model):
    """Bytes that a worker is about to store: while this row is young, nobody deletes them for having no row yet."""

    sha256 = models.CharField(_("SHA-256"), max_length=64, primary_key=True)
    announced_at = models.DateTimeField(_("announced"), default=timezone.now)

    class Meta:
        verbose_name = _("incoming object")
        verbose_name_plural = _("incoming objects")

    def __str__(self) -> str:
        return self.sha256[:12]


class DownloadRequest(models.Model):
    """Somebody asked for a download: a person, an anonymous session, or a source's own rule."""

    job = models.ForeignKey(DownloadJob, on_delete=models.CASCADE, related_name="requests", verbose_name=_("download"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="download_requests"
    )
    session_key = models.CharField(_("session"), max_length=40, blank=True)
    is_automatic = models.BooleanField(_("by a source's rule"), default=False)
    created_at = models.DateTimeField(_("asked"), default=timezone.now)

    class Meta:
        verbose_name = _("download request")
        verbose_name_plural = _("download requests")
        constraints = [
            models.UniqueConstraint(fields=["job", "user"], condition=Q(user__isnull=False), name="a_person_asks_for_a_job_once"),
            models.UniqueConstraint(
                fields=["job", "session_key"], condition=~Q(session_key=""), name="a_session_asks_for_a_job_once"
            ),
        ]
        indexes = [models.Index(fields=["session_key", "-id"], condition=~Q(session_key=""), name="request_of_session")]

    def __str__(self) -> str:
        return f"request {self.pk}"


class Batch(models.Model):
    """Many videos wanted as one zip; its id is unguessable because an anonymous session may own it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True)
    session_key = models.CharField(_("session"), max_length=40, blank=True)
    quality = models.CharField(_("quality"), max_length=10, choices=Quality, default=Quality.BEST)
    jobs = models.ManyToManyField(DownloadJob, related_name="batches", verbose_name=_("downloads"))
    created_at = models.DateTimeField(_("asked"), default=timezone.now)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.id)[:8]


class Extractor(models.Model):
    """One way to get at the bytes of one platform. Staff set its order and limits; its health is kept by the downloads."""

    name = models.CharField(_("name"), max_length=30)
    platform = models.CharField(_("platform"), max_length=20)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    priority = models.PositiveSmallIntegerField(_("priority"), default=50, help_text=_("Lower is tried first."))
    most_per_minute = models.PositiveIntegerField(_("most per minute"), default=60)
    most_per_hour = models.PositiveIntegerField(_("most per hour"), default=0, help_text=_("0: no limit beyond the minute's."))
    cool_down_seconds = models.PositiveIntegerField(_("cool-down, seconds"), default=300)
    cooling_until = models.DateTimeField(_("cooling until"), null=True, blank=True)
    successes = models.PositiveIntegerField(_("successes"), default=0)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    failures_in_a_row = models.PositiveIntegerField(_("failures in a row"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True)

    class Meta:
        verbose_name = _("extractor")
        verbose_name_plural = _("extractors")
        ordering = ["platform", "priority", "name"]
        constraints = [models.UniqueConstraint(fields=["name", "platform"], name="a_platform_has_an_extractor_once")]

    def __str__(self) -> str:
        return f"{self.name} for {self.platform}"
