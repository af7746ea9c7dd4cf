"""Many files as one zip, made while it is sent: stored as they are, in constant memory, its length known beforehand."""

import hmac
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.core.signing import Signer
from django.db.models import QuerySet
from django.urls import reverse
from zipstream import ZIP_STORED, ZipStream

from crawler.models import Video, VideoKind
from downloads import storage
from downloads.filenames import filename_for
from downloads.models import Asset, AssetRole, AssetState, Batch, DownloadJob, Quality
from downloads.processing.containers import extension_of
from jobs.models import FINAL, State


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a zip."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatus:
    """`status`: working until every job has ended, then ready, or error if none of them brought anything."""

    status: str
    total: int
    ready: int
    failed: int
    download_url: str | None = None
    filename: str | None = None
    size: int | None = None


def of_video(video_id: int) -> str:
    """Names the zip of one carousel."""
    return f"v{video_id}"


def of_batch(batch: Batch) -> str:
    return f"b{batch.pk.hex}"


def batch_status(batch: Batch) -> BatchStatus:
    """How far a batch is, with its link once all of its jobs have ended."""
    states = list(batch.jobs.values_list("state", flat=True))
    ready, failed = states.count(State.COMPLETED), sum(s in FINAL and s != State.COMPLETED for s in states)
    done = ready + failed == len(states)
    if not done or not ready:
        return BatchStatus(status="error" if done else "working", total=len(states), ready=ready, failed=failed)
    filename = f"groundswell-{batch.created_at:%Y%m%d-%H%M%S}.zip"
    return BatchStatus(
        status="ready",
        total=len(states),
        ready=ready,
        failed=failed,
        download_url=link(of_batch(batch), filename),
        filename=filename,
        size=size_of(entries_of(of_batch(batch))),
    )


def entries_of(bundle: str) -> list[Entry]:
    """The files of a bundle that are kept now, under names that do not collide, by two statements; none for what there is not."""
    if bundle.startswith("v"):
        return _carousel(_ready(Asset.objects.filter(video=int(bundle[1:]))), folder="")
    jobs = list(DownloadJob.objects.filter(batches=UUID(bundle[1:])).select_related("video").order_by("pk"))
    kept: dict[int | None, list[Asset]] = {}
    for asset in _ready(Asset.objects.filter(video__in={job.video_id for job in jobs})):
        kept.setdefault(asset.video_id, []).append(asset)
    return _unique([entry for job in jobs for entry in _files_of(job.video, job.quality, kept.get(job.video_id, []))])


def size_of(entries: Sequence[Entry]) -> int:
    """The exact length of the zip, without reading a byte."""
    return len(_zip(entries)) if entries else 22


def stream(entries: Sequence[Entry]) -> Iterator[bytes]:
    """The zip. An object that went missing meanwhile ends the stream with a StorageError: a short file is noticed."""
    return iter(_zip(entries))


def link(bundle: str, filename: str, *, seconds: int = 0) -> str:
    """A path on this site that works for at most `seconds` (MEDIA_LINK_SECONDS); `serving.bundle` answers it."""
    half = max(1, (seconds or settings.MEDIA_LINK_SECONDS) // 2)
    expires_at = (int(time.time()) // half + 2) * half
    return reverse("media-bundle", args=[f"{bundle}.{expires_at:x}.{_signature(bundle, expires_at, filename)}", filename])


def read_link(token: str, filename: str) -> str:
    """The bundle that a link names. Raises storage.BadTicket, storage.TicketExpired."""
    try:
        bundle, expires, signature = token.split(".")
        expires_at = int(expires, 16)
    except ValueError:
        raise storage.BadTicket from None
    if not hmac.compare_digest(signature.encode(), _signature(bundle, expires_at, filename).encode()):
        raise storage.BadTicket
    if expires_at < time.time():
        raise storage.TicketExpired
    return bundle


def _zip(entries: Sequence[Entry]) -> ZipStream:
    stream = ZipStream(compress_type=ZIP_STORED, sized=True)
    for entry in entries:
        stream.add(_pieces(entry.sha256), entry.name, size=entry.size)
    return stream


def _pieces(sha256: str) -> Iterator[bytes]:
    """Opened only when its turn comes: a thousand files are not a thousand open connections."""
    yield from storage.media().read(storage.key_of(sha256))


def _files_of(video: Video, quality: str, assets: Iterable[Asset]) -> list[Entry]:
    """`assets`: all that is kept of the video."""
    stem = filename_for(video.title, video.external_id, "").rstrip(".")
    if video.kind == VideoKind.CAROUSEL and quality != Quality.AUDIO:
        return _carousel(assets, folder=f"{stem}/")
    role = AssetRole.AUDIO if quality == Quality.AUDIO else AssetRole.VIDEO
    return [_entry(asset, stem) for asset in assets if asset.role == role and asset.quality == quality]


def _carousel(assets: Iterable[Asset], *, folder: str) -> list[Entry]:
    entries = []
    for asset in assets:
        if asset.role in (AssetRole.SLIDE, AssetRole.COVER, AssetRole.AUDIO):
            number = f" {asset.position + 1:02d}" if asset.role == AssetRole.SLIDE else ""
            entries.append(_entry(asset, f"{folder}{asset.role}{number}"))
    return entries


def _ready(assets: QuerySet[Asset]) -> QuerySet[Asset]:
    kept = assets.filter(state=AssetState.READY, object__isnull=False)
    return kept.select_related("object").order_by("role", "position", "pk")


def _entry(asset: Asset, stem: str) -> Entry:
    assert asset.object is not None
    return Entry(name=f"{stem}.{extension_of(asset.object.mime)}", sha256=asset.object.sha256, size=asset.object.size)


def _unique(entries: Sequence[Entry]) -> list[Entry]:
    seen: dict[str, int] = {}
    unique = []
    for entry in entries:
        seen[entry.name] = count = seen.get(entry.name, 0) + 1
        stem, dot, extension = entry.name.rpartition(".")
        name = entry.name if count == 1 else f"{stem} ({count}){dot}{extension}"
        unique.append(Entry(name, entry.sha256, entry.size))
    return unique


def _signature(bundle: str, expires_at: int, filename: str) -> str:
    # With the name: else whoever passes a link on could have our site send the zip as a program.
    return _signer().signature(f"{bundle}:{expires_at}:{filename}")


@lru_cache(maxsize=1)
def _signer() -> Signer:
    return Signer(salt="downloads.bundle")
