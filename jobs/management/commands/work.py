"""Do due jobs in this process, without Celery."""

import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections

from jobs import kinds, lifecycle
from jobs.runner import drain
from jobs.services import rescue

LOOK_EVERY_SECONDS = 1.0
ROUND_SECONDS = 30.0  # then the other kinds have their turn, and lost jobs are rescued


class Command(BaseCommand):
    help = "Claims and does due jobs, as a worker would. Ctrl-C hands the running one back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kinds", nargs="*", help="kinds of job to do (default: all)")
        parser.add_argument("--drain", action="store_true", help="stop when nothing is due")

    def handle(self, *args: Any, **options: Any) -> None:
        known = {kind.name: kind for kind in kinds.all_kinds()}
        if unknown := sorted(set(options["kinds"]) - set(known)):
            raise CommandError(f"Unknown kind: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
        chosen = [known[name] for name in options["kinds"]] or list(known.values())
        signal.signal(signal.SIGTERM, lambda *_: lifecycle.stop())
        signal.signal(signal.SIGINT, lambda *_: lifecycle.stop())

        done = dict.fromkeys((kind.name for kind in chosen), 0)
        while not lifecycle.is_stopping():
            close_old_connections()
            rescue()
            found = 0
            for kind in chosen:
                count = drain(kind, seconds=ROUND_SECONDS)
                done[kind.name] += count
                found += count
            if not found:
                if options["drain"]:
                    break
                time.sleep(LOOK_EVERY_SECONDS)
        counts = ", ".join(f"{name} {count}" for name, count in done.items())
        self.stdout.write(f"Jobs done: {counts}.")
