"""Videos: the feed, one video, its history."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.categories import assign
from api.analysis import analysis_of
from api.detail_shapes import VideoDetail, detail_document
from api.errors import Problem
from api.fields import (
    BooleanField,
    ChoiceField,
    IntegerField,
    NumberField,
    PlainField,
    QuerySerializer,
    StrictSerializer,
    TextField,
)
from api.metric_shapes import MetricsDocument, explanation_document, metrics_document
from api.pagination import PageQuery, next_url, pack, unpack, wrong_cursor
from api.permissions import IsEditorOrReadOnly, has_workspace, workspace_id_of
from api.shapes import VideoCard, base_of, page_json, read_cards
from api.surges import SurgeDocument
from api.views import ApiView
from catalog.detail import detail, metrics
from catalog.documents import document
from catalog.feed import InvalidCursor, find
from catalog.filters import DOWNLOAD_STATUSES, MAX_BIGINT, MAX_TEXT, ORDERING_WORDS, ORDERINGS, Filters, InvalidFilters
from catalog.known import read_filters
from catalog.surging import surges_of
from crawler.models import Source, Video, VideoKind
from ranking.explanation import explain
from ranking.scoring.model import HEADS


class FilterQuery(QuerySerializer):
    """What catalog.filters reads, as the schema tells it; that module does the checking, for pages and API alike."""

    platform = TextField(required=False, max_length=20, help_text="Its name, such as `tiktok` or `douyin`; one that there is.")
    kind = ChoiceField(
        required=False, choices=VideoKind.choices, help_text="`clip`: a film; `carousel`: slides to swipe through."
    )
    source = IntegerField(  # type: ignore[assignment]  # the name that clients see
        required=False, min_value=0, max_value=MAX_BIGINT, help_text="One of your active workspace's sources."
    )
    author = IntegerField(required=False, min_value=0, max_value=MAX_BIGINT, help_text="The id in `author` of a video.")
    sound = IntegerField(required=False, min_value=0, max_value=MAX_BIGINT, help_text="The `sound_id` of a video.")
    category = TextField(
        required=False,
        max_length=MAX_TEXT,
        help_text="The `slug` of one of /api/categories; a former one leads to what it became.",
    )
    hashtag = TextField(required=False, max_length=MAX_TEXT, help_text="One, with or without its #.")
    q = TextField(required=False, max_length=MAX_TEXT, help_text="Words that the title or the slides hold, in any order.")
    min_views = IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_BIGINT,
        help_text="At least so many; a video whose views are not shown is left out.",
    )
    min_score = NumberField(
        required=False,
        help_text="The least classic score, which is `score` of a video, not `virality`; one that has none is left out.",
    )
    surging = BooleanField(required=False, help_text="Only what surges now, or only what does not.")
    published_after = serializers.DateTimeField(required=False, help_text="A time, or a date (its first moment).")
    published_before = serializers.DateTimeField(required=False, help_text="The same; that moment itself is left out.")
    download_status = ChoiceField(
        required=False,
        choices=list(DOWNLOAD_STATUSES),
        help_text="How its download stands; `pending`: nobody has asked for it yet.",
    )
    ordering = ChoiceField(
        required=False,
        choices=[*ORDERINGS, *ORDERING_WORDS],
        help_text="Without it, as the staff of this site chose. `-score` and `classic` are the classic score.",
    )


class FeedQuery(FilterQuery, PageQuery):
    """And which page."""


PAGE_NAMES = frozenset(PageQuery().fields)
TRUTHS = ("true", "false")


class VideoPage(serializers.Serializer[Any]):
    results = VideoCard(many=True)
    next = serializers.CharField(allow_null=True, help_text="The next page's address; null on the last.")


def parse_filters(given: QueryDict, *, also: Collection[str]) -> tuple[Filters, dict[str, Any]]:
    """And the errors, by name. `also`: names that others read."""
    errors: dict[str, Any] = {name: [_("Empty.")] for name, value in given.items() if not value}
    if given.get("surging", "true").lower() not in TRUTHS:
        errors["surging"] = [_("Must be true or false.")]
    try:
        filters = read_filters(given, also=also)
    except InvalidFilters as error:
        filters = error.understood
        errors |= {name: [sentence] for name, sentence in error.errors.items()}
    return filters, errors


class VideosView(ApiView):
    permission_classes = [AllowAny]
    query_classes = {"get": FeedQuery}

    def read_query(self, method: str) -> dict[str, Any]:
        given = self.request.query_params
        filters, errors = parse_filters(given, also=PAGE_NAMES)
        page = PageQuery(data=MultiValueDict({name: given.getlist(name) for name in PAGE_NAMES if name in given}))
        if not page.is_valid():
            errors |= page.errors
        if errors:
            raise serializers.ValidationError(errors)
        return {"filters": filters, **page.validated_data}

    @extend_schema(operation_id="list_videos", responses={200: VideoPage, 404: Problem})
    def get(self, request: Request) -> Response:
        """What is rising, or as ordered, narrowed by any of the filters.

        A `source` that is not your workspace's is a 404.
        """
        filters: Filters = self.query["filters"]
        if filters.source is not None:
            require_own_source(request, filters.source)
        try:
            cards, cursor = find(filters, cursor=self.query.get("cursor", ""), limit=self.query["limit"], read=read_cards)
        except InvalidCursor as error:
            raise serializers.ValidationError({"cursor": [str(error)]}) from error
        return Response(page_json(cards, next_url(request, cursor or ""), base_of(request)))


class VideoChanges(StrictSerializer):
    category = PlainField(required=False, allow_blank=True, max_length=60)


class VideoView(ApiView):
    permission_classes = [IsEditorOrReadOnly]

    @extend_schema(operation_id="get_video", responses=VideoDetail)
    def get(self, request: Request, pk: int) -> Response:
        """One video, with its files."""
        return Response(self._document(pk))

    @extend_schema(operation_id="change_video", request=VideoChanges, responses=VideoDetail)
    def patch(self, request: Request, pk: int) -> Response:
        """Put it in a category, by name or slug; one that there is not is made. Everything else is what its platform says."""
        video = Video.objects.filter(pk=pk).first()
        if video is None:
            raise NotFound
        changes = self.read_body(VideoChanges, partial=True)
        if "category" in changes:
            assign(video, changes["category"])
        return Response(self._document(pk))

    def _document(self, pk: int) -> dict[str, Any]:
        found, card = detail(pk), document(pk, read_cards)
        if found is None or card is None:
            raise NotFound
        workspace_id = workspace_id_of(self.request) if has_workspace(self.request) else None
        analysis, texts = analysis_of(found.video)
        return detail_document(card, found, base_of(self.request), workspace_id, analysis, texts)


class MetricsQuery(PageQuery):
    head = ChoiceField(required=False, default="virality", choices=HEADS, help_text="What is to be explained.")


class MetricsView(ApiView):
    permission_classes = [AllowAny]
    query_classes = {"get": MetricsQuery}

    @extend_schema(operation_id="get_metrics", responses=MetricsDocument)
    def get(self, request: Request, pk: int) -> Response:
        """How its counters grew, newest page first, and why it ranks where it does."""
        before = _moment(unpack(self.query["cursor"])) if "cursor" in self.query else None
        limit = self.query["limit"]
        found = metrics(pk, limit=limit + 1, before=before)
        if found is None:
            raise NotFound
        has_older = len(found.history) > limit
        page = replace(found, history=found.history[-limit:])
        cursor = pack(page.history[0].observed_at.isoformat()) if has_older else ""
        told = explain([pk], self.query["head"]).get(pk)
        return Response(
            {
                **metrics_document(pk, page),
                "explanation": explanation_document(told) if told else None,
                "surges": SurgeDocument(surges_of(pk), many=True).data,
                "next": next_url(request, cursor),
            }
        )


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong_cursor() from error
    if at.tzinfo is None:
        raise wrong_cursor()
    return at


def require_own_source(request: Request, source_id: int) -> None:
    """Another workspace's source is answered as one that does not exist. Raises NotFound."""
    if not has_workspace(request) or not Source.objects.filter(pk=source_id, workspace_id=workspace_id_of(request)).exists():
        raise NotFound(_("There is no such source in your workspace."))
