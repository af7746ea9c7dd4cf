"""The OpenAPI document, and a page to browse it and try it out."""

import functools
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.urls import include, path
from django.utils.decorators import method_decorator
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.fields import ChoiceField, QuerySerializer
from api.schema import DESCRIPTION
from api.views import ApiView


@functools.cache
def document() -> dict[str, Any]:
    """Made once per process: it follows from the code alone."""
    made: dict[str, Any] = SchemaGenerator(patterns=[path("api/", include("api.urls"))]).get_schema(request=None, public=True)
    made["info"]["description"] = DESCRIPTION
    return made


class SchemaView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="get_schema", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """This document, OpenAPI 3.1."""
        return Response(document())


class DocsQuery(QuerySerializer):
    script = ChoiceField(
        choices=[("", "")], required=False, allow_blank=True, help_text="Its own script, as the page asks for it."
    )


# Swagger UI sets styles in the page and draws its pictures from data; its scripts are files of ours.
@method_decorator(csp_update({"style-src": [SELF, UNSAFE_INLINE], "img-src": [SELF, "data:"]}), name="dispatch")
class DocsView(ApiView, SpectacularSwaggerSplitView):
    permission_classes = [AllowAny]
    query_classes = {"get": DocsQuery}
    url_name = "api-schema"

    @extend_schema(
        operation_id="get_docs",
        responses={(200, "text/html"): OpenApiTypes.STR, (200, "application/javascript"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """The same document, to read and try out in a browser."""
        page: Response = super().get(request)  # type: ignore[no-untyped-call]  # as the library has it
        return page

    def handle_exception(self, exc: Exception) -> Response:
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)
