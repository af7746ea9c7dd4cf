"""What this person, or this browser, asked for: how it stands, the files, and many of them as one zip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog.cards import Card, cards
from catalog.filters import is_id
from crawler.models import Video, VideoKind
from downloads import bundles, services, status, storage
from downloads.errors import TooManyWaiting
from downloads.filenames import filename_for
from downloads.models import Asset, AssetRole, AssetState, Batch, DownloadJob, DownloadRequest, Quality
from downloads.processing.containers import extension_of
from jobs.models import State
from pages.asking import asker, is_htmx, known_asker

PAGE = 30
ZIPS = 5


@dataclass(frozen=True, slots=True)
class Row:
    request: DownloadRequest
    job: DownloadJob
    card: Card | None
    word: str
    """queued, downloading, ready, error or removed (by retention)."""
    link: str = ""
    size: int | None = None

    @property
    def is_live(self) -> bool:
        return self.word in ("queued", "downloading")


@require_safe
def downloads(request: HttpRequest) -> HttpResponse:
    who = known_asker(request)
    before = request.GET.get("before", "")
    asked = services.downloads_of(**who)
    if before:
        if not is_id(before):
            raise BadRequest(_("“before” must be the id of a request."))
        asked = asked.filter(pk__lt=int(before))
    found = list(asked[: PAGE + 1])
    rows = _rows(found[:PAGE])
    context = {
        "rows": rows,
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "is_live": any(row.is_live for row in rows),
        "ready": sum(row.word == "ready" for row in rows),
        "zips": [] if before else [(batch, bundles.batch_status(batch)) for batch in _batches(who)[:ZIPS]],
        "refresh_seconds": 5 if any(row.is_live for row in rows) else 0,
        "before": before,
    }
    return render(request, "pages/_download_rows.html" if is_htmx(request) else "pages/downloads.html", context)


@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """POST `do`: retry asks anew for what failed; remove takes the row off this list and touches no file."""
    asked = services.downloads_of(**known_asker(request)).filter(pk=pk).first()
    if asked is None:
        raise Http404
    match request.POST.get("do"):
        case "retry":
            try:
                again = services.request_download(asked.job.video, asked.job.quality, **asker(request))
            except TooManyWaiting as error:
                messages.error(request, str(error))
            else:
                status.forget(again.job)
                if again.job_id != asked.job_id:
                    asked.delete()
        case "remove":
            asked.delete()
        case _:
            raise BadRequest(_("“do” must be retry or remove."))
    return redirect("downloads")


@require_POST
def new_zip(request: HttpRequest) -> HttpResponse:
    """POST `video`, many times: an id, or an id and a quality as in 12-audio; `quality` is for those without their own."""
    given = list(dict.fromkeys(request.POST.getlist("video")))[: services.MOST_IN_A_BATCH + 1]
    quality = request.POST.get("quality", Quality.BEST.value)
    chosen = [(text, own or quality) for text, _dash, own in (value.partition("-") for value in given)]
    if not all(is_id(text) for text, _own in chosen):
        raise BadRequest(_("“video” must be the id of a video."))
    videos = Video.objects.in_bulk([int(text) for text, _own in chosen])
    wanted = [(videos[int(text)], own) for text, own in chosen if int(text) in videos]
    try:
        batch = services.request_mixed_batch(wanted, **asker(request))
    except (TooManyWaiting, ValueError) as error:
        messages.error(request, _("Choose one video or more.") if not wanted else str(error))
        return redirect("downloads")
    return redirect("zip", batch.pk)


@require_safe
def zip_status(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A person's is theirs alone; for one asked for without an account, knowing its id is enough."""
    batch = get_object_or_404(Batch, pk=pk)
    if batch.user_id is not None and batch.user_id != request.user.pk:
        raise Http404
    found = bundles.batch_status(batch)
    videos = list(dict.fromkeys(batch.jobs.order_by("pk").values_list("video_id", flat=True)))
    context: dict[str, Any] = {
        "batch": batch,
        "status": found,
        "refresh_seconds": 3 if found.status == "working" else 0,
    }
    if is_htmx(request):
        return render(request, "pages/_zip.html", context)
    return render(request, "pages/zip.html", {**context, "cards": cards(videos, sparklines=False)})


def _batches(who: dict[str, Any]) -> Any:
    return Batch.objects.filter(**who).order_by("-created_at") if any(who.values()) else Batch.objects.none()


def _rows(asked: list[DownloadRequest]) -> list[Row]:
    """In three statements, however many there are."""
    video_ids = [request.job.video_id for request in asked]
    known = {card.id: card for card in cards(video_ids, sparklines=False)}
    assets: dict[tuple[int | None, str, str], list[Asset]] = {}
    kept = Asset.objects.filter(
        video__in=video_ids, state=AssetState.READY, role__in=[AssetRole.VIDEO, AssetRole.AUDIO, AssetRole.SLIDE]
    )
    for asset in kept.select_related("object"):
        assets.setdefault((asset.video_id, asset.role, asset.quality), []).append(asset)
    return [_row(request, known.get(request.job.video_id), assets) for request in asked]


def _row(asked: DownloadRequest, card: Card | None, assets: dict[tuple[int | None, str, str], list[Asset]]) -> Row:
    job, video = asked.job, asked.job.video
    word = status.WORDS[State(job.state)]
    if word != "ready":
        return Row(asked, job, card, word)
    if video.kind == VideoKind.CAROUSEL and job.quality != Quality.AUDIO:
        slides = assets.get((video.pk, AssetRole.SLIDE, ""), [])
        if not slides:
            return Row(asked, job, card, "removed")
        name = filename_for(video.title, video.external_id, "zip")
        size = sum(asset.object.size for asset in slides if asset.object)
        return Row(asked, job, card, word, bundles.link(bundles.of_video(video.pk), name), size)
    role = AssetRole.AUDIO if job.quality == Quality.AUDIO else AssetRole.VIDEO
    asset = next(iter(assets.get((video.pk, role, job.quality), [])), None)
    if asset is None or asset.object is None:
        return Row(asked, job, card, "removed")
    name = filename_for(video.title, video.external_id, extension_of(asset.object.mime))
    return Row(
        asked, job, card, word, storage.link(asset.object.sha256, asset.object.mime, name, inline=False), asset.object.size
    )
