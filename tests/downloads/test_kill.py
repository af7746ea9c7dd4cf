"""Real workers, killed in the middle: what they held comes back, ends well, and is stored once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from PIL import Image

from config import engines
from config.settings import BASE_DIR
from crawler.models import Video
from downloads import services, storage, upkeep, wanting, workplace
from downloads.models import Asset, AssetJob, AssetRole, AssetState, DownloadJob, IncomingObject, StoredObject
from jobs.models import State
from jobs.services import rescue
from tests.downloads.conftest import MakeClip, use_media
from tests.downloads.servers import Asked, http, running_liar
from tests.factories import VideoFactory

pytestmark = pytest.mark.django_db(transaction=True)


class Worker:
    """A Celery worker's job loop in a process of its own, on the tests' database."""

    def __init__(self, env: dict[str, str], log: Path, kind: str = "download") -> None:
        url = urlsplit(engines.database_url())._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "work", kind],
                cwd=BASE_DIR,
                env=os.environ
                | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.downloads.worker_settings", "POLL_INTERVAL": "0.2"}
                | env,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start_worker(settings: Any, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []
    settings.TEMP_DIR = tmp_path / "tmp"
    use_media(settings, f"file:{tmp_path / 'media'}")

    def start(kind: str = "download", **env: str) -> Worker:
        places = {"MEDIA_STORAGE": f"file:{tmp_path / 'media'}", "TEST_TEMP_DIR": str(tmp_path / "tmp")}
        worker = Worker(places | env, tmp_path / f"worker{len(workers)}.log", kind)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.process.poll() is None:
            worker.kill()


PATIENCE = 240.0
"""Seconds; a process starts in two, but a machine may be busy."""


def until(is_reached: Callable[[], Any], seconds: float = PATIENCE) -> None:
    ends = time.monotonic() + seconds
    while not is_reached():
        if time.monotonic() > ends:
            pytest.fail(f"not reached in {seconds} s")
        time.sleep(0.02)


def end_lease() -> None:
    """As if the minute of the lease were over. What its worker sent last may renew it after us: then another minute."""

    def is_rescued() -> bool:
        DownloadJob.objects.filter(state=State.RUNNING).update(lease_until="2020-01-01T00:00:00Z")
        return bool(rescue())

    until(is_rescued)
    DownloadJob.objects.filter(state=State.RETRYING).update(scheduled_at="2020-01-01T00:00:00Z")


def state() -> str:
    return DownloadJob.objects.get().state


class SlowSite:
    """One clip, sent at a pace until told otherwise; from its middle on byte by byte, so that it does not end before."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.is_slow = True
        self.starts: list[int] = []

    def answer(self, asked: Asked) -> Any:
        start = 0
        if asked.headers.get("range"):
            start = int(asked.headers["range"].removeprefix("bytes=").rstrip("-"))
        self.starts.append(start)
        facts = {"ETag": '"v1"', "Content_Length": str(len(self.content) - start)}
        if start:
            facts["Content_Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        return self._pieces(http(206 if start else 200, b"", **facts), start)

    def _pieces(self, head: bytes, start: int) -> Iterator[bytes]:
        yield head
        at = start
        while at < len(self.content):
            step = 1 if self.is_slow and at > len(self.content) // 2 else 20_000
            yield self.content[at : at + step]
            at += step
            if self.is_slow:
                time.sleep(0.1)


@pytest.fixture
def site(make_clip: MakeClip) -> Iterator[tuple[SlowSite, str]]:
    slow = SlowSite(make_clip("long.mp4", seconds=6).read_bytes())
    with running_liar() as liar:
        yield slow, liar.serve("/clip.mp4", slow.answer)


def video_at(url: str) -> Video:
    media = [{"url": url, "expires_at": None, "width": 360, "height": 640, "bitrate": 1, "codec": "h264", "size": None}]
    video: Video = VideoFactory.create(media=media, duration_ms=6000)
    return video


def check_stored_once() -> None:
    assert DownloadJob.objects.get().state == State.COMPLETED, DownloadJob.objects.get().error
    assert Asset.objects.filter(role=AssetRole.VIDEO).count() == 1
    found = upkeep.audit()
    assert (found.missing, found.wrong, found.unclaimed) == ([], [], [])
    assert found.rows == found.listed == StoredObject.objects.count()
    assert IncomingObject.objects.count() == 0


def test_a_download_killed_mid_file_goes_on_elsewhere(start_worker: Callable[..., Worker], site: tuple[SlowSite, str]) -> None:
    slow, url = site
    hosts = {"FETCH_ALLOWED_HOSTS": urlsplit(url).netloc}
    services.request_download(video_at(url))
    first = start_worker(**hosts)
    part = workplace.root() / f"job-{DownloadJob.objects.get().pk}" / "clip"
    until(lambda: part.exists() and part.stat().st_size > len(slow.content) // 4)

    first.kill()
    slow.is_slow = False
    assert state() == State.RUNNING
    end_lease()
    start_worker(**hosts)

    until(lambda: state() == State.COMPLETED)
    check_stored_once()
    assert DownloadJob.objects.get().attempt == 2
    assert slow.starts[-1] > 0, "it began again instead of going on"
    until(lambda: workplace.names() == [])


@pytest.mark.parametrize("point", ["before_put", "after_put", "after_commit"])
def test_a_kill_at_each_step_leaves_one_object(
    start_worker: Callable[..., Worker], site: tuple[SlowSite, str], point: str
) -> None:
    slow, url = site
    slow.is_slow = False
    hosts = {"FETCH_ALLOWED_HOSTS": urlsplit(url).netloc}
    services.request_download(video_at(url))

    first = start_worker(**hosts, FAULT_POINT=point)
    assert first.process.wait(PATIENCE) == -signal.SIGKILL
    if state() != State.COMPLETED:
        end_lease()
        start_worker(**hosts)

    until(lambda: state() == State.COMPLETED)
    upkeep.clear_temporary_files()
    check_stored_once()
    until(lambda: workplace.names() == [])  # the job is recorded as completed before its folder is removed


def test_a_worker_that_lost_its_lease_changes_nothing(start_worker: Callable[..., Worker], site: tuple[SlowSite, str]) -> None:
    slow, url = site
    hosts = {"FETCH_ALLOWED_HOSTS": urlsplit(url).netloc}
    services.request_download(video_at(url))
    first = start_worker(**hosts)
    part = workplace.root() / f"job-{DownloadJob.objects.get().pk}" / "clip"
    until(lambda: part.exists() and part.stat().st_size > 10_000)
    first.process.send_signal(signal.SIGSTOP)

    slow.is_slow = False
    end_lease()
    start_worker(**hosts)
    until(lambda: state() == State.COMPLETED)
    completed = DownloadJob.objects.get()
    until(lambda: len(workplace.names()) == 1)  # the first one's, which it still holds
    first.process.send_signal(signal.SIGCONT)

    # Its folder can be cleared only once it has let go.
    until(lambda: upkeep.clear_temporary_files() and workplace.names() == [])
    check_stored_once()
    assert DownloadJob.objects.get().fence == completed.fence


def test_a_stopping_worker_hands_its_download_back(start_worker: Callable[..., Worker], site: tuple[SlowSite, str]) -> None:
    slow, url = site
    hosts = {"FETCH_ALLOWED_HOSTS": urlsplit(url).netloc}
    services.request_download(video_at(url))
    first = start_worker(**hosts)
    part = workplace.root() / f"job-{DownloadJob.objects.get().pk}" / "clip"
    until(lambda: part.exists() and part.stat().st_size > 10_000)

    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(PATIENCE) == 0

    job = DownloadJob.objects.get()
    assert (job.state, job.attempt, job.error_code) == (State.PENDING, 0, "handed_back")
    slow.is_slow = False
    start_worker(**hosts)
    until(lambda: state() == State.COMPLETED)
    check_stored_once()
    assert storage.media().size_of(StoredObject.objects.get(mime="video/mp4").key) == len(slow.content)


def test_hundreds_of_covers_survive_workers_that_are_killed(start_worker: Callable[..., Worker]) -> None:
    """None is lost, none is stored without its row, and what the dead ones left behind is cleared."""
    count = 160
    contents = [_picture(number) for number in range(count)]
    with running_liar() as liar:
        urls = [liar.serve(f"/{number}.jpeg", http(200, content)) for number, content in enumerate(contents)]
        wanting.want([VideoFactory.create(cover_url=url).pk for url in urls])
        hosts = {"FETCH_ALLOWED_HOSTS": urlsplit(urls[0]).netloc}
        workers = [start_worker("asset", **hosts) for _ in range(2)]
        for turn, share in enumerate((0.2, 0.45, 0.7)):
            until(lambda share=share: _covers() > count * share)
            workers[turn % 2].kill()
            AssetJob.objects.filter(state=State.RUNNING).update(lease_until="2020-01-01T00:00:00Z")
            rescue()
            workers[turn % 2] = start_worker("asset", **hosts)
        until(lambda: not AssetJob.objects.exclude(state=State.COMPLETED).exists())
        for worker in workers:
            worker.kill()

    assert _covers() == count
    upkeep.clear_temporary_files()
    found = upkeep.audit()
    assert (found.missing, found.wrong) == ([], [])
    assert StoredObject.objects.filter(mime="image/jpeg").count() == count
    assert {name for name in workplace.names() if "together" not in name} == set()


def _covers() -> int:
    return Asset.objects.filter(state=AssetState.READY).count()


def _picture(number: int) -> bytes:
    """Each another one: its number in black and white."""
    buffer = BytesIO()
    image = Image.new("RGB", (90, 160), "white")
    for bit in range(8):
        if number >> bit & 1:
            image.paste("black", (0, 20 * bit, 90, 20 * bit + 20))
    image.save(buffer, "JPEG")
    return buffer.getvalue()
