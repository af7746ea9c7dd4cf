"""Every route of the API at a glance. No trailing slashes; ids are primary keys."""

from django.urls import path, re_path, register_converter

from api import (
    analysis,
    authors,
    documentation,
    downloads,
    exports,
    imports,
    profiles,
    queues,
    sounds,
    sources,
    surges,
    videos,
    views,
    webhooks,
)
from api.fields import BIGGEST_ID


class IdConverter:
    """A primary key. Beyond what the database counts to, there is no such path: 404, not an error of the database."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        if int(value) > BIGGEST_ID:
            raise ValueError(value)
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(IdConverter, "id")

urlpatterns = [
    path("schema", documentation.SchemaView.as_view(), name="api-schema"),
    path("docs", documentation.DocsView.as_view(), name="api-docs"),
    path("queues", queues.QueuesView.as_view(), name="api-queues"),
    path("sources", sources.SourcesView.as_view(), name="api-sources"),
    path("sources/<id:pk>", sources.SourceView.as_view(), name="api-source"),
    path("sources/<id:pk>/scan", sources.ScanView.as_view(), name="api-source-scan"),
    path("sources/<id:pk>/runs", sources.RunsView.as_view(), name="api-source-runs"),
    path("profiles", profiles.ProfilesView.as_view(), name="api-profiles"),
    path("profiles/<id:pk>", profiles.ProfileView.as_view(), name="api-profile"),
    path("profiles/<id:pk>/monitoring", profiles.MonitoringView.as_view(), name="api-profile-monitoring"),
    path("profiles/<id:pk>/monitoring/trigger", profiles.TriggerView.as_view(), name="api-profile-trigger"),
    path("videos", videos.VideosView.as_view(), name="api-videos"),
    path("videos/export", exports.VideosExportView.as_view(), name="api-videos-export"),
    path("videos/import", imports.ImportView.as_view(), name="api-import"),
    path("videos/batch-download", downloads.BatchesView.as_view(), name="api-batches"),
    path("videos/batch-download/<uuid:pk>", downloads.BatchView.as_view(), name="api-batch"),
    path("videos/<id:pk>/download", downloads.DownloadView.as_view(), name="api-video-download"),
    path("videos/bulk-ocr", analysis.BulkReadView.as_view(), name="api-bulk-ocr"),
    path("videos/<id:pk>/ocr", analysis.ReadView.as_view(), name="api-video-ocr"),
    path("videos/<id:pk>", videos.VideoView.as_view(), name="api-video"),
    path("videos/<id:pk>/metrics", videos.MetricsView.as_view(), name="api-video-metrics"),
    path("webhooks/apify", webhooks.ApifyWebhookView.as_view(), name="api-webhook-apify"),
    path("sounds", sounds.SoundsView.as_view(), name="api-sounds"),
    path("sounds/<id:pk>", sounds.SoundView.as_view(), name="api-sound"),
    path("sounds/<id:pk>/videos", sounds.SoundVideosView.as_view(), name="api-sound-videos"),
    path("sounds/<id:pk>/scrape", sounds.ScrapeView.as_view(), name="api-sound-scrape"),
    path("surges", surges.SurgesView.as_view(), name="api-surges"),
    path("categories", analysis.CategoriesView.as_view(), name="api-categories"),
    path("authors/<id:pk>", authors.AuthorView.as_view(), name="api-author"),
    re_path("", views.NoSuchPath.as_view(), name="api-nothing"),
]
