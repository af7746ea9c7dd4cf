"""Downloads of the sample platform's videos: real pages, real bytes, each fault with its own end."""

import hashlib
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crawler.cleaning import clean_external
from crawler.models import Video
from crawler.providers.douyin_parser import parse_listing
from crawler.recording import record
from downloads import bundles, services, status, storage, workplace
from downloads.models import Asset, AssetRole, AssetState, DownloadJob, Extractor, Quality, StoredObject
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.downloads.conftest import use_media
from tests.sample import Sample

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(sample: Sample, settings: Any, tmp_path: Path) -> Iterator[Sample]:
    """The sample platform as the platform, and an empty store."""
    settings.DOUYIN_URL = sample.web_url
    ports = [url.rpartition(":")[2] for url in (sample.web_url, sample.cdn_url)]
    settings.FETCH_ALLOWED_HOSTS = [f"{host}:{port}" for host in ("localhost", "127.0.0.1") for port in ports]
    settings.TEMP_DIR = tmp_path / "tmp"
    use_media(settings, f"file:{tmp_path / 'media'}")
    yield sample
    sample.clear_faults()


@pytest.fixture
def videos(site: Sample) -> list[Video]:
    """What one page of a search shows, recorded as a crawl would."""
    now = timezone.now()
    found = [clean_external(video, now) for video in parse_listing(site.search("猫"), base_url=site.web_url).videos]
    return list(Video.objects.filter(pk__in=record(found, source=None, at=now).video_ids).order_by("pk"))


@pytest.fixture
def clip_video(videos: list[Video]) -> Video:
    return next(video for video in videos if video.kind == "clip" and video.media)


@pytest.fixture
def carousel_video(videos: list[Video]) -> Video:
    return next(video for video in videos if video.kind == "carousel")


def work() -> None:
    drain(kinds.get("download"))


def fetch(video: Video, quality: str = "best") -> DownloadJob:
    """Ask, work once, and say how it went."""
    job = services.request_download(video, quality, session_key="s").job
    drain(kinds.get("download"), most=1)
    job.refresh_from_db()
    return job


def objects_in_store() -> dict[str, int]:
    return {item.key: item.size for item in storage.media().entries()}


def test_a_clip_is_brought_verified_and_stored_with_three_pictures(clip_video: Video) -> None:
    job = fetch(clip_video)

    assert (job.state, job.outcome, job.extractor) == (State.COMPLETED, "stored", "crawl_url"), job.error
    kept = Asset.objects.get(video=clip_video, role=AssetRole.VIDEO).object
    assert kept is not None
    assert hashlib.sha256(b"".join(storage.media().read(kept.key))).hexdigest() == kept.sha256
    assert kept.facts["video_codec"] == "h264"
    assert kept.height == clip_video.media[0]["height"]
    thumbnails = Asset.objects.filter(video=clip_video, role=AssetRole.THUMBNAIL)
    assert sorted(thumbnails.values_list("position", flat=True)) == [10, 50, 90]
    assert objects_in_store() == {row.key: row.size for row in StoredObject.objects.all()}
    assert list(workplace.root().glob("*")) == []


def test_a_carousel_brings_all_its_pictures_and_is_saved_as_one_zip(carousel_video: Video) -> None:
    job = fetch(carousel_video, "720")

    assert (job.state, job.quality) == (State.COMPLETED, "best"), job.error
    slides = Asset.objects.filter(video=carousel_video, role=AssetRole.SLIDE, state=AssetState.READY)
    assert slides.count() == len(carousel_video.slides)
    found = status.download_status(carousel_video)
    answer = Client().get(found.download_url or "")
    content = answer.getvalue()
    assert len(content) == int(answer["Content-Length"])
    names = zipfile.ZipFile(BytesIO(content)).namelist()
    assert len([name for name in names if name.startswith("slide")]) == slides.count()
    assert zipfile.ZipFile(BytesIO(content)).testzip() is None


def test_sound_is_taken_out_of_the_clip_that_is_kept(site: Sample, clip_video: Video) -> None:
    fetch(clip_video)
    site.set_fault("unreachable")

    job = fetch(clip_video, "audio")

    assert job.state == State.COMPLETED, job.error
    kept = Asset.objects.get(video=clip_video, role=AssetRole.AUDIO).object
    assert kept is not None
    assert (kept.mime, kept.width, kept.facts["audio_codec"]) == ("audio/mp4", None, "aac")
    assert abs((kept.duration_ms or 0) - (clip_video.duration_ms or 0)) < 1500


