"""Videos: the feed, one video, its history."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.fields import BooleanField, ChoiceField, IdField, IntegerField, NumberField, TextField
from api.pagination import PageQuery, next_url
from api.permissions import has_workspace, workspace_id_of
from api.views import ApiView
from catalog.feed import Card, InvalidCursor, feed
from catalog.filters import DOWNLOAD_STATUSES, MAX_BIGINT, MAX_TEXT, ORDERINGS, Filters, InvalidFilters
from crawler.models import Source, VideoKind


class FeedQuery(PageQuery):
    """What catalog.filters reads, as the schema tells it; that module does the checking, for pages and API alike."""

    platform = TextField(required=False, max_length=20)
    kind = ChoiceField(required=False, choices=VideoKind.choices)
    source = IdField(  # type: ignore[assignment]  # the name that clients see
        required=False, help_text="One of your active workspace's sources."
    )
    author = IdField(required=False)
    sound = IdField(required=False)
    category = TextField(required=False, max_length=MAX_TEXT)
    hashtag = TextField(required=False, max_length=MAX_TEXT)
    q = TextField(required=False, max_length=MAX_TEXT, help_text="Words that the title holds, in any order.")
    min_views = IntegerField(required=False, min_value=0, max_value=MAX_BIGINT)
    min_score = NumberField(required=False)
    surging = BooleanField(required=False)
    published_after = serializers.DateTimeField(required=False, help_text="A time, or a date (its first moment).")
    published_before = serializers.DateTimeField(required=False)
    download_status = ChoiceField(required=False, choices=list(DOWNLOAD_STATUSES))
    ordering = ChoiceField(required=False, choices=list(ORDERINGS))


PAGE_NAMES = frozenset(PageQuery().fields)
TRUTHS = ("true", "false")


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


class VideoPage(serializers.Serializer[Any]):
    results = VideoCard(many=True)
    next = serializers.CharField(allow_null=True, help_text="The next page's address; null on the last.")


class VideosView(ApiView):
    permission_classes = [AllowAny]
    query_classes = {"get": FeedQuery}

    def read_query(self, method: str) -> dict[str, Any]:
        given = self.request.query_params
        errors: dict[str, Any] = {name: [_("Empty.")] for name, value in given.items() if not value}
        if given.get("surging", "true").lower() not in TRUTHS:
            errors["surging"] = [_("Must be true or false.")]
        try:
            filters = Filters.parse(given, also=PAGE_NAMES)
        except InvalidFilters as error:
            filters = error.understood
            errors |= {name: [sentence] for name, sentence in error.errors.items()}
        page = PageQuery(data={name: given.getlist(name) for name in PAGE_NAMES if name in given})
        if not page.is_valid():
            errors |= page.errors
        if errors:
            raise serializers.ValidationError(errors)
        return {"filters": filters, **page.validated_data}

    @extend_schema(operation_id="list_videos", responses=VideoPage)
    def get(self, request: Request) -> Response:
        """What is rising, or as ordered, narrowed by any of the filters."""
        filters: Filters = self.query["filters"]
        if filters.source is not None:
            require_own_source(request, filters.source)
        try:
            page = feed(filters, cursor=self.query.get("cursor", ""), limit=self.query["limit"], sparklines=False)
        except InvalidCursor as error:
            raise serializers.ValidationError({"cursor": [str(error)]}) from error
        base = request.build_absolute_uri("/").rstrip("/")
        return Response(
            {"results": [card_document(card, base) for card in page.cards], "next": next_url(request, page.next_cursor or "")}
        )


def require_own_source(request: Request, source_id: int) -> None:
    """Another workspace's source is answered as one that does not exist. Raises NotFound."""
    if not has_workspace(request) or not Source.objects.filter(pk=source_id, workspace_id=workspace_id_of(request)).exists():
        raise NotFound(_("There is no such source in your workspace."))


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


def absolute(link: str, base: str) -> str:
    """A link of ours with scheme and host; one of a bucket or CDN as it is."""
    return f"{base}{link}" if link.startswith("/") else link
