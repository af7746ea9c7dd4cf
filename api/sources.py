"""What the active workspace watches, and how each look went."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import Conflict, Problem
from api.fields import BooleanField, ChoiceField, PlainField, StrictModelSerializer
from api.links import check_link
from api.pagination import PageQuery, newest_first, next_url
from api.permissions import IsMember, workspace_id_of
from api.views import ApiView
from crawler import services
from crawler.models import CrawlJob, Outcome, Source, SourceKind, VideoKind
from crawler.offers import settle_on_link
from crawler.providers import registry
from crawler.timing import next_tick
from crawler.validators import clean_value
from jobs.models import CLAIMABLE

SETTINGS = [
    *("is_active", "is_own", "cron", "interval_minutes", "pages_per_run"),
    *("min_views", "min_likes", "max_age_days", "min_height", "kinds", "auto_download"),
]
"""What may be changed of a source. What it watches may not: the videos it has shown would then be another's."""


class SourceSettings(StrictModelSerializer):
    kinds = serializers.ListField(
        child=ChoiceField(choices=VideoKind.choices), min_length=1, max_length=len(VideoKind), required=False
    )

    class Meta:
        model = Source
        fields: ClassVar[list[str]] = SETTINGS

    def validate_kinds(self, kinds: list[str]) -> list[str]:
        return sorted(set(kinds))


