from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from jobs import kinds


def most_at_once() -> int:
    """As staff set it, asked anew each time."""
    from constance.utils import get_values_for_keys

    return max(1, int(get_values_for_keys(["MOST_ASSETS_AT_ONCE"])["MOST_ASSETS_AT_ONCE"]))


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
                name="asset",
                label=_("Covers, slides and sounds"),
                model="downloads.AssetJob",
                queue="media",
                work="downloads.assets.bring",
                prepare="downloads.assets.prepare",
                deadline=timedelta(minutes=3),
                first_pause=2,
                most_running=most_at_once,
                batch=3,  # so that two workers share the five that may run
            )
        )
