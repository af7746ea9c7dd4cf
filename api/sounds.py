"""TikTok sounds that the active workspace watches. Each is one of its sources, and its id is that source's."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.fields import BooleanField, PlainField, StrictSerializer
from api.pagination import PageQuery, newest_first, next_url
from api.permissions import IsMember, workspace_id_of
from api.shapes import base_of, page_json, read_cards
from api.sources import RunDocument
from api.videos import VideoPage
from api.views import ApiView
from catalog.feed import InvalidCursor, find
from catalog.filters import Filters
from catalog.sounds import Totals, totals
from crawler import sounds
from crawler.models import CrawlJob, Outcome, ProviderPause, Source, SourceKind
from crawler.providers.sound_links import SoundLink
from workspaces.models import Workspace


class SoundBody(StrictSerializer):
    url = PlainField(
        max_length=2000, help_text="Of the sound's page, a short link to it, a shared text with either, or its number."
    )

    def validate_url(self, text: str) -> SoundLink:
        try:
            return sounds.find_sound(text)
        except sounds.NoSuchSound as error:
            raise serializers.ValidationError(error.message, code=error.code) from error


class ScrapeBody(StrictSerializer):
    force = BooleanField(
        required=False, default=False, help_text="Order a new run, and pay for it, though the last one is young."
    )


class TotalsDocument(serializers.Serializer[Any]):
    """Of the videos that its runs have shown. Null: no video shows the counter."""

    videos = serializers.IntegerField()
    authors = serializers.IntegerField()
    views = serializers.IntegerField(allow_null=True)
    likes = serializers.IntegerField(allow_null=True)
    comments = serializers.IntegerField(allow_null=True)
    shares = serializers.IntegerField(allow_null=True)
    average_views = serializers.FloatField(allow_null=True)
    median_views = serializers.FloatField(allow_null=True)


class SoundDocument(serializers.Serializer[Any]):
    """A sound that the workspace watches, and how its latest run stands."""

    id = serializers.IntegerField(help_text="Of the source, for /api/sources too.")
    sound_id = serializers.IntegerField(allow_null=True, help_text="For /api/videos?sound=.")
    platform = serializers.CharField()
    external_id = serializers.CharField(help_text="The platform's own id.")
    url = serializers.CharField()
    title = serializers.CharField(help_text="Empty until a run has said it.")
    author_name = serializers.CharField()
    uses = serializers.IntegerField(allow_null=True, help_text="Videos that use it, as the platform counts.")
    status = serializers.ChoiceField(choices=[str(value) for value in sounds.Status])
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    error = serializers.CharField(help_text="Why the latest run failed or waits; else empty.")
    paused = serializers.CharField(allow_null=True, help_text="Why the service that reads it is paused; null: it is not.")
    is_active = serializers.BooleanField(help_text="Whether it is read by schedule.")
    last_run_at = serializers.DateTimeField(allow_null=True)
    next_run_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    run = RunDocument(allow_null=True, help_text="The latest.")
    totals = TotalsDocument()


class SoundPage(serializers.Serializer[Any]):
    results = SoundDocument(many=True)
    next = serializers.CharField(allow_null=True)


class SoundsView(ApiView):
    permission_classes = [IsMember]
    query_classes = {"get": PageQuery}

    @extend_schema(operation_id="list_sounds", responses=SoundPage)
    def get(self, request: Request) -> Response:
        """The sounds that the active workspace watches, newest first."""
        rows = Source.objects.filter(workspace_id=workspace_id_of(request), kind=SourceKind.SOUND).select_related("sound")
        page, cursor = newest_first(rows, self.query)
        ids = [source.pk for source in page]
        runs, sums = sounds.last_runs(ids), totals(ids)
        pause = sounds.pause()
        documents = [sound_document(source, runs.get(source.pk), sums[source.pk], pause) for source in page]
        return Response({"results": documents, "next": next_url(request, cursor)})

    @extend_schema(operation_id="create_sound", request=SoundBody, responses={200: SoundDocument, 201: SoundDocument})
    def post(self, request: Request) -> Response:
        """Watch a TikTok sound; its first run starts by itself. One that is watched already is answered with 200."""
        link = self.read_body(SoundBody)["url"]
        workspace = Workspace.objects.get(pk=workspace_id_of(request))
        source, is_new = sounds.watch(link, workspace=workspace, by=self.person)
        location = reverse("api-sound", kwargs={"pk": source.pk})
        made = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(one_document(source), made, headers={"Location": location})


class OneSound(ApiView):
    """A view of one sound of the active workspace."""

    permission_classes = [IsMember]

    def get_source(self, pk: int) -> Source:
        """Raises NotFound, also for another workspace's, and for a source that is no sound."""
        rows = Source.objects.filter(pk=pk, workspace_id=workspace_id_of(self.request), kind=SourceKind.SOUND)
        source = rows.select_related("sound").first()
        if source is None:
            raise NotFound
        return source


class SoundView(OneSound):
    @extend_schema(operation_id="get_sound", responses=SoundDocument)
    def get(self, request: Request, pk: int) -> Response:
        """One sound: how its latest run stands, and what its videos add up to."""
        return Response(one_document(self.get_source(pk)))


class SoundVideosView(OneSound):
    query_classes = {"get": PageQuery}

    @extend_schema(operation_id="list_sound_videos", responses=VideoPage)
    def get(self, request: Request, pk: int) -> Response:
        """The videos that its runs have shown, most views first. `/api/videos?source={id}` filters and orders them otherwise."""
        filters = Filters(source=self.get_source(pk).pk, ordering="-views")
        try:
            found, cursor = find(filters, cursor=self.query.get("cursor", ""), limit=self.query["limit"], read=read_cards)
        except InvalidCursor as error:
            raise serializers.ValidationError({"cursor": [str(error)]}) from error
        return Response(page_json(found, next_url(request, cursor or ""), base_of(request)))


class ScrapeView(OneSound):
    @extend_schema(operation_id="scrape_sound", request=ScrapeBody, responses={202: SoundDocument})
    def post(self, request: Request, pk: int) -> Response:
        """Read it now. A run that waits, runs, or ended well within six hours stands for this one, unless `force` is set.

        After a failed run this is its retry: what was paid for is read first.
        """
        source = self.get_source(pk)
        force = self.read_body(ScrapeBody)["force"] if request._request.body else False
        job = sounds.scrape(source, by=self.person, force=force)
        source.refresh_from_db()
        return Response(sound_document(source, job, totals([pk])[pk], sounds.pause()), status.HTTP_202_ACCEPTED)


def one_document(source: Source) -> dict[str, Any]:
    return sound_document(source, sounds.last_run(source), totals([source.pk])[source.pk], sounds.pause())


def sound_document(source: Source, run: CrawlJob | None, sums: Totals, pause: ProviderPause | None) -> dict[str, Any]:
    """A SoundDocument."""
    sound = source.sound
    return {
        "id": source.pk,
        "sound_id": source.sound_id,
        "platform": source.platform,
        "external_id": sound.external_id if sound else source.value,
        "url": sound.url if sound else "",
        "title": sound.title if sound else "",
        "author_name": sound.author_name if sound else "",
        "uses": sound.uses if sound else None,
        "status": str(sounds.status_of(run)),
        "outcome": source.outcome,
        "error": run.error if run else "",
        "paused": pause.reason if pause else None,
        "is_active": source.is_active,
        "last_run_at": source.last_run_at,
        "next_run_at": source.next_run_at,
        "created_at": source.created_at,
        "run": RunDocument(run).data if run else None,
        "totals": asdict(sums),
    }
