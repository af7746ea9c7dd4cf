"""How a download stands, for people and programs that ask again and again: a word, a percentage, a link. Cached in Redis."""

import logging
from dataclasses import dataclass
from typing import Any

import redis.exceptions
from django.core.cache import cache

from crawler.models import Video, VideoKind
from downloads import bundles, services, storage
from downloads.filenames import filename_for
from downloads.models import Asset, AssetRole, AssetState, DownloadJob, Quality
from downloads.processing.containers import extension_of
from jobs.models import State

logger = logging.getLogger(__name__)

LIVE_SECONDS = 3
ENDED_SECONDS = 300
WORDS = {
    State.PENDING: "queued",
    State.RETRYING: "queued",
    State.RUNNING: "downloading",
    State.COMPLETED: "ready",
    State.FAILED: "error",
    State.CANCELLED: "error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadStatus:
    """`status`: pending (nobody asked), queued, downloading, ready, error. Links are for `ready` only, and expire."""

    status: str
    progress: int = 0
    download_url: str | None = None
    play_url: str | None = None
    filename: str | None = None
    error: str | None = None
    error_code: str | None = None
    size: int | None = None
    job_id: int | None = None


def download_status(video: Video | int, quality: str = Quality.BEST) -> DownloadStatus:
    """The status of one video in one quality. Raises Video.DoesNotExist, and ValueError for a quality there is not."""
    video_id = video if isinstance(video, int) else video.pk
    key = _key(video_id, quality)
    facts = _remembered(key)
    if facts is None:
        row = Video.objects.get(pk=video_id) if isinstance(video, int) else video
        facts = _facts(row, services.quality_for(row, quality))
        ended = facts["status"] in ("ready", "error")
        _remember(key, facts, ENDED_SECONDS if ended else LIVE_SECONDS)
    return _with_links(facts)


def forget(job: DownloadJob) -> None:
    """The job changed: the next question is answered from its row."""
    qualities = Quality.values if job.quality == Quality.BEST else [job.quality]
    try:
        cache.delete_many([_key(job.video_id, quality) for quality in qualities])
    except (redis.exceptions.RedisError, OSError):
        logger.debug("A status could not be forgotten; it ends by itself", exc_info=True)


def _facts(video: Video, quality: str) -> dict[str, Any]:
    """What does not expire: links are made at each answer."""
    job = DownloadJob.objects.filter(video=video, quality=quality).order_by("-pk").first()
    if job is None:
        return {"status": "pending"}
    if job.is_refetch and job.state != State.COMPLETED and (kept := _files(video, quality)):
        return {"status": "ready", "progress": 100, "job_id": job.pk} | kept  # until the new one is there
    facts: dict[str, Any] = {"status": WORDS[State(job.state)], "progress": job.progress, "job_id": job.pk}
    if job.state in (State.FAILED, State.RETRYING, State.PENDING) and job.error_code:
        facts |= {"error": job.error, "error_code": job.error_code}
    if job.state == State.CANCELLED:
        facts |= {"error": job.error or str(State.CANCELLED.label), "error_code": "cancelled"}
    if job.state == State.COMPLETED:
        files = _files(video, quality)
        if not files:
            return {"status": "pending"}  # its files were removed by retention
        facts |= {"progress": 100} | files
    return facts


def _files(video: Video, quality: str) -> dict[str, Any] | None:
    if video.kind == VideoKind.CAROUSEL and quality != Quality.AUDIO:
        if not services.has_files(video, quality):
            return None
        return {"bundle": bundles.of_video(video.pk), "filename": filename_for(video.title, video.external_id, "zip")}
    role = AssetRole.AUDIO if quality == Quality.AUDIO else AssetRole.VIDEO
    asset = Asset.objects.filter(video=video, role=role, quality=quality, state=AssetState.READY).select_related("object").first()
    if asset is None or asset.object is None:
        return None
    return {
        "sha256": asset.object.sha256,
        "mime": asset.object.mime,
        "size": asset.object.size,
        "filename": filename_for(video.title, video.external_id, extension_of(asset.object.mime)),
    }


def _with_links(facts: dict[str, Any]) -> DownloadStatus:
    facts = dict(facts)
    bundle, sha256, mime = facts.pop("bundle", None), facts.pop("sha256", None), facts.pop("mime", "")
    if bundle:
        facts["download_url"] = bundles.link(bundle, facts["filename"])
    elif sha256:
        facts["download_url"] = storage.link(sha256, mime, facts["filename"], inline=False)
        facts["play_url"] = storage.link(sha256, mime, facts["filename"])
    return DownloadStatus(**facts)


def _key(video_id: int, quality: str) -> str:
    return f"download:{video_id}:{quality}"


def _remembered(key: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] | None = cache.get(key)
    except (redis.exceptions.RedisError, OSError):
        return None
    return found


def _remember(key: str, facts: dict[str, Any], seconds: int) -> None:
    try:
        cache.set(key, facts, timeout=seconds)
    except (redis.exceptions.RedisError, OSError):
        logger.debug("A status could not be cached", exc_info=True)
