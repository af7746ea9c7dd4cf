"""Do due jobs in this process, without Celery."""

import logging
import signal
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections

from jobs import kinds, lifecycle
from jobs.runner import DATABASE_GONE, drain
from jobs.services import rescue

logger = logging.getLogger(__name__)

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
        done = dict.fromkeys((kind.name for kind in chosen), 0)
        before = {number: signal.signal(number, lambda *_: lifecycle.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._work(chosen, done, is_draining=options["drain"])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        counts = ", ".join(f"{name} {count}" for name, count in done.items())
        self.stdout.write(f"Jobs done: {counts}.")

    def _work(self, chosen: list[kinds.JobKind], done: dict[str, int], *, is_draining: bool) -> None:
        while not lifecycle.is_stopping():
            before = sum(done.values())
            try:
                close_old_connections()
                rescue()
                for kind in chosen:
                    done[kind.name] += drain(kind, seconds=ROUND_SECONDS)
            except DATABASE_GONE:
                if is_draining:
                    raise
                logger.warning("The database does not answer", exc_info=True)
            if sum(done.values()) == before:
                if is_draining:
                    break
                _rest(settings.POLL_INTERVAL)


def _rest(seconds: float) -> None:
    until = time.monotonic() + seconds
    while not lifecycle.is_stopping() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.5))
