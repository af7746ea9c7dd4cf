"""Running: what upkeep did, how the parts are, what is scheduled and set, and who changed it."""

from datetime import timedelta
from typing import Any

from celery import current_app
from constance.admin import Config, ConstanceAdmin
from constance.forms import ConstanceForm
from constance.utils import get_values
from django import forms
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.utils import display_for_label
from unfold.widgets import UnfoldAdminSelectWidget

from jobs.admin import cut
from jobs.listing import AuditedActions, NotCountedTwice, OnlyLookedAt
from monitoring import facts, health, passes
from monitoring.models import Level, Part, Pass, UnclaimedObject
from ranking.classic import SETTINGS as CLASSIC_WEIGHTS

NOT_BY_SCHEDULE = {"monitoring.tasks.answer_canary"}
LEVEL_COLOURS = {Level.OK: "success", Level.DEGRADED: "warning", Level.DOWN: "danger"}


def badge(text: Any, colour: str) -> SafeString:
    """As the lists show a state. The theme makes it of a pair of words in lists alone: on a row's own page the pair stood."""
    shown: SafeString = display_for_label((colour, text), "–", {colour: colour})
    return shown


class ReadOnlyAdmin(OnlyLookedAt, NotCountedTwice, ModelAdmin):
    """Written by the house itself: looked at, never edited."""


@admin.register(Pass)
class PassAdmin(ReadOnlyAdmin):
    list_display = ["name", "started_at", "show_end", "show_duration", "show_counts", "show_error"]
    list_filter = ["name", "started_at"]
    search_fields = ["name", "error"]
    list_per_page = 50

    @display(description=_("result"), label={"ended": "success", "failed": "danger", "running": "info"}, ordering="ended_at")
    def show_end(self, row: Pass) -> tuple[str, Any]:
        if row.ended_at is None:
            return "running", _("running, or cut off")
        if row.error:
            return "failed", _("failed")
        return "ended", _("ended")

    @display(description=_("took"))
    def show_duration(self, row: Pass) -> str:
        return _("%.1f s") % (row.ended_at - row.started_at).total_seconds() if row.ended_at else "–"

    @display(description=_("counts"))
    def show_counts(self, row: Pass) -> str:
        return passes.in_words(row.counts) or "–"

    @display(description=_("error"))
    def show_error(self, row: Pass) -> str:
        return cut(row.error) or "–"


@admin.register(Part)
class PartAdmin(ReadOnlyAdmin):
    list_display = ["name", "show_level", "sentence", "since", "checked_at"]
    list_filter = ["level"]
    fields = ["name", "show_level", "sentence", "since", "checked_at", "show_facts"]
    readonly_fields = fields

    @display(description=_("state"), ordering="level")
    def show_level(self, part: Part) -> SafeString:
        return badge(Level(part.level).label, LEVEL_COLOURS[Level(part.level)])

    @display(description=_("facts"))
    def show_facts(self, part: Part) -> SafeString:
        return facts.as_table(part.facts)


@admin.register(UnclaimedObject)
class UnclaimedObjectAdmin(ReadOnlyAdmin):
    list_display = ["key", "show_size", "since", "was_released"]
    list_filter = ["was_released", "since"]
    search_fields = ["key"]

    @display(description=_("size"), ordering="size")
    def show_size(self, row: UnclaimedObject) -> str:
        return filesizeformat(row.size)


@admin.register(LogEntry)
class AuditAdmin(ReadOnlyAdmin):
    """Who changed what in the admin, settings included."""

    list_display = ["action_time", "user", "show_act", "content_type", "object_repr", "show_change"]
    list_filter = ["action_flag", "content_type", "action_time"]
    list_select_related = ["user", "content_type"]
    search_fields = ["object_repr", "change_message", "user__username"]
    fields = ["action_time", "user", "show_act", "content_type", "object_repr", "object_id", "show_change"]
    readonly_fields = fields

    @display(description=_("act"), ordering="action_flag")
    def show_act(self, entry: LogEntry) -> SafeString:
        acts = {ADDITION: (_("added"), "success"), CHANGE: (_("changed"), "info"), DELETION: (_("deleted"), "danger")}
        return badge(*acts[entry.action_flag])

    @display(description=_("change"))
    def show_change(self, entry: LogEntry) -> str:
        return entry.get_change_message() or "–"


