"""A video: player or slides, growth, why it ranks, and its download from the wish to the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from catalog.detail import Detail, Media, Metrics, Observation, detail, metrics, video_row
from catalog.reuploads import reposts
from catalog.surging import surges_of
from crawler.models import Video, VideoKind
from downloads import services, status
from downloads.errors import TooManyWaiting
from downloads.models import AssetRole, Quality
from downloads.status import DownloadStatus
from jobs.models import PausedKind
from pages import carousels, charts
from pages.asking import asker, is_htmx
from pages.sounds import sound_links
from pages.why import HEADS, why
from ranking.models import Surge
from workspaces.middleware import workspace_of

LIVE = ("queued", "downloading")
MOST_ROWS = 100
"""Of the table under the chart."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One of the numbers of a video, with its recent course."""

    name: str
    icon: str
    count: int | None
    course: list[tuple[datetime, int]]


@dataclass(frozen=True)
class Box:
    """The download of one quality, as the box shows it."""

    video: Video
    quality: str
    status: DownloadStatus
    qualities: list[tuple[str, str]]

    @property
    def is_live(self) -> bool:
        return self.status.status in LIVE

    @cached_property
    def paused(self) -> PausedKind | None:
        """Why nothing begins just now; of no interest to what is ready."""
        return PausedKind.objects.filter(kind="download").first() if self.status.status != "ready" else None

    @property
    def steps(self) -> list[tuple[str, str]]:
        """The way from wish to file: word, and done, now or later."""
        words = [_("Queued"), _("Downloading"), _("Ready"), _("Saved")]
        reached = {"queued": 0, "downloading": 1, "ready": 2}.get(self.status.status, -1)
        return [
            (word, "done" if n < reached or (n == reached == 2) else "now" if n == reached else "later")
            for n, word in enumerate(words)
        ]


