"""All that the active workspace watches, at a glance, and what may be done about many sources at once."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import F
from django.db.models.functions import Least
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from catalog.filters import is_id
from catalog.watching import HEALTH, RUNS_SHOWN, SORTS, Lately, census, lately, narrowed
from crawler import services
from crawler.models import Outcome, Source, SourceKind
from crawler.providers import registry
from crawler.timing import next_tick
from pages import charts
from pages.asking import editor, member
from pages.rising import Choice
from workspaces.models import Membership

PAGE = 50
MOST_AT_ONCE = 200
"""Sources that one bulk action takes; a page shows fewer."""
LONGEST_INTERVAL = 60 * 24 * 366
NARROWING = ("q", "platform", "kind", "health", "outcome", "own", "sort")
DEFAULT_SORT = "trouble"


@require_safe
@member
def sources(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Six statements, whatever is watched. What a parameter cannot mean is a 400."""
    asked = {
        "platform": _one_of(request, "platform", [name for name, _label in registry.choices()]),
        "kind": _one_of(request, "kind", SourceKind.values),
        "health": _one_of(request, "health", list(HEALTH)),
        "outcome": _one_of(request, "outcome", Outcome.values),
        "own": _one_of(request, "own", ["yes", "no"]),
        "sort": _one_of(request, "sort", list(SORTS)),
        "q": request.GET.get("q", "").strip()[:100],
    }
    if "\x00" in asked["q"]:
        raise BadRequest(_("Search without invisible characters."))
    found = narrowed(
        membership.workspace_id,
        words=asked["q"],
        own={"yes": True, "no": False}.get(asked["own"]),
        sort=asked["sort"] or DEFAULT_SORT,
        **{name: asked[name] for name in ("platform", "kind", "health", "outcome")},
    )
    page = _page_number(request)
    rows = list(found[(page - 1) * PAGE : page * PAGE + 1])
    shown = rows[:PAGE]
    counted = census(membership.workspace_id)
    query = {name: asked[name] for name in NARROWING if asked[name]}
    runs = lately([source.pk for source in shown])
    context = {
        "rows": [(source, runs.get(source.pk, Lately()), _bars(runs.get(source.pk, Lately()))) for source in shown],
        "membership": membership,
        "census": counted,
        "pauses": counted.pauses,
        "healths": _healths(counted.health, query),
        "links": Choice(_("Links"), _url({"kind": SourceKind.URL.value}), asked["kind"] == SourceKind.URL),
        "platforms": [
            (name, label) for name, label in registry.choices() if counted.platforms[name] or name == asked["platform"]
        ],
        "kinds": [choice for choice in SourceKind.choices if counted.kinds[choice[0]] or choice[0] == asked["kind"]],
        "outcomes": [choice for choice in Outcome.choices if choice[0]],
        "sorts": SORTS.items(),
        "asked": asked,
        "is_narrowed": bool(query.keys() - {"sort"}),
        "is_narrowed_by_form": bool(query.keys() - {"health"}) and query != {"kind": SourceKind.URL.value},
        "query": urlencode(query),
        "page": page,
        "previous_url": _url({**query, "page": str(page - 1)}) if page > 1 else "",
        "next_url": _url({**query, "page": str(page + 1)}) if len(rows) > PAGE else "",
        "runs_shown": RUNS_SHOWN,
    }
    return render(request, "pages/sources.html", context)


