"""Keeping the leases of the jobs that this process works on.

One thread per process renews them all in one statement per kind. It stops for a job that has been silent
for longer than its kind allows, or that is past its deadline: such a job loses its lease and is rescued.
"""

import functools
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from jobs import statements
from jobs.errors import DeadlinePassed, LeaseLost

if TYPE_CHECKING:
    from jobs.models import Job

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60
RENEW_EVERY_SECONDS = 15


def worker_name() -> str:
    """Names this worker in rows and lists: WORKER_ID, or host, with process and thread."""
    host = settings.WORKER_ID or _hostname()
    return f"{host}:{os.getpid()}:{threading.current_thread().name}"[:120]


@functools.cache
def _hostname() -> str:
    return socket.gethostname()


@dataclass(slots=True)
class Held:
    job: "Job"
    stall_after: float
    deadline: float
    """time.monotonic() after which the lease is no longer renewed."""
    lived_at: float = field(default_factory=time.monotonic)
    is_lost: bool = False

    def is_alive(self) -> bool:
        now = time.monotonic()
        return not self.is_lost and now < self.deadline and now - self.lived_at < self.stall_after


class Keeper:
    """The jobs held by this process, and the thread that renews their leases."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[str, int, int], Held] = {}
        self._thread: threading.Thread | None = None
        self._pid = 0

    @contextmanager
    def holding(self, job: "Job", *, stall_after: timedelta, deadline: timedelta) -> Iterator[None]:
        key = (job._meta.label, job.pk, job.fence)
        held = Held(job, stall_after.total_seconds(), time.monotonic() + deadline.total_seconds())
        with self._lock:
            self._held[key] = held
            self._start()
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(key, None)

    def touch(self, job: "Job") -> None:
        """The job proved that it lives. Raises LeaseLost if its lease is known to be lost, or its time is up."""
        held = self._held.get((job._meta.label, job.pk, job.fence))
        if held is None:
            return  # worked on by hand, without a keeper: the row itself is asked at the next write
        held.lived_at = time.monotonic()
        if held.is_lost:
            raise LeaseLost(f"{job} lost its lease")
        if held.lived_at > held.deadline:
            raise DeadlinePassed(f"{job} takes too long")

    def _start(self) -> None:
        if self._pid != os.getpid() or self._thread is None or not self._thread.is_alive():
            self._pid = os.getpid()  # a forked child has no copy of its parent's thread
            self._thread = threading.Thread(target=self._renew_forever, name="lease-keeper", daemon=True)
            self._thread.start()

    def _renew_forever(self) -> None:
        while True:
            time.sleep(RENEW_EVERY_SECONDS)
            try:
                with closing(connection):  # idle for 15 s: a connection of its own is not worth keeping
                    self.renew()
            except Exception:
                # Whatever it was, the thread must live: leases outlast a few missed rounds, jobs do not outlast their thread.
                logger.warning("Leases could not be renewed", exc_info=True)

    def renew(self) -> None:
        """Renew every lease whose job lives; mark those whose row is no longer ours."""
        with self._lock:
            alive = [held for held in self._held.values() if held.is_alive()]
        by_table: dict[str, list[Held]] = {}
        for held in alive:
            by_table.setdefault(held.job._meta.db_table, []).append(held)
        for table, group in by_table.items():
            parameters: dict[str, Any] = {
                "ids": statements.numbers(held.job.pk for held in group),
                "fences": statements.numbers(held.job.fence for held in group),
                "lease": LEASE_SECONDS,
            }
            still_held = set(statements.execute(statements.renew(table), parameters))
            for held in group:
                held.is_lost = (held.job.pk, held.job.fence) not in still_held


keeper = Keeper()
