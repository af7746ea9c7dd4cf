"""Every page at a glance. Ids are primary keys."""

from django.templatetags.static import static
from django.urls import path, register_converter
from django.utils.functional import lazy
from django.views.generic import RedirectView, TemplateView

from catalog.filters import MAX_BIGINT
from pages import (
    account,
    authors,
    carousels,
    categories,
    downloads,
    exports,
    imports,
    quality,
    rising,
    sounds,
    sources,
    surging,
    trends,
    videos,
    watching,
)


class RowConverter:
    """A primary key. Beyond what the database counts to there is no page: 404, not an error of the database."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        if int(value) > MAX_BIGINT:
            raise ValueError(value)
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


class CategoryConverter:
    """As a category's slug may be written: what the column could not hold is 404, not an error of the database."""

    regex = r"[^/\x00-\x1f]{1,60}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(RowConverter, "row")
register_converter(CategoryConverter, "category")

urlpatterns = [
    path("", rising.rising, name="rising"),
    path("news/", rising.news, name="news"),
    path("surging/", surging.surging_now, name="surging"),
    path("trends/", trends.trends, name="trends"),
    path("ranking/quality/", quality.ranking_quality, name="ranking-quality"),
    path("videos/<row:pk>/", videos.video, name="video"),
    path("videos/<row:pk>/download/", videos.download, name="video-download"),
    path("videos/<row:pk>/slides/", carousels.part, name="video-slides"),
    path("videos/<row:pk>/read/", carousels.read, name="video-read"),
    path("categories/", categories.categories, name="categories"),
    path("categories/<category:slug>/", categories.category, name="category"),
    path("authors/<row:pk>/", authors.author, name="author"),
    path("sounds/", sounds.sounds, name="sounds"),
    path("sounds/new/", sounds.new, name="sound-new"),
    path("sounds/<row:pk>/", sounds.sound, name="sound"),
    path("sounds/<row:pk>/part/", sounds.part, name="sound-part"),
    path("sounds/<row:pk>/scrape/", sounds.scrape, name="sound-scrape"),
    path("sources/", watching.sources, name="sources"),
    path("sources/bulk/", watching.bulk, name="sources-bulk"),
    path("sources/new/", sources.new, name="source-new"),
    path("sources/<row:pk>/", sources.source, name="source"),
    path("sources/<row:pk>/runs/", sources.runs, name="source-runs"),
    path("sources/<row:pk>/edit/", sources.edit, name="source-edit"),
    path("sources/<row:pk>/delete/", sources.delete, name="source-delete"),
    path("sources/<row:pk>/scan/", sources.scan, name="source-scan"),
    path("sources/<row:pk>/pause/", sources.pause, name="source-pause"),
    path("export/videos.csv", exports.videos, {"extension": "csv"}, name="export-csv"),
    path("export/videos.json", exports.videos, {"extension": "json"}, name="export-json"),
    path("import/", imports.import_link, name="import"),
    path("downloads/", downloads.downloads, name="downloads"),
    path("downloads/<row:pk>/", downloads.change, name="download-change"),
    path("downloads/zips/", downloads.new_zip, name="zip-new"),
    path("downloads/zips/<uuid:pk>/", downloads.zip_status, name="zip"),
    path("account/", account.account, name="account"),
    path("account/tokens/", account.new_token, name="token-new"),
    path("account/tokens/revoke/", account.revoke, name="token-revoke"),
    path("robots.txt", TemplateView.as_view(template_name="pages/robots.txt", content_type="text/plain"), name="robots"),
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("img/icon-192.png")), name="favicon"),
    path(
        "manifest.webmanifest",
        TemplateView.as_view(template_name="pages/manifest.webmanifest", content_type="application/manifest+json"),
        name="manifest",
    ),
]
