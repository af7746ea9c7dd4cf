"""How videos look as JSON: the shapes, as the schema tells them, and the documents made by them."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from analysis.models import SLIDE_TYPES, ReuploadKind, SlideText
from analysis.status import STATUSES
from api.surges import SurgeDocument
from catalog import documents
from catalog.detail import Detail, Media, Metrics
from catalog.filters import DOWNLOAD_STATUSES
from catalog.kept import Kept
from catalog.reuploads import Repost, reposts
from crawler.models import VideoKind
from downloads.models import AssetRole
from ranking.explanation import WORDS, Explanation
from ranking.scoring.model import HEADS
from ranking.scoring.state import METRICS

PICTURE_STATES = ("ready", "pending", "failed", "removed", "none")
"""Of what we keep of a platform's picture or sound. Its own address is never shown: it expires."""


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
    virality = serializers.FloatField(
        allow_null=True, help_text="Chance of being among the top 5 % by gain in the next day; null: no model has spoken of it."
    )
    breakout = serializers.FloatField(allow_null=True, help_text="The same by relative gain.")
    reach = serializers.FloatField(allow_null=True, help_text="Chance of reaching its platform's top level.")
    score = serializers.FloatField(allow_null=True, help_text="The classic score.")
    momentum = serializers.FloatField(allow_null=True, help_text="Relative change of the score within 24 h; 0.5 is +50 %.")
    is_surging = serializers.BooleanField()
    surging_since = serializers.DateTimeField(allow_null=True)
    cover_state = serializers.ChoiceField(
        choices=list(PICTURE_STATES), help_text="`none`: the platform shows none; `removed`: by retention."
    )
    cover_url = serializers.CharField(allow_null=True, help_text="A link of ours that expires; null unless `ready`.")
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


class Thumbnails(serializers.Serializer[Any]):
    """WebP of at most 240 and 720 pixels across: links that expire. Null: there is no smaller one."""

    small = serializers.CharField(allow_null=True)
    medium = serializers.CharField(allow_null=True)


