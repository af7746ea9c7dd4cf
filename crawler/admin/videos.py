"""What crawls found: videos with their observations, authors, sounds."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from crawler.admin.observed import Observed, link_to
from crawler.models import Author, MetricSnapshot, Sound, SourceVideo, Video
from jobs.listing import recent_values

SNAPSHOTS_SHOWN = 30


class SightingInline(TabularInline):
    model = SourceVideo
    fields = ["source", "first_seen_at", "last_seen_at"]
    readonly_fields = fields
    extra = 0
    can_delete = False
    verbose_name_plural = _("sources")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        return found.select_related("source")


@admin.register(Video)
class VideoAdmin(Observed):
    list_display = ["__str__", "kind", "platform", "show_author", "views", "likes", "published_at", "last_seen_at", "show_link"]
    list_filter = ["kind", recent_values("platform", _("platform")), ("gone_at", admin.EmptyFieldListFilter), "published_at"]
    list_select_related = ["author"]
    search_fields = ["=external_id", "title"]
    ordering = ["-id"]
    inlines = [SightingInline]
    shown = ["show_link", "show_author", "show_snapshots"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        own = ("sources__id__exact", "author__id__exact", "sound__id__exact")
        return lookup in own or super().lookup_allowed(lookup, value, request)

    @display(description=_("author"), ordering="author_id")
    def show_author(self, video: Video) -> SafeString | str:
        if video.author is None:
            return "–"
        return format_html(
            '<a class="underline" href="{}">{}</a>', reverse("admin:crawler_author_change", args=[video.author_id]), video.author
        )

    @display(description=_("observations"))
    def show_snapshots(self, video: Video) -> SafeString:
        rows = MetricSnapshot.objects.filter(video_id=video.pk).order_by("-observed_at")[:SNAPSHOTS_SHOWN]
        names = ("views", "likes", "comments", "shares", "saves")
        head = format_html_join("", "<th class='pr-4 text-left'>{}</th>", [(_("when"),), *((_(name),) for name in names)])
        body = format_html_join(
            "",
            "<tr><td class='pr-4'>{}</td>{}</tr>",
            (
                (
                    f"{row.observed_at:%Y-%m-%d %H:%M}",
                    format_html_join("", "<td class='pr-4'>{}</td>", ((_shown(getattr(row, name)),) for name in names)),
                )
                for row in rows
            ),
        )
        return format_html("<table><tr>{}</tr>{}</table>", head, body)


def _shown(count: int | None) -> str:
    return "–" if count is None else str(count)


@admin.register(Author)
class AuthorAdmin(Observed):
    list_display = ["__str__", "handle", "platform", "followers", "is_verified", "last_seen_at", "show_link", "show_videos"]
    list_filter = [recent_values("platform", _("platform")), "is_verified"]
    search_fields = ["=external_id", "handle", "name"]
    ordering = ["-id"]
    shown = ["show_link", "show_videos"]

    @display(description=_("look at"))
    def show_videos(self, author: Author) -> SafeString:
        return link_to(Video, _("videos"), author__id__exact=author.pk)


@admin.register(Sound)
class SoundAdmin(Observed):
    list_display = ["__str__", "author_name", "platform", "duration_seconds", "is_original", "last_seen_at", "show_videos"]
    list_filter = [recent_values("platform", _("platform")), "is_original"]
    search_fields = ["=external_id", "title", "author_name"]
    ordering = ["-id"]
    shown = ["show_videos"]

    @display(description=_("look at"))
    def show_videos(self, sound: Sound) -> SafeString:
        return link_to(Video, _("videos"), sound__id__exact=sound.pk)
