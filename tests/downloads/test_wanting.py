"""What videos have is asked for once, in a few statements, and again when that may help."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crawler.models import Video
from crawler.signals import videos_observed
from downloads import status, wanting
from downloads.models import Asset, AssetJob, AssetState, DownloadJob, StoredObject
from tests.factories import AssetFactory, DownloadJobFactory, SoundFactory, StoredObjectFactory, VideoFactory

pytestmark = pytest.mark.django_db(transaction=True)


def carousel(slides: int = 3, **facts: Any) -> Video:
    video: Video = VideoFactory.create(
        carousel=True,
        cover_url="https://p3.example.org/c.jpeg",
        author__avatar_url="https://p3.example.org/a.jpeg",
        slides=[{"urls": [f"https://p3.example.org/{n}.webp", f"https://p9.example.org/{n}.webp"]} for n in range(slides)],
        sound=SoundFactory.create(play_url="https://p3.example.org/s.mp3", cover_url="https://p3.example.org/sc.jpeg"),
        **facts,
    )
    return video


def roles() -> list[str]:
    return sorted(f"{asset.role} {asset.position}" for asset in Asset.objects.all())


def fail(code: str) -> None:
    """The only job there is ends without bytes, as a worker would end it."""
    job = AssetJob.objects.claim()
    assert job is not None
    job.tried_address = wanting.addresses([job.asset_id])[job.asset_id].fingerprint
    job.give_up("no", code=code)
    assert Asset.objects.get(pk=job.asset_id).state == AssetState.FAILED


def test_all_that_an_observed_video_has_is_asked_for_once() -> None:
    video = carousel()
    VideoFactory.create(cover_url="")

    for _ in range(2):
        videos_observed.send_robust(sender=Video, video_ids=[video.pk], at=timezone.now())

    assert roles() == ["audio 0", "avatar 0", "cover 0", "cover 0", "slide 0", "slide 1", "slide 2"]
    assert set(Asset.objects.values_list("state", flat=True)) == {AssetState.WANTED}
    assert AssetJob.objects.count() == 7
    assert set(AssetJob.objects.values_list("max_attempts", "state")) == {(3, "pending")}
    first = AssetJob.objects.order_by("priority", "pk").first()
    assert first is not None
    assert first.asset.role == "cover"


def test_a_page_takes_the_same_few_statements_whatever_it_holds() -> None:
    pages = [[carousel(2).pk], [carousel(12).pk for _ in range(12)]]

    counts = []
    for page in pages:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            wanting.want(page)
        counts.append(len(queries))

    assert counts == [2, 2]
    assert AssetJob.objects.count() == 2 + 4 + 12 * (12 + 4)


def test_an_author_and_a_sound_of_many_videos_are_asked_for_once() -> None:
    video = carousel(1)
    other = VideoFactory.create(author=video.author, sound=video.sound)

    assert wanting.want([video.pk, other.pk]) == 5
    assert wanting.want([other.pk]) == 0


def test_what_failed_is_asked_for_as_soon_as_another_address_is_seen() -> None:
    video = VideoFactory.create(cover_url="https://p3.example.org/c.jpeg?x-expires=1")
    wanting.want([video.pk])
    fail("expired")
    assert wanting.want([video.pk]) == 0

    Video.objects.update(cover_url="https://p3.example.org/c.jpeg?x-expires=2")

    assert wanting.want([video.pk]) == 1
    assert Asset.objects.get().state == AssetState.WANTED


@pytest.mark.parametrize(
    ("code", "address"), [("bad_picture", "https://new.example.org/c"), ("expired", "https://p3.example.org/c")]
)
def test_refused_bytes_and_the_same_address_wait_for_hours(code: str, address: str) -> None:
    video = VideoFactory.create(cover_url="https://p3.example.org/c")
    wanting.want([video.pk])
    fail(code)
    Video.objects.update(cover_url=address)
    assert wanting.want([video.pk]) == 0

    AssetJob.objects.update(finalized_at=timezone.now() - wanting.SLOW_AGAIN - timedelta(minutes=1))

    assert wanting.want([video.pk]) == 1


def test_what_is_kept_is_left_alone_unless_a_crawl_is_told_to_fetch_it_again() -> None:
    video = carousel(1)
    wanting.want([video.pk])
    AssetJob.objects.all().delete()
    Asset.objects.update(state=AssetState.READY, object=StoredObjectFactory.create())

    videos_observed.send_robust(sender=Video, video_ids=[video.pk], at=timezone.now())
    assert AssetJob.objects.count() == 0
    videos_observed.send_robust(sender=Video, video_ids=[video.pk], at=timezone.now(), is_forced=True)

    assert AssetJob.objects.count() == 5
    assert set(Asset.objects.values_list("state", flat=True)) == {AssetState.READY}, "the old ones stay until then"


def test_a_kept_clip_is_fetched_again_too_and_can_be_had_meanwhile() -> None:
    kept = AssetFactory.create(role="video", quality="720")
    DownloadJobFactory.create(video=kept.video, quality="720", completed=True)
    AssetFactory.create(role="video", quality="best", wanted=True, video=kept.video)

    for _ in range(2):
        videos_observed.send_robust(sender=Video, video_ids=[kept.video_id], at=timezone.now(), is_forced=True)

    job = DownloadJob.objects.live().get()
    assert (job.quality, job.is_refetch) == ("720", True)
    assert status.download_status(kept.video, "720").status == "ready"


def test_a_refetch_that_fails_leaves_what_was_kept() -> None:
    video = VideoFactory.create(cover_url="https://p3.example.org/c")
    kept = AssetFactory.create(video=video, role="cover", quality="")
    wanting.want([video.pk], is_forced=True)

    job = AssetJob.objects.claim()
    assert job is not None
    job.give_up("no", code="gone")

    kept.refresh_from_db()
    assert (kept.state, kept.object) == (AssetState.READY, StoredObject.objects.get())


def test_what_was_missed_is_found_once() -> None:
    carousel()
    AssetFactory.create(video=VideoFactory.create(cover_url="https://p3.example.org/x"), role="cover", quality="", wanted=True)

    assert wanting.find_missed() == {"enqueued": 8}
    assert wanting.find_missed() == {}


def test_slides_that_appear_later_are_asked_for() -> None:
    video = carousel(1)
    wanting.want([video.pk])
    Video.objects.filter(pk=video.pk).update(slides=[*video.slides, {"urls": ["https://p3.example.org/2.webp"]}])

    assert wanting.want([video.pk]) == 1


def test_what_has_no_address_is_not_asked_for() -> None:
    AssetFactory.create(video=VideoFactory.create(cover_url=""), role="cover", quality="", wanted=True)
    VideoFactory.create(carousel=True, slides=[{"urls": []}])

    assert wanting.find_missed() == {}
