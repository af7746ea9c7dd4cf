"""The storage full, refusing or stumbling: jobs wait with one reason, nothing is lost, and it goes on by itself."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.models import Video
from downloads import circuit, failover, services, storage, upkeep
from downloads.errors import StorageError
from downloads.models import Asset, DownloadJob, Extractor, IncomingObject, StoredObject
from downloads.stores.local import LocalStore
from jobs import kinds
from jobs.errors import TransientError
from jobs.models import PausedKind, State
from jobs.runner import drain
from tests.downloads.conftest import use_media
from tests.downloads.servers import Liar, file_answer, running_liar
from tests.factories import StoredObjectFactory, VideoFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def liar(settings: Any, tmp_path: Path) -> Iterator[Liar]:
    use_media(settings, f"file:{tmp_path / 'media'}")
    settings.TEMP_DIR = tmp_path / "tmp"
    with running_liar() as running:
        settings.FETCH_ALLOWED_HOSTS = [f"127.0.0.1:{running.port}"]
        yield running


@pytest.fixture
def video(liar: Liar, clip: Path) -> Video:
    url = liar.serve("/clip", file_answer(clip.read_bytes()))
    media = [{"url": url, "expires_at": None, "width": 360, "height": 640, "bitrate": 1, "codec": "h264", "size": None}]
    video: Video = VideoFactory.create(media=media, duration_ms=3000)
    return video


def attempt(video: Video) -> DownloadJob:
    job = services.request_download(video).job
    drain(kinds.get("download"), most=1)
    job.refresh_from_db()
    return job


@pytest.fixture(params=["storage_full", "storage_refused"])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    number = errno.ENOSPC if request.param == "storage_full" else errno.EROFS

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refuse)
        patch.setattr(LocalStore, "try_write", lambda self: (_ for _ in ()).throw(StorageError("no", code=request.param)))
        yield request.param


def test_a_broken_storage_pauses_all_downloads_once_and_costs_no_attempt(video: Video, broken: str) -> None:
    job = attempt(video)

    assert (job.state, job.attempt, job.error_code, job.outcome) == (State.PENDING, 0, broken, "storage")
    assert set(PausedKind.objects.values_list("kind", flat=True)) == {"download", "asset"}
    services.request_download(VideoFactory.create())
    assert drain(kinds.get("download")) == 0
    assert circuit.check() == {}
    assert StoredObject.objects.count() == Asset.objects.count() == 0


def test_when_the_storage_is_well_again_downloads_go_on(video: Video) -> None:
    circuit.pause(StorageError("The bucket refuses us.", code="storage_refused"))
    assert attempt(video).state == State.PENDING

    assert circuit.check() == {"resumed": 2}

    assert attempt(video).state == State.COMPLETED


def test_a_persons_own_pause_is_left_alone() -> None:
    PausedKind.objects.create(kind="download", reason="moving house")

    circuit.pause(StorageError("full", code="storage_full"))
    circuit.check()

    assert PausedKind.objects.get().reason == "moving house"


def test_little_room_stops_the_claims_before_anything_breaks(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "LEAST_FREE_BYTES", 2**60)

    assert circuit.check() == {"paused": 1}

    assert attempt(video).state == State.PENDING
    assert "full" in PausedKind.objects.get(kind="download").reason


def test_a_full_disk_while_fetching_is_waited_out(liar: Liar, video: Video, settings: Any, tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(room)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount")
    try:
        settings.TEMP_DIR = room

        job = attempt(video)

        assert (job.state, job.attempt, job.error_code) == (State.PENDING, 0, "storage_full")
    finally:
        subprocess.run(["umount", str(room)], check=True)
    settings.TEMP_DIR = tmp_path / "tmp"
    PausedKind.objects.all().delete()
    DownloadJob.objects.update(scheduled_at="2020-01-01T00:00:00Z")
    assert attempt(video).state == State.COMPLETED


def test_a_stumbling_storage_is_waited_for_with_patience_that_ends(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(self: LocalStore, *_: Any, **__: Any) -> bool:
        raise StorageError("The bucket answered SlowDown.")

    monkeypatch.setattr(LocalStore, "put", stumble)
    states = []
    for _ in range(15):
        job = attempt(video)
        states.append((job.state, job.attempt))
        DownloadJob.objects.update(scheduled_at="2020-01-01T00:00:00Z")

    assert states[:12] == [(State.PENDING, 0)] * 12
    assert states[12] == (State.RETRYING, 1)
    assert PausedKind.objects.count() == 0


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_bucket_takes_the_whole_way_of_a_download(
    liar: Liar, video: Video, settings: Any, place: Callable[..., str], kind: str
) -> None:
    use_media(settings, place(kind))

    refused = attempt(video)
    assert (refused.state, refused.error_code) == (State.PENDING, "storage_refused")
    assert circuit.check() == {}

    storage.media().ensure_ready(["http://localhost:8000"])
    assert circuit.check() == {"resumed": 2}
    DownloadJob.objects.update(scheduled_at="2020-01-01T00:00:00Z")

    assert attempt(video).state == State.COMPLETED
    found = upkeep.audit()
    assert (found.rows, found.listed, found.missing, found.wrong, found.unclaimed) == (4, 4, [], [], [])


def test_the_audit_finds_what_is_missing_wrong_and_unclaimed(video: Video) -> None:
    attempt(video)
    store: Any = storage.media()
    rows = list(StoredObject.objects.order_by("pk"))
    gone, damaged = rows[0], rows[1]
    store.remove(gone.key)
    path = store.root / damaged.key
    path.chmod(0o644)
    path.write_bytes(b"x" * damaged.size)
    (store.root / "blobs/00/00").mkdir(parents=True)
    (store.root / "blobs/00/00/stray").write_bytes(b"stray")

    found = upkeep.audit()

    assert (found.missing, found.wrong, found.unclaimed) == ([gone.sha256], [damaged.sha256], ["blobs/00/00/stray"])
    assert not found.is_sound
    assert upkeep.audit(hashes=False).wrong == []


def test_old_announcements_and_ended_folders_are_cleared(settings: Any, tmp_path: Path) -> None:
    settings.TEMP_DIR = tmp_path
    (tmp_path / "downloads" / "job-999999").mkdir(parents=True)
    IncomingObject.objects.create(sha256="0" * 64, announced_at="2020-01-01T00:00:00Z")
    IncomingObject.objects.create(sha256="1" * 64)

    assert upkeep.clear_temporary_files() == {"folders": 1, "announcements": 1}


def test_extractors_rest_when_refused_and_after_failing_often() -> None:
    from crawler.providers.errors import Blocked

    rows = failover.extractors_for("douyin")
    assert [row.name for row in rows] == ["crawl_url", "ytdlp", "browser_page"]
    first, second, third = rows

    failover.note_failure(first, Blocked("no"))
    for _ in range(failover.FAILURES_TO_REST - 1):
        failover.note_failure(second, TransientError("reset"))
    first.refresh_from_db()
    second.refresh_from_db()
    assert failover.rest_left(first).total_seconds() > 200
    assert not failover.rest_left(second)

    failover.note_failure(second, TransientError("reset"))
    second.refresh_from_db()
    assert failover.rest_left(second)
    assert not failover.rest_left(third)
    assert [row.name for row in failover.extractors_for("link")] == ["crawl_url", "ytdlp", "browser_page"]
    assert Extractor.objects.filter(cooling_until=None).count() == 4


def test_a_job_that_waits_for_resting_extractors_says_why_they_rest(video: Video) -> None:
    for row in failover.extractors_for("douyin"):
        for _ in range(failover.FAILURES_TO_REST):
            failover.note_failure(row, TransientError(f"{row.name} got a page.", code="not_media"))

    job = attempt(video)

    assert (job.state, job.error_code) == (State.PENDING, "rate_limited")
    assert "ytdlp last said not_media: ytdlp got a page." in job.error


def test_an_extractor_is_not_asked_more_often_than_staff_allow() -> None:
    row = failover.extractors_for("douyin")[0]
    row.most_per_minute = 2

    used = [bool(failover.rest_left(row)) for _ in range(4)]

    assert used == [False, False, True, True]


def test_bytes_on_their_way_are_not_swept(video: Video) -> None:
    from downloads import objects

    sha256 = "ab" * 32
    IncomingObject.objects.create(sha256=sha256)
    StoredObjectFactory.create(sha256="cd" * 32)

    with objects.forgetting(sha256) as may_delete:
        assert not may_delete
    with objects.forgetting("cd" * 32) as may_delete:
        assert not may_delete
    with objects.forgetting("ef" * 32) as may_delete:
        assert may_delete
