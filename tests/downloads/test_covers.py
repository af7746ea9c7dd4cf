"""Covers and faces: fetched by small jobs, kept small and clean."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from crawler.models import Video
from downloads import covers, storage, workplace
from downloads.models import Asset, AssetState, CoverJob, StoredObject
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.downloads.conftest import use_media
from tests.downloads.servers import Liar, http, running_liar
from tests.factories import VideoFactory

pytestmark = pytest.mark.django_db(transaction=True)


def picture(color: str = "red") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (900, 1600), color).save(buffer, "JPEG", comment=b"secret")
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


def test_a_cover_and_a_face_are_kept_as_small_copies(liar: Liar) -> None:
    video = video_with(liar.serve("/c", http(200, picture())), liar.serve("/a", http(200, picture("blue"))))
    assert covers.want([video.pk]) == 2

    drain(kinds.get("cover"))

    assert set(CoverJob.objects.values_list("state", flat=True)) == {State.COMPLETED}
    cover = Asset.objects.select_related("object").get(video=video, role="cover")
    face = Asset.objects.select_related("object").get(author=video.author, role="avatar")
    assert cover.object is not None
    assert face.object is not None
    assert (cover.state, cover.object.mime, cover.object.width, cover.object.height) == ("ready", "image/webp", 405, 720)
    assert (face.object.width, face.object.height) == (90, 160)
    assert b"secret" not in b"".join(storage.media().read(cover.object.key))
    assert liar.asked[0].headers["referer"] == "https://www.douyin.com/"
    assert workplace.names() == []


def test_the_same_cover_twice_is_one_object(liar: Liar) -> None:
    url = liar.serve("/c", http(200, picture()))
    covers.want([video_with(url).pk, video_with(url).pk])

    drain(kinds.get("cover"))

    assert Asset.objects.filter(state=AssetState.READY).count() == 2
    assert StoredObject.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (http(200, b"<html>no</html>"), State.RETRYING, "bad_picture"),
        (http(404), State.FAILED, "gone"),
        (http(403), State.RETRYING, "expired"),
        (http(429, Retry_After="60"), State.PENDING, "rate_limited"),
        (http(200, picture()[:3000]), State.RETRYING, "bad_picture"),
        (http(200, Content_Length="999999999"), State.FAILED, "too_large"),
    ],
)
def test_a_cover_that_cannot_be_had_says_why(liar: Liar, answer: bytes, state: State, code: str) -> None:
    covers.want([video_with(liar.serve("/c", answer)).pk])

    drain(kinds.get("cover"), most=1)

    job = CoverJob.objects.get()
    assert (job.state, job.error_code) == (state, code)
    asset = Asset.objects.get()
    assert (asset.state, asset.object) == (AssetState.FAILED if state == State.FAILED else AssetState.WANTED, None)
    assert list(storage.media().entries()) == []


def test_one_bad_cover_does_not_keep_the_others(liar: Liar) -> None:
    bad = video_with(liar.serve("/bad", http(404)))
    good = [video_with(liar.serve(f"/{n}", http(200, picture()))) for n in range(4)]
    covers.want([bad.pk, *(video.pk for video in good)])

    drain(kinds.get("cover"))

    assert Asset.objects.filter(state=AssetState.READY).count() == 4


def test_what_was_missed_is_found(liar: Liar) -> None:
    video_with(liar.serve("/c", http(200, picture())))

    assert covers.find_missed() == {"enqueued": 1}
    assert covers.find_missed() == {}
    drain(kinds.get("cover"))
    assert Asset.objects.get().state == AssetState.READY
