"""Looks at sources, and at single videos."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from crawler.models import CrawlJob, ObserveJob
from jobs.admin import JobAdmin

LISTED = ("seen", "new", "updated", "filtered", "malformed", "credits")
"""Of what a crawl counted, what a list shows; all of it stands on the crawl's own page."""


@admin.register(CrawlJob)
class CrawlJobAdmin(JobAdmin):
    list_display = ["show_source", *JobAdmin.list_display[1:-2], "show_counts", *JobAdmin.list_display[-2:]]
    list_filter = ["source__platform", "source__kind", *JobAdmin.list_filter]
    list_select_related = ["source__sound"]
    search_fields = ["source__value", "error_code", "outcome", "error"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "source__id__exact" or super().lookup_allowed(lookup, value, request)

    @display(description=_("source"), ordering="source_id")
    def show_source(self, job: CrawlJob) -> str:
        return job.source.in_words

    @display(description=_("saw"))
    def show_counts(self, job: CrawlJob) -> str:
        return ", ".join(f"{name} {job.counts[name]}" for name in LISTED if job.counts.get(name)) or "–"


@admin.register(ObserveJob)
class ObserveJobAdmin(JobAdmin):
    list_display = ["video", "reason", *JobAdmin.list_display[1:]]
    list_filter = ["video__platform", "reason", *JobAdmin.list_filter]
    list_select_related = ["video"]
    search_fields = ["video__external_id", "error"]
    raw_id_fields = ["video"]
