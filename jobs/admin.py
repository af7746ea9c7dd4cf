"""How every job list looks in the admin: state with its reason, and the acts that make sense."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from jobs import kinds
from jobs.errors import InvalidTransition
from jobs.listing import BigListAdmin, ask_first, recent_values
from jobs.models import CLAIMABLE, FINAL, Event, Job, PausedKind, State
from jobs.states import POSSIBLE_IN

MOST_AT_ONCE = 1000
EVENTS = dict(Event.choices)
TIMES = ["created_at", "scheduled_at", "started_at", "finalized_at", "paused_at", "lease_until"]


def cut(text: str, most: int = 160) -> str:
    """No longer than `most`, cut after a whole word unless that one is endless; a cut is seen by its “…”."""
    if len(text) <= most:
        return text
    head = text[: most - 2]
    words = head if text[most - 2].isspace() else head.rpartition(" ")[0]
    return f"{(words if len(words) > most // 2 else head).rstrip()} …"


class JobAdmin(BigListAdmin):
    """State is shown, never edited. Subclasses add their own columns, filters and searches."""

    list_display: Any = [
        "__str__",
        "show_state",
        "show_reason",
        "show_attempt",
        "show_next",
        "show_worker",
        "show_age",
    ]
    list_filter: Any = [
        "state",
        recent_values("outcome", _("outcome")),
        recent_values("error_code", _("error code")),
        "created_at",
    ]
    ordering = ["-id"]
    actions: Any = ["run_again", "cancel", "pause", "resume"]
    actions_submit_line: Any = ["run_this_again"]
    actions_detail: Any = ["cancel_this"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        names = [field.name for field in self.model._meta.concrete_fields if field.name != "priority"]
        return [*(name for name in names if name != "history"), "show_history"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What it is about, how it went, when, and what happened to it."""
        of_every_job = {field.name for field in Job._meta.get_fields()} | {"id"}
        own = [field.name for field in self.model._meta.concrete_fields if field.name not in of_every_job]
        return [
            (None, {"fields": [*own, "state", "outcome", "error_code", "error", "progress", "note"]}),
            (_("When and where"), {"fields": [*TIMES, "attempt", "max_attempts", "worker", "priority"]}),
            (_("History"), {"fields": ["show_history"]}),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what was typed: a worker may be writing the rest."""
        obj.save(update_fields=form.changed_data)
        self.press_button(request, obj)

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:
        """With buttons for what can be done to the job as it is."""
        if obj is not None and obj.state not in POSSIBLE_IN[Event.RUN_AGAIN]:
            context["actions_submit_line"] = []
        if obj is not None and obj.state not in POSSIBLE_IN[Event.CANCELLED]:
            context["actions_detail"] = []
        response: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return response

    @display(
        description=_("state"),
        ordering="state",
        label={
            "pending": "info",
            "running": "primary",
            "retrying": "warning",
            "completed": "success",
            "failed": "danger",
            "cancelled": "default",
            "paused": "default",
        },
    )
    def show_state(self, job: Job) -> tuple[str, Any]:
        if job.paused_at:
            return "paused", _("paused")
        label = State(job.state).label
        return job.state, f"{label} {job.progress} %" if job.state == State.RUNNING else label

    @display(description=_("reason"))
    def show_reason(self, job: Job) -> str:
        codes = " / ".join(dict.fromkeys(filter(None, [job.outcome, job.error_code])))  # often the same word
        return cut(": ".join(filter(None, [codes, job.error])) or job.note) or "–"

    @display(description=_("attempt"))
    def show_attempt(self, job: Job) -> str:
        return f"{job.attempt} / {job.max_attempts}"

    @display(description=_("next attempt"), ordering="scheduled_at")
    def show_next(self, job: Job) -> Any:
        if job.state not in CLAIMABLE:
            return "–"
        return _("now") if job.scheduled_at <= timezone.now() else job.scheduled_at

    @display(description=_("worker"), ordering="worker")
    def show_worker(self, job: Job) -> str:
        return job.worker.rpartition(":")[0] or "–"  # without its thread, which is on the job's own page

    @display(description=_("age"), ordering="created_at")
    def show_age(self, job: Job) -> str:
        return timesince(job.created_at, depth=1)

    @display(description=_("history"))
    def show_history(self, job: Job) -> SafeString:
        if not job.history:
            return format_html("{}", _("Nothing has happened yet."))
        rows = format_html_join(
            "",
            "<tr><td class='pr-4'>{}</td><td class='pr-4'>{}</td><td class='pr-4'>{}</td><td>{}</td></tr>",
            (
                (
                    str(entry.get("at", ""))[:19].replace("T", " "),
                    EVENTS.get(entry.get("event"), entry.get("event", "")),
                    entry.get("by", ""),
                    " ".join(filter(None, [entry.get("code", ""), entry.get("error", "")])),
                )
                for entry in reversed(job.history)
            ),
        )
        return format_html("<table>{}</table>", rows)

    @action(description=_("Run again now"), permissions=["change"], variant=ActionVariant.PRIMARY)
    def run_this_again(self, request: HttpRequest, job: Any) -> bool:
        return self._apply(request, [job], lambda job, by: job.run_again(by=by))

    @action(description=_("Cancel this job"), permissions=["change"], variant=ActionVariant.DANGER)
    def cancel_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job = self.get_object(request, unquote(object_id))
        if job is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[job.pk])
        asking = self._ask_to_cancel(request, self.model._default_manager.filter(pk=job.pk), back=page)
        if asking is not None:
            return asking
        if "confirmed" in request.POST and self._apply(request, [job], lambda job, by: job.cancel(by=by)):
            self.log_change(request, job, str(_("Cancel this job")))
        return HttpResponseRedirect(page)

    @action(description=_("Run again now"), permissions=["change"])
    def run_again(self, request: HttpRequest, jobs: QuerySet[Any]) -> None:
        self._apply(request, jobs, lambda job, by: job.run_again(by=by))

    @action(description=_("Cancel"), permissions=["change"])
    def cancel(self, request: HttpRequest, jobs: QuerySet[Any]) -> HttpResponse | None:
        asking = self._ask_to_cancel(request, jobs)
        if asking is None and "confirmed" in request.POST:
            self._apply(request, jobs, lambda job, by: job.cancel(by=by))
        return asking

    def _ask_to_cancel(self, request: HttpRequest, jobs: QuerySet[Any], *, back: str = "") -> HttpResponse | None:
        """The page that asks about those that would stop; None once it was answered, or if none would, which is said."""

        def question(count: int) -> str:
            return ngettext("%d job would stop for good.", "%d jobs would stop for good.", count) % count

        live = jobs.exclude(state__in=FINAL)  # asked about what would stop, not about what has ended
        if "confirmed" not in request.POST and not live.exists():
            self.message_user(request, _("These have ended: there is nothing to cancel."), messages.WARNING)
            self.done_to(request, [])
            return None
        return ask_first(self, request, live, action="cancel", question=question, button=_("Yes, cancel"), back=back)

    @action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, jobs: QuerySet[Any]) -> None:
        self._apply(request, jobs, lambda job, by: job.pause(by=by))

    @action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, jobs: QuerySet[Any]) -> None:
        self._apply(request, jobs, lambda job, by: job.resume(by=by))

    def _apply(self, request: HttpRequest, jobs: "QuerySet[Any] | list[Any]", act: Callable[[Any, str], None]) -> bool:
        """Do one act to each selected job; say how many took it, why others refused, and how many had no turn.

        Returns whether any took it.
        """
        done, refused = [], []
        selected = list(jobs[: MOST_AT_ONCE + 1])
        for job in selected[:MOST_AT_ONCE]:
            try:
                act(job, str(request.user))
            except InvalidTransition as error:
                refused.append(str(error))
            else:
                done.append(job)
        self.done_to(request, (job.pk for job in done))
        if done:
            told = ngettext("%d job changed.", "%d jobs changed.", len(done)) % len(done)
            self.message_user(request, told, messages.SUCCESS)
        for sentence in refused[:5]:
            self.message_user(request, sentence, messages.WARNING)
        if len(refused) > 5:
            self.message_user(request, _("… and %d more.") % (len(refused) - 5), messages.WARNING)
        if len(selected) > MOST_AT_ONCE:
            sentence = _("Only the first %d were looked at; do it again for the others.") % MOST_AT_ONCE
            self.message_user(request, sentence, messages.WARNING)
        return bool(done)


class PausedKindForm(forms.ModelForm[PausedKind]):
    kind = forms.ChoiceField(label=_("kind"), widget=UnfoldAdminSelectWidget, choices=list)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].choices = [(kind.name, kind.label) for kind in kinds.all_kinds()]  # type: ignore[attr-defined]


@admin.register(PausedKind)
class PausedKindAdmin(ModelAdmin):
    """While a kind stands here, none of its jobs begins. Deleting the row lets them go on."""

    form = PausedKindForm
    list_display = ["kind", "reason", "paused_at"]
    search_fields = ["kind", "reason"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["kind", "paused_at"] if obj else []
