from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from jobs import kinds


class DownloadsConfig(AppConfig):
    name = "downloads"
    verbose_name = _("Downloads")

    def ready(self) -> None:
        from downloads import receivers  # noqa: F401  (connects them)

        kinds.register(
            kinds.JobKind(
                name="download",
                label=_("Downloads"),
                model="downloads.DownloadJob",
                queue="download",
                work="downloads.work.download",
                deadline=timedelta(minutes=30),
                stall_after=timedelta(minutes=4),  # a turn at the browser, or a look into a long file
            )
        )
        kinds.register(
            kinds.JobKind(
                name="cover",
                label=_("Covers"),
                model="downloads.CoverJob",
                queue="media",
                work="downloads.covers.bring",
                deadline=timedelta(minutes=2),
                batch=5,
            )
        )
