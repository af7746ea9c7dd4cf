"""All that a page or an answer about one video shows: its card, its files, who showed it, its history and why it ranks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from catalog.cards import Card, StoredFile, card
from catalog.filters import MAX_BIGINT
from catalog.kept import Kept, KeptSound, file_of, kept, sound_from, with_objects
from crawler.models import MetricSnapshot, SourceVideo, Video
from downloads.filenames import filename_for
from downloads.models import Asset, AssetRole, AssetState, Quality
from ranking.classic import weights
from ranking.scoring.classic import Part, parts

MOST_OBSERVATIONS = 500
MOST_SIGHTINGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file that is ready to be played, shown or saved."""

    role: str
    quality: str
    position: int
    size: int
    duration_ms: int | None
    file: StoredFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    card: Card
    video: Video
    """With its author, sound and score at hand."""
    media: list[Media]
    slides: list[Kept]
    """As many as the platform showed, ready or not."""
    sound: KeptSound | None
    sightings: list[SourceVideo]
    """With their sources and workspaces at hand; who may see which is for the caller to say."""

    def of(self, *roles: str) -> list[Media]:
        return [media for media in self.media if media.role in roles]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    observed_at: datetime
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    followers: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    history: list[Observation]
    """Oldest first."""
    parts: list[Part]
    """Of the classic score as the weights are now; a stored score follows at the next observation."""
    score: float | None
    momentum: float | None
    is_surging: bool
    surging_since: datetime | None
    scored_at: datetime | None


def video_row(video_id: int) -> Video | None:
    """The video with all that `detail` reads of it. None: there is no such video."""
    if not 0 <= video_id <= MAX_BIGINT:
        return None
    return Video.objects.select_related("author", "sound", "score").filter(pk=video_id).first()


def detail(video: Video | int) -> Detail | None:
    """Six statements, whatever the video has, one less for a `video_row`. None: there is no such video."""
    row = video_row(video) if isinstance(video, int) else video
    if row is None or (found := card(row.pk)) is None:
        return None
    kept_of_video, kept_of_sound = _assets(row)
    sightings = (
        SourceVideo.objects.filter(video=row).select_related("source__workspace", "source__sound").order_by("first_seen_at")
    )
    return Detail(
        card=found,
        video=row,
        media=_media(row, kept_of_video),
        slides=_slides(row, kept_of_video),
        sound=sound_from(row.sound, kept_of_sound) if row.sound else None,
        sightings=list(sightings[:MOST_SIGHTINGS]),
    )


def metrics(video_id: int, *, limit: int = MOST_OBSERVATIONS, before: datetime | None = None) -> Metrics | None:
    """The newest `limit` observations (made before `before`), and the score taken apart. None: there is no such video."""
    if not 0 <= video_id <= MAX_BIGINT:
        return None
    video = Video.objects.select_related("score").filter(pk=video_id).first()
    if video is None:
        return None
    observed = MetricSnapshot.objects.filter(video=video_id).order_by("-observed_at")
    if before is not None:
        observed = observed.filter(observed_at__lt=before)
    names = ("observed_at", "views", "likes", "comments", "shares", "saves", "followers")
    history = [Observation(**row) for row in observed.values(*names)[:limit]]
    score = getattr(video, "score", None)
    return Metrics(
        history=history[::-1],
        parts=parts({"views": video.views, "likes": video.likes, "shares": video.shares}, weights()),
        score=score and score.classic,
        momentum=score and score.momentum,
        is_surging=bool(score and score.is_surging),
        surging_since=score and score.surging_since,
        scored_at=score and score.observed_at,
    )


def _assets(video: Video) -> tuple[list[Asset], list[Asset]]:
    """All that the video has, and its sound, by one statement."""
    wanted = Q(video=video) | Q(sound=video.sound_id) if video.sound_id else Q(video=video)
    assets = list(with_objects(Asset.objects.filter(wanted)).order_by("role", "position", "id"))
    return [asset for asset in assets if asset.video_id], [asset for asset in assets if asset.sound_id]


def _media(video: Video, assets: list[Asset]) -> list[Media]:
    return [
        Media(
            role=asset.role,
            quality=asset.quality,
            position=asset.position,
            size=asset.object.size,
            duration_ms=asset.object.duration_ms,
            file=file_of(asset.object, file_name(video, asset)),
        )
        for asset in assets
        if asset.object is not None and asset.state == AssetState.READY and asset.role != AssetRole.COVER
    ]


def slides_of(video: Video) -> list[Kept]:
    """As Detail has them, by one statement."""
    return _slides(video, list(with_objects(Asset.objects.filter(video=video, role=AssetRole.SLIDE))))


def _slides(video: Video, assets: list[Asset]) -> list[Kept]:
    by_position = {asset.position: asset for asset in assets if asset.role == AssetRole.SLIDE}
    count = max(len(video.slides), max(by_position, default=-1) + 1)
    name = filename_for(video.title, video.external_id, "").removesuffix(".")
    return [kept(by_position.get(place), f"{name} {place + 1:02d}", position=place) for place in range(count)]


def file_name(video: Video, asset: Asset) -> str:
    """What a saved file is called, without extension."""
    name = filename_for(video.title, video.external_id, "").removesuffix(".")
    if asset.role == AssetRole.SLIDE:
        return f"{name} {asset.position + 1:02d}"
    if asset.role == AssetRole.THUMBNAIL:
        return f"{name} at {asset.position} percent"
    return name if asset.quality in ("", Quality.BEST) else f"{name} {asset.quality}"
