"""Look at sources now, in this process."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crawler.models import Source, SourceKind
from crawler.providers import browser, registry
from crawler.services import scan_now
from jobs import kinds
from jobs.models import FINAL, State
from jobs.runner import drain
from workspaces.models import first_workspace

LOOK_EVERY_SECONDS = 0.5


class Command(BaseCommand):
    help = "Looks at sources now and says how it went. A topic that is not watched yet is watched from now on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sources", nargs="+", metavar="SOURCE", help="an id, platform:topic, or platform:kind:value")

    def handle(self, *args: Any, **options: Any) -> None:
        sources = [self._source(text) for text in options["sources"]]
        bad = 0
        try:
            for source in sources:
                bad += not self._look_at(source)
        finally:
            browser.close()
        if bad:
            raise CommandError(f"{bad} of {len(sources)} sources could not be read.")

    def _source(self, text: str) -> Source:
        if text.isdecimal():
            try:
                return Source.objects.get(pk=int(text))
            except (Source.DoesNotExist, OverflowError):
                raise CommandError(f"There is no source {text}.") from None
        platform, _colon, rest = text.partition(":")
        if platform not in registry.PLATFORMS or not rest:
            raise CommandError(f"{text!r} is neither an id nor platform:topic. Platforms: {', '.join(registry.PLATFORMS)}.")
        kind, colon, value = rest.partition(":")
        if not colon or kind not in SourceKind.values:
            kind, value = SourceKind.TOPIC.value, rest
        source = Source(workspace=first_workspace(), platform=platform, kind=kind, value=value.strip())
        known = Source.objects.filter(workspace=source.workspace, platform=platform, kind=kind, value=source.value).first()
        if known is None:
            source.full_clean()
            source.save()
        return known or source

    def _look_at(self, source: Source) -> bool:
        """Whether it went well. The look is a job like any other: where a worker takes it first, its end is waited for."""
        job, kind = scan_now(source), kinds.get("crawl")
        while job.state not in FINAL:
            if job.state == State.RUNNING:
                time.sleep(LOOK_EVERY_SECONDS)
            elif not drain(kind, most=1):
                break  # paused, or to be tried again later
            job.refresh_from_db()
        counts = ", ".join(f"{name} {count}" for name, count in job.counts.items()) or "nothing seen"
        reason = f" ({job.error})" if job.error else ""
        self.stdout.write(f"{source}: {job.outcome or job.state}{reason}; {job.pages} pages; {counts}.")
        return bool(job.state == State.COMPLETED)
