"""What was read, how each reading went and what it cost, and the categories that videos are put into."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from analysis import categories, duplicates, services
from analysis.models import Analysis, AnalysisJob, Category, Reupload, SlideText
from crawler.models import Video
from downloads import storage
from downloads.models import Asset, AssetRole, AssetState
from jobs.admin import JobAdmin
from jobs.listing import AuditedActions, BigListAdmin, OnlyLookedAt, ask_first, recent_values

MOST_AT_ONCE = 1000


def dollars(micros: int | None) -> str:
    return "–" if micros is None else f"${micros / 1_000_000:.4f}"


def read_again(options: Any, request: HttpRequest, videos: QuerySet[Video]) -> list[Video]:
    """Ask for the carousels among these videos, and say how many those are; return them."""
    chosen = list(videos[: MOST_AT_ONCE + 1])
    asked = []
    for video in chosen[:MOST_AT_ONCE]:
        try:
            services.request_analysis(video, by=request.user)  # type: ignore[arg-type]  # staff is signed in
        except services.NotACarousel:
            continue
        asked.append(video)
    told = ngettext("%d carousel will be read.", "%d carousels will be read.", len(asked)) % len(asked)
    options.message_user(request, told, messages.SUCCESS if asked else messages.WARNING)
    if len(chosen) > MOST_AT_ONCE:
        told = _("No more than %d at once; do it again for the others.") % MOST_AT_ONCE
        options.message_user(request, told, messages.WARNING)
    return asked


def link_to_video(video: Video) -> SafeString:
    return format_html('<a class="underline" href="{}">{}</a>', reverse("admin:crawler_video_change", args=[video.pk]), video)


@admin.register(AnalysisJob)
class AnalysisJobAdmin(JobAdmin):
    list_display = ["video", *JobAdmin.list_display[1:-2], "show_cost", *JobAdmin.list_display[-2:]]
    list_filter = ["engine", recent_values("video__platform", _("platform")), *JobAdmin.list_filter]
    list_select_related = ["video"]
    search_fields = ["=video__external_id", "video__title", "error"]

    @display(description=_("cost"), ordering="cost_micros")
    def show_cost(self, job: AnalysisJob) -> str:
        return dollars(job.cost_micros)


class WrittenByReading(OnlyLookedAt, BigListAdmin):
    """Written by the readings themselves; looked at, and asked for again, here."""

    ordering: Any = ["-pk"]
    actions = ["read_again"]

    def has_read_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("analysis.add_analysisjob")

    @action(description=_("Read again"), permissions=["read"])
    def read_again(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        asked = read_again(self, request, Video.objects.filter(pk__in=rows.values("video")))
        self.done_to(request, rows.filter(video__in=asked).values_list("pk", flat=True))


@admin.register(Analysis)
class AnalysisAdmin(WrittenByReading):
    list_display = ["show_video", "category", "confidence", "is_new", "engine", "model", "show_tokens", "show_cost", "read_at"]
    list_filter = ["engine", recent_values("model", _("model")), "is_new", "read_at"]
    list_select_related = ["video", "category"]
    search_fields = ["=video__external_id", "video__title"]

    @display(description=_("video"), ordering="video_id")
    def show_video(self, row: Analysis) -> str:
        return str(row.video)

    @display(description=_("tokens in, out"))
    def show_tokens(self, row: Analysis) -> str:
        return f"{row.tokens_in} + {row.tokens_out}" if row.tokens_in else "–"

    @display(description=_("cost"), ordering="cost_micros")
    def show_cost(self, row: Analysis) -> str:
        return dollars(row.cost_micros)


@admin.register(SlideText)
class SlideTextAdmin(WrittenByReading):
    list_display = ["show_text", "video", "show_number", "type", "confidence", "language"]
    list_filter = ["type", recent_values("language", _("language"))]
    list_select_related = ["video"]
    search_fields = ["text", "description", "=video__external_id"]
    readonly_fields = ["show_video"]

    @display(description=_("text"))
    def show_text(self, row: SlideText) -> str:
        return row.text.replace("\n", " ")[:120] or "–"

    @display(description=_("slide"), ordering="position")
    def show_number(self, row: SlideText) -> int:
        return row.position + 1

    @display(description=_("video"))
    def show_video(self, row: SlideText) -> SafeString:
        return link_to_video(row.video)


@admin.register(Reupload)
class ReuploadAdmin(BigListAdmin):
    """What was found to be the same video posted again; here a person says where that is wrong, and is remembered."""

    list_display = ["show_video", "show_original", "kind", "distance", "found_at", "show_dismissed"]
    list_filter = [
        "kind",
        ("dismissed_at", admin.EmptyFieldListFilter),
        recent_values("video__platform", _("platform")),
        "found_at",
    ]
    list_select_related = ["video__author", "original__author", "dismissed_by"]
    search_fields = ["=video__external_id", "=original__external_id", "video__title", "original__title"]
    ordering = ["-pk"]
    readonly_fields = ["video", "original", "kind", "distance", "found_at", "dismissed_at", "dismissed_by"]
    actions = ["dismiss", "restore"]
    list_display_links = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reupload]:
        found: QuerySet[Reupload] = super().get_queryset(request)
        return found.prefetch_related(*(Prefetch(f"{end}__assets", queryset=COVERS, to_attr="covers") for end in ENDS))

    @display(description=_("video"), ordering="video_id")
    def show_video(self, row: Reupload) -> SafeString:
        return _with_cover(row.video)

    @display(description=_("earliest post"), ordering="original_id")
    def show_original(self, row: Reupload) -> SafeString:
        return _with_cover(row.original)

    @display(description=_("not the same"))
    def show_dismissed(self, row: Reupload) -> str:
        if row.dismissed_at is None:
            return "–"
        return _("%(name)s, %(day)s") % {"name": row.dismissed_by or "?", "day": formats.date_format(row.dismissed_at)}

    @action(description=_("Not the same"), permissions=["change"])
    def dismiss(self, request: HttpRequest, rows: QuerySet[Reupload]) -> None:
        dismissed = duplicates.dismiss(rows[:MOST_AT_ONCE], request.user)  # type: ignore[arg-type]  # staff is signed in
        self.done_to(request, dismissed)
        count = len(dismissed)
        told = ngettext("%d link is dismissed, and not found again.", "%d links are dismissed, and not found again.", count)
        self.message_user(request, told % count, messages.SUCCESS)

    @action(description=_("The same after all"), permissions=["change"])
    def restore(self, request: HttpRequest, rows: QuerySet[Reupload]) -> None:
        restored = duplicates.restore(rows[:MOST_AT_ONCE])
        self.done_to(request, restored)
        count = len(restored)
        told = ngettext("%d pair is compared again.", "%d pairs are compared again.", count) % count
        self.message_user(request, told, messages.SUCCESS)


ENDS = ("video", "original")
COVERS = (
    Asset.objects.filter(role=AssetRole.COVER, object__isnull=False)
    .exclude(state=AssetState.REMOVED)
    .select_related("object__small")
)


def _with_cover(video: Any) -> SafeString:
    """Its cover beside its title, author and day: what a person compares."""
    picture: SafeString | str = ""
    if video.covers:
        stored = video.covers[0].object.small or video.covers[0].object
        link = storage.link(stored.sha256, stored.mime, f"cover-{video.pk}")
        picture = format_html('<img class="pair-cover" src="{}" alt="" width="48" height="64" loading="lazy">', link)
    return format_html(
        '<span class="pair">{}<span>{}<br>{} · {}</span></span>',
        picture,
        link_to_video(video),
        video.author or video.platform,
        formats.date_format(video.published_at or video.first_seen_at),
    )


class CategoryForm(forms.ModelForm[Category]):
    class Meta:
        model = Category
        fields = ["name"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        taken = categories.find(name)
        if taken is not None and taken.pk != self.instance.pk:
            raise ValidationError(_("There is a category “%(name)s” already: merge them instead."), params={"name": taken.name})
        return name


@admin.register(Category)
class CategoryAdmin(AuditedActions, ModelAdmin):
    """A new name brings its videos along, and the old link goes on leading here; merging does so with several."""

    form = CategoryForm
    list_display = ["name", "slug", "show_videos", "is_from_model", "created_at"]
    list_filter = ["is_from_model", "created_at"]
    search_fields = ["name", "slug", "former__name", "former__slug"]
    readonly_fields = ["slug", "is_from_model", "created_at", "show_former"]
    actions = ["merge"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        counted = Video.objects.filter(category=OuterRef("slug")).values("category").annotate(n=Count("pk")).values("n")
        found: QuerySet[Category] = super().get_queryset(request).filter(merged_into=None)
        return found.annotate(video_count=Subquery(counted)).prefetch_related("former")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # its videos would be left with the name of nothing: merge it instead

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        if change:
            categories.rename(Category.objects.get(pk=obj.pk), obj.name)
            obj.refresh_from_db()
        else:
            made, _is_new = categories.find_or_create(obj.name, is_from_model=False)
            obj.pk, obj.slug = made.pk, made.slug
            obj._state.adding = False

    @display(description=_("videos"))
    def show_videos(self, category: Any) -> int:
        return category.video_count or 0

    @display(description=_("was also called"))
    def show_former(self, category: Category) -> str:
        return ", ".join(former.name for former in category.former.all()) or "–"

    @action(description=_("Merge into one"), permissions=["change"])
    def merge(self, request: HttpRequest, chosen: QuerySet[Category]) -> HttpResponse | None:
        rows = list(chosen[:MOST_AT_ONCE])
        if len(rows) < 2:
            self.message_user(request, _("Choose two categories or more."), messages.WARNING)
            self.done_to(request, [])
            return None

        def question(count: int) -> str:
            return ngettext("%d category becomes one:", "%d categories become one:", count) % count

        choices = [
            (row.pk, row.name) for row in sorted(rows, key=lambda row: (row.is_from_model, -self.show_videos(row), row.pk))
        ]
        asking = ask_first(self, request, chosen, action="merge", question=question, button=_("Yes, merge"), choices=choices)
        if asking is not None:
            return asking
        into = next((row for row in rows if str(row.pk) == request.POST.get("choice")), None)
        if into is None:
            self.message_user(request, _("Choose which of them is to stay."), messages.ERROR)
            self.done_to(request, [])
            return None
        try:
            moved = categories.merge(rows, into)
        except ValueError as error:
            self.message_user(request, str(error), messages.ERROR)
            self.done_to(request, [])
            return None
        told = ngettext("%(n)d video moved to “%(name)s”.", "%(n)d videos moved to “%(name)s”.", moved)
        self.message_user(request, told % {"n": moved, "name": into.name}, messages.SUCCESS)
        return None
