"""How videos look as JSON: the shapes as the schema tells them, and the documents as they are written."""

from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from catalog.cards import Card
from catalog.detail import Detail, Media, Metrics
from catalog.filters import DOWNLOAD_STATUSES
from crawler.models import VideoKind
from downloads.models import AssetRole


class AuthorBrief(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    handle = serializers.CharField()
    is_verified = serializers.BooleanField()


class VideoCard(serializers.Serializer[Any]):
    """A video as a list shows it. Counts are the latest ones seen; null: the platform does not show it."""

    id = serializers.IntegerField()
    platform = serializers.CharField()
    external_id = serializers.CharField(help_text="The platform's own id.")
    kind = serializers.ChoiceField(choices=VideoKind.choices)
    url = serializers.CharField(help_text="Where it is on its platform.")
    title = serializers.CharField()
    category = serializers.CharField()
    hashtags = serializers.ListField(child=serializers.CharField())
    duration_ms = serializers.IntegerField(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    gone_at = serializers.DateTimeField(allow_null=True, help_text="Since when the platform no longer has it.")
    views = serializers.IntegerField(allow_null=True)
    likes = serializers.IntegerField(allow_null=True)
    comments = serializers.IntegerField(allow_null=True)
    shares = serializers.IntegerField(allow_null=True)
    saves = serializers.IntegerField(allow_null=True)
    author = AuthorBrief(allow_null=True)
    sound_id = serializers.IntegerField(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    momentum = serializers.FloatField(allow_null=True, help_text="Relative change of the score within 24 h; 0.5 is +50 %.")
    is_surging = serializers.BooleanField()
    surging_since = serializers.DateTimeField(allow_null=True)
    cover_url = serializers.CharField(allow_null=True, help_text="A link that expires.")
    download_status = serializers.ChoiceField(choices=list(DOWNLOAD_STATUSES))
    download_progress = serializers.IntegerField(min_value=0, max_value=100, help_text="Percent.")


class FileDocument(serializers.Serializer[Any]):
    """A verified file of ours that is ready."""

    role = serializers.ChoiceField(choices=AssetRole.choices)
    quality = serializers.CharField(help_text="Empty where there is but one.")
    position = serializers.IntegerField(help_text="Of a slide: its number from 0; of a thumbnail: percent of the duration.")
    mime = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField()
    filename = serializers.CharField()
    url = serializers.CharField(help_text="A link that expires.")


class SoundBrief(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    author_name = serializers.CharField()


class SightingDocument(serializers.Serializer[Any]):
    """One of your workspace's sources that showed the video."""

    source_id = serializers.IntegerField()
    name = serializers.CharField()
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()


class VideoDetail(VideoCard):
    """A video with its files, and the sources of your active workspace that showed it."""

    gone_reason = serializers.CharField()
    sound = SoundBrief(allow_null=True)
    files = FileDocument(many=True)
    sources = SightingDocument(many=True)


class ObservationDocument(serializers.Serializer[Any]):
    observed_at = serializers.DateTimeField()
    views = serializers.IntegerField(allow_null=True)
    likes = serializers.IntegerField(allow_null=True)
    comments = serializers.IntegerField(allow_null=True)
    shares = serializers.IntegerField(allow_null=True)
    saves = serializers.IntegerField(allow_null=True)
    followers = serializers.IntegerField(allow_null=True, help_text="Of its author, at that moment.")


class ScorePart(serializers.Serializer[Any]):
    """One counter's share of the score: `count` × `weight` = `points`."""

    metric = serializers.CharField()
    count = serializers.IntegerField()
    weight = serializers.FloatField()
    points = serializers.FloatField()


class ScoreDocument(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    momentum = serializers.FloatField(allow_null=True)
    is_surging = serializers.BooleanField()
    surging_since = serializers.DateTimeField(allow_null=True)
    scored_at = serializers.DateTimeField(allow_null=True)
    parts = ScorePart(many=True)


class MetricsDocument(serializers.Serializer[Any]):
    video_id = serializers.IntegerField()
    history = ObservationDocument(many=True, help_text="Oldest first.")
    score = ScoreDocument()
    next = serializers.CharField(allow_null=True, help_text="Older observations.")


def card_document(card: Card, base: str) -> dict[str, Any]:
    """A card as JSON, spelled out by hand: a serializer would cost more than the query. `base`: scheme and host."""
    return {
        "id": card.id,
        "platform": card.platform,
        "external_id": card.external_id,
        "kind": card.kind,
        "url": card.url,
        "title": card.title,
        "category": card.category,
        "hashtags": card.hashtags,
        "duration_ms": card.duration_ms,
        "width": card.width,
        "height": card.height,
        "published_at": moment(card.published_at),
        "first_seen_at": moment(card.first_seen_at),
        "last_seen_at": moment(card.last_seen_at),
        "gone_at": moment(card.gone_at),
        "views": card.views,
        "likes": card.likes,
        "comments": card.comments,
        "shares": card.shares,
        "saves": card.saves,
        "author": card.author_id
        and {
            "id": card.author_id,
            "name": card.author_name,
            "handle": card.author_handle,
            "is_verified": card.author_is_verified,
        },
        "sound_id": card.sound_id,
        "score": card.score,
        "momentum": card.momentum,
        "is_surging": card.is_surging,
        "surging_since": moment(card.surging_since),
        "cover_url": absolute(card.cover.link, base) if card.cover else None,
        "download_status": card.download_status,
        "download_progress": card.download_progress,
    }


def moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def base_of(request: Request) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def absolute(link: str, base: str) -> str:
    """A link of ours with scheme and host; one of a bucket or CDN as it is."""
    return f"{base}{link}" if link.startswith("/") else link


def detail_document(detail: Detail, base: str, workspace_id: int | None) -> dict[str, Any]:
    """`workspace_id`: whose sources are shown; nobody else's are."""
    video = detail.video
    return {
        **card_document(detail.card, base),
        "gone_reason": video.gone_reason,
        "sound": video.sound and {"id": video.sound.pk, "title": video.sound.title, "author_name": video.sound.author_name},
        "files": [_file(media, base) for media in detail.media],
        "sources": [
            {
                "source_id": sighting.source_id,
                "name": str(sighting.source),
                "first_seen_at": moment(sighting.first_seen_at),
                "last_seen_at": moment(sighting.last_seen_at),
            }
            for sighting in detail.sightings
            if sighting.source.workspace_id == workspace_id
        ],
    }


def _file(media: Media, base: str) -> dict[str, Any]:
    return {
        "role": media.role,
        "quality": media.quality,
        "position": media.position,
        "mime": media.file.mime,
        "size": media.size,
        "width": media.file.width,
        "height": media.file.height,
        "duration_ms": media.duration_ms,
        "sha256": media.file.sha256,
        "filename": media.file.filename,
        "url": absolute(media.file.link, base),
    }


def metrics_document(video_id: int, metrics: Metrics) -> dict[str, Any]:
    return {
        "video_id": video_id,
        "history": [
            {
                "observed_at": moment(seen.observed_at),
                "views": seen.views,
                "likes": seen.likes,
                "comments": seen.comments,
                "shares": seen.shares,
                "saves": seen.saves,
                "followers": seen.followers,
            }
            for seen in metrics.history
        ],
        "score": {
            "value": metrics.score,
            "momentum": metrics.momentum,
            "is_surging": metrics.is_surging,
            "surging_since": moment(metrics.surging_since),
            "scored_at": moment(metrics.scored_at),
            "parts": [
                {"metric": part.metric, "count": part.count, "weight": part.weight, "points": part.points}
                for part in metrics.parts
            ],
        },
    }