# -- settings: the trail says from what to what ----------------------------------------------------

admin.site.unregister([Config])
Config._meta.verbose_name_plural = Config._meta.app_config.verbose_name = _("settings")


class SettingsForm(ConstanceForm):
    def clean(self) -> dict[str, Any]:
        """Without a weight the classic score would order nothing, and the defaults would hold unseen."""
        values: dict[str, Any] = super().clean()
        if not self.errors and not any(values[name] for name in CLASSIC_WEIGHTS):
            self.add_error(CLASSIC_WEIGHTS[0], _("One of the three weights must be above 0."))
        return values


@admin.register(Config)
class SettingsAdmin(ConstanceAdmin):
    change_list_form = SettingsForm

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST":
            request.settings_before = get_values()  # type: ignore[attr-defined]  # our own note on the request
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def _log_config_change(self, request: HttpRequest, changed_fields: list[str]) -> None:
        before, after = getattr(request, "settings_before", {}), get_values()
        for name in changed_fields:
            LogEntry.objects.create(
                user_id=int(request.user.pk or 0),
                content_type=ContentType.objects.get_for_model(self.model),
                object_id=name,
                object_repr=name,
                action_flag=CHANGE,
                change_message=f"{before.get(name)} → {after.get(name)}",
            )


# -- schedules, in the theme -----------------------------------------------------------------------

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


class ScheduleForm(forms.ModelForm[PeriodicTask]):
    """Only what is meant to run by schedule can be chosen, without arguments of one's own."""

    task = forms.ChoiceField(label=_("task"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current_app.loader.import_default_modules()
        ours = {name for name in current_app.tasks if name.startswith("monitoring.tasks.")} - NOT_BY_SCHEDULE
        names = sorted(ours | ({self.instance.task} if self.instance.task else set()))
        field = self.fields["task"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, name.rpartition(".")[2].replace("_", " ")) for name in names]


@admin.register(PeriodicTask)
class ScheduleAdmin(AuditedActions, PeriodicTaskAdmin, ModelAdmin):
    """Seeded at set-up and never overwritten: what is changed here stays."""

    form = ScheduleForm
    change_form_template = None
    date_hierarchy = None
    compressed_fields = True
    list_display = ["name", "enabled", "show_timing", "last_run_at", "total_run_count"]
    list_filter = ["enabled"]
    fieldsets = [
        (None, {"fields": ["name", "task", "enabled", "description"]}),
        (_("When"), {"fields": ["interval", "crontab", "start_time", "one_off", "expire_seconds"]}),
        (_("So far"), {"fields": ["last_run_at", "total_run_count"]}),
    ]
    readonly_fields = ["last_run_at", "total_run_count"]

    @action(description=_("Enable selected tasks"), permissions=["change"])
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.done_to(request, queryset.filter(enabled=False).values_list("pk", flat=True))
        super().enable_tasks(request, queryset)

    @action(description=_("Disable selected tasks"), permissions=["change"])
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.done_to(request, queryset.filter(enabled=True).values_list("pk", flat=True))
        super().disable_tasks(request, queryset)

    @display(description=_("when"))
    def show_timing(self, task: Any) -> str:
        if task.crontab:
            crontab = task.crontab
            fields = (crontab.minute, crontab.hour, crontab.day_of_month, crontab.month_of_year, crontab.day_of_week)
            return f"{' '.join(fields)} {crontab.timezone}"
        return health.in_words(timedelta(**{task.interval.period: task.interval.every})) if task.interval else "–"


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):
    list_display = ["__str__", "every", "period"]


@admin.register(CrontabSchedule)
class CrontabAdmin(ModelAdmin):
    list_display = ["__str__", "human_readable"]
    fields = ["human_readable", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone"]
    readonly_fields = ["human_readable"]
