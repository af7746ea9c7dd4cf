"""Counters over time: rows that are written once, each with its moment."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models.videos import Author, Sound, Video


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
