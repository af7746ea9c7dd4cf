"""Downloads: asked for by anybody, as on the pages; one video, or many as one zip."""

from typing import Any, NoReturn
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import Conflict, Problem
from api.fields import ChoiceField, IdField, QuerySerializer, StrictSerializer
from api.shapes import absolute, base_of
from api.views import ApiView
from crawler.models import Video
from downloads import bundles, services
from downloads import status as statuses
from downloads.models import Batch, Quality
from downloads.status import DownloadStatus


class DownloadBody(StrictSerializer):
    quality = ChoiceField(choices=Quality.choices, required=False, help_text="Counts before the query's.")


class DownloadQuery(QuerySerializer):
    quality = ChoiceField(
        choices=Quality.choices, required=False, default=Quality.BEST.value, help_text="Each quality is a download of its own."
    )


class DownloadDocument(serializers.Serializer[Any]):
    status = serializers.ChoiceField(
        choices=["pending", "queued", "downloading", "ready", "error"], help_text="pending: nobody has asked for it yet."
    )
    progress = serializers.IntegerField(min_value=0, max_value=100, help_text="Percent.")
    download_url = serializers.CharField(allow_null=True, help_text="A link that expires; set when it is ready.")
    filename = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="Bytes, where known.")
    error = serializers.CharField(allow_null=True, help_text="Why it failed, or why it is tried again.")
    error_code = serializers.CharField(allow_null=True)


class BatchBody(StrictSerializer):
    ids = serializers.ListField(child=IdField(), min_length=1, max_length=services.MOST_IN_A_BATCH, help_text="Of videos.")
    quality = ChoiceField(choices=Quality.choices, required=False, default=Quality.BEST.value)


class BatchDocument(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=["working", "ready", "error"])
    total = serializers.IntegerField(min_value=0, help_text="Videos.")
    ready = serializers.IntegerField(min_value=0)
    failed = serializers.IntegerField(min_value=0)
    download_url = serializers.CharField(allow_null=True, help_text="Of the zip; a link that expires.")
    filename = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="Bytes.")


class DownloadView(ApiView):
    permission_classes = [AllowAny]
    query_classes = {"get": DownloadQuery, "post": DownloadQuery}

    @extend_schema(operation_id="get_download", responses=DownloadDocument)
    def get(self, request: Request, pk: int) -> Response:
        """How the download of this quality stands. Ask again while it is queued or downloading."""
        try:
            found = statuses.download_status(pk, self.query["quality"])
        except Video.DoesNotExist:
            raise NotFound from None
        return Response(download_document(found, base_of(request)))

    @extend_schema(
        operation_id="request_download",
        request=DownloadBody,
        responses={200: DownloadDocument, 202: DownloadDocument, 409: Problem},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Ask for a download; asking twice is asking once. 200 when it is ready, 202 while it is not.

        The quality stands in the body or in the query; where it stands in both, the body's is taken.

        A video that its platform no longer has, and that is not kept, is a 409 with the reason.
        """
        video = Video.objects.filter(pk=pk).first()
        if video is None:
            raise NotFound
        quality = self.read_body(DownloadBody).get("quality", self.query["quality"])
        asked = services.request_download(video, quality, **self.asker())
        statuses.forget(asked.job)
        found = statuses.download_status(video, quality)
        if found.status == "error":
            raise Conflict(found.error or _("This cannot be downloaded."), found.error_code or "failed")
        is_ready = found.status == "ready"
        return Response(download_document(found, base_of(request)), status.HTTP_200_OK if is_ready else status.HTTP_202_ACCEPTED)


class BatchesView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="request_batch", request=BatchBody, responses={202: BatchDocument})
    def post(self, request: Request) -> Response:
        """Ask for many videos as one zip. All of them, or none: an id that does not exist is a 400."""
        values = self.read_body(BatchBody)
        wanted = list(dict.fromkeys(values["ids"]))
        videos = Video.objects.in_bulk(wanted)
        if unknown := [pk for pk in wanted if pk not in videos]:
            self._refuse(unknown)
        batch = services.request_batch([videos[pk] for pk in wanted], values["quality"], **self.asker())
        return Response(batch_document(batch, base_of(request)), status.HTTP_202_ACCEPTED)

    def _refuse(self, unknown: list[int]) -> NoReturn:
        sentence = _("There are no such videos: %(ids)s.") % {"ids": ", ".join(map(str, unknown[:10]))}
        raise serializers.ValidationError({"ids": [sentence]})


class BatchView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="get_batch", responses=BatchDocument)
    def get(self, request: Request, pk: UUID) -> Response:
        """How a batch stands. A person's is theirs alone; for one asked for without an account, knowing its id is enough."""
        batch = Batch.objects.filter(pk=pk).first()
        if batch is None or (batch.user_id is not None and batch.user_id != request.user.pk):
            raise NotFound
        return Response(batch_document(batch, base_of(request)))


def download_document(found: DownloadStatus, base: str) -> dict[str, Any]:
    return {
        "status": found.status,
        "progress": found.progress,
        "download_url": found.download_url and absolute(found.download_url, base),
        "filename": found.filename,
        "size": found.size,
        "error": found.error,
        "error_code": found.error_code,
    }


def batch_document(batch: Batch, base: str) -> dict[str, Any]:
    found = bundles.batch_status(batch)
    return {
        "id": str(batch.pk),
        "status": found.status,
        "total": found.total,
        "ready": found.ready,
        "failed": found.failed,
        "download_url": found.download_url and absolute(found.download_url, base),
        "filename": found.filename,
        "size": found.size,
    }
