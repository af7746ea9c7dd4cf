"""Sources with their outcome, crawls, what they found, and the sessions they use."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet, URLField
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from crawler.links import site_url
from crawler.models import (
    Author,
    BrowserSession,
    CrawlJob,
    MetricSnapshot,
    ObserveJob,
    Outcome,
    Sound,
    Source,
    SourceVideo,
    Video,
    VideoKind,
    WebhookDelivery,
)
from crawler.offers import offers, settle_on_link
from crawler.services import scan_now
from crawler.sessions import BadCookies, read_session
from jobs.admin import JobAdmin
from jobs.listing import AuditedActions, BigListAdmin, recent_values

MOST_AT_ONCE = 500
SNAPSHOTS_SHOWN = 30
LISTED = ("seen", "new", "updated", "filtered", "malformed", "credits")
"""Of what a crawl counted, what a list shows; all of it stands on the crawl's own page."""


def link_to(model: type[Model], text: Any, **filters: Any) -> SafeString:
    """A link to a list of the admin, filtered."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a class="underline" href="{}?{}">{}</a>', url, urlencode(filters), text)


def link_out(url: str) -> SafeString | str:
    """A link to the platform's own page; only to the web, whatever a row says."""
    if not url.startswith(("http://", "https://")):
        return "–"
    return format_html(
        '<a class="underline" href="{}" rel="noopener noreferrer" target="_blank">{}</a>', url, urlsplit(url).netloc
    )


class Observed(BigListAdmin):
    """What crawls write; looked at here."""

    shown: list[str] = []
    """What is shown of a row besides its columns."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        columns = [field.name for field in self.model._meta.concrete_fields if field.name != "id"]
        return [*(name for name in columns if name not in self.get_exclude(request, obj)), *self.shown]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Addresses are shown by `show_link` alone: the theme makes a link of whatever stands in them."""
        return [field.name for field in self.model._meta.concrete_fields if isinstance(field, URLField)]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("there"))
    def show_link(self, row: Any) -> SafeString | str:
        return link_out(row.url)


