"""For staff: how good the alerts were, the classic rule beside ours; the models that speak; where is looked next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.cards import cards
from catalog.surging import Waiting, waiting
from pages import calibration
from ranking import plan, pulse, quality
from ranking.models import Baseline

WEEKS = 12
LOOKS_SHOWN = 12
LOOKS_WITHIN = timedelta(hours=1)

REASONS: dict[str, Any] = {
    "surging": gettext_lazy("surging"),
    "watched": gettext_lazy("watched"),
    "promising": gettext_lazy("promising"),
    "once a day": gettext_lazy("once a day"),
    "under 1 h old": gettext_lazy("under 1 h old"),
    "under 2 h old": gettext_lazy("under 2 h old"),
    "under 4 h old": gettext_lazy("under 4 h old"),
    "under 8 h old": gettext_lazy("under 8 h old"),
    "under a day old": gettext_lazy("under a day old"),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One week on one platform (or everything): our alerts, and those of the classic rule."""

    week: datetime | None
    platform: str
    ours: quality.Line
    classic: quality.Line


@require_safe
@login_required
@never_cache
def ranking_quality(request: HttpRequest) -> HttpResponse:
    if not (getattr(request.user, "is_staff", False) and request.user.has_perm("ranking.view_surge")):
        raise PermissionDenied(_("This page is for staff who may see surges."))
    now = timezone.now()
    told = quality.lines(now, weeks=WEEKS)
    bins = quality.calibration(now, weeks=WEEKS)
    total = Pair(None, "", quality.total(told, "default"), quality.total(told, "classic"))
    history = waiting()
    context = {
        "total": total,
        "pairs": _pairs(told),
        "waiting": history,
        "first_figures_at": _first_figures(total, history),
        "weeks": WEEKS,
        "matures_after": quality.MATURES_AFTER,
        "places": calibration.places([(each.predicted, each.surges, each.came_true) for each in bins]),
        "ticks": [(calibration.x_of(n / 4), calibration.y_of(n / 4), n / 4) for n in range(5)],
        "models": [_model(active) for active in pulse.active_models().values()],
        "baselines": Baseline.objects.filter(age_bucket=-1).order_by("platform", "family"),
        "costs": plan.costs(),
        **_looks(now),
    }
    return render(request, "pages/quality.html", context)


def _pairs(told: list[quality.Line]) -> list[Pair]:
    pairs = []
    for (week, platform), lines in groupby(told, key=lambda line: (line.week, line.platform)):
        by_scorer = {line.scorer: line for line in lines}
        empty = {name: quality.Line(week, platform, name) for name in ("default", "classic")}
        of_both = empty | by_scorer
        pairs.append(Pair(week, platform, of_both["default"], of_both["classic"]))
    return pairs


def _first_figures(total: Pair, history: Waiting) -> datetime | None:
    """When the first alert will be judged; None where some were already, or where there is none yet."""
    if total.ours.precision is not None or history.first_alert_at is None:
        return None
    return history.first_alert_at + quality.MATURES_AFTER


def _model(active: pulse.Active) -> dict[str, Any]:
    evidence = active.row.evidence or {}
    new, old = evidence.get("candidate") or {}, evidence.get("current") or {}
    return {
        "row": active.row,
        "horizon": active.model.horizon,
        "figures": [(head, figure, old.get(head)) for head, figure in new.items()],
    }


def _looks(now: datetime) -> dict[str, Any]:
    """The next looks that are planned, with how many there are within the hour."""
    planned = plan.planned(now + LOOKS_WITHIN)
    first = planned[:LOOKS_SHOWN]
    shown = {card.id: card for card in cards([look.video_id for look in first], sparklines=False)}
    counts: dict[str, int] = {}
    for look in planned:
        counts[look.reason] = counts.get(look.reason, 0) + 1
    return {
        "looks": [
            (look, shown[look.video_id], REASONS.get(look.reason, look.reason)) for look in first if look.video_id in shown
        ],
        "looks_count": len(planned),
        "looks_overdue": sum(look.due_at <= now for look in planned),
        "looks_by_reason": [(REASONS.get(reason, reason), count) for reason, count in counts.items()],
    }