class SlideDocument(serializers.Serializer[Any]):
    """One picture of a carousel. `url` is null unless `ready`."""

    position = serializers.IntegerField(min_value=0)
    state = serializers.ChoiceField(choices=list(PICTURE_STATES))
    error_code = serializers.CharField(help_text="Of a failed one: why.")
    url = serializers.CharField(allow_null=True, help_text="A link of ours that expires.")
    mime = serializers.CharField(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    thumbnails = Thumbnails()
    text = serializers.CharField(allow_null=True, help_text="What stands on it; null: it was not read.")
    description = serializers.CharField(help_text="What is to be seen, where the engine says it.")
    type = serializers.ChoiceField(choices=SLIDE_TYPES, allow_null=True)
    confidence = serializers.FloatField(
        allow_null=True, min_value=0, max_value=1, help_text="In the text; null: there is none, or it was not read."
    )
    language = serializers.CharField(help_text="BCP 47, where it is known.")


class CategoryGuess(serializers.Serializer[Any]):
    """What a reading took the carousel to be about. What a person chose is the video's own `category`."""

    slug = serializers.CharField()
    name = serializers.CharField()
    confidence = serializers.FloatField(allow_null=True, min_value=0, max_value=1)
    is_new = serializers.BooleanField(help_text="This reading made the category.")


class AnalysisDocument(serializers.Serializer[Any]):
    """How the reading of a carousel stands, and what the latest good one was. An older reading stays while a new one fails."""

    status = serializers.ChoiceField(choices=list(STATUSES))
    progress = serializers.IntegerField(min_value=0, max_value=100, help_text="Percent, while it runs.")
    error_code = serializers.CharField()
    error = serializers.CharField(help_text="For a person: why it failed, or what it waits for.")
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    engine = serializers.CharField(help_text="`gemini`, or `local`; empty: not read.")
    model = serializers.CharField()
    category = CategoryGuess(allow_null=True)


class SoundBrief(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    author_name = serializers.CharField()
    audio_state = serializers.ChoiceField(choices=list(PICTURE_STATES))
    audio_url = serializers.CharField(allow_null=True, help_text="A link of ours that expires.")
    cover_state = serializers.ChoiceField(choices=list(PICTURE_STATES))
    cover_url = serializers.CharField(allow_null=True, help_text="A link of ours that expires.")


class SightingDocument(serializers.Serializer[Any]):
    """One of your workspace's sources that showed the video."""

    source_id = serializers.IntegerField()
    name = serializers.CharField()
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()


class RepostDocument(serializers.Serializer[Any]):
    """Another post of the same video."""

    id = serializers.IntegerField()
    platform = serializers.CharField()
    title = serializers.CharField()
    url = serializers.CharField(help_text="Where it is on its platform.")
    published_at = serializers.DateTimeField(allow_null=True)
    author_id = serializers.IntegerField(allow_null=True)
    author_name = serializers.CharField()
    kind = serializers.ChoiceField(choices=ReuploadKind.choices)
    distance = serializers.IntegerField(min_value=0, max_value=64, help_text="Bits of 64 by which its pictures differ.")
    is_original = serializers.BooleanField(help_text="The earliest post: this video and the others are re-uploads of it.")


class VideoDetail(VideoCard):
    """A video with its files, and the sources of your active workspace that showed it."""

    gone_reason = serializers.CharField()
    sound = SoundBrief(allow_null=True)
    slides = SlideDocument(many=True, help_text="Of a carousel: all its pictures in order, ready or not.")
    analysis = AnalysisDocument(allow_null=True, help_text="Of a carousel: the reading of its slides. Null for a clip.")
    files = FileDocument(many=True)
    sources = SightingDocument(many=True)
    reposts = RepostDocument(many=True, help_text="The same video elsewhere, as its files and pictures say.")


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


class ContributionDocument(serializers.Serializer[Any]):
    """What a group of numbers adds to the log-odds, against the average video."""

    group = serializers.ChoiceField(choices=list(WORDS))
    points = serializers.FloatField()


class RateDocument(serializers.Serializer[Any]):
    metric = serializers.ChoiceField(choices=METRICS)
    per_hour = serializers.FloatField(help_text="How fast it rises now.")
    total = serializers.FloatField(help_text="What is believed of the counter: jumps of one counter alone are held back.")


class ModelBrief(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    origin = serializers.CharField(help_text="`shipped`, or `refit` on this site's own history.")


class ExplanationDocument(serializers.Serializer[Any]):
    """Why a model says what it says."""

    head = serializers.ChoiceField(choices=HEADS)
    probability = serializers.FloatField(min_value=0, max_value=1)
    contributions = ContributionDocument(many=True, help_text="Largest first.")
    rates = RateDocument(many=True)
    times_usual = serializers.FloatField(
        allow_null=True, help_text="The primary counter's rise over the median of its peers; null: too few are known."
    )
    robust_z = serializers.FloatField(allow_null=True, help_text="The same in robust standard deviations of log rates.")
    is_of_same_age = serializers.BooleanField(help_text="Whether its peers are of about its age, or all of its platform's.")
    age_hours = serializers.FloatField(allow_null=True)
    model = ModelBrief()
    fallback = serializers.BooleanField(help_text="The platform is hardly known yet: coefficients of other platforms speak.")


class MetricsDocument(serializers.Serializer[Any]):
    video_id = serializers.IntegerField()
    history = ObservationDocument(many=True, help_text="Oldest first.")
    score = ScoreDocument()
    explanation = ExplanationDocument(allow_null=True, help_text="Null: no model has spoken of it yet.")
    surges = SurgeDocument(many=True, help_text="Its own, the latest first.")
    next = serializers.CharField(allow_null=True, help_text="Older observations.")


CARD_NAMES = [name for name in VideoCard().get_fields() if name != "cover_url"]
read_cards = documents.reader(CARD_NAMES)


def card_json(card: documents.Document, base: str) -> str:
    """A VideoCard. `base`: scheme and host."""
    cover_url = json.dumps(absolute(card.cover.link, base)) if card.cover else "null"
    return f'{card.json[:-1]}, "cover_url": {cover_url}}}'


def page_json(cards: Iterable[documents.Document], next_url: str | None, base: str) -> bytes:
    """A VideoPage, joined from what the database spelled."""
    return f'{{"results": [{", ".join(card_json(card, base) for card in cards)}], "next": {json.dumps(next_url)}}}'.encode()


def moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def base_of(request: Request) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def absolute(link: str, base: str) -> str:
    """A link of ours with scheme and host; one of a bucket or CDN as it is."""
    return f"{base}{link}" if link.startswith("/") else link


def detail_document(
    card: documents.Document,
    detail: Detail,
    base: str,
    workspace_id: int | None,
    analysis: dict[str, Any] | None,
    texts: Mapping[int, SlideText],
) -> dict[str, Any]:
    """A VideoDetail. `workspace_id`: whose sources are shown; nobody else's are. `texts`: by position of the slide."""
    video = detail.video
    return {
        **json.loads(card_json(card, base)),
        "gone_reason": video.gone_reason,
        "sound": _sound(detail, base),
        "slides": [_slide(slide, base, texts.get(slide.position)) for slide in detail.slides],
        "analysis": analysis,
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
        "reposts": [_repost(post) for post in reposts(video.pk)],
    }


def _repost(post: Repost) -> dict[str, Any]:
    return {
        "id": post.id,
        "platform": post.platform,
        "title": post.title,
        "url": post.url,
        "published_at": moment(post.published_at),
        "author_id": post.author_id,
        "author_name": post.author_name,
        "kind": post.kind,
        "distance": post.distance,
        "is_original": post.is_original,
    }


def kept_url(kept: Kept, base: str) -> str | None:
    return absolute(kept.file.link, base) if kept.file else None


def _sound(detail: Detail, base: str) -> dict[str, Any] | None:
    sound = detail.video.sound
    if sound is None or detail.sound is None:
        return None
    return {
        "id": sound.pk,
        "title": sound.title,
        "author_name": sound.author_name,
        "audio_state": detail.sound.audio.state,
        "audio_url": kept_url(detail.sound.audio, base),
        "cover_state": detail.sound.cover.state,
        "cover_url": kept_url(detail.sound.cover, base),
    }


def _slide(slide: Kept, base: str, text: SlideText | None) -> dict[str, Any]:
    file = slide.file
    small, medium = [absolute(copy.link, base) for copy in file.copies] if file and len(file.copies) == 2 else [None, None]
    return {
        "position": slide.position,
        "state": slide.state,
        "error_code": slide.error_code,
        "url": kept_url(slide, base),
        "mime": file and file.mime,
        "width": file and file.width,
        "height": file and file.height,
        "thumbnails": {"small": small, "medium": medium},
        "text": text.text if text else None,
        "description": text.description if text else "",
        "type": text.type if text else None,
        "confidence": text.confidence if text else None,
        "language": text.language if text else "",
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


def explanation_document(told: Explanation) -> dict[str, Any]:
    return {
        "head": told.head,
        "probability": told.probability,
        "contributions": [{"group": share.group, "points": share.points} for share in told.contributions],
        "rates": [{"metric": rate.metric, "per_hour": rate.per_hour, "total": rate.total} for rate in told.rates],
        "times_usual": told.times_usual,
        "robust_z": told.robust_z,
        "is_of_same_age": told.is_of_same_age,
        "age_hours": told.age_hours,
        "model": {"version": told.model_version, "origin": told.model_origin},
        "fallback": told.is_fallback,
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