@require_POST
@editor
def bulk(request: HttpRequest, membership: Membership) -> HttpResponse:
    """POST `ids`, `action` (scan, pause, resume, interval, delete) and `back`, the query of the list that it goes back to.

    Ids of other workspaces are as good as none. Deleting asks first, unless `confirmed` says that it has.
    """
    ids = [int(text) for text in request.POST.getlist("ids") if is_id(text)]
    ours = Source.objects.filter(workspace=membership.workspace_id).select_related("sound")
    chosen = ours.filter(pk__in=ids[:MOST_AT_ONCE]).order_by("kind", "value", "pk")
    action = request.POST.get("action", "")
    back = _url({name: str(value) for name, value in QueryDict(request.POST.get("back", "")[:2000]).items() if name in NARROWING})
    found = list(chosen)
    if action not in ("scan", "pause", "resume", "interval", "delete"):
        raise BadRequest(_("There is no such action."))
    if not found:
        messages.error(request, _("Nothing was chosen: tick the sources first."))
        return HttpResponseRedirect(back)
    if action == "delete" and request.POST.get("confirmed") != "yes":
        context = {"sources": found, "back": request.POST.get("back", "")[:2000], "back_url": back}
        return render(request, "pages/sources_delete.html", context)
    error = _act(action, found, request, membership)
    if error:
        messages.error(request, error)
    return HttpResponseRedirect(back)


def _act(action: str, found: list[Source], request: HttpRequest, membership: Membership) -> str:
    """Do it and say so; return what was wrong instead."""
    count, rows = len(found), Source.objects.filter(pk__in=[source.pk for source in found])
    if action == "scan":
        for source in found:
            services.scan_now(source, by=membership.user)
        told = ngettext(
            "%(n)d source is scanned as soon as a worker is free.", "%(n)d sources are scanned as workers get free.", count
        )
    elif action == "pause":
        rows.update(is_active=False)
        told = ngettext("%(n)d source is paused.", "%(n)d sources are paused.", count)
    elif action == "resume":
        rows.update(is_active=True)
        told = ngettext("%(n)d source is watched again, by its schedule.", "%(n)d sources are watched again, by schedule.", count)
    elif action == "interval":
        text = request.POST.get("interval_minutes", "")
        if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= LONGEST_INTERVAL):
            return _("The interval must be a number of minutes, from 1 to %(most)d.") % {"most": LONGEST_INTERVAL}
        soonest = next_tick("", int(text), timezone.now())
        rows.update(cron="", interval_minutes=int(text), next_run_at=Least(F("next_run_at"), soonest))
        told = ngettext("%(n)d source has the new interval.", "%(n)d sources have the new interval.", count)
    else:
        rows.delete()
        told = ngettext("%(n)d source is no longer watched.", "%(n)d sources are no longer watched.", count)
    messages.success(request, told % {"n": count})
    return ""


def _bars(of: Lately) -> list[tuple[charts.Bar, str, str]]:
    """Each run: its bar (as high as it saw videos), how it is drawn, and what it was in words."""
    bars = charts.bars([max(run.seen, 0) for run in of.runs], width=6 * len(of.runs), height=26, gap=1.5)
    drawn = []
    for bar, run in zip(bars, of.runs, strict=True):
        kind = "live" if not run.is_over else "good" if run.went_well else "bad"
        words = _("%(seen)d seen, %(new)d new") % {"seen": run.seen, "new": run.new}
        if kind == "bad":
            bar, words = charts.Bar(bar.x, 0, bar.width, 26, bar.value), run.outcome or run.state
        drawn.append((bar, kind, words))
    return drawn


def _healths(counts: Any, query: dict[str, str]) -> list[tuple[Choice, int]]:
    rest = {name: value for name, value in query.items() if name not in ("health", "kind") or value != SourceKind.URL}
    rest.pop("health", None)
    current = query.get("health", "")
    is_all = not current and query.get("kind") != SourceKind.URL
    return [
        (Choice(_("All"), _url(rest), is_all), counts.total()),
        *(
            (Choice(str(words), _url({**rest, "health": name}), current == name), counts[name])
            for name, (words, _q) in HEALTH.items()
        ),
    ]


def _url(query: dict[str, str]) -> str:
    address = reverse("sources")
    return f"{address}?{urlencode(query)}" if query else address


def _one_of(request: HttpRequest, name: str, choices: list[str]) -> str:
    value = request.GET.get(name, "")
    if value and value not in choices:
        raise BadRequest(_("There is no %(name)s “%(value)s”.") % {"name": name, "value": value[:40]})
    return value


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text)):
        raise BadRequest(_("There is no such page."))
    return int(text)
