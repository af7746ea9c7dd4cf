"""Small things brought: fetched side by side, kept as clean copies, and saying why when they cannot be had."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from constance import config
from django.db import connection
from django.utils import timezone
from PIL import Image

from crawler.models import Video
from downloads import services, storage, upkeep, wanting, workplace
from downloads.models import Asset, AssetJob, AssetState, StoredObject
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.downloads.conftest import MakeClip, use_media
from tests.downloads.servers import Asked, Liar, http, running_liar
from tests.factories import SoundFactory, VideoFactory

pytestmark = pytest.mark.django_db(transaction=True)


def picture(color: str = "red", kind: str = "JPEG", size: tuple[int, int] = (900, 1600)) -> bytes:
    pillow_heif.register_heif_opener()
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    image.paste(color, (0, 0, size[0] // 2, size[1] // 3))
    buffer = BytesIO()
    image.save(buffer, kind, **({"comment": b"secret"} if kind == "JPEG" else {}))
    return buffer.getvalue()


@pytest.fixture
def liar(settings: Any, tmp_path: Path) -> Iterator[Liar]:
    use_media(settings, f"file:{tmp_path / 'media'}")
    settings.TEMP_DIR = tmp_path / "tmp"
    with running_liar() as running:
        settings.FETCH_ALLOWED_HOSTS = [f"127.0.0.1:{running.port}"]
        yield running


def video_with(cover: str, avatar: str = "") -> Video:
    video: Video = VideoFactory.create(cover_url=cover, author__avatar_url=avatar)
    return video


def carousel_with(*mirrors: list[str]) -> Video:
    video: Video = VideoFactory.create(carousel=True, slides=[{"urls": urls} for urls in mirrors])
    return video


def bring_all() -> int:
    return drain(kinds.get("asset"))


def content_of(row: StoredObject | None) -> bytes:
    assert row is not None
    return b"".join(storage.media().read(row.key))


def test_a_cover_and_a_face_are_kept_as_clean_copies(liar: Liar) -> None:
    video = video_with(liar.serve("/c", http(200, picture())), liar.serve("/a", http(200, picture("blue"))))
    wanting.want([video.pk])

    assert bring_all() == 2

    assert set(AssetJob.objects.values_list("state", "outcome")) == {(State.COMPLETED, "stored")}
    cover = Asset.objects.select_related("object__small", "object__medium").get(video=video, role="cover").object
    face = Asset.objects.select_related("object__small").get(author=video.author, role="avatar").object
    assert cover is not None
    assert face is not None
    assert [(each.mime, each.width, each.height) for each in (cover, cover.medium, cover.small, face, face.small) if each] == [
        ("image/jpeg", 720, 1280),
        ("image/webp", 720, 1280),
        ("image/webp", 240, 427),
        ("image/jpeg", 240, 427),
        ("image/webp", 240, 427),
    ]
    assert cover.phash is not None
    assert b"secret" not in content_of(cover)
    assert liar.asked[0].headers["referer"] == "https://www.douyin.com/"
    assert workplace.names() == []
    assert upkeep.audit().is_sound


def test_the_same_cover_twice_is_stored_once(liar: Liar) -> None:
    url = liar.serve("/c", http(200, picture()))
    wanting.want([video_with(url).pk, video_with(url).pk])

    bring_all()

    assert Asset.objects.filter(state=AssetState.READY).count() == 2
    assert StoredObject.objects.count() == 3


def test_of_a_heic_slide_a_jpeg_is_shown_and_the_original_kept(liar: Liar) -> None:
    heic, jpeg = picture(kind="HEIF"), picture("blue")
    video = carousel_with([liar.serve("/0", http(200, heic))], [liar.serve("/1", http(200, jpeg))])
    wanting.want([video.pk])

    bring_all()

    first, second = Asset.objects.filter(role="slide").select_related("object", "original").order_by("position")
    assert first.object is not None
    assert first.original is not None
    assert (first.object.mime, first.object.width, first.original.mime) == ("image/jpeg", 900, "image/heic")
    assert content_of(first.original) == heic
    assert second.original is None
    assert content_of(second.object) == jpeg


def test_a_sound_is_kept_as_it_is(liar: Liar, make_clip: MakeClip) -> None:
    content = make_clip("s.mp3", options=("-vn", "-c:a", "libmp3lame")).read_bytes()
    sound = SoundFactory.create(play_url=liar.serve("/s", http(200, content)))
    video = VideoFactory.create(sound=sound)
    wanting.want([video.pk])

    bring_all()

    kept = Asset.objects.select_related("object").get(sound=sound).object
    assert kept is not None
    assert (kept.mime, content_of(kept)) == ("audio/mpeg", content)
    assert kept.duration_ms is not None
    assert 2900 < kept.duration_ms < 3200


def test_mirrors_are_asked_in_turn(liar: Liar) -> None:
    broken = liar.serve("/broken", http(200, picture()[:3000]))
    page = liar.serve("/page", http(200, b"<html>no</html>"))
    good = liar.serve("/good", http(200, picture()))
    wanting.want([carousel_with([liar.serve("/gone", http(404)), page, broken, good], [broken, good]).pk])

    bring_all()

    assert set(AssetJob.objects.values_list("state", flat=True)) == {State.COMPLETED}


@pytest.mark.parametrize("is_alone", [True, False])
@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (http(200, b"<html>no</html>"), State.RETRYING, "not_a_picture"),
        (http(404), State.FAILED, "gone"),
        (http(403), State.RETRYING, "expired"),
        (http(429, Retry_After="60"), State.PENDING, "rate_limited"),
        (http(200, picture()[:3000]), State.RETRYING, "truncated"),
        (http(200, picture(size=(10_200, 10_200))), State.FAILED, "picture_too_large"),
        (http(200, Content_Length="999999999"), State.FAILED, "too_large"),
    ],
)
def test_a_cover_that_cannot_be_had_says_why(liar: Liar, answer: bytes, state: State, code: str, is_alone: bool) -> None:
    bad = video_with(liar.serve("/c", answer))
    good = [] if is_alone else [video_with(liar.serve(f"/{n}", http(200, picture()))).pk for n in range(2)]
    wanting.want([bad.pk, *good])

    drain(kinds.get("asset"), most=1 + len(good))

    asset = Asset.objects.get(video=bad)
    job = AssetJob.objects.get(asset=asset)
    assert (job.state, job.error_code) == (state, code)
    assert (asset.state, asset.object) == (AssetState.FAILED if state == State.FAILED else AssetState.WANTED, None)
    assert Asset.objects.filter(state=AssetState.READY).count() == len(good), "the others are none the worse"


def test_three_tries_two_seconds_apart_and_then_four(liar: Liar) -> None:
    wanting.want([video_with(liar.serve("/c", http(500))).pk])

    pauses = []
    for _ in range(3):
        AssetJob.objects.update(scheduled_at=timezone.now())
        drain(kinds.get("asset"), most=1)
        job = AssetJob.objects.get()
        pauses.append(job.scheduled_at - datetime.fromisoformat(job.history[-1]["at"]))  # one moment of the database

    assert pauses[:2] == [timedelta(seconds=2), timedelta(seconds=4)]
    assert (job.state, job.attempt) == (State.FAILED, 3)
    assert Asset.objects.get().state == AssetState.FAILED


def test_a_fresh_address_brings_what_an_expired_one_did_not(liar: Liar) -> None:
    video = video_with(liar.serve("/old", http(404)))
    wanting.want([video.pk])
    bring_all()
    assert Asset.objects.get().state == AssetState.FAILED

    Video.objects.update(cover_url=liar.serve("/new", http(200, picture())))
    wanting.want([video.pk])
    bring_all()

    assert Asset.objects.get().state == AssetState.READY


def test_what_is_kept_is_replaced_only_when_the_new_one_is_there(liar: Liar) -> None:
    video = video_with(liar.serve("/c", http(200, picture())))
    wanting.want([video.pk])
    bring_all()
    old = Asset.objects.get().object

    liar.serve("/c", http(404))
    wanting.want([video.pk], is_forced=True)
    bring_all()
    assert (Asset.objects.get().state, Asset.objects.get().object) == (AssetState.READY, old)

    liar.serve("/c", http(200, picture("green")))
    wanting.want([video.pk], is_forced=True)
    bring_all()
    assert Asset.objects.get().object not in (None, old)


def test_what_a_download_brought_meanwhile_is_not_fetched_twice(liar: Liar) -> None:
    video = carousel_with([liar.serve("/0", http(200, picture()))], [liar.serve("/1", http(200, picture("blue")))])
    wanting.want([video.pk])
    services.request_download(video, session_key="s")
    drain(kinds.get("download"))
    asked = len(liar.asked)

    bring_all()

    assert set(AssetJob.objects.values_list("state", "outcome")) == {(State.COMPLETED, "kept")}
    assert len(liar.asked) == asked


def test_no_more_run_at_once_than_staff_allow(liar: Liar) -> None:
    config.MOST_ASSETS_AT_ONCE = 2
    asked, answered = threading.Semaphore(0), threading.Event()

    def held(_asked: Asked) -> bytes:
        asked.release()
        answered.wait(60)
        return http(200, picture())

    def work() -> None:
        drain(kinds.get("asset"))
        connection.close()

    wanting.want([video_with(liar.serve(f"/{n}", held)).pk for n in range(6)])
    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
        assert asked.acquire(timeout=60)

    assert bring_all() == 0, "two are under way"
    answered.set()
    for worker in workers:
        worker.join()
    bring_all()

    assert AssetJob.objects.filter(state=State.COMPLETED).count() == 6


def test_a_job_whose_worker_died_counts_until_it_is_rescued(liar: Liar) -> None:
    config.MOST_ASSETS_AT_ONCE = 1
    wanting.want([video_with(liar.serve(f"/{n}", http(200, picture()))).pk for n in range(2)])
    assert AssetJob.objects.claim() is not None

    assert AssetJob.objects.claim() is None
    AssetJob.objects.filter(state=State.RUNNING).update(lease_until=timezone.now() - timedelta(seconds=1))
    AssetJob.objects.rescue()

    assert AssetJob.objects.claim() is not None