class SourceAdminForm(forms.ModelForm[Source]):
    """A pasted link says itself what is watched, as on the pages."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "value" in self.fields:
            self.fields["value"].help_text = _(
                "A link of a profile, hashtag, sound or video is recognised by itself. Else: %s"
            ) % (
                " · ".join(f"{offer.platform_label} {offer.label}: {offer.example}" for offer in offers() if offer.kind != "url")
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is None:
            settle_on_link(cleaned)
        return cleaned


@admin.register(Source)
class SourceAdmin(AuditedActions, ModelAdmin):
    form = SourceAdminForm
    list_display = [
        "__str__",
        "workspace",
        "show_outcome",
        "show_detail",
        "show_last_good",
        "show_next",
        "show_links",
    ]
    list_filter = ["outcome", "is_active", "platform", "kind", "auto_download", "workspace"]
    list_select_related = ["workspace"]
    search_fields = ["value"]
    list_per_page = 50
    compressed_fields = True
    actions = ["scan_now", "pause", "resume"]
    actions_submit_line = ["scan_this_now"]
    readonly_fields = [
        "outcome",
        "outcome_detail",
        "failures_in_a_row",
        "last_run_at",
        "last_good_at",
        "created_at",
        "show_links",
    ]
    fieldsets = [
        (None, {"fields": ["workspace", "platform", "kind", "value", "is_active", "is_own", "show_links"]}),
        (_("When"), {"fields": ["cron", "interval_minutes", "next_run_at", "pages_per_run"]}),
        (
            _("What is kept"),
            {"fields": ["kinds", "min_views", "min_likes", "max_age_days", "min_height", "auto_download"]},
        ),
        (
            _("How it went"),
            {"fields": ["outcome", "outcome_detail", "failures_in_a_row", "last_run_at", "last_good_at", "created_at"]},
        ),
    ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "kinds":
            choices = forms.TypedMultipleChoiceField(choices=VideoKind.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget())
            choices.label = capfirst(db_field.verbose_name)
            return choices
        return super().formfield_for_dbfield(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what was typed: a crawl may be writing how it went."""
        if change:
            if {"platform", "kind", "value"} & set(form.changed_data):  # whose or what it is has to be found out anew
                Source.objects.filter(pk=obj.pk).update(author=None, sound=None)
            obj.save(update_fields=form.changed_data)
        else:
            super().save_model(request, obj, form, change)
            if obj.is_active:
                scan_now(obj, by=request.user)
        for button in self.get_actions_submit_line(request, obj.pk):
            if button.action_name in request.POST:
                button.method(request, obj)

    @display(
        description=_("outcome"),
        ordering="outcome",
        label={
            Outcome.NEVER.value: "default",
            Outcome.OK.value: "success",
            Outcome.EMPTY.value: "info",
            Outcome.BLOCKED.value: "danger",
            Outcome.LOGIN_REQUIRED.value: "danger",
            Outcome.RATE_LIMITED.value: "warning",
            Outcome.CHANGED.value: "danger",
            Outcome.UNREACHABLE.value: "warning",
            Outcome.GONE.value: "danger",
            Outcome.PRIVATE.value: "warning",
            Outcome.RENAMED.value: "info",
            Outcome.SERVICE_REFUSED.value: "warning",
            Outcome.FAILED.value: "danger",
        },
    )
    def show_outcome(self, source: Source) -> tuple[str, Any]:
        return source.outcome, Outcome(source.outcome).label

    @display(description=_("detail"))
    def show_detail(self, source: Source) -> str:
        return source.outcome_detail[:120] or "–"

    @display(description=_("last good run"), ordering="last_good_at")
    def show_last_good(self, source: Source) -> str:
        return str(naturaltime(source.last_good_at)) if source.last_good_at else "–"

    @display(description=_("next run"), ordering="next_run_at")
    def show_next(self, source: Source) -> str:
        if not source.is_active:
            return str(_("paused"))
        return str(_("now") if source.next_run_at <= timezone.now() else naturaltime(source.next_run_at))

    @display(description=_("look at"))
    def show_links(self, source: Source) -> SafeString:
        if source.pk is None:
            return format_html("{}", "–")
        runs = link_to(CrawlJob, _("crawls"), source__id__exact=source.pk)
        return format_html("{} · {}", runs, link_to(Video, _("videos"), sources__id__exact=source.pk))

    @action(description=_("Look at it now"), permissions=["change"], variant=ActionVariant.PRIMARY)
    def scan_this_now(self, request: HttpRequest, source: Source) -> None:
        self.scan_now(request, Source.objects.filter(pk=source.pk))

    @action(description=_("Look at them now"), permissions=["change"])
    def scan_now(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        chosen = list(sources[: MOST_AT_ONCE + 1])
        for source in chosen[:MOST_AT_ONCE]:
            scan_now(source, by=request.user)
        count = min(len(chosen), MOST_AT_ONCE)
        told = ngettext("%d source will be looked at.", "%d sources will be looked at.", count) % count
        self.message_user(request, told, messages.SUCCESS)
        if len(chosen) > MOST_AT_ONCE:
            self.message_user(request, _("No more than %d at once; do it again for the others.") % MOST_AT_ONCE, messages.WARNING)

    @action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        self._switch(request, sources, is_active=False)

    @action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        self._switch(request, sources, is_active=True)

    def _switch(self, request: HttpRequest, sources: QuerySet[Source], *, is_active: bool) -> None:
        count = sources.exclude(is_active=is_active).update(is_active=is_active)
        self.message_user(request, ngettext("%d source changed.", "%d sources changed.", count) % count, messages.SUCCESS)


@admin.register(CrawlJob)
class CrawlJobAdmin(JobAdmin):
    list_display = ["source", *JobAdmin.list_display[1:-2], "show_counts", *JobAdmin.list_display[-2:]]
    list_filter = ["source__platform", "source__kind", *JobAdmin.list_filter]
    list_select_related = ["source"]
    search_fields = ["source__value", "error"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "source__id__exact" or super().lookup_allowed(lookup, value, request)

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


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(Observed):
    list_display = ["key", "service", "received_at", "handled_at"]
    list_filter = ["service", ("handled_at", admin.EmptyFieldListFilter), "received_at"]
    search_fields = ["key"]
    ordering = ["-id"]


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


class BrowserSessionForm(forms.ModelForm[BrowserSession]):
    """Cookies go in and are never shown again."""

    cookies = forms.CharField(
        label=_("cookies"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Paste a Playwright storage state, a JSON list of cookies, or the lines of a cookies.txt. Replaces what is kept."
        ),
    )
    file = forms.FileField(label=_("or a file"), required=False, widget=UnfoldAdminFileFieldWidget)

    class Meta:
        model = BrowserSession
        fields = ["platform"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        text, file = cleaned.get("cookies") or "", cleaned.get("file")
        if file:
            text = file.read(1024 * 1024).decode("utf-8", "replace")
        platform = cleaned.get("platform") or self.instance.platform
        if not text.strip() and self.instance.pk is None:
            raise ValidationError(_("Paste the cookies, or choose their file."), code="no_cookies")
        if text.strip() and platform:
            try:
                session = read_session(text, _hosts(platform))
            except BadCookies as error:
                raise ValidationError({"cookies": str(error)}) from error
            self.instance.storage_state, self.instance.expires_at = session.storage_state, session.expires_at
        return cleaned


def _hosts(platform: str) -> tuple[str, ...]:
    """The domain whose cookies a platform's pages are given: that of its address, without `www`."""
    host = (urlsplit(site_url(platform)).hostname or "").removeprefix("www.")
    return (host,) if host else ()


@admin.register(BrowserSession)
class BrowserSessionAdmin(ModelAdmin):
    form = BrowserSessionForm
    list_display = ["platform", "expires_at", "updated_at"]
    fields = ["platform", "cookies", "file", "expires_at", "updated_at"]
    search_fields = ["platform"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BrowserSession]:
        """Without the secret, which may be locked with another key, and is not shown anyway."""
        found: QuerySet[BrowserSession] = super().get_queryset(request)
        return found.defer("storage_state")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["expires_at", "updated_at", *(["platform"] if obj else [])]

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """That the cookies changed is remembered, not what they are."""
        return [{"added": {}}] if add else [{"changed": {"fields": [str(_("cookies"))]}}]


from crawler import admin_services as admin_services  # noqa: E402  (registers what stands on the classes above)
