"""Ranking in the admin: scores to look at, surges with their outcome, and models that staff tune and roll back."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from jobs.listing import AuditedActions, NotCountedTwice, OnlyLookedAt
from ranking import surges
from ranking.baselines import AGE_EDGES_HOURS
from ranking.models import Baseline, ModelState, RankingModel, Score, Surge


class Computed(OnlyLookedAt, NotCountedTwice, ModelAdmin):
    """What scoring writes."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """As people read them, where there is a column that shows them so: but for labels, which only a list can draw."""
        columns = {name: getattr(self, f"show_{name}", None) for name in super().get_fields(request, obj)}
        return [f"show_{name}" if column and not hasattr(column, "label") else name for name, column in columns.items()]


def _percent(field: str, description: Any) -> Any:
    """A column that shows a share as people read it, and sorts by it."""

    @display(description=description, ordering=field)
    def show(_admin: Any, row: Any) -> str:
        share = getattr(row, field)
        return "–" if share is None else f"{share * 100:,.1f} %"

    return show


def _number(field: str, description: Any) -> Any:
    """A column that shows a measure without the digits that nobody reads, and sorts by it."""

    @display(description=description, ordering=field)
    def show(_admin: Any, row: Any) -> str:
        value = getattr(row, field)
        return "–" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3f}"

    return show


@admin.register(Score)
class ScoreAdmin(Computed):
    show_virality = _percent("virality", _("virality"))
    show_breakout = _percent("breakout", _("breakout"))
    show_reach = _percent("reach", _("reach"))
    show_momentum = _percent("momentum", _("momentum"))
    list_display = [
        "video", "show_virality", "show_breakout", "show_reach", "show_classic", "show_momentum", "is_surging", "model",
        "show_observed",
    ]  # fmt: skip
    list_filter = ["is_surging", "video__platform", "model"]
    list_select_related = ["video", "model"]
    search_fields = ["video__external_id", "video__title"]
    ordering = ["-classic"]

    @display(description=_("observed"), ordering="observed_at")
    def show_observed(self, score: Score) -> Any:
        return score.observed_at

    @display(description=_("classic"), ordering="classic")
    def show_classic(self, score: Score) -> str:
        return f"{score.classic:,.1f}"


@admin.register(Surge)
class SurgeAdmin(Computed):
    show_probability = _percent("probability", _("chance then"))
    show_highest = _percent("highest", _("highest"))
    show_level = _number("level", _("top level foretold"))
    show_top_rate = _number("top_rate", _("highest rise per hour"))
    list_display = [
        "video", "show_state", "show_probability", "show_highest", "alerted_at", "confirmed_at", "peaked_at", "show_reached",
        "show_lead",
    ]  # fmt: skip
    list_filter = ["state", "video__platform", "model", "alerted_at"]
    list_select_related = ["video"]
    search_fields = ["video__external_id", "video__title"]

    @display(
        description=_("state"),
        ordering="state",
        label={"watch": "info", "open": "danger", "peaked": "warning", "cleared": "default"},
    )
    def show_state(self, surge: Surge) -> tuple[str, Any]:
        return surge.state, surge.get_state_display()

    @display(description=_("reached the top"), ordering="reached_at")
    def show_reached(self, surge: Surge) -> Any:
        return surge.reached_at

    @display(description=_("lead, hours"))
    def show_lead(self, surge: Surge) -> str:
        return "–" if surge.lead is None else f"{surge.lead.total_seconds() / 3600:.1f}"


@admin.register(Baseline)
class BaselineAdmin(Computed):
    show_median_size = _number("median_size", _("median of the primary counter"))
    show_level = _number("level", _("top level"))
    show_median_rate = _number("median_rate", _("median of ln(1 + rise per hour)"))
    show_spread_rate = _number("spread_rate", _("median absolute deviation of it"))
    list_display = ["platform", "family", "show_age_bucket", "videos", "show_median_size", "show_level", "computed_at"]
    list_filter = ["platform", "family"]

    @display(description=_("age"), ordering="age_bucket")
    def show_age_bucket(self, row: Baseline) -> str:
        edges = (0, *AGE_EDGES_HOURS)
        if row.age_bucket < 0:
            return str(_("all ages"))
        if row.age_bucket >= len(AGE_EDGES_HOURS):
            return _("from %d h on") % AGE_EDGES_HOURS[-1]
        return _("%(low)d–%(high)d h") % {"low": edges[row.age_bucket], "high": edges[row.age_bucket + 1]}


def _judged(model: RankingModel) -> list[tuple[str, dict[str, float], dict[str, float]]]:
    """By head: how the model did on held-out videos, and how the one before it did. Nothing of a shipped one."""
    new, old = model.evidence.get("candidate", {}), model.evidence.get("current", {})
    return [(head, new[head], old[head]) for head in new]


class ThresholdForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        alert, watch = values.get("alert_threshold"), values.get("watch_threshold")
        if alert is not None and watch is not None and alert < watch:
            self.add_error("alert_threshold", _("An alert needs at least the chance that is watched from."))
        return values


@admin.register(RankingModel)
class RankingModelAdmin(AuditedActions, ModelAdmin):
    """Thresholds can be changed; an earlier version can be made active again, which scores everything with it."""

    form = ThresholdForm
    list_display = [
        "__str__", "show_state", "origin", "show_alert", "show_watch", "show_figures", "created_at", "activated_at",
    ]  # fmt: skip
    show_alert = _percent("alert_threshold", _("alert from"))
    show_watch = _percent("watch_threshold", _("watch from"))
    list_filter = ["family", "state", "origin"]
    readonly_fields = ["family", "state", "origin", "created_at", "activated_at", "show_evidence"]
    fields = [*readonly_fields, "alert_threshold", "watch_threshold", "note"]
    actions = ["make_active", "refit"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: RankingModel, form: Any, change: bool) -> None:
        """New thresholds hold for what is live at once."""
        super().save_model(request, obj, form, change)
        if obj.state == ModelState.ACTIVE and {"alert_threshold", "watch_threshold"} & set(form.changed_data):
            surges.judge_again()

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """A threshold decides what is alerted: the audit trail says what it was, and what it became."""
        changes = [
            f"{form.fields[name].label}: {form.initial.get(name)} → {form.cleaned_data[name]}" for name in form.changed_data
        ]
        return [{"changed": {"fields": changes}}] if changes else []

    @display(
        description=_("state"),
        ordering="state",
        label={"active": "success", "refused": "danger", "retired": "default"},
    )
    def show_state(self, model: RankingModel) -> tuple[str, Any]:
        return model.state, ModelState(model.state).label

    @display(description=_("PR-AUC (before)"))
    def show_figures(self, model: RankingModel) -> str:
        return "; ".join(f"{head} {new['pr_auc']:.3f} ({old['pr_auc']:.3f})" for head, new, old in _judged(model)) or "–"

    @display(description=_("how it did on held-out videos"))
    def show_evidence(self, model: RankingModel) -> SafeString | str:
        rows = [
            (head, *(f"{judged[measure]:.3f}" for measure in ("pr_auc", "precision_at_5") for judged in (new, old)))
            for head, new, old in _judged(model)
        ]
        if not rows:
            return "–"
        before = f"v{model.evidence['current_version']}"
        names = (_("head"), _("PR-AUC"), before, _("precision at 5 %"), before)
        head = format_html_join("", '<th class="pr-4 text-left">{}</th>', ((name,) for name in names))
        body = format_html_join(
            "", "<tr>{}</tr>", ((format_html_join("", '<td class="pr-4">{}</td>', zip(row)),) for row in rows)
        )
        videos = ngettext("Of %d video.", "Of %d videos.", model.evidence["items"]) % model.evidence["items"]
        return format_html("<table><tr>{}</tr>{}</table>{}", head, body, videos)

    @action(description=_("Make active (score everything with it)"), permissions=["change"])
    def make_active(self, request: HttpRequest, models: QuerySet[RankingModel]) -> None:
        self.done_to(request, [])
        if len({model.family for model in models}) < len(models):
            self.message_user(request, _("Choose one version per family."), messages.ERROR)
            return
        from ranking import learning  # brings numpy, which no other request needs
        from ranking.scoring.model import OtherFeatures

        activated = []
        for model in models:
            if model.state == ModelState.ACTIVE:
                self.message_user(request, _("%s is the active model of its family already.") % model, messages.INFO)
                continue
            try:
                scored = learning.activate(model)
            except OtherFeatures:
                sentence = _("%s was fitted on numbers that are no longer read, and cannot be active again. Refit instead.")
                self.message_user(request, sentence % model, messages.ERROR)
                continue
            activated.append(model.pk)
            self.message_user(
                request,
                _("%(model)s is active; %(count)d videos were scored with it.") % {"model": model, "count": scored},
                messages.SUCCESS,
            )
        self.done_to(request, activated)

    @action(description=_("Refit these families on our own history now"), permissions=["change"])
    def refit(self, request: HttpRequest, models: QuerySet[RankingModel]) -> None:
        from ranking import learning
        from ranking.scoring import fitting

        needed = _(
            "it takes %(rows)d observations whose next day is known too, in the earlier and in the later part of %(days)d days"
        )
        fitted: set[str] = set()  # or tried, with a row that says why it was refused
        facts = {"rows": fitting.LEAST_ROWS, "days": learning.HISTORY.days}
        for family in sorted({model.family for model in models}):
            row = learning.refit(family)
            if row is None:
                self.message_user(
                    request, f"{_('%s: too little matured history to fit on;') % family} {needed % facts}.", messages.WARNING
                )
                continue
            fitted.add(family)
            if row.state == ModelState.REFUSED:
                self.message_user(request, row.note, messages.WARNING)
            else:
                self.message_user(request, _("%s is fitted and active.") % row, messages.SUCCESS)
        self.done_to(request, (model.pk for model in models if model.family in fitted))
