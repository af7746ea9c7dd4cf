"""Surges: what was foretold, on what evidence, and what came of it."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.fields import ChoiceField, TextField
from api.pagination import PageQuery, newest_first, next_url
from api.views import ApiView
from catalog.known import what_is_wrong_with_platform
from ranking.models import Surge, SurgeState


class SurgeDocument(serializers.ModelSerializer[Surge]):
    """One surge of one video. Moments that have not come are null."""

    probability = serializers.FloatField(help_text="At the alert; of a watched one, when it was first watched.")
    highest = serializers.FloatField(help_text="The highest probability so far.")
    level = serializers.FloatField(help_text="What its primary counter (views, or likes where no views are shown) was to reach.")
    is_confirmed = serializers.SerializerMethodField(help_text="Two counters or more rose together.")
    lead_hours = serializers.SerializerMethodField(help_text="From the alert to the top level.")

    class Meta:
        model = Surge
        fields = [
            "id", "video_id", "state", "watched_at", "alerted_at", "confirmed_at", "peaked_at", "reached_at", "cleared_at",
            "probability", "highest", "level", "is_confirmed", "lead_hours", "observed_at",
        ]  # fmt: skip
        extra_kwargs = {"observed_at": {"help_text": "The observation that was judged last."}}

    video_id = serializers.IntegerField()

    def get_is_confirmed(self, surge: Surge) -> bool:
        return surge.confirmed_at is not None

    def get_lead_hours(self, surge: Surge) -> float | None:
        return surge.lead.total_seconds() / 3600 if surge.lead is not None else None


class SurgePage(serializers.Serializer[Any]):
    results = SurgeDocument(many=True)
    next = serializers.CharField(allow_null=True)


class SurgesQuery(PageQuery):
    state = ChoiceField(required=False, choices=SurgeState.choices, help_text="How far it has come.")
    platform = TextField(
        required=False, max_length=20, help_text="Of the video, such as `tiktok` or `douyin`; one that there is."
    )

    def validate_platform(self, name: str) -> str:
        if wrong := what_is_wrong_with_platform(name):
            raise serializers.ValidationError(wrong)
        return name


class SurgesView(ApiView):
    permission_classes = [AllowAny]
    query_classes = {"get": SurgesQuery}

    @extend_schema(operation_id="list_surges", responses=SurgePage)
    def get(self, request: Request) -> Response:
        """Surges, the latest begun first: watched, open, past their peak, and over."""
        rows: QuerySet[Surge] = Surge.objects.all()
        if "state" in self.query:
            rows = rows.filter(state=self.query["state"])
        if "platform" in self.query:
            rows = rows.filter(video__platform=self.query["platform"])
        page, cursor = newest_first(rows, self.query)
        return Response({"results": SurgeDocument(page, many=True).data, "next": next_url(request, cursor)})
