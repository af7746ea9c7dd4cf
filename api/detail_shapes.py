"""How one video looks as JSON, with its files, slides, sound, reading and re-uploads."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from analysis.models import SLIDE_TYPES, ReuploadKind, SlideText
from analysis.status import STATUSES
from api.shapes import PICTURE_STATES, VideoCard, absolute, card_json, kept_url, moment
from catalog import documents
from catalog.detail import Detail, Media
from catalog.kept import Kept
from catalog.reuploads import Repost, reposts
from downloads.models import AssetRole


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
