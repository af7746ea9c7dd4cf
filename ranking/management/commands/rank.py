"""Score videos anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ranking.services import rank, rank_all


class Command(BaseCommand):
    help = "Scores all videos, or those with the given ids, by their newest observation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("videos", nargs="*", type=int, metavar="VIDEO", help="ids (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        applied = rank(options["videos"]) if options["videos"] else rank_all()
        self.stdout.write(f"New observations scored: {applied}.")
