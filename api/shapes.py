"""How a video in a list looks as JSON: the shape, as the schema tells it, and the document; also what all documents share."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from catalog import documents
from catalog.filters import DOWNLOAD_STATUSES
from catalog.kept import Kept
from crawler.models import VideoKind

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


def kept_url(kept: Kept, base: str) -> str | None:
    return absolute(kept.file.link, base) if kept.file else None
