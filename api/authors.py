"""Who made the videos."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.profile_shapes import ProfilePerformance, performance_document
from api.shapes import PICTURE_STATES, base_of, kept_url
from api.views import ApiView
from catalog.profiles import Profile, profile
from crawler.models import Author


class AuthorFacts(serializers.ModelSerializer[Author]):
    url = serializers.CharField(help_text="Of the profile, on its platform; empty where unknown.")

    class Meta:
        model = Author
        fields: ClassVar[list[str]] = [
            *("id", "platform", "external_id", "handle", "name", "url", "bio", "is_verified"),
            *("followers", "following", "likes", "video_count", "first_seen_at", "last_seen_at"),
        ]
        read_only_fields = fields


class AuthorDocument(AuthorFacts):
    """An account of a platform. Its videos: `/api/videos?author={id}`."""

    avatar_state = serializers.ChoiceField(choices=list(PICTURE_STATES))
    avatar_url = serializers.CharField(allow_null=True, help_text="A link that expires; null: we have no picture.")
    performance = ProfilePerformance()

    class Meta(AuthorFacts.Meta):
        fields: ClassVar[list[str]] = [*AuthorFacts.Meta.fields, "avatar_state", "avatar_url", "performance"]
        read_only_fields = fields


class AuthorView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="get_author", responses=AuthorDocument)
    def get(self, request: Request, pk: int) -> Response:
        """One author: who they are, how their followers grow, which of their videos stand out."""
        if (found := profile(pk)) is None:
            raise NotFound
        return Response(author_document(found, base_of(request)))


def author_document(found: Profile, base: str) -> dict[str, Any]:
    """An AuthorDocument. `base`: scheme and host."""
    return {
        **AuthorFacts(found.author).data,
        "avatar_state": found.avatar.state,
        "avatar_url": kept_url(found.avatar, base),
        "performance": performance_document(found),
    }
