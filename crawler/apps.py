from datetime import timedelta

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from jobs import kinds


class CrawlerConfig(AppConfig):
    name = "crawler"
    verbose_name = _("Crawler")

    def ready(self) -> None:
        from crawler import receivers  # connects them

        kinds.register(
            kinds.JobKind(
                name="crawl",
                label=_("Crawls"),
                model="crawler.CrawlJob",
                queue="crawl",
                work="crawler.services.crawl",
                deadline=timedelta(minutes=15),
                stall_after=timedelta(minutes=4),  # a turn at the browser, and a page that takes its whole time
            )
        )
        kinds.register(
            kinds.JobKind(
                name="observe",
                label=_("Observations"),
                model="crawler.ObserveJob",
                queue="crawl",
                work="crawler.observing.observe",
                deadline=timedelta(minutes=5),
                stall_after=timedelta(minutes=4),
            )
        )
        post_migrate.connect(receivers.make_partitions, sender=self, dispatch_uid="crawler.make_partitions")
