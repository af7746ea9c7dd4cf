"""From the wish to the file, for people with and without an account; zips; whose list is whose."""

import re

import pytest
from constance.test import override_config
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from downloads import bundles
from downloads.models import AssetRole, Batch, DownloadJob, DownloadRequest
from tests.factories import (
    AssetFactory,
    BatchFactory,
    DownloadJobFactory,
    DownloadRequestFactory,
    PausedKindFactory,
    UserFactory,
    VideoFactory,
)
from tests.pages.conftest import text_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_a_visitor_asks_and_finds_it_on_a_list_of_this_browser_alone(client):
    video = VideoFactory(title="wanted")

    response = client.post(f"/videos/{video.pk}/download/", {"quality": "720"})

    assert response.status_code == 302
    assert response["Location"] == f"/videos/{video.pk}/?quality=720#download"
    job = DownloadJob.objects.get()
    assert (job.video_id, job.quality, job.state) == (video.pk, "720", "pending")
    assert "wanted" in text_of(client.get("/downloads/"))
    assert "wanted" not in text_of(Client().get("/downloads/"))


def test_looking_at_pages_begins_no_session(client):
    video = VideoFactory()
    for path in ("/", f"/videos/{video.pk}/", "/downloads/"):
        assert "sessionid" not in client.get(path).cookies


def test_the_box_follows_the_download(client):
    video = VideoFactory()
    url = f"/videos/{video.pk}/download/"

    box = text_of(client.post(url, {"quality": "best"}, headers=HTMX))
    assert 'aria-current="step">Queued' in box
    assert "every 2s" in box
    assert "<html" not in box


@pytest.mark.parametrize(
    ("traits", "words", "is_live"),
    [
        ({"running": True, "progress": 42}, "Downloading 42 %", True),
        ({"retrying": True}, "It is tried again by itself.", True),
        ({"failed": True}, "The platform no longer has it.", False),
    ],
)
def test_the_box_says_how_it_stands(client, traits, words, is_live):
    job = DownloadJobFactory(**traits)

    box = text_of(client.get(f"/videos/{job.video_id}/download/", headers=HTMX))

    assert words in box
    assert ("every 2s" in box) is is_live
    assert ('http-equiv="refresh"' in text_of(client.get(f"/videos/{job.video_id}/"))) is is_live


def test_a_file_that_is_ready_is_offered_and_brings_its_player(client):
    job = DownloadJobFactory(completed=True)
    AssetFactory(video=job.video)

    box = text_of(client.get(f"/videos/{job.video_id}/download/", headers=HTMX))

    assert "Save the file" in box
    assert 'hx-swap-oob="true"' in box
    assert "<video" in box


def test_a_full_queue_is_told(client):
    DownloadJobFactory()
    video = VideoFactory()

    with override_config(MOST_WAITING_DOWNLOADS=1):
        refused = client.post(f"/videos/{video.pk}/download/", follow=True)

    assert "are waiting already" in text_of(refused)
    assert not DownloadRequest.objects.exists()


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/videos/{}/download/", {"quality": "8k"}, 400),
        ("/videos/999999/download/", {}, 404),
        ("/downloads/zips/", {"video": "x"}, 400),
        ("/downloads/999999/", {"do": "retry"}, 404),
    ],
)
def test_bad_wishes_are_refused(client, path, data, status):
    assert client.post(path.format(VideoFactory().pk), data).status_code == status


def test_the_list_tells_each_state_and_links_what_is_kept(client):
    user = UserFactory()
    client.force_login(user)
    ready = DownloadJobFactory(completed=True)
    AssetFactory(video=ready.video, object__size=2_500_000)
    slides = DownloadJobFactory(completed=True, video=VideoFactory(carousel=True))
    AssetFactory(video=slides.video, role=AssetRole.SLIDE, quality="")
    for job in (
        ready,
        slides,
        DownloadJobFactory(completed=True),
        DownloadJobFactory(),
        DownloadJobFactory(running=True, progress=7),
        DownloadJobFactory(failed=True),
    ):
        DownloadRequestFactory(job=job, user=user)

    page = text_of(client.get("/downloads/"))

    states = re.findall(r'<span class="state (\w+)">', page)
    assert sorted(states) == sorted(["ready", "ready", "removed", "queued", "downloading", "error"])
    assert "downloading 7 %" in page
    assert "The platform no longer has it." in page
    assert re.search(r'href="/media/[^"]+\.mp4"', page)
    assert re.search(r'href="/media/zip/[^"]+\.zip"', page)
    assert "every 3s" in page


def test_retry_asks_anew_and_remove_takes_it_off_the_list(client):
    user = UserFactory()
    client.force_login(user)
    asked = DownloadRequestFactory(job=DownloadJobFactory(failed=True), user=user)

    client.post(f"/downloads/{asked.pk}/", {"do": "retry"})
    again = DownloadRequest.objects.get(user=user)
    client.post(f"/downloads/{again.pk}/", {"do": "remove"})

    assert again.job_id != asked.job_id
    assert again.job.state == "pending"
    assert not DownloadRequest.objects.filter(user=user).exists()
    assert DownloadJob.objects.filter(pk=again.job_id).exists()


