"""Bringing in what a link shows."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.fields import PlainField, StrictSerializer
from api.links import refused_links
from api.permissions import IsEditor, workspace_id_of
from api.sources import RunDocument
from api.views import ApiView
from crawler import services
from workspaces.models import Workspace


class ImportBody(StrictSerializer):
    url = PlainField(
        max_length=2000,
        help_text="Of a video, on any site that can be read; or a text with such a link in it, as apps share them.",
    )


class ImportDocument(serializers.Serializer[Any]):
    source_id = serializers.IntegerField(help_text="Follow it at /api/sources/{source_id}/runs.")
    run = RunDocument()
    video_id = serializers.IntegerField(allow_null=True, help_text="Null until the link has been read once.")


class ImportView(ApiView):
    permission_classes = [IsEditor]

    @extend_schema(operation_id="import_video", request=ImportBody, responses={202: ImportDocument})
    def post(self, request: Request) -> Response:
        """Read a link in the background. What is found joins the feed, and the workspace keeps the link as a source.

        However a post's link is written, it is one source; a short link is followed first.
        """
        url = self.read_body(ImportBody)["url"]
        workspace = Workspace.objects.get(pk=workspace_id_of(request))
        with refused_links("url"):
            job = services.import_url(url, workspace=workspace, by=self.person)
        found = services.imported_video(job)
        document = {"source_id": job.source_id, "run": RunDocument(job).data, "video_id": found and found.pk}
        return Response(document, status.HTTP_202_ACCEPTED)
