"""Who made the videos."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.views import ApiView
from crawler.models import Author


class AuthorDocument(serializers.ModelSerializer[Author]):
    """An account of a platform. Its videos: `/api/videos?author={id}`."""

    url = serializers.CharField(help_text="Of the profile, on its platform; empty where unknown.")

    class Meta:
        model = Author
        fields: ClassVar[list[str]] = [
            *("id", "platform", "external_id", "handle", "name", "url", "bio", "followers", "is_verified"),
            *("first_seen_at", "last_seen_at"),
        ]
        read_only_fields = fields


class AuthorView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="get_author", responses=AuthorDocument)
    def get(self, request: Request, pk: int) -> Response:
        """One author."""
        author = Author.objects.filter(pk=pk).first()
        if author is None:
            raise NotFound
        return Response(AuthorDocument(author).data)
