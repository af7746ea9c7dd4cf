"""TikTok sounds that the active workspace watches: pasted, followed while their run goes on, and what their videos add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.sounds import SORTS, Totals, published_over_time, top_videos, totals, uses_over_time
from crawler import sounds as services
from crawler.models import CrawlJob, Source, SourceKind, Video
from crawler.providers.sound_links import SoundLink
from jobs.models import FINAL
from pages import charts
from pages.asking import editor, member
from pages.rising import Choice
from workspaces.middleware import membership_of
from workspaces.models import Membership

PAGE = 50
MOST_VIDEOS = 50
SORT_WORDS: dict[str, Any] = {
    "views": gettext_lazy("Most views"),
    "likes": gettext_lazy("Most likes"),
    "comments": gettext_lazy("Most comments"),
    "shares": gettext_lazy("Most shares"),
    "published": gettext_lazy("Newest"),
}
STATUS_WORDS: dict[str, Any] = {
    "never": gettext_lazy("not read yet"),
    "queued": gettext_lazy("queued"),
    "running": gettext_lazy("running"),
    "done": gettext_lazy("done"),
    "failed": gettext_lazy("failed"),
    "cancelled": gettext_lazy("cancelled"),
}


class SoundForm(forms.Form):
    url = forms.CharField(
        label=gettext_lazy("Link of the sound"),
        max_length=2000,
        widget=forms.TextInput(
            attrs={"placeholder": "https://www.tiktok.com/music/…", "autocomplete": "off", "inputmode": "url", "autofocus": True}
        ),
        help_text=gettext_lazy("On TikTok, open the sound and share its page. A short link or a whole shared text will do."),
    )

    def clean_url(self) -> SoundLink:
        try:
            return services.find_sound(self.cleaned_data["url"])
        except services.NoSuchSound as error:
            raise ValidationError(error.message, code=error.code) from error


@dataclass(frozen=True, slots=True)
class Row:
    """A watched sound in the list."""

    source: Source
    status: str
    words: Any
    run: CrawlJob | None
    totals: Totals


@require_safe
@member
def sounds(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Newest first; `before` is the id of the last one of the page before."""
    before = request.GET.get("before", "")
    found = (
        Source.objects.filter(workspace=membership.workspace_id, kind=SourceKind.SOUND).select_related("sound").order_by("-pk")
    )
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 19):
            raise BadRequest(_("There is no such page."))
        found = found.filter(pk__lt=int(before))
    rows = list(found[: PAGE + 1])
    shown = rows[:PAGE]
    ids = [source.pk for source in shown]
    runs, sums = services.last_runs(ids), totals(ids) if ids else {}
    context = {
        "rows": [_row(source, runs.get(source.pk), sums[source.pk]) for source in shown],
        "older": shown[-1].pk if len(rows) > PAGE else None,
        "membership": membership,
        "pause": services.pause(),
    }
    return render(request, "pages/sounds.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@editor
def new(request: HttpRequest, membership: Membership) -> HttpResponse:
    """POST `url`. GET may carry it, from a page that shows a sound."""
    form = SoundForm(request.POST or None, initial={"url": request.GET.get("url", "")[:2000]})
    if request.method == "POST" and form.is_valid():
        source, _is_new = services.watch(form.cleaned_data["url"], workspace=membership.workspace, by=membership.user)
        return redirect("sound", source.pk)
    return render(request, "pages/sound_new.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@member
def sound(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    status = _status(pk)
    source = _source(membership, pk)
    context = {**status, **_content(request, source), "source": source, "membership": membership}
    context["refresh_seconds"] = 5 if context["is_live"] else 0  # where no script runs
    return render(request, "pages/sound.html", context)


@require_safe
@member
def part(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    """How the run stands, for a page that follows it; and what it found, if that is more than the `seen` of the page."""
    status = _status(pk)
    source = _source(membership, pk)
    context = {**status, "source": source, "membership": membership, "is_part": True, "sort": _sort(request)}
    if not context["is_live"] or request.GET.get("seen") != str(context["seen"]):
        context |= {**_content(request, source), "has_news": True}
    return render(request, "pages/_sound_part.html", context)


@require_POST
@editor
def scrape(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    """Read it now; after a failed run, again. POST `force`: though the last run is young."""
    services.scrape(_source(membership, pk), by=membership.user, force=request.POST.get("force") == "on")
    return redirect("sound", pk)


def sound_links(request: HttpRequest, video: Video) -> dict[str, Any]:
    """Where a member reads more of a video's sound: on the page of the watched one, or where it can be watched."""
    membership = membership_of(request)
    if membership is None or video.sound is None:
        return {}
    watched = Source.objects.filter(workspace=membership.workspace_id, kind=SourceKind.SOUND, sound=video.sound)
    can_be = video.platform == services.PLATFORM and video.sound.external_id.isdigit()
    return {
        "watched_sound": watched.values_list("pk", flat=True).first(),
        "may_watch_sound": can_be and membership.may_edit,
    }


def _source(membership: Membership, pk: int) -> Source:
    """A sound of the active workspace; another's does not exist."""
    rows = Source.objects.select_related("sound")
    return get_object_or_404(rows, pk=pk, workspace=membership.workspace_id, kind=SourceKind.SOUND)


def _row(source: Source, run: CrawlJob | None, sums: Totals) -> Row:
    status = str(services.status_of(run))
    return Row(source, status, STATUS_WORDS[status], run, sums)


def _status(pk: int) -> dict[str, Any]:
    """To be read before the source and its videos: of a run that ends in between, the end is shown, or it is asked for again."""
    run = services.last_run(pk)
    status = str(services.status_of(run))
    return {
        "run": run,
        "pause": services.pause(),
        "seen": run.counts.get("seen", 0) if run else 0,
        "status": status,
        "status_words": STATUS_WORDS[status],
        "is_live": run is not None and run.state not in FINAL,
        "is_fresh": run is not None and services.is_fresh(run),
        "bad_rows": run.counts.get("errors", 0) + run.counts.get("malformed", 0) if run else 0,
    }


def _sort(request: HttpRequest) -> str:
    """What an unknown one in the URL says is as good as nothing."""
    sort = request.GET.get("sort", "")
    return sort if sort in SORTS else "views"


def _content(request: HttpRequest, source: Source) -> dict[str, Any]:
    sort = _sort(request)
    uses, published = charts.growth(uses_over_time(source)), charts.growth(published_over_time(source.pk))
    return {
        "totals": totals([source.pk])[source.pk],
        "sort": sort,
        "sorts": [Choice(str(words), f"?sort={name}#top", name == sort) for name, words in SORT_WORDS.items()],
        "uses_chart": {"metric": _("Videos on TikTok with this sound"), "svg": uses, "id": "uses"} if uses else None,
        "published_chart": {"metric": _("Videos read, by when they were published"), "svg": published, "id": "published"}
        if published
        else None,
        "cards": top_videos(source.pk, sort, most=MOST_VIDEOS),
    }
