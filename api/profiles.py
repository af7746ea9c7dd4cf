"""The profiles that the active workspace follows. Each is a source, by whose id it goes; `/api/sources/{id}` knows it too."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.authors import AuthorDocument, AuthorFacts, author_document
from api.fields import BooleanField, ChoiceField, PlainField, StrictSerializer
from api.pagination import PageQuery, newest_first, next_url
from api.permissions import IsMember, workspace_id_of
from api.shapes import base_of
from api.sources import RunDocument
from api.views import ApiView
from catalog.profiles import profile
from crawler import pauses, profiles
from crawler.access import provider_name
from crawler.models import CrawlJob, ProviderPause, Source, SourceKind
from workspaces.models import Workspace


class NewProfile(StrictSerializer):
    handle = PlainField(max_length=500, help_text="“someone”, “@someone”, or the address of the profile's page.")
    is_own = BooleanField(required=False, help_text="One of our own channels.")
    platform = ChoiceField(choices=list(profiles.PLATFORMS), required=False, help_text="Left out: tiktok.")


class MonitoringSettings(StrictSerializer):
    enabled = BooleanField(help_text="Whether it is read by its schedule.")


class TriggerBody(StrictSerializer):
    force_recache = BooleanField(required=False, help_text="Fetch all media of what it shows again.")


class ProfileCounts(serializers.Serializer[Any]):
    """What the latest run counted so far."""

    pages = serializers.IntegerField()
    seen = serializers.IntegerField(help_text="Videos that were listed.")
    new = serializers.IntegerField(help_text="Of them, those that nobody had seen before.")
    updated = serializers.IntegerField(help_text="Of them, known ones that were observed again.")
    errors = serializers.IntegerField(  # type: ignore[assignment]  # the name that clients see
        help_text="Entries that could not be read."
    )
    credits = serializers.IntegerField(help_text="What a paid service charged.")


class ProfileDocument(serializers.Serializer[Any]):
    """A profile that the workspace follows."""

    id = serializers.IntegerField()
    platform = serializers.CharField()
    handle = serializers.CharField(help_text="As it was given; where the profile changed its name, `author` has the new one.")
    is_own = serializers.BooleanField()
    monitoring = serializers.BooleanField(help_text="Whether it is read by its schedule.")
    interval_minutes = serializers.IntegerField()
    cron = serializers.CharField(help_text="Where it is not empty, it holds in the place of the interval.")
    outcome = serializers.CharField(help_text="How the last look went; empty: none yet.")
    outcome_detail = serializers.CharField()
    paused = serializers.CharField(allow_null=True, help_text="Why the service that reads it is paused; null: it is not.")
    last_run_at = serializers.DateTimeField(allow_null=True)
    last_good_at = serializers.DateTimeField(allow_null=True)
    next_run_at = serializers.DateTimeField(allow_null=True, help_text="Null: not by schedule.")
    created_at = serializers.DateTimeField()
    videos = serializers.IntegerField(help_text="Its videos that we know.")
    author = AuthorFacts(allow_null=True, help_text="Whose it is; null until it was read.")
    run_state = serializers.CharField(allow_null=True, help_text="Of the latest run; null: there was none.")
    counts = ProfileCounts(help_text="Of the latest run.")


class ProfileDetail(ProfileDocument):
    """The same, and how the profile does."""

    author = AuthorDocument(allow_null=True, help_text="Whose it is; null until it was read.")


class ProfilePage(serializers.Serializer[Any]):
    results = ProfileDocument(many=True)
    next = serializers.CharField(allow_null=True)


class ProfilesQuery(PageQuery):
    platform = ChoiceField(choices=list(profiles.PLATFORMS), required=False, help_text="Where they are.")
    is_own = BooleanField(required=False, help_text="Only our own channels, or only others.")


class ProfilesView(ApiView):
    permission_classes = [IsMember]
    query_classes = {"get": ProfilesQuery}

    @extend_schema(operation_id="list_profiles", responses=ProfilePage)
    def get(self, request: Request) -> Response:
        """The profiles that the active workspace follows, newest first."""
        filters = {name: self.query[name] for name in ("platform", "is_own") if name in self.query}
        page, cursor = newest_first(_profiles(request).filter(**filters), self.query)
        return Response({"results": documents(page), "next": next_url(request, cursor)})

    @extend_schema(operation_id="add_profile", request=NewProfile, responses={200: ProfileDocument, 201: ProfileDocument})
    def post(self, request: Request) -> Response:
        """Follow a profile. Its first page is read at once and waited for, some seconds at most; the counts so far are
        answered, and grow at its own address.

        One that is followed already is answered with 200, and only `is_own` may change.
        """
        values = self.read_body(NewProfile)
        workspace = Workspace.objects.get(pk=workspace_id_of(request))
        platform = values.get("platform", profiles.PLATFORMS[0])
        try:
            added = profiles.add_profile(
                values["handle"], is_own=values.get("is_own"), workspace=workspace, by=self.person, platform=platform
            )
        except ValidationError as error:
            raise serializers.ValidationError({"handle": error.messages}) from error
        if added.is_new:
            profiles.await_first_page(added.source, within=settings.FIRST_PAGE_SECONDS)
        source = _profiles(request).get(pk=added.source.pk)
        location = reverse("api-profile", kwargs={"pk": source.pk})
        code = status.HTTP_201_CREATED if added.is_new else status.HTTP_200_OK
        return Response(documents([source])[0], code, headers={"Location": location})


class OneProfile(ApiView):
    """A view of one profile of the active workspace."""

    permission_classes = [IsMember]

    def get_profile(self, pk: int) -> Source:
        """Raises NotFound, also for another workspace's, and for a source of another kind."""
        source = _profiles(self.request).filter(pk=pk).first()
        if source is None:
            raise NotFound
        return source


