from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from downloads.errors import StorageError
from monitoring import cleanup, sweeping
from monitoring.passes import only_one, record


class Command(BaseCommand):
    help = "Removes old low-viral videos and the bytes that nobody uses. Keeps what surged, what people downloaded and our own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="list what would go, and change nothing")
        parser.add_argument("--force", action="store_true", help="even if more than half of the videos would go")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._list()
            return
        with only_one("cleanup") as is_ours, only_one("sweep") as is_ours_too:
            if not (is_ours and is_ours_too):
                raise CommandError("A clean-up is running already.")
            self._clean_up(force=options["force"])

    def _list(self) -> None:
        now = timezone.now()
        for video in cleanup.largest_first(cleanup.candidates(now)).iterator(chunk_size=500):
            title = "".join(char if char.isprintable() else " " for char in str(video))
            self.stdout.write(f"{video.pk:>10}  {video.last_seen_at:%Y-%m-%d}  {video.score.classic:>12.1f}  {title}")
        going = cleanup.plan(now)
        self.stdout.write(
            f"Would remove {going.videos} videos with {going.snapshots} snapshots, "
            f"and release {going.objects} objects of {filesizeformat(going.bytes)}."
        )
        try:
            cleanup.check(now)
        except cleanup.CleanupRefused as error:
            self.stdout.write(f"It would be refused: {error}")

    def _clean_up(self, *, force: bool) -> None:
        try:
            with record("cleanup") as counts:
                gone = cleanup.clean_up(timezone.now(), force=force)
                counts.update(gone.as_counts())
            with record("sweep") as counts:
                swept = sweeping.sweep(timezone.now())
                counts.update(swept.as_counts())
        except (cleanup.CleanupRefused, sweeping.SweepRefused, StorageError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Removed {gone.videos} videos with {gone.snapshots} snapshots, "
            f"and released {gone.objects} objects of {filesizeformat(gone.bytes)}."
        )
        self.stdout.write(f"Deleted {swept.deleted} objects of {filesizeformat(swept.bytes)}, unclaimed for two days.")