class NewSource(SourceSettings):
    value = PlainField(
        max_length=500,
        help_text="The words, handle, id or link to watch; or a text with a link in it, as apps share them.",
    )

    class Meta:
        model = Source
        fields: ClassVar[list[str]] = ["platform", "kind", "value", *SETTINGS]
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "platform": {"help_text": "Left out: that of the link in `value`; without a link, `douyin`."},
            "kind": {"help_text": "Left out: what the link in `value` is of; without a link, `topic`."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = _settled(attrs)
        is_link = attrs["kind"] == SourceKind.URL
        if attrs["platform"] == registry.ANY_LINK and not is_link:
            raise serializers.ValidationError({"kind": [_("This platform reads only links.")]})
        try:
            value = clean_value(attrs["platform"], attrs["kind"], attrs["value"])
        except ValidationError as error:
            raise serializers.ValidationError({"value": error.messages}) from error
        if is_link:
            check_link(value)
        return {**attrs, "value": value}


def _settled(given: dict[str, Any]) -> dict[str, Any]:
    """With platform and kind as the link in the value says. Raises ValidationError where something else was asked for."""
    values = {"platform": "douyin", "kind": SourceKind.TOPIC, **given}
    found = settle_on_link(values)
    if found and any(given.get(name, getattr(found, name)) != getattr(found, name) for name in ("platform", "kind")):
        sentence = _("This is a link of platform “%(platform)s” and kind “%(kind)s”: send these, or leave both out.")
        raise serializers.ValidationError({"value": [sentence % {"platform": found.platform, "kind": found.kind}]})
    return values


class SourceDocument(serializers.ModelSerializer[Source]):
    class Meta:
        model = Source
        fields: ClassVar[list[str]] = [
            *("id", "platform", "kind", "value", *SETTINGS),
            *("outcome", "outcome_detail", "failures_in_a_row", "last_run_at", "last_good_at", "next_run_at", "created_at"),
        ]
        read_only_fields = fields


class SourcePage(serializers.Serializer[Any]):
    results = SourceDocument(many=True)
    next = serializers.CharField(allow_null=True)


class RunDocument(serializers.ModelSerializer[CrawlJob]):
    """One look at a source: a job, and what it counted."""

    source_id = serializers.IntegerField()
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="seen, new, updated, credits, clip, carousel, filtered, live, ad, deleted, malformed, other",
    )
    errors = serializers.ListField(  # type: ignore[assignment]  # the name that clients see
        child=serializers.CharField(), help_text="Entries that could not be read."
    )
    next_attempt_at = serializers.SerializerMethodField()

    class Meta:
        model = CrawlJob
        fields: ClassVar[list[str]] = [
            *("id", "source_id", "state", "outcome", "error_code", "error", "attempt", "max_attempts", "progress", "note"),
            *("pages", "counts", "errors", "created_at", "started_at", "next_attempt_at", "finalized_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, job: CrawlJob) -> Any:
        return job.scheduled_at if job.state in CLAIMABLE else None


class RunPage(serializers.Serializer[Any]):
    results = RunDocument(many=True)
    next = serializers.CharField(allow_null=True)


class SourcesQuery(PageQuery):
    kind = ChoiceField(required=False, choices=SourceKind.choices, help_text="What is watched.")
    outcome = ChoiceField(
        required=False, choices=[choice for choice in Outcome.choices if choice[0]], help_text="How the last look went."
    )
    is_active = BooleanField(required=False, help_text="Only those looked at by schedule, or only those that are not.")


class SourcesView(ApiView):
    permission_classes = [IsMember]
    query_classes = {"get": SourcesQuery}

    @extend_schema(operation_id="list_sources", responses=SourcePage)
    def get(self, request: Request) -> Response:
        """The active workspace's sources, newest first."""
        filters = {name: self.query[name] for name in ("kind", "outcome", "is_active") if name in self.query}
        rows = Source.objects.filter(workspace_id=workspace_id_of(request), **filters)
        page, cursor = newest_first(rows, self.query)
        return Response({"results": SourceDocument(page, many=True).data, "next": next_url(request, cursor)})

    @extend_schema(operation_id="create_source", request=NewSource, responses={201: SourceDocument, 409: Problem})
    def post(self, request: Request) -> Response:
        """Watch something new. What is watched already is a 409.

        A link in `value` says itself what it is of: a profile, hashtag, sound, trending list or video. `platform` and `kind`
        may then be left out; where they say something else, or the link is of nothing that can be watched, that is a 400.
        """
        values = self.read_body(NewSource)
        try:
            with transaction.atomic():
                source = Source.objects.create(workspace_id=workspace_id_of(request), **values)
        except IntegrityError as error:
            raise Conflict(_("Your workspace watches this already."), "already_watched") from error
        location = reverse("api-source", kwargs={"pk": source.pk})
        return Response(SourceDocument(source).data, status.HTTP_201_CREATED, headers={"Location": location})


class OneSource(ApiView):
    """A view of one source of the active workspace."""

    permission_classes = [IsMember]

    def get_source(self, pk: int) -> Source:
        """Raises NotFound, also for another workspace's."""
        source = Source.objects.filter(pk=pk, workspace_id=workspace_id_of(self.request)).first()
        if source is None:
            raise NotFound
        return source


class SourceView(OneSource):
    @extend_schema(operation_id="get_source", responses=SourceDocument)
    def get(self, request: Request, pk: int) -> Response:
        """One source, and how its last look went."""
        return Response(SourceDocument(self.get_source(pk)).data)

    @extend_schema(operation_id="change_source", request=SourceSettings, responses=SourceDocument)
    def patch(self, request: Request, pk: int) -> Response:
        """Change how and how often it is looked at."""
        source = self.get_source(pk)
        values = self.read_body(SourceSettings, partial=True)
        for name, value in values.items():
            setattr(source, name, value)
        if {"cron", "interval_minutes", "is_active"} & values.keys():
            source.next_run_at = next_tick(source.cron, source.interval_minutes, timezone.now())
            values["next_run_at"] = source.next_run_at
        source.save(update_fields=list(values))
        return Response(SourceDocument(source).data)

    @extend_schema(operation_id="delete_source", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Stop watching it. The videos it has shown stay."""
        self.get_source(pk).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class ScanView(OneSource):
    @extend_schema(operation_id="scan_source", request=None, responses={202: RunDocument})
    def post(self, request: Request, pk: int) -> Response:
        """Look at it as soon as a worker is free. Asking again while a look waits or runs answers with that one."""
        job = services.scan_now(self.get_source(pk), by=self.person)
        return Response(RunDocument(job).data, status.HTTP_202_ACCEPTED)


class RunsView(OneSource):
    query_classes = {"get": PageQuery}

    @extend_schema(operation_id="list_runs", responses=RunPage)
    def get(self, request: Request, pk: int) -> Response:
        """The looks at this source, newest first."""
        page, cursor = newest_first(CrawlJob.objects.filter(source=self.get_source(pk)), self.query)
        return Response({"results": RunDocument(page, many=True).data, "next": next_url(request, cursor)})