class ProfileView(OneProfile):
    @extend_schema(operation_id="get_profile", responses=ProfileDetail)
    def get(self, request: Request, pk: int) -> Response:
        """One profile: how its last look went, what it counted, how its followers grow and which of its videos stand out."""
        source = self.get_profile(pk)
        found = profile(source.author_id) if source.author_id else None
        author = author_document(found, base_of(request)) if found else None
        return Response({**documents([source])[0], "author": author})


class MonitoringView(OneProfile):
    @extend_schema(operation_id="set_profile_monitoring", request=MonitoringSettings, responses=ProfileDocument)
    def patch(self, request: Request, pk: int) -> Response:
        """Read it by its schedule, or no more. Switched on, it is read at the schedule's next time."""
        source = self.get_profile(pk)
        profiles.set_monitoring(source, is_enabled=self.read_body(MonitoringSettings)["enabled"])
        return Response(documents([source])[0])


class TriggerView(OneProfile):
    @extend_schema(operation_id="trigger_profile", request=TriggerBody, responses={202: RunDocument})
    def post(self, request: Request, pk: int) -> Response:
        """Read it as soon as a worker is free, before what goes by schedule, monitored or not.

        Asking again while a run waits or is under way answers with that one, and adds to it what was asked for.
        """
        source = self.get_profile(pk)
        values = self.read_body(TriggerBody)
        job = profiles.trigger(source, by=self.person, force_recache=values.get("force_recache", False))
        return Response(RunDocument(job).data, status.HTTP_202_ACCEPTED)


def _profiles(request: Request) -> QuerySet[Source]:
    found = Source.objects.filter(workspace_id=workspace_id_of(request), kind=SourceKind.PROFILE)
    return found.select_related("author").annotate(videos_known=Count("sightings"))


def documents(sources: list[Source]) -> list[dict[str, Any]]:
    """ProfileDocuments; two queries, whatever their number. The sources come from `_profiles`."""
    latest = CrawlJob.objects.filter(source__in=sources).order_by("source_id", "-pk").distinct("source_id")
    runs = {run.source_id: run for run in latest}
    pauses_now = pauses.paused() if sources else {}
    return [_document(source, runs.get(source.pk), pauses_now) for source in sources]


def _document(source: Source, run: CrawlJob | None, pauses_now: dict[str, ProviderPause]) -> dict[str, Any]:
    pause = pauses_now.get(provider_name(source.platform, source.kind))
    shown = {
        "handle": source.value,
        "monitoring": source.is_active,
        "next_run_at": source.next_run_at if source.is_active else None,
        "paused": pause.reason if pause else None,
        "videos": getattr(source, "videos_known", 0),
        "run_state": run.state if run else None,
        "counts": profiles.counts_of(run or CrawlJob()),
    }
    own = ("id", "platform", "is_own", "interval_minutes", "cron", "outcome", "outcome_detail", "last_run_at", "last_good_at")
    facts = {name: getattr(source, name) for name in (*own, "created_at", "author")}
    return dict(ProfileDocument(facts | shown).data)
