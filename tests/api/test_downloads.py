"""Downloads over HTTP: asked for by people and anonymous sessions, alone and as a batch."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from constance import config
from django.utils import timezone

from downloads import storage
from downloads.locations import storage_settings
from downloads.models import Asset, Batch, DownloadJob, DownloadRequest
from jobs.models import State
from tests.api.conftest import ApiClient, People
from tests.factories import AssetFactory, DownloadJobFactory, VideoFactory

CONTENT = b"thirty bytes of a stored clip."
SHAPE = {"status", "progress", "download_url", "filename", "size", "error", "error_code"}


@pytest.fixture
def kept(settings: Any, tmp_path: Path) -> Asset:
    """A video whose file really lies in the store."""
    settings.STORAGES = {**settings.STORAGES, "media": storage_settings(f"file:{tmp_path / 'media'}", base=tmp_path)}
    (tmp_path / "clip").write_bytes(CONTENT)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    storage.put(tmp_path / "clip", sha256=sha256, size=len(CONTENT), mime="video/mp4")
    asset = AssetFactory.create(object__sha256=sha256, object__size=len(CONTENT))
    DownloadJobFactory.create(video=asset.video, completed=True)
    return asset


def test_nobody_asked_yet(anonymous: ApiClient) -> None:
    document = anonymous.get(f"/api/videos/{VideoFactory.create().pk}/download").json()

    assert set(document) == SHAPE
    assert (document["status"], document["progress"], document["download_url"]) == ("pending", 0, None)


def test_asking_twice_is_one_job_and_one_request_of_the_session(anonymous: ApiClient) -> None:
    video = VideoFactory.create()
    path = f"/api/videos/{video.pk}/download"

    answers = [anonymous.send("POST", path), anonymous.send("POST", path, {"quality": "best"})]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["status"] == "queued"
    assert anonymous.get(path).json()["status"] == "queued"
    assert DownloadJob.objects.count() == 1
    assert DownloadRequest.objects.get().session_key == anonymous.session.session_key != ""


def test_two_people_are_one_job_and_two_requests(people: People) -> None:
    path = f"/api/videos/{VideoFactory.create().pk}/download"

    for role in ("editor", "viewer"):
        assert people.client(role).send("POST", path).status_code == 202

    assert DownloadJob.objects.count() == 1
    assert {request.user for request in DownloadRequest.objects.all()} == {people.editor.user, people.viewer.user}


def test_another_quality_is_another_job(anonymous: ApiClient) -> None:
    path = f"/api/videos/{VideoFactory.create().pk}/download"

    for quality in ("best", "720", "audio"):
        assert anonymous.send("POST", path, {"quality": quality}).status_code == 202

    assert DownloadJob.objects.count() == 3
    assert anonymous.get(f"{path}?quality=1080").json()["status"] == "pending"


def test_the_quality_is_taken_from_the_query_too_and_from_the_body_first(anonymous: ApiClient) -> None:
    path = f"/api/videos/{VideoFactory.create().pk}/download"

    assert anonymous.send("POST", f"{path}?quality=540").status_code == 202
    assert anonymous.send("POST", f"{path}?quality=540", {"quality": "audio"}).status_code == 202

    assert set(DownloadJob.objects.values_list("quality", flat=True)) == {"540", "audio"}
    assert list(anonymous.send("POST", f"{path}?quality=4k").json()["fields"]) == ["quality"]


def test_what_is_kept_is_ready_at_once_with_a_link(anonymous: ApiClient) -> None:
    asset = AssetFactory.create()
    DownloadJobFactory.create(video=asset.video, completed=True)

    response = anonymous.send("POST", f"/api/videos/{asset.video_id}/download")

    assert response.status_code == 200
    assert response.json()["status"] == "ready"
    assert response.json()["download_url"].startswith("http://testserver/media/")
    assert response.json()["filename"].endswith(".mp4")


def test_a_running_download_tells_how_far_it_is(anonymous: ApiClient) -> None:
    job = DownloadJobFactory.create(running=True, progress=42)

    document = anonymous.get(f"/api/videos/{job.video_id}/download").json()

    assert (document["status"], document["progress"]) == ("downloading", 42)


def test_a_failed_one_tells_why_and_is_begun_anew_when_asked(anonymous: ApiClient) -> None:
    job = DownloadJobFactory.create(failed=True, error="It broke.", error_code="truncated")
    path = f"/api/videos/{job.video_id}/download"

    document = anonymous.get(path).json()
    assert (document["status"], document["error"], document["error_code"]) == ("error", "It broke.", "truncated")

    assert anonymous.send("POST", path).json()["status"] == "queued"


def test_what_is_gone_cannot_be_asked_for_again(anonymous: ApiClient) -> None:
    job = DownloadJobFactory.create(failed=True, video__gone_at=timezone.now())

    response = anonymous.send("POST", f"/api/videos/{job.video_id}/download")

    assert (response.status_code, response.json()["code"]) == (409, "gone")


def test_a_full_queue_is_429_with_its_reason(anonymous: ApiClient) -> None:
    config.MOST_WAITING_DOWNLOADS = 1
    DownloadJobFactory.create()

    response = anonymous.send("POST", f"/api/videos/{VideoFactory.create().pk}/download")

    assert response.status_code == 429
    assert response.json()["code"] == response.json()["reason"] == "queue_full"
    assert int(response["Retry-After"]) == response.json()["retry_after"]
    assert not DownloadRequest.objects.exists()


@pytest.mark.parametrize("body", [{"quality": "4k"}, {"quality": 720}, {"quality": None}, {"quality": ""}, {"qualty": "720"}])
def test_a_quality_there_is_not_is_named(anonymous: ApiClient, body: dict[str, Any]) -> None:
    response = anonymous.send("POST", f"/api/videos/{VideoFactory.create().pk}/download", body)

    assert response.status_code == 400
    assert list(response.json()["fields"]) == list(body)
    assert anonymous.get(f"/api/videos/{VideoFactory.create().pk}/download?quality=4k").status_code == 400


def test_a_video_that_does_not_exist_cannot_be_downloaded(anonymous: ApiClient) -> None:
    assert anonymous.get("/api/videos/1/download").status_code == 404
    assert anonymous.send("POST", "/api/videos/1/download").status_code == 404


def test_a_batch_is_one_zip_of_what_came(anonymous: ApiClient) -> None:
    kept = AssetFactory.create()
    assert kept.object
    DownloadJobFactory.create(video=kept.video, completed=True)
    failing = VideoFactory.create()

    asked = anonymous.send("POST", "/api/videos/batch-download", {"ids": [kept.video_id, failing.pk, kept.video_id]})

    assert asked.status_code == 202
    batch = asked.json()
    assert (batch["status"], batch["total"], batch["ready"]) == ("working", 2, 1)
    assert batch["download_url"] is None

    DownloadJob.objects.filter(video=failing).update(state=State.FAILED, finalized_at=timezone.now())

    batch = anonymous.get(f"/api/videos/batch-download/{batch['id']}").json()
    assert (batch["status"], batch["ready"], batch["failed"]) == ("ready", 1, 1)
    assert batch["download_url"].startswith("http://testserver/")
    assert batch["filename"].endswith(".zip")
    assert batch["size"] > kept.object.size


@pytest.mark.parametrize(
    "ids", [[], [0], [-1], ["1"], [1.5], [True], [2**63], [999_999], list(range(1, 102)), "1", None, {"0": 1}]
)
def test_a_batch_of_nonsense_is_refused_whole(anonymous: ApiClient, ids: Any) -> None:
    VideoFactory.create()

    response = anonymous.send("POST", "/api/videos/batch-download", {"ids": ids})

    assert response.status_code == 400, response.content
    assert {name.partition(".")[0] for name in response.json()["fields"]} == {"ids"}
    assert not Batch.objects.exists()
    assert not DownloadJob.objects.exists()


def test_a_persons_batch_is_theirs_alone(people: People) -> None:
    asked = people.client("editor").send("POST", "/api/videos/batch-download", {"ids": [VideoFactory.create().pk]})
    path = f"/api/videos/batch-download/{asked.json()['id']}"

    assert people.client("editor").get(path).status_code == 200
    for role in ("anonymous", "viewer", "foreigner", "staff"):
        assert people.client(role).get(path).status_code == 404


def test_a_batch_that_does_not_fit_asks_for_nothing(anonymous: ApiClient) -> None:
    config.MOST_WAITING_DOWNLOADS = 1

    response = anonymous.send("POST", "/api/videos/batch-download", {"ids": [VideoFactory.create().pk, VideoFactory.create().pk]})

    assert (response.status_code, response.json()["code"]) == (429, "queue_full")
    assert not Batch.objects.exists()
    assert not DownloadJob.objects.exists()


def test_the_link_of_a_download_plays_from_anywhere(anonymous: ApiClient, kept: Asset) -> None:
    document = anonymous.send("POST", f"/api/videos/{kept.video_id}/download").json()
    path = document["download_url"].removeprefix("http://testserver")

    whole = anonymous.get(path)
    part = anonymous.get(path, headers={"range": "bytes=5-8"})
    beyond = anonymous.get(path, headers={"range": "bytes=900-"})

    assert (whole.status_code, whole.getvalue()) == (200, CONTENT)
    assert whole["Content-Disposition"].startswith("attachment;")
    assert (part.status_code, part["Content-Range"], part.getvalue()) == (206, "bytes 5-8/30", CONTENT[5:9])
    assert beyond.status_code == 416
    assert anonymous.get(path.replace("/media/", "/media/x")).status_code == 403
