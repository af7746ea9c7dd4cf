"""What retention lets go and what it keeps; that in doubt nothing goes; that bytes outlive their row by two days."""

import os
from datetime import timedelta
from io import StringIO

import pytest
from constance.test import override_config
from django.core.management import CommandError, call_command
from django.utils import timezone

from crawler.models import MetricSnapshot, SourceVideo, Video
from downloads import objects, storage
from downloads.models import Asset, DownloadJob, IncomingObject, StoredObject
from monitoring import cleanup, sweeping, tasks
from monitoring.models import Pass, UnclaimedObject
from ranking.models import Milestone
from tests.factories import (
    AssetFactory,
    BatchFactory,
    DownloadJobFactory,
    DownloadRequestFactory,
    MetricSnapshotFactory,
    ScoreFactory,
    SourceFactory,
    SourceVideoFactory,
    StoredObjectFactory,
    SurgeFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OLD = NOW - timedelta(days=31)


@pytest.fixture(autouse=True)
def _no_sample(db):
    with override_config(RETENTION_SAMPLE_PERCENT=0):
        yield


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    """An empty media storage of the test's own."""
    from downloads import locations

    settings.STORAGES = {
        **settings.STORAGES,
        "media": locations.storage_settings(f"file:{tmp_path / 'media'}", base=tmp_path),
    }
    return tmp_path / "media"


def old_video(classic=10.0, **facts):
    """Old and low: a candidate, unless its other facts save it."""
    video = VideoFactory(last_seen_at=OLD)
    ScoreFactory(video=video, classic=classic, **facts)
    return video


def clean_up(**options):
    VideoFactory(last_seen_at=NOW)  # something was seen today
    return cleanup.clean_up(NOW, **options)


def store(content, *, age=timedelta(days=9), media):
    """Bytes in the storage, as old as that, and their row not yet."""
    sha256, size = objects.store_bytes(content, mime="video/mp4", folder=media.parent)
    IncomingObject.objects.all().delete()
    path = media / storage.key_of(sha256)
    then = (NOW - age).timestamp()
    os.utime(path, (then, then))
    return sha256, size, path


def test_old_low_videos_go_with_their_numbers_scores_and_jobs():
    video = old_video()
    MetricSnapshotFactory.create_batch(1, video=video)
    MetricSnapshotFactory(video=video, observed_at=OLD)
    SourceVideoFactory(video=video)
    DownloadJobFactory(video=video, completed=True)
    DownloadRequestFactory(job=DownloadJob.objects.get(), automatic=True)
    kept = MetricSnapshotFactory()

    outcome = clean_up()

    assert (outcome.videos, outcome.snapshots) == (1, 2)
    assert not Video.objects.filter(pk=video.pk).exists()
    assert list(MetricSnapshot.objects.values_list("video_id", flat=True)) == [kept.video_id]
    assert SourceVideo.objects.count() == DownloadJob.objects.count() == 0


@pytest.mark.parametrize(
    "save",
    [
        lambda video: Video.objects.filter(pk=video.pk).update(last_seen_at=NOW - timedelta(days=29)),
        lambda video: type(video.score).objects.filter(pk=video.pk).update(classic=1000.0),
        lambda video: type(video.score).objects.filter(pk=video.pk).update(is_surging=True),
        lambda video: type(video.score).objects.filter(pk=video.pk).update(surged_at=OLD),
        lambda video: SurgeFactory(video=video, alerted=True),
        lambda video: Milestone.objects.create(video=video, reached_at=OLD),
        lambda video: video.score.delete(),
        lambda video: DownloadRequestFactory(job=DownloadJobFactory(video=video, completed=True)),
        lambda video: DownloadRequestFactory(job=DownloadJobFactory(video=video, failed=True), anonymous=True),
        lambda video: BatchFactory(jobs=[DownloadJobFactory(video=video, completed=True)]),
        lambda video: DownloadJobFactory(video=video),
        lambda video: DownloadJobFactory(video=video, running=True),
        lambda video: SourceVideoFactory(video=video, source=SourceFactory(is_own=True)),
    ],
    ids=["recent", "high", "surging", "surged once", "foretold", "arrived", "never scored", "wanted", "wanted by a session",
         "in a batch", "waiting",
         "on its way", "our own"],
)  # fmt: skip
def test_what_somebody_may_need_is_kept(save):
    video = old_video()
    save(video)

    assert clean_up().videos == 0
    assert Video.objects.filter(pk=video.pk).exists()


def test_a_sample_is_kept_and_is_the_same_every_time():
    videos = [old_video() for _ in range(90)]
    with override_config(RETENTION_SAMPLE_PERCENT=20):
        first = set(cleanup.candidates(NOW).values_list("pk", flat=True))
        clean_up(force=True)
        second = set(cleanup.candidates(NOW).values_list("pk", flat=True))

    spared = set(Video.objects.filter(pk__in=[video.pk for video in videos]).values_list("pk", flat=True))
    assert 5 <= len(spared) <= 35
    assert spared == {video.pk for video in videos} - first
    assert second == set()


def test_the_pass_removes_more_than_one_batch(monkeypatch):
    monkeypatch.setattr(cleanup, "BATCH", 4)
    for _ in range(10):
        old_video()

    assert clean_up().videos == 10


def test_nothing_goes_while_nothing_is_seen():
    old_video()
    VideoFactory(last_seen_at=NOW - timedelta(days=3))

    with pytest.raises(cleanup.CleanupRefused, match="3 days"):
        cleanup.clean_up(NOW)
    assert Video.objects.count() == 2


def test_nothing_goes_when_more_than_half_would_unless_forced(monkeypatch):
    monkeypatch.setattr(cleanup, "FEW", 4)
    for _ in range(4):
        old_video()

    with pytest.raises(cleanup.CleanupRefused, match="4 of 5"):
        clean_up()
    assert clean_up(force=True).videos == 4


def test_a_refused_pass_is_recorded_with_its_reason():
    old_video()
    VideoFactory(last_seen_at=NOW - timedelta(days=3))

    with pytest.raises(cleanup.CleanupRefused):
        tasks.clean_up()

    assert "Nothing was seen" in Pass.objects.get(name="cleanup").error


def test_bytes_that_another_video_uses_stay():
    video = old_video()
    shared = AssetFactory(video=video, object__created_at=OLD).object
    AssetFactory(object=shared)
    own = AssetFactory(video=video, position=1, object__created_at=OLD).object

    outcome = clean_up()

    assert (outcome.objects, outcome.bytes) == (1, own.size)
    assert list(StoredObject.objects.all()) == [shared]
    assert UnclaimedObject.objects.get().key == own.key


@pytest.mark.parametrize("save", ["young", "announced"])
def test_an_object_about_to_be_used_is_not_released(save):
    stored = StoredObjectFactory(created_at=NOW if save == "young" else OLD)
    if save == "announced":
        IncomingObject.objects.create(sha256=stored.sha256)

    assert clean_up().objects == 0


def test_the_plan_says_what_the_pass_then_does():
    video = old_video()
    MetricSnapshotFactory(video=video)
    AssetFactory(video=video, object__created_at=OLD)
    AssetFactory(object=AssetFactory(video=video, position=1, object__created_at=OLD).object)
    StoredObjectFactory(created_at=OLD)

    planned, done = cleanup.plan(NOW), clean_up()

    assert (planned.videos, planned.snapshots, planned.objects, planned.bytes) == (1, 1, 2, 2_000_000)
    assert (done.videos, done.snapshots, done.objects, done.bytes) == (1, 1, 2, 2_000_000)


def test_thumbnails_and_originals_go_with_what_they_belong_to():
    video = old_video()
    small, medium = StoredObjectFactory(created_at=OLD), StoredObjectFactory(created_at=OLD)
    AssetFactory(
        video=video,
        object__created_at=OLD,
        object__small=small,
        object__medium=medium,
        original=StoredObjectFactory(created_at=OLD),
    )
    kept = AssetFactory(object__small=small, object__created_at=OLD, original=StoredObjectFactory(created_at=OLD))

    planned, done = cleanup.plan(NOW), clean_up()

    assert (planned.objects, planned.bytes) == (done.objects, done.bytes)
    assert done.objects == 3
    assert set(StoredObject.objects.all()) == {kept.object, kept.original, small}


def test_a_dry_run_lists_and_changes_nothing():
    video = old_video()
    Video.objects.filter(pk=video.pk).update(title="猫 \x1b[31mred")
    AssetFactory(video=video, object__created_at=OLD)
    VideoFactory(last_seen_at=NOW)
    out = StringIO()

    call_command("cleanup", dry_run=True, stdout=out)

    assert "猫 " in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert "Would remove 1 videos with 0 snapshots, and release 1 objects of 976.6\xa0KB." in out.getvalue()
    assert Video.objects.count() == 2
    assert Asset.objects.count() == 1
    assert Pass.objects.count() == 0


def test_a_dry_run_says_that_it_would_be_refused():
    old_video()
    out = StringIO()

    call_command("cleanup", dry_run=True, stdout=out)

    assert "refused" in out.getvalue()


def test_the_command_says_what_it_did():
    old_video()
    VideoFactory(last_seen_at=NOW)
    out = StringIO()

    call_command("cleanup", stdout=out)

    assert "Removed 1 videos" in out.getvalue()
    assert Pass.objects.get(name="cleanup").counts == {"videos": 1}


def test_the_command_ends_with_an_error_when_refused():
    old_video()

    with pytest.raises(CommandError, match="Nothing was seen"):
        call_command("cleanup", stdout=StringIO())


# -- the sweep -------------------------------------------------------------------------------------


def test_released_bytes_are_deleted_after_two_days_and_not_before(media):
    sha256, size, path = store(b"clip", media=media)
    StoredObjectFactory(sha256=sha256, size=size, created_at=OLD)
    AssetFactory()
    clean_up()

    sweeping.sweep(NOW + timedelta(hours=47))
    assert path.exists()

    swept = sweeping.sweep(NOW + timedelta(hours=49))
    assert (swept.deleted, swept.bytes) == (1, size)
    assert not path.exists()
    assert UnclaimedObject.objects.count() == 0


def test_bytes_without_a_row_are_noted_first_and_deleted_two_days_later(media):
    AssetFactory()
    _sha256, _size, path = store(b"stray", media=media)

    first = sweeping.sweep(NOW)
    second = sweeping.sweep(NOW + timedelta(hours=24))
    third = sweeping.sweep(NOW + timedelta(hours=49))

    assert (first.deleted, second.deleted, third.deleted) == (0, 0, 1)
    assert first.unclaimed == 1
    assert not path.exists()


def test_bytes_wanted_again_are_kept(media):
    AssetFactory()
    sha256, size, path = store(b"clip", media=media)
    sweeping.sweep(NOW)
    StoredObjectFactory(sha256=sha256, size=size)

    sweeping.sweep(NOW + timedelta(hours=49))

    assert path.exists()
    assert UnclaimedObject.objects.count() == 0


def test_bytes_being_stored_right_now_are_kept(media):
    AssetFactory()
    sha256, _size, path = store(b"clip", media=media)
    sweeping.sweep(NOW)
    IncomingObject.objects.create(sha256=sha256)

    assert sweeping.sweep(NOW + timedelta(hours=49)).deleted == 0
    assert path.exists()


def test_young_bytes_are_not_even_noted(media):
    AssetFactory()
    store(b"clip", age=timedelta(minutes=1), media=media)

    assert sweeping.sweep(NOW).unclaimed == 0


def test_an_empty_table_deletes_nothing(media):
    _sha256, _size, path = store(b"clip", media=media)
    UnclaimedObject.objects.create(key=path.relative_to(media).as_posix(), size=4, since=OLD, was_released=True)

    with pytest.raises(sweeping.SweepRefused, match="not one row"):
        sweeping.sweep(NOW)
    assert path.exists()


def test_an_empty_listing_is_an_alarm():
    StoredObjectFactory()

    with pytest.raises(sweeping.SweepRefused, match="lists nothing"):
        sweeping.sweep(NOW)


def test_too_many_strays_are_no_strays(media):
    StoredObjectFactory.create_batch(40)
    paths = [store(f"stray {number}".encode(), media=media)[2] for number in range(4)]
    sweeping.sweep(NOW)

    with pytest.raises(sweeping.SweepRefused, match="4 objects"):
        sweeping.sweep(NOW + timedelta(hours=49))
    assert all(path.exists() for path in paths)


def test_a_note_about_bytes_that_are_gone_is_dropped(media):
    AssetFactory()
    store(b"something else", media=media)
    UnclaimedObject.objects.create(key="blobs/aa/bb/" + "a" * 64, size=4, since=OLD, was_released=False)

    sweeping.sweep(NOW)

    assert not UnclaimedObject.objects.filter(since=OLD).exists()


def test_the_sweep_never_deletes_an_object_with_a_row(media):
    for number in range(5):
        sha256, size, _path = store(f"clip {number}".encode(), media=media)
        AssetFactory(object=StoredObjectFactory(sha256=sha256, size=size))

    for days in range(5):
        sweeping.sweep(NOW + timedelta(days=days))

    assert len([path for path in media.rglob("*") if path.is_file() and len(path.name) == 64]) == 5
