"""Any list of videos as a file: all of it at once, where the list itself comes in pages."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api.errors import Problem
from api.fields import ChoiceField, not_a_choice
from api.shapes import VideoCard
from api.throttles import TooManyRequests
from api.videos import FilterQuery, parse_filters, require_own_source
from api.views import ApiView
from catalog.export_limits import seconds_to_wait
from catalog.exports import FORMATS, export


class ExportQuery(FilterQuery):
    format = ChoiceField(required=False, default="csv", choices=list(FORMATS), help_text="Of the file.")


class ExportedVideo(serializers.Serializer[Any]):
    """One row. Counters are those of the latest observation (`last_seen_at`), scores those of `ranked_at`; ids are text."""

    id = serializers.CharField()
    author_id = serializers.CharField(allow_null=True)
    author_external_id = serializers.CharField(allow_null=True)
    author_handle = serializers.CharField()
    author_name = serializers.CharField()
    author_followers = serializers.IntegerField(allow_null=True)
    sound_id = serializers.CharField(allow_null=True)
    sound_title = serializers.CharField(allow_null=True)
    ranked_at = serializers.DateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        left_out = ("author", "cover_state", "cover_url", "download_progress")
        shared = {name: field for name, field in VideoCard().get_fields().items() if name not in left_out}
        return shared | super().get_fields()


class ExportDocument(serializers.Serializer[Any]):
    exported_at = serializers.DateTimeField()
    filters = serializers.DictField(child=serializers.CharField())
    count = serializers.IntegerField()
    is_capped = serializers.BooleanField(help_text="More match than one export holds; `note` says of how many these are.")
    note = serializers.CharField()
    videos = ExportedVideo(many=True)


class ByParameter(BaseContentNegotiation):
    """`format` says what is sent; what the client's Accept header prefers is not asked."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class VideosExportView(ApiView):
    permission_classes = [AllowAny]
    content_negotiation_class = ByParameter
    query_classes = {"get": ExportQuery}

    def read_query(self, method: str) -> dict[str, Any]:
        given = self.request.query_params
        filters, errors = parse_filters(given, also={"format"})
        chosen = given.getlist("format") or ["csv"]
        if len(chosen) > 1 or chosen[0] not in FORMATS:
            errors["format"] = [not_a_choice(chosen[0], FORMATS)]
        if errors:
            raise serializers.ValidationError(errors)
        return {"filters": filters, "format": chosen[0]}

    @extend_schema(
        operation_id="export_videos",
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "Named columns, UTF-8 with a byte order mark, RFC 4180."),
            (200, "application/json"): OpenApiResponse(ExportDocument, "All rows in one document."),
            404: Problem,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """All that the filters let through, in their order, as CSV (the default) or JSON.

        At most 100,000 rows, unless staff set another number: where more match, the file's name ends in `-first-100000`, and
        the JSON says `is_capped`. Times are UTC; ids are text, because 19 digits survive neither spreadsheets nor JavaScript.
        In CSV, what is not known is empty, `hashtags` are a JSON list (one may hold a space), and text that a spreadsheet would
        run as a formula has an apostrophe before it.
        """
        filters = self.query["filters"]
        if filters.source is not None:
            require_own_source(request, filters.source)
        if wait := seconds_to_wait(request):
            raise TooManyRequests(wait)
        found, extension = export(filters), self.query["format"]
        is_head = request.method == "HEAD"
        response: HttpResponseBase = HttpResponse() if is_head else StreamingHttpResponse(found.stream(extension))
        response["Content-Type"] = FORMATS[extension]
        response["Content-Disposition"] = f'attachment; filename="{found.filename(extension)}"'
        response["Cache-Control"] = "private, no-store"
        return response
