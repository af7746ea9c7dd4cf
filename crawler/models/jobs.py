"""Looks at sources and at single videos, each a job."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crawler.models.sources import Source
from crawler.models.videos import Video
from jobs.models import FINAL, Job, JobQuerySet


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