@require_safe
def video(request: HttpRequest, pk: int) -> HttpResponse:
    if (row := video_row(pk)) is None:
        raise Http404
    box = _box(row, _quality(request))
    found, observed = detail(row), metrics(pk)  # after the box: what it calls ready is there to be played
    if found is None or observed is None:
        raise Http404
    workspace = workspace_of(request)
    mine = [sighting for sighting in found.sightings if workspace and sighting.source.workspace_id == workspace.pk]
    moments = _moments(observed, surges_of(pk))
    context = {
        **_player(found, request),
        "card": found.card,
        "detail": found,
        "video": found.video,
        "reposts": reposts(pk),
        "sightings": mine,
        "other_sightings": len(found.sightings) - len(mine),
        "metrics": observed,
        "parts": _parts(observed),
        "counters": _counters(found, observed),
        "chart": _chart(observed, moments),
        "moments": moments,
        **_why(found, request),
        "scored_at": observed.scored_at,
        "table": observed.history[::-1][:MOST_ROWS],
        "box": box,
        "refresh_seconds": 3 if box.is_live else 0,
        **sound_links(request, found.video),
    }
    return render(request, "pages/video.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """POST asks for it; GET is the box alone, for a page that follows it."""
    video = get_object_or_404(Video.objects.select_related("author"), pk=pk)
    quality = _quality(request)
    refused = ""
    if request.method == "POST":
        try:
            asked = services.request_download(video, quality, **asker(request))
        except TooManyWaiting as error:
            refused = str(error)
        else:
            status.forget(asked.job)
    if not is_htmx(request):
        if refused:
            messages.error(request, refused)
        query = "" if quality == Quality.BEST else f"?quality={quality}"
        return HttpResponseRedirect(f"{reverse('video', args=[pk])}{query}#download")
    box = _box(video, quality)
    context: dict[str, Any] = {"box": box, "refused": refused, "is_part": True}
    if box.status.status == "ready" and (found := detail(pk)) is not None:
        context |= {**_player(found, request), "card": found.card, "video": found.video}
    return render(request, "pages/_download.html", context)


def _quality(request: HttpRequest) -> str:
    """As the form or the URL says. Anything else is a 400."""
    quality = request.POST.get("quality") or request.GET.get("quality") or Quality.BEST.value
    if quality not in Quality.values:
        raise BadRequest(_("There is no quality “%(name)s”.") % {"name": quality[:40]})
    return quality


def _box(video: Video, quality: str) -> Box:
    qualities = [(str(value), str(label)) for value, label in Quality.choices]
    if video.kind == VideoKind.CAROUSEL:
        quality = services.quality_for(video, quality)
        qualities = [(Quality.BEST.value, _("all pictures")), (Quality.AUDIO.value, str(Quality.AUDIO.label))]
    return Box(video, quality, status.download_status(video, quality), qualities)


def _player(found: Detail, request: HttpRequest) -> dict[str, Any]:
    """What can be played or looked through now."""
    clips = found.of(AssetRole.VIDEO)
    sounds = found.of(AssetRole.AUDIO)
    clip: Media | None = max(clips, key=lambda media: (media.quality == Quality.BEST, media.file.height or 0), default=None)
    slides = carousels.context_of(request, found.video, found.slides) if found.video.kind == VideoKind.CAROUSEL else {}
    sound = sounds[0].file if sounds else found.sound and found.sound.audio.file
    return {"clip": clip, "sound_file": sound, **slides}


def _parts(observed: Metrics) -> list[dict[str, Any]]:
    """The score taken apart, the largest part's bar being full."""
    names = {"views": _("Views"), "likes": _("Likes"), "shares": _("Shares")}
    most = max((part.points for part in observed.parts), default=0) or 1
    return [
        {
            "name": names[part.metric],
            "count": part.count,
            "weight": part.weight,
            "points": part.points,
            "width": 100 * part.points / most,
        }
        for part in observed.parts
    ]


def _counters(found: Detail, observed: Metrics) -> list[Counter]:
    rows = (
        (_("Views"), "play", "views"),
        (_("Likes"), "heart", "likes"),
        (_("Comments"), "comment", "comments"),
        (_("Shares"), "share", "shares"),
        (_("Saves"), "bookmark", "saves"),
    )
    return [
        Counter(words, icon, getattr(found.card, name), _course(observed.history[-48:], name))
        for words, icon, name in rows
        if getattr(found.card, name) is not None
    ]


def _chart(observed: Metrics, moments: list[charts.Mark]) -> dict[str, Any] | None:
    """Views over time, or likes where no views are shown."""
    for name, words in (("views", _("Views")), ("likes", _("Likes"))):
        if chart := charts.growth(_course(observed.history, name), marks=moments):
            return {"metric": words, "svg": chart}
    return None


def _moments(observed: Metrics, surges: Sequence[Surge]) -> list[charts.Mark]:
    """What was foretold of it, and what came, oldest first: as far back as its history is shown."""
    begins = observed.history[0].observed_at if observed.history else None
    found = [
        charts.Mark(at, str(words), kind)
        for surge in surges
        for at, words, kind in (
            (surge.watched_at if surge.watched_at != surge.alerted_at else None, _("watched"), "watch"),
            (surge.alerted_at, _("alert"), "alert"),
            (surge.peaked_at, _("past its peak"), "peak"),
            (surge.reached_at, _("top level"), "reached"),
        )
        if at is not None and begins is not None and at >= begins
    ]
    return sorted(found, key=lambda mark: mark.at)


def _why(found: Detail, request: HttpRequest) -> dict[str, Any]:
    """The explanation of the head that the URL names, and links to the others."""
    card = found.card
    head = request.GET.get("head", "")
    head = head if head in HEADS else "virality"
    chances = {"virality": card.virality, "breakout": card.breakout, "surge": card.reach}
    heads = [
        {"label": label, "url": f"?head={name}#why", "chance": chances[name], "is_current": name == head}
        for name, label in HEADS.items()
    ]
    return {"why": why([card.id], head).get(card.id), "heads": heads}


def _course(history: list[Observation], name: str) -> list[tuple[datetime, int]]:
    return [(seen.observed_at, value) for seen in history if (value := getattr(seen, name)) is not None]
