"""Sounds over HTTP: pasted, followed while their run goes on, their videos listed, read again."""

from typing import Any

import pytest

from crawler.models import CrawlJob, Sound, Source
from tests.api.conftest import People
from tests.factories import (
    AuthorFactory,
    CrawlJobFactory,
    ProviderPauseFactory,
    SoundFactory,
    SourceFactory,
    SourceVideoFactory,
    VideoFactory,
)

SOUND = "7016547803243022337"
LINK = f"https://www.tiktok.com/music/wave-{SOUND}"


def watched(people: People, **changes: Any) -> Any:
    sound = SoundFactory.create(platform="tiktok", external_id=SOUND, title="Wave")
    return SourceFactory.create(
        workspace=people.owner.workspace, platform="tiktok", kind="sound", value=SOUND, sound=sound, **changes
    )


@pytest.mark.parametrize("text", [LINK, f"{LINK}?lang=en", f"Listen! {LINK} #wave", SOUND])
def test_a_pasted_sound_is_watched_and_its_run_waits(people: People, text: str) -> None:
    response = people.client("editor").send("POST", "/api/sounds", {"url": text})

    assert response.status_code == 201
    source, job = Source.objects.get(), CrawlJob.objects.get()
    told = response.json()
    assert (told["id"], told["external_id"], told["status"]) == (source.pk, SOUND, "queued")
    assert (told["run"]["id"], told["totals"]["videos"], told["totals"]["median_views"]) == (job.pk, 0, None)
    assert (source.kind, source.sound.external_id, job.requested_by) == ("sound", SOUND, people.editor.user)
    assert response["Location"] == f"/api/sounds/{source.pk}"
    assert people.client("viewer").get(response["Location"]).json() == told


def test_the_same_sound_again_is_the_same(people: People) -> None:
    client = people.client("editor")
    first, again = (
        client.send("POST", "/api/sounds", {"url": url}) for url in (LINK, f"https://m.tiktok.com/music/other-{SOUND}")
    )

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert (Source.objects.count(), Sound.objects.count(), CrawlJob.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ""},
        {"url": "a song"},
        {"url": "https://www.tiktok.com/music/original-sound-0"},
        {"url": "0"},
        {"url": "https://www.tiktok.com/@someone/video/7016547803243022337"},
        {"url": f"https://evil.example/music/wave-{SOUND}"},
        {"url": f"https://www.tiktok.com.evil.example/music/wave-{SOUND}"},
        {"url": f"https://tiktok.com@evil.example/music/wave-{SOUND}"},
        {"url": "javascript:alert(1)"},
        {"url": 7},
        {"url": LINK + "9" * 40},
        {"link": LINK},
    ],
)
def test_what_is_no_sound_is_refused_in_words(people: People, body: dict[str, Any]) -> None:
    response = people.client("editor").send("POST", "/api/sounds", body)

    assert response.status_code == 400
    assert response.json()["detail"]
    assert not Source.objects.exists()


def test_totals_say_average_and_median(people: People) -> None:
    source = watched(people)
    author = AuthorFactory.create()
    for views in (100, 200, 900, None):
        SourceVideoFactory.create(source=source, video=VideoFactory.create(views=views, likes=10, author=author))

    totals = people.client("viewer").get(f"/api/sounds/{source.pk}").json()["totals"]

    assert totals == {
        **{"videos": 4, "authors": 1, "views": 1200, "likes": 40, "comments": 400, "shares": 200},
        **{"average_views": 400.0, "median_views": 200.0},
    }


def test_videos_come_by_views_page_by_page(people: People) -> None:
    source = watched(people)
    for views in (5, None, 50, 500):
        SourceVideoFactory.create(source=source, video=VideoFactory.create(views=views))
    SourceVideoFactory.create()
    client = people.client("viewer")

    first = client.get(f"/api/sounds/{source.pk}/videos?limit=3").json()
    second = client.get(first["next"]).json()

    assert [video["views"] for video in first["results"] + second["results"]] == [500, 50, 5, None]
    assert second["next"] is None
    assert client.get(f"/api/sounds/{source.pk}/videos?cursor=nonsense").status_code == 400


@pytest.mark.parametrize(
    ("trait", "status"),
    [
        ({}, "queued"),
        ({"order": "Run1"}, "running"),
        ({"running": True}, "running"),
        ({"completed": True}, "done"),
        ({"failed": True}, "failed"),
        ({"cancelled": True}, "cancelled"),
    ],
)
def test_the_status_is_that_of_the_latest_run(people: People, trait: dict[str, Any], status: str) -> None:
    source = watched(people)
    CrawlJobFactory.create(source=source, completed=True)
    CrawlJobFactory.create(source=source, **trait)

    [listed] = people.client("viewer").get("/api/sounds").json()["results"]

    assert listed["status"] == status
    assert listed["error"] == ("The platform no longer has it." if status == "failed" else "")


def test_a_young_run_stands_for_another_unless_forced(people: People) -> None:
    source = watched(people)
    job = CrawlJobFactory.create(source=source, completed=True, order="Run1", started_at=source.created_at)
    client, path = people.client("editor"), f"/api/sounds/{source.pk}/scrape"

    again = client.send("POST", path)
    forced = client.send("POST", path, {"force": True})

    assert (again.status_code, again.json()["run"]["id"], again.json()["status"]) == (202, job.pk, "done")
    assert (forced.status_code, forced.json()["status"]) == (202, "queued")
    assert forced.json()["run"]["id"] != job.pk
    assert client.send("POST", path, {"force": "yes"}).status_code == 400
    assert client.send("POST", path, {"often": True}).status_code == 400


def test_a_service_that_refuses_its_key_is_told_beside_a_young_good_run(people: People) -> None:
    source = watched(people)
    CrawlJobFactory.create(source=source, completed=True, order="Run1", started_at=source.created_at)
    client = people.client("editor")
    assert client.get(f"/api/sounds/{source.pk}").json()["paused"] is None
    ProviderPauseFactory.create(provider="apify", reason="The token is refused.")

    answers = [client.get(f"/api/sounds/{source.pk}"), client.send("POST", f"/api/sounds/{source.pk}/scrape")]
    [listed] = client.get("/api/sounds").json()["results"]

    for told in (listed, *(answer.json() for answer in answers)):
        assert (told["status"], told["paused"]) == ("done", "The token is refused.")


def test_a_failed_run_is_taken_up_again(people: People) -> None:
    source = watched(people)
    job = CrawlJobFactory.create(source=source, failed=True, order="Run1")

    again = people.client("editor").send("POST", f"/api/sounds/{source.pk}/scrape")

    assert (again.json()["run"]["id"], again.json()["status"], again.json()["error"]) == (job.pk, "running", "")


def test_a_source_of_another_kind_is_no_sound(people: People) -> None:
    source = SourceFactory.create(workspace=people.owner.workspace)

    assert people.client("editor").get(f"/api/sounds/{source.pk}").status_code == 404
    assert people.client("editor").get("/api/sounds").json()["results"] == []


def test_a_list_of_many_asks_no_more_than_a_list_of_few(people: People, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        sound = SoundFactory.create(platform="tiktok")
        source = SourceFactory.create(
            workspace=people.owner.workspace, platform="tiktok", kind="sound", value=str(number + 1), sound=sound
        )
        CrawlJobFactory.create(source=source, completed=True)
        SourceVideoFactory.create(source=source)
    client = people.client("viewer")
    client.get("/api/sounds")

    with django_assert_max_num_queries(6):
        assert len(client.get("/api/sounds").json()["results"]) == 20
