"""What is kept, who asked for it, and how it is brought."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from downloads import storage, wanting
from downloads.filenames import filename_for
from downloads.models import Asset, AssetJob, Batch, DownloadJob, DownloadRequest, Extractor, StoredObject
from downloads.processing.containers import extension_of
from jobs.admin import MOST_AT_ONCE, JobAdmin
from jobs.listing import AuditedActions, BigListAdmin, OnlyLookedAt, recent_values


class ReadOnly(OnlyLookedAt, BigListAdmin):
    """Written by the downloads themselves; looked at here."""


class RequestInline(TabularInline):
    model = DownloadRequest
    fields = ["user", "is_automatic", "created_at"]
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DownloadJob)
class DownloadJobAdmin(JobAdmin):
    list_display = ["show_video", "quality", *JobAdmin.list_display[1:]]
    list_filter = [
        "quality",
        recent_values("extractor", _("extractor")),
        recent_values("video__platform", _("platform")),
        *JobAdmin.list_filter,
    ]
    list_select_related = ["video"]
    search_fields = ["video__external_id", "video__title", "error"]
    autocomplete_fields: Any = []
    inlines = [RequestInline]

    @display(description=_("video"), ordering="video_id")
    def show_video(self, job: DownloadJob) -> str:
        return str(job.video)


@admin.register(AssetJob)
class AssetJobAdmin(JobAdmin):
    list_display = ["show_asset", "show_owner", *JobAdmin.list_display[1:]]
    list_filter = ["asset__role", *JobAdmin.list_filter]
    list_select_related = ["asset__video", "asset__author", "asset__sound"]
    search_fields = ["asset__video__external_id", "asset__author__external_id", "asset__sound__external_id", "error"]

    @display(description=_("asset"), ordering="asset_id")
    def show_asset(self, job: AssetJob) -> str:
        return job.asset.name

    @display(description=_("of"))
    def show_owner(self, job: AssetJob) -> str:
        return str(job.asset.owner)


@admin.register(Asset)
class AssetAdmin(ReadOnly):
    list_display = ["show_thing", "role", "quality", "position", "show_state", "show_reason", "show_object", "ready_at"]
    list_filter = ["state", "role", "quality", recent_values("error_code", _("error code"))]
    list_select_related = ["video", "author", "sound", "object"]
    search_fields = [
        *("video__external_id", "video__title", "author__external_id", "sound__external_id", "object__sha256"),
    ]
    ordering = ["-id"]
    actions = ["fetch_again"]

    @action(description=_("Fetch again"), permissions=["fetch"])
    def fetch_again(self, request: HttpRequest, assets: QuerySet[Asset]) -> None:
        """What is kept stays until the new one is there."""
        ids = list(assets.values_list("pk", flat=True)[:MOST_AT_ONCE])
        fetched = wanting.want_again(ids)
        self.done_to(request, fetched)
        count = len(fetched)
        self.message_user(
            request,
            ngettext("%d asset is fetched again.", "%d assets are fetched again.", count) % count,
            messages.SUCCESS if count else messages.WARNING,
        )
        if left := len(ids) - count:
            self.message_user(
                request,
                ngettext(
                    "%d was left: it is on its way already, has no address now, or comes with its clip.",
                    "%d were left: they are on their way already, have no address now, or come with their clips.",
                    left,
                )
                % left,
                messages.WARNING,
            )

    def has_fetch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("downloads.change_assetjob")

    @display(description=_("reason"))
    def show_reason(self, asset: Asset) -> str:
        return asset.error_code or "–"

    @display(description=_("of"))
    def show_thing(self, asset: Asset) -> str:
        return str(asset.owner)

    @display(
        description=_("state"),
        label={"wanted": "info", "ready": "success", "failed": "danger", "removed": "default"},
    )
    def show_state(self, asset: Asset) -> tuple[str, str]:
        return asset.state, asset.get_state_display()

    @display(description=_("object"))
    def show_object(self, asset: Asset) -> str | SafeString:
        if asset.object is None:
            return "–"
        url = reverse("admin:downloads_storedobject_change", args=[asset.object.pk])
        return format_html('<a class="underline" href="{}">{}</a>', url, asset.object)


@admin.register(StoredObject)
class StoredObjectAdmin(ReadOnly):
    list_display = ["__str__", "mime", "show_size", "show_picture", "duration_ms", "created_at", "verified_at"]
    list_filter = [recent_values("mime", _("type")), "created_at"]
    search_fields = ["sha256"]
    ordering = ["-id"]
    readonly_fields = ["show_link"]

    @display(description=_("size"), ordering="size")
    def show_size(self, row: StoredObject) -> str:
        return filesizeformat(row.size)

    @display(description=_("picture"))
    def show_picture(self, row: StoredObject) -> str:
        return f"{row.width} × {row.height}" if row.width else "–"

    @display(description=_("open"))
    def show_link(self, row: StoredObject) -> SafeString:
        name = filename_for("", row.sha256[:12], extension_of(row.mime))
        return format_html('<a class="underline" href="{}">{}</a>', storage.link(row.sha256, row.mime, name), name)


@admin.register(Extractor)
class ExtractorAdmin(AuditedActions, ModelAdmin):
    list_display = [
        "name",
        "platform",
        "is_enabled",
        "priority",
        "most_per_minute",
        "most_per_hour",
        "cooling_until",
        "show_health",
        "last_success_at",
        "last_error",
    ]
    list_editable = ["is_enabled", "priority", "most_per_minute", "most_per_hour"]
    list_filter = ["platform", "is_enabled"]
    ordering = ["platform", "priority"]
    readonly_fields = ["name", "platform", "successes", "failures", "failures_in_a_row", "last_error", "last_success_at"]
    actions = ["wake"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # they appear by themselves, at the first download of a platform

    @display(description=_("health"))
    def show_health(self, extractor: Extractor) -> str:
        tried = extractor.successes + extractor.failures
        return f"{extractor.successes} / {tried}" if tried else "–"

    @action(description=_("End the cool-down"), permissions=["change"])
    def wake(self, request: HttpRequest, extractors: QuerySet[Extractor]) -> None:
        resting = list(extractors.exclude(cooling_until=None, failures_in_a_row=0).values_list("pk", flat=True))
        count = Extractor.objects.filter(pk__in=resting).update(cooling_until=None, failures_in_a_row=0)
        self.done_to(request, resting)
        told = ngettext("%d extractor may be asked again.", "%d extractors may be asked again.", count) % count
        self.message_user(request, told)


@admin.register(DownloadRequest)
class DownloadRequestAdmin(ReadOnly):
    list_display = ["job", "user", "is_automatic", "created_at"]
    list_filter = ["is_automatic", "created_at"]
    list_select_related = ["job", "user"]
    search_fields = ["job__video__external_id", "user__username"]
    ordering = ["-id"]


@admin.register(Batch)
class BatchAdmin(ReadOnly):
    list_display = ["__str__", "user", "quality", "show_jobs", "created_at"]
    list_filter = ["quality", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        batches: QuerySet[Batch] = super().get_queryset(request).annotate(job_count=Count("jobs"))
        return batches

    @display(description=_("downloads"))
    def show_jobs(self, batch: Any) -> int:
        return int(batch.job_count)
