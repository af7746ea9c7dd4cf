"""Sources: what is watched, how it went last, and when it is looked at next."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from crawler.admin.observed import link_to
from crawler.models import CrawlJob, Outcome, Source, Video, VideoKind
from crawler.offers import offers, settle_on_link
from crawler.services import scan_now
from jobs.admin import cut
from jobs.listing import AuditedActions
from workspaces.deleting import DeletesWhatBelongsToIt

MOST_AT_ONCE = 500


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
class SourceAdmin(DeletesWhatBelongsToIt, AuditedActions, ModelAdmin):
    form = SourceAdminForm
    list_display = [
        "show_source",
        "workspace",
        "show_outcome",
        "show_detail",
        "show_last_good",
        "show_next",
        "show_links",
    ]
    list_filter = ["outcome", "is_active", "platform", "kind", "auto_download", "workspace"]
    list_select_related = ["workspace", "sound"]
    search_fields = ["value", "platform", "author__handle", "author__name"]
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

    @display(description=_("source"), ordering="platform")
    def show_source(self, source: Source) -> str:
        return source.in_words

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
        self.press_button(request, obj)

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
        return cut(source.outcome_detail, 120) or "–"

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
    def scan_this_now(self, request: HttpRequest, source: Source) -> bool:
        self.scan_now(request, Source.objects.filter(pk=source.pk))
        return True

    @action(description=_("Look at them now"), permissions=["change"])
    def scan_now(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        chosen = list(sources[: MOST_AT_ONCE + 1])
        for source in chosen[:MOST_AT_ONCE]:
            scan_now(source, by=request.user)
        self.done_to(request, (source.pk for source in chosen[:MOST_AT_ONCE]))
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
        changing = list(sources.exclude(is_active=is_active).values_list("pk", flat=True))
        count = Source.objects.filter(pk__in=changing).update(is_active=is_active)
        self.done_to(request, changing)
        self.message_user(request, ngettext("%d source changed.", "%d sources changed.", count) % count, messages.SUCCESS)
