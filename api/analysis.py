"""Reading what stands on the slides of carousels, and the categories that come of it."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from analysis import services
from analysis.models import Analysis, SlideText
from analysis.status import STATUSES, AnalysisStatus, status_of, statuses
from api.errors import Conflict, Problem
from api.fields import IdField, StrictSerializer
from api.pagination import PageQuery, next_url, pack, unpack, wrong_cursor
from api.permissions import IsEditorOrReadOnly
from api.shapes import moment
from api.views import ApiView
from catalog.categories import categories
from crawler.models import Video, VideoKind
from jobs.errors import PermanentError


class ReadingDocument(serializers.Serializer[Any]):
    """How the reading of a carousel stands."""

    video_id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=list(STATUSES))
    progress = serializers.IntegerField(min_value=0, max_value=100, help_text="Percent, while it runs.")
    error_code = serializers.CharField()
    error = serializers.CharField(help_text="For a person: why it failed, or what it waits for.")
    next_attempt_at = serializers.DateTimeField(allow_null=True)


class ReadBody(StrictSerializer):
    """Nothing: everything that matters is known."""


class BulkBody(StrictSerializer):
    ids = serializers.ListField(child=IdField(), min_length=1, max_length=services.MOST_AT_ONCE)


class BulkAnswer(serializers.Serializer[Any]):
    """One of the videos that were named. `status` is `error` where it cannot be read, with the reason."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=[*STATUSES, "error"])
    error_code = serializers.CharField(help_text="`not_found`, `not_a_carousel`, or what a queued one waits for.")
    error = serializers.CharField()


class BulkDocument(serializers.Serializer[Any]):
    results = BulkAnswer(many=True, help_text="In the order of `ids`, each once.")


class ReadView(ApiView):
    permission_classes = [IsEditorOrReadOnly]

    @extend_schema(operation_id="read_carousel", request=ReadBody, responses={202: ReadingDocument, 409: Problem})
    def post(self, request: Request, pk: int) -> Response:
        """Have the slides of a carousel read, or read again; asking twice is asking once.

        What was read before stays until the new reading is there. A clip is a 409.
        """
        video = Video.objects.filter(pk=pk).first()
        if video is None:
            raise NotFound
        self.read_body(ReadBody)
        try:
            services.request_analysis(video, by=self.person)
        except services.NotACarousel as error:
            raise Conflict(error.message, error.code) from error
        return Response(reading_document(pk, status_of(pk)), status.HTTP_202_ACCEPTED)


class BulkReadView(ApiView):
    permission_classes = [IsEditorOrReadOnly]

    @extend_schema(operation_id="read_carousels", request=BulkBody, responses={202: BulkDocument})
    def post(self, request: Request) -> Response:
        """Have 1 to 50 carousels read. Each is answered for itself: one that cannot be read stops none of the others."""
        ids = self.read_body(BulkBody)["ids"]
        asked = services.request_many(ids, by=self.person)
        found = statuses(list(asked))
        return Response({"results": [_answer(pk, asked[pk], found[pk]) for pk in asked]}, status.HTTP_202_ACCEPTED)


def _answer(pk: int, asked: services.Answer, found: AnalysisStatus) -> dict[str, Any]:
    if asked is None:
        return {"id": pk, "status": "error", "error_code": "not_found", "error": _("There is no such video.")}
    if isinstance(asked, PermanentError):
        return {"id": pk, "status": "error", "error_code": asked.code, "error": asked.message}
    return {"id": pk, "status": found.status, "error_code": found.code, "error": found.reason}


class CategoryDocument(serializers.Serializer[Any]):
    slug = serializers.CharField(help_text="As `category` of videos, and as the filter takes it.")
    name = serializers.CharField()
    is_from_model = serializers.BooleanField(help_text="Made by a model, and not yet named by a person.")
    videos = serializers.IntegerField(min_value=0)
    videos_of_14_days = serializers.IntegerField(min_value=0)
    surged = serializers.IntegerField(min_value=0, help_text="Of those of the last 14 days: how many were alerted as surging.")


class CategoryPage(serializers.Serializer[Any]):
    results = CategoryDocument(many=True)
    next = serializers.CharField(allow_null=True)


class CategoriesView(ApiView):
    permission_classes = [AllowAny]
    query_classes = {"get": PageQuery}

    @extend_schema(operation_id="list_categories", responses=CategoryPage)
    def get(self, request: Request) -> Response:
        """All categories, the fullest first. One that was merged into another is not listed: its videos are in the other."""
        skipped = _place(unpack(self.query["cursor"])) if "cursor" in self.query else 0
        found = categories(examples=False)
        until = skipped + self.query["limit"]
        shown = [
            {
                "slug": category.slug,
                "name": category.name,
                "is_from_model": category.is_from_model,
                "videos": category.videos,
                "videos_of_14_days": category.fresh,
                "surged": category.surged,
            }
            for category in found[skipped:until]
        ]
        return Response({"results": shown, "next": next_url(request, pack(str(until)) if until < len(found) else "")})


def _place(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise wrong_cursor()
    return int(text)


def reading_document(pk: int, found: AnalysisStatus) -> dict[str, Any]:
    return {
        "video_id": pk,
        "status": found.status,
        "progress": found.progress,
        "error_code": found.code,
        "error": found.reason,
        "next_attempt_at": moment(found.next_attempt_at),
    }


def analysis_of(video: Video) -> tuple[dict[str, Any] | None, dict[int, SlideText]]:
    """What was read of a carousel, as an AnalysisDocument, and its texts by position; None for a clip. Four statements."""
    if video.kind != VideoKind.CAROUSEL:
        return None, {}
    found = status_of(video.pk)
    reading = Analysis.objects.select_related("category").filter(video=video).first()
    category = reading.category if reading else None
    document = {name: value for name, value in reading_document(video.pk, found).items() if name != "video_id"} | {
        "read_at": moment(reading.read_at) if reading else None,
        "engine": reading.engine if reading else "",
        "model": reading.model if reading else "",
        "category": category
        and reading
        and {
            "slug": category.slug,
            "name": category.name,
            "confidence": reading.confidence,
            "is_new": reading.is_new,
        },
    }
    return document, {text.position: text for text in SlideText.objects.filter(video=video)}