def test_nobody_touches_anothers_list(client):
    asked = DownloadRequestFactory()
    client.force_login(UserFactory())

    assert client.post(f"/downloads/{asked.pk}/", {"do": "remove"}).status_code == 404
    assert Client().post(f"/downloads/{asked.pk}/", {"do": "remove"}).status_code == 404
    assert DownloadRequest.objects.filter(pk=asked.pk).exists()


def test_zips_are_listed_by_as_many_statements_however_much_they_hold(client):
    person = UserFactory()
    client.force_login(person)

    def statements(count):
        jobs = [DownloadJobFactory(completed=True, video=AssetFactory().video) for _ in range(count)]
        BatchFactory(user=person, jobs=jobs)
        Batch.objects.exclude(jobs__in=jobs).delete()
        with CaptureQueriesContext(connection) as queries:
            assert "/media/zip/" in text_of(client.get("/downloads/"))
        return len(queries)

    statements(1)  # what the process reads once
    assert statements(20) <= statements(2)


def test_many_become_one_zip(client):
    videos = [VideoFactory(), VideoFactory()]
    for video in videos:
        DownloadJobFactory(video=video, completed=True)
        AssetFactory(video=video)

    response = client.post("/downloads/zips/", {"video": [video.pk for video in videos]})

    batch = Batch.objects.get()
    assert response["Location"] == f"/downloads/zips/{batch.pk}/"
    page = text_of(client.get(response["Location"]))
    assert "2 videos as one zip" in page
    assert "Save the zip" in page
    assert re.search(r'href="/media/zip/[^"]+\.zip"', page)


def test_a_zip_holds_each_ticked_row_in_its_own_quality(client):
    user = UserFactory()
    client.force_login(user)
    first, second = VideoFactory(), VideoFactory()
    for video in (first, second):
        for quality, role, mime in (("best", AssetRole.VIDEO, "video/mp4"), ("audio", AssetRole.AUDIO, "audio/mp4")):
            DownloadRequestFactory(job=DownloadJobFactory(video=video, quality=quality, completed=True), user=user)
            AssetFactory(video=video, role=role, quality=quality, object__mime=mime)
    ticks = re.findall(r'name="video"\s+value="([^"]+)"', client.get("/downloads/").content.decode())
    assert len(set(ticks)) == 4

    for chosen, endings in (("audio", ["m4a"]), ("", ["m4a", "mp4"])):
        ticked = [tick for tick in ticks if tick.startswith(f"{first.pk}-") and chosen in tick]
        client.post("/downloads/zips/", {"video": ticked})
        entries = bundles.entries_of(bundles.of_batch(Batch.objects.latest("created_at")))
        assert sorted(entry.name.rpartition(".")[2] for entry in entries) == endings

    assert DownloadRequest.objects.count() == 4


def test_a_zip_of_nothing_is_told(client):
    assert "Choose one video or more." in text_of(client.post("/downloads/zips/", {}, follow=True))
    assert "Choose one video or more." in text_of(client.post("/downloads/zips/", {"video": "123456"}, follow=True))


def test_a_persons_zip_is_theirs_alone(client):
    owner = UserFactory()
    client.force_login(owner)
    client.post("/downloads/zips/", {"video": VideoFactory().pk})
    path = f"/downloads/zips/{Batch.objects.get().pk}/"

    assert client.get(path).status_code == 200
    assert Client().get(path).status_code == 404


def test_signing_in_keeps_what_the_browser_asked_for(client):
    user = UserFactory()
    video = VideoFactory(title="asked before")
    client.post(f"/videos/{video.pk}/download/")

    client.post("/accounts/login/", {"login": user.username, "password": "correct horse battery"})

    assert "asked before" in text_of(client.get("/downloads/"))
    assert DownloadRequest.objects.get().user_id == user.pk


def test_the_box_says_when_downloads_are_paused_and_why(client):
    video = DownloadJobFactory().video
    assert "Downloads are paused" not in text_of(client.get(f"/videos/{video.pk}/"))
    PausedKindFactory(kind="download", reason="The storage is being moved.")

    for path in (f"/videos/{video.pk}/", f"/videos/{video.pk}/download/"):
        page = text_of(client.get(path, headers={"HX-Request": "true"}))
        assert "Downloads are paused; what is asked for waits until they go on." in page, path
        assert "The storage is being moved." in page, path


@pytest.mark.parametrize(("traits", "has_button"), [({}, False), ({"failed": True}, True)])
def test_the_box_names_a_button_to_htmx_only_where_it_has_one(client, traits, has_button):
    video = DownloadJobFactory(**traits).video

    page = text_of(client.get(f"/videos/{video.pk}/download/", headers={"HX-Request": "true"}))

    assert ('hx-disabled-elt="find button"' in page) is has_button
