"""Download videos now, in this process."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from crawler.models import Video
from downloads.errors import TooManyWaiting
from downloads.models import DownloadJob, Quality
from downloads.services import request_download
from jobs import kinds
from jobs.models import State
from jobs.runner import drain


class Command(BaseCommand):
    help = "Asks for videos by their number or their id on the platform, and does what is due until they have ended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("videos", nargs="+", metavar="VIDEO", help="our number or the platform's id")
        parser.add_argument("--quality", choices=Quality.values, default=Quality.BEST.value)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            videos = [self._find(name) for name in options["videos"]]
            jobs = [request_download(video, options["quality"]).job for video in videos]
        except TooManyWaiting as error:
            raise CommandError(error.message) from error
        drain(kinds.get("download"))
        rows = DownloadJob.objects.filter(pk__in=[job.pk for job in jobs]).select_related("video")
        for job in rows:
            self.stdout.write(f"{job.video.external_id} {job.state} {job.error}".strip())
        done = sum(job.state == State.COMPLETED for job in rows)
        self.stdout.write(f"{done} of {len(rows)} downloaded.")
        if done < len(rows):
            raise CommandError("Some videos could not be downloaded.")

    def _find(self, name: str) -> Video:
        which = Q(external_id=name)
        if name.isdecimal() and len(name) < 19:
            which |= Q(pk=int(name))
        found = Video.objects.filter(which).first()
        if found is None:
            raise CommandError(f"There is no video {name}.")
        return found