def test_sound_alone_is_fetched_where_nothing_is_kept(clip_video: Video) -> None:
    job = fetch(clip_video, "audio")

    assert job.state == State.COMPLETED, job.error
    assert not Asset.objects.filter(video=clip_video, role=AssetRole.VIDEO).exists()


@pytest.mark.parametrize(
    ("fault", "options", "state", "code"),
    [
        ("truncated", {}, State.RETRYING, "truncated"),
        ("wrong_length", {}, State.RETRYING, "wrong_length"),
        ("html_as_mp4", {}, State.RETRYING, "not_media"),
        ("gone", {}, State.FAILED, "gone"),
        ("ratelimit", {"value": 77}, State.PENDING, "rate_limited"),
        ("redirect_loop", {}, State.FAILED, "redirect_loop"),
        ("expired", {}, State.RETRYING, "expired"),
        ("unreachable", {"places": ["clip"]}, State.RETRYING, "server_error"),
    ],
)
def test_each_fault_ends_in_its_own_code_and_stores_nothing(
    site: Sample, clip_video: Video, fault: str, options: dict[str, Any], state: State, code: str
) -> None:
    site.set_fault(fault, video=clip_video.external_id, **options)

    job = fetch(clip_video)

    assert (job.state, job.error_code) == (state, code), job.error
    assert job.error
    assert objects_in_store() == {}
    assert not Asset.objects.filter(video=clip_video, role=AssetRole.VIDEO).exists()


def test_a_range_that_is_ignored_still_gives_the_right_file(site: Sample, clip_video: Video) -> None:
    site.set_fault("truncated", video=clip_video.external_id, count=50)
    first = fetch(clip_video)
    assert first.error_code == "truncated"
    site.clear_faults()
    site.set_fault("range_ignored", video=clip_video.external_id)

    first.run_again()
    work()

    first.refresh_from_db()
    assert first.state == State.COMPLETED, first.error


def test_a_video_that_is_gone_is_marked_and_not_asked_for_again(site: Sample, clip_video: Video) -> None:
    site.set_fault("gone", video=clip_video.external_id)
    job = fetch(clip_video)

    clip_video.refresh_from_db()
    again = services.request_download(clip_video, "best", session_key="other")

    assert clip_video.gone_at is not None
    assert job.attempt == 1
    assert again.job_id == job.pk
    assert status.download_status(clip_video).error_code == "gone"


def test_an_address_that_expired_is_asked_for_anew(site: Sample, clip_video: Video) -> None:
    mirrors = len([item for item in clip_video.media if item["height"] == clip_video.media[0]["height"]])
    site.set_fault("expired", video=clip_video.external_id, count=mirrors)

    job = fetch(clip_video)

    assert (job.state, job.extractor) == (State.COMPLETED, "ytdlp"), job.error
    kept = Asset.objects.get(video=clip_video, role=AssetRole.VIDEO).object
    assert kept is not None
    assert kept.height == clip_video.media[0]["height"]


def test_a_video_in_two_qualities_of_one_file_is_stored_once(clip_video: Video) -> None:
    only = clip_video.media[0]
    Video.objects.filter(pk=clip_video.pk).update(media=[only])
    clip_video.refresh_from_db()

    fetch(clip_video, "best")
    fetch(clip_video, "1080")

    assert Asset.objects.filter(video=clip_video, role=AssetRole.VIDEO).count() == 2
    assert Asset.objects.filter(video=clip_video, role=AssetRole.VIDEO).values("object").distinct().count() == 1


def test_extractors_are_rows_that_can_be_switched_off(site: Sample, clip_video: Video) -> None:
    for name in ("crawl_url", "ytdlp"):
        Extractor.objects.create(name=name, platform="douyin", is_enabled=False)

    job = fetch(clip_video)

    assert (job.state, job.extractor) == (State.COMPLETED, "browser_page"), job.error


def test_a_batch_is_one_zip_of_the_exact_length_that_was_promised(videos: list[Video]) -> None:
    clips = [video for video in videos if video.kind == "clip" and video.media][:2]
    batch = services.request_batch(clips, Quality.P540, session_key="s")
    assert bundles.batch_status(batch).status == "working"

    work()

    found = bundles.batch_status(batch)
    assert (found.status, found.ready, found.failed) == ("ready", 2, 0)
    answer = Client().get(found.download_url or "")
    content = answer.getvalue()
    assert len(content) == int(answer["Content-Length"]) == found.size
    assert zipfile.ZipFile(BytesIO(content)).testzip() is None
