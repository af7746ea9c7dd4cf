"""Asking: one job however many ask, a cap, and rules that ask by themselves."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from crawler.models import Video
from crawler.signals import videos_observed
from downloads import services, status
from downloads.errors import TooManyWaiting
from downloads.models import AssetRole, AssetState, DownloadJob, DownloadRequest, Quality
from jobs.errors import PermanentError
from jobs.models import State
from tests.factories import (
    AssetFactory,
    DownloadJobFactory,
    ScoreFactory,
    SourceFactory,
    SourceVideoFactory,
    StoredObjectFactory,
    UserFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db


def test_asking_twice_gives_one_job_and_one_request_per_asker() -> None:
    video, user = VideoFactory.create(), UserFactory.create()

    first = services.request_download(video, "720", user=user)
    again = services.request_download(video, "720", user=user)
    other = services.request_download(video, "720", session_key="abc")

    assert first.pk == again.pk != other.pk
    assert first.job_id == other.job_id
    assert DownloadJob.objects.count() == 1
    assert DownloadRequest.objects.count() == 2


def test_another_quality_is_another_job() -> None:
    video = VideoFactory.create()

    assert services.request_download(video, "720").job_id != services.request_download(video, "1080").job_id


@pytest.mark.django_db(transaction=True)
def test_many_at_the_same_moment_get_one_job() -> None:
    video = VideoFactory.create()
    barrier, jobs, errors = threading.Barrier(8), [], []

    def ask(number: int) -> None:
        try:
            barrier.wait()
            jobs.append(services.request_download(video, "best", session_key=f"s{number}").job_id)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert len(set(jobs)) == 1
    assert DownloadRequest.objects.count() == 8


def test_a_carousel_has_no_sizes() -> None:
    video = VideoFactory.create(carousel=True)

    assert services.request_download(video, "540").job.quality == "best"
    assert services.request_download(video, "audio").job.quality == "audio"


def test_an_unknown_quality_is_refused() -> None:
    with pytest.raises(ValueError, match="8k"):
        services.request_download(VideoFactory.create(), "8k")


def test_a_full_queue_refuses_new_jobs_but_not_old_ones() -> None:
    from constance import config

    config.MOST_WAITING_DOWNLOADS = 2
    first = VideoFactory.create()
    services.request_download(first)
    services.request_download(VideoFactory.create())

    with pytest.raises(TooManyWaiting) as caught:
        services.request_download(VideoFactory.create())

    assert isinstance(caught.value, PermanentError)
    assert caught.value.code == "queue_full"
    assert services.request_download(first, session_key="late").job.state == State.PENDING


def test_a_person_does_not_wait_behind_a_rule() -> None:
    video = VideoFactory.create()
    automatic = services.request_download(video, is_automatic=True).job

    services.request_download(video, user=UserFactory.create())

    automatic.refresh_from_db()
    assert automatic.priority == services.FOR_A_PERSON


@pytest.mark.parametrize(("state", "is_new"), [("completed", False), ("failed", True), ("cancelled", True)])
def test_an_ended_job_answers_only_if_its_files_are_kept(state: str, is_new: bool) -> None:
    job = DownloadJobFactory.create(state=state, finalized_at=timezone.now(), quality="best")
    AssetFactory.create(
        video=job.video, role=AssetRole.VIDEO, quality="best", state=AssetState.READY, object=StoredObjectFactory.create()
    )

    request = services.request_download(job.video, "best")

    assert (request.job_id != job.pk) is is_new


def test_files_removed_by_retention_are_fetched_again() -> None:
    job = DownloadJobFactory.create(state="completed", finalized_at=timezone.now(), quality="best")

    assert services.request_download(job.video, "best").job_id != job.pk
    assert status.download_status(job.video).status == "queued"


def test_a_rule_asks_for_what_its_source_shows() -> None:
    everything, surging = SourceFactory.create(auto_download="all"), SourceFactory.create(auto_download="surging")
    nothing = SourceFactory.create()
    wanted = SourceVideoFactory.create(source=everything).video
    rising = SourceVideoFactory.create(source=surging).video
    ScoreFactory.create(video=rising, surging=True)
    calm = SourceVideoFactory.create(source=surging).video
    ScoreFactory.create(video=calm)
    SourceVideoFactory.create(source=nothing)
    ids = list(Video.objects.values_list("pk", flat=True))

    videos_observed.send_robust(sender=Video, video_ids=ids, at=timezone.now())

    assert set(DownloadRequest.objects.filter(is_automatic=True).values_list("job__video", flat=True)) == {wanted.pk, rising.pk}
    assert services.find_missed_downloads() == {}


def test_what_a_receiver_missed_is_found() -> None:
    SourceVideoFactory.create(source=SourceFactory.create(auto_download="all"))

    assert services.find_missed_downloads() == {"requested": 1}
    assert services.find_missed_downloads() == {}


def test_rules_leave_half_of_the_queue_to_people() -> None:
    from constance import config

    config.MOST_WAITING_DOWNLOADS = 4
    source = SourceFactory.create(auto_download="all")
    ids = [SourceVideoFactory.create(source=source).video_id for _ in range(5)]

    assert services.download_automatically(ids) == 2


def test_signing_in_keeps_what_the_session_asked_for() -> None:
    user, video = UserFactory.create(), VideoFactory.create()
    services.request_download(video, session_key="abc")
    services.request_download(VideoFactory.create(), session_key="abc")
    services.request_download(video, user=user)

    services.adopt_session("abc", user)

    assert services.downloads_of(user=user).count() == 2
    assert services.downloads_of(session_key="abc").count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_status_follows_the_job_though_it_is_cached() -> None:
    video = VideoFactory.create()
    assert status.download_status(video).status == "pending"

    services.request_download(video)
    assert status.download_status(video.pk).status == "queued"

    job = DownloadJob.objects.claim()
    assert job is not None
    job.give_up("The platform says no.", code="gone")
    found = status.download_status(video)
    assert (found.status, found.error_code, found.error) == ("error", "gone", "The platform says no.")


def test_a_ready_download_has_links_that_name_the_file() -> None:
    job = DownloadJobFactory.create(state="completed", finalized_at=timezone.now(), quality="720")
    job.video.title = "春天 #spring/../x"
    job.video.save()
    AssetFactory.create(
        video=job.video,
        role=AssetRole.VIDEO,
        quality="720",
        state=AssetState.READY,
        object=StoredObjectFactory.create(mime="video/mp4"),
    )

    found = status.download_status(job.video, Quality.P720)

    assert found.status == "ready"
    assert found.filename == f"春天 spring .. x {job.video.external_id}.mp4"
    assert found.download_url is not None
    assert found.download_url.startswith("/media/")
