"""One source of the active workspace: how each look went, when the next one is, and all that can be done about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.feed import feed
from catalog.filters import Filters, is_id
from crawler import pauses, services
from crawler.models import CrawlJob, Source, SourceKind
from crawler.offers import offers
from crawler.providers import registry
from crawler.timing import HASTE, next_tick, shortest_gap
from crawler.trending import words_now
from crawler.validators import is_offered
from jobs.models import FINAL
from pages.asking import editor, member
from pages.forms import SourceForm
from pages.profiles import author_of, profile_context
from workspaces.models import Membership

RUNS = 20
SHOWN_WORDS = 50
SHOWN_VIDEOS = 12
TIMING = {"cron", "interval_minutes"}


@require_safe
@member
def source(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    source, runs = _followed(request, membership, pk)
    author_id = author_of(source)
    about = profile_context(request, author_id) if author_id is not None else {}
    context = {**about, **runs, **_shown(source), "source": source, "membership": membership}
    context["pause"] = pauses.pause_of(source)
    return render(request, "pages/source.html", context)


@require_safe
@member
def runs(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    """The table of runs and what changes with it, for a page that follows one; what was shown once the run is over."""
    source, runs = _followed(request, membership, pk)
    context = {**runs, "source": source, "is_part": True, "pause": pauses.pause_of(source)}
    if not context["is_live"]:
        context |= _shown(source)
    return render(request, "pages/_source_part.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@editor
def new(request: HttpRequest, membership: Membership) -> HttpResponse:
    """`platform` and `kind` in the URL are chosen beforehand, and `value` filled in, where they mean something."""
    form = SourceForm(request.POST or None, workspace=membership.workspace, initial=_beforehand(request))
    if request.method == "POST" and form.is_valid():
        source = form.save()
        services.scan_now(source, by=membership.user)
        messages.success(request, _("“%(value)s” is watched now. The first scan is under way.") % {"value": source.value})
        if form.recognised is not None:
            is_any = source.platform == registry.ANY_LINK
            facts = {"platform": source.get_platform_display(), "kind": source.get_kind_display()}
            messages.info(request, _("Recognised as a link.") if is_any else _("Recognised as: %(platform)s %(kind)s.") % facts)
        warn_of_haste(request, source)
        return redirect("source", source.pk)
    context = {"form": form, "offers": offers(), "chosen": form.chosen}
    return render(request, "pages/source_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@editor
def edit(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    source = _source(membership, pk)
    form = SourceForm(request.POST or None, instance=source, workspace=membership.workspace)
    if request.method == "POST" and form.is_valid():
        if TIMING & set(form.changed_data):
            source.next_run_at = next_tick(source.cron, source.interval_minutes, timezone.now())
        form.save()
        messages.success(request, _("Saved."))
        warn_of_haste(request, source)
        return redirect("source", pk)
    return render(request, "pages/source_form.html", {"form": form, "source": source}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@editor
def delete(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    source = _source(membership, pk)
    if request.method == "POST":
        value = source.shown_name
        source.delete()
        messages.success(request, _("“%(value)s” is no longer watched. What it has shown stays.") % {"value": value})
        return redirect("sources")
    return render(request, "pages/source_delete.html", {"source": source})


@require_POST
@editor
def scan(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    services.scan_now(_source(membership, pk), by=membership.user)
    if request.POST.get("from") == "list":  # the source's own page says so itself, for as long as it is true
        messages.success(request, _("It is scanned as soon as a worker is free."))
    return _back(request, pk)


@require_POST
@editor
def pause(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    """POST `active`: on or off."""
    is_active = request.POST.get("active") == "on"
    Source.objects.filter(pk=_source(membership, pk).pk).update(is_active=is_active)
    messages.success(request, _("Watched again, by its schedule.") if is_active else _("Paused: it is not scanned by schedule."))
    return _back(request, pk)


def _beforehand(request: HttpRequest) -> dict[str, Any]:
    platform, kind = request.GET.get("platform", ""), request.GET.get("kind", "")
    given: dict[str, Any] = {"value": request.GET.get("value", "")[:500]}
    if is_offered(platform, kind or SourceKind.TOPIC):
        given |= {"platform": platform, "kind": kind or SourceKind.TOPIC}
    elif not platform and (first := next((offer for offer in offers() if offer.kind == kind), None)):
        given |= {"platform": first.platform, "kind": kind}
    return given


def warn_of_haste(request: HttpRequest, source: Source) -> None:
    """It is allowed to look every minute; but not without knowing what that means."""
    gap = shortest_gap(source.cron, source.interval_minutes, timezone.now())
    if gap < HASTE:
        minutes = max(round(gap.total_seconds() / 60), 1)
        sentence = ngettext(
            "This is scanned every %(n)d minute: platforms may block who asks so often, and services charge for each page.",
            "This is scanned every %(n)d minutes: platforms may block who asks so often, and services charge for each page.",
            minutes,
        )
        messages.warning(request, sentence % {"n": minutes})


def _source(membership: Membership, pk: int) -> Source:
    """Of the active workspace; another's does not exist."""
    return get_object_or_404(Source, pk=pk, workspace=membership.workspace_id)


def _back(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    return redirect("sources") if request.POST.get("from") == "list" else redirect("source", pk)


def _shown(source: Source) -> dict[str, Any]:
    shown = feed(Filters(source=source.pk, ordering="-published_at"), limit=SHOWN_VIDEOS)
    return {
        "cards": shown.cards,
        "has_more": shown.next_cursor is not None,
        "shown_query": f"source={source.pk}&ordering=-published_at",
        "words": words_now(source)[:SHOWN_WORDS] if source.kind == SourceKind.TRENDING else [],
    }


def _followed(request: HttpRequest, membership: Membership, pk: int) -> tuple[Source, dict[str, Any]]:
    """A source and its runs. They are read first: of one that ends in between, the end is shown, or it is asked for again."""
    runs = _runs(request, pk)
    source = _source(membership, pk)
    is_link = source.kind == SourceKind.URL and runs["runs"]
    return source, {**runs, "found_video": services.imported_video(runs["runs"][0]) if is_link else None}


def _runs(request: HttpRequest, pk: int) -> dict[str, Any]:
    """The newest runs, or those before the one that `before` names."""
    before = request.GET.get("before", "")
    rows = CrawlJob.objects.filter(source=pk).order_by("-pk")
    if before:
        if not is_id(before):
            raise BadRequest(_("“before” must be the id of a run."))
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: RUNS + 1])
    shown = found[:RUNS]
    return {
        "runs": shown,
        "older": shown[-1].pk if len(found) > RUNS else None,
        "is_live": any(run.state not in FINAL for run in shown),
        "is_waiting": any(run.state == "pending" for run in shown),
        "is_looking": any(run.state == "running" for run in shown),
    }
