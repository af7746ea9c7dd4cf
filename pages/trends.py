"""Topics, authors and sounds that rise as a whole."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from catalog.trends import DEFAULT_PERIOD, GROUPS, LEAST_VIDEOS, PERIODS, Trend
from catalog.trends import trends as read_trends
from pages.rising import Choice
from workspaces.middleware import workspace_of

DEFAULT_BY = "topics"
PERIOD_WORDS = {"24h": _("24 hours"), "7d": _("7 days")}


@require_safe
def trends(request: HttpRequest) -> HttpResponse:
    """`by` and `period` in the URL; what is not known there is as good as none, and said to be."""
    workspace = workspace_of(request)
    offered = [name for name in GROUPS if name != "sources" or workspace]
    asked = {name: request.GET.get(name, "") for name in ("by", "period")}
    known = {"by": offered, "period": list(PERIODS)}
    wrong = [name for name, value in asked.items() if value and value not in known[name]]
    by = asked["by"] if asked["by"] in offered else DEFAULT_BY
    period = asked["period"] if asked["period"] in PERIODS else DEFAULT_PERIOD
    rows = read_trends(by, period, workspace_id=workspace.pk if workspace else None)
    context: dict[str, Any] = {
        "rows": [(trend, _link(by, trend)) for trend in rows],
        "any_surged": any(trend.surges for trend in rows),
        "by": by,
        "groups": [Choice(str(GROUPS[name][0]), _url(name, period), name == by) for name in offered],
        "periods": [Choice(str(words), _url(by, name), name == period) for name, words in PERIOD_WORDS.items()],
        "period": PERIOD_WORDS[period],
        "least_videos": LEAST_VIDEOS,
        "errors": {name: _("It is one of: %(names)s.") % {"names": ", ".join(known[name])} for name in wrong},
    }
    return render(request, "pages/trends.html", context)


def _url(by: str, period: str) -> str:
    query = {name: value for name, value, usual in (("by", by, DEFAULT_BY), ("period", period, DEFAULT_PERIOD)) if value != usual}
    return f"{reverse('trends')}?{urlencode(query)}" if query else reverse("trends")


def _link(by: str, trend: Trend) -> str:
    if by == "topics":
        return f"{reverse('rising')}?{urlencode({'hashtag': trend.name})}"
    if by == "sounds":
        return f"{reverse('rising')}?{urlencode({'sound': trend.id})}"  # a sound's own page is for those who watch it
    return reverse(by.removesuffix("s"), args=[trend.id])
