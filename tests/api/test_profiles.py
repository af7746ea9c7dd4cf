"""Profiles over the API: followed, switched, read now, and what they answer."""

import threading
from typing import Any

import pytest
from django.db import connection

from crawler import pauses
from crawler.models import CrawlJob, Outcome, Source
from crawler.providers.errors import OutOfCredits
from tests.api.conftest import People
from tests.factories import AuthorFactory, CrawlJobFactory, SourceFactory, SourceVideoFactory

pytestmark = pytest.mark.django_db


def test_a_profile_is_followed_and_read_at_once(people: People) -> None:
    response = people.client("editor").send("POST", "/api/profiles", {"handle": "@Some.One", "is_own": True})

    assert response.status_code == 201, response.content
    body, source = response.json(), Source.objects.get()
    assert (source.platform, source.kind, source.value, source.workspace) == (
        "tiktok",
        "profile",
        "some.one",
        people.owner.workspace,
    )
    assert response["Location"] == f"/api/profiles/{source.pk}"
    assert (body["id"], body["handle"], body["is_own"], body["monitoring"]) == (source.pk, "some.one", True, True)
    assert body["counts"] == {"pages": 0, "seen": 0, "new": 0, "updated": 0, "errors": 0, "credits": 0}
    assert (body["run_state"], body["author"]) == ("pending", None)
    job = CrawlJob.objects.get()
    assert (job.source, job.requested_by, job.priority) == (source, people.editor.user, 10)


@pytest.mark.django_db(transaction=True)
def test_the_answer_waits_for_the_first_page(people: People, settings: Any) -> None:
    settings.FIRST_PAGE_SECONDS = 60.0
    read = {"pages": 1, "counts": {"seen": 12, "new": 12, "credits": 2}}

    def reads_a_page() -> None:
        try:
            while not CrawlJob.objects.update(**read):
                pass
        finally:
            connection.close()

    worker = threading.Thread(target=reads_a_page)
    worker.start()
    response = people.client("editor").send("POST", "/api/profiles", {"handle": "some.one"})
    worker.join()

    assert response.status_code == 201
    assert response.json()["counts"] == {"pages": 1, "seen": 12, "new": 12, "updated": 0, "errors": 0, "credits": 2}


@pytest.mark.parametrize("handle", ["some.one", "@some.one", "https://www.tiktok.com/@some.one?lang=en", "tiktok.com/@Some.One/"])
def test_however_it_is_written_it_is_one_profile(people: People, handle: str) -> None:
    client = people.client("editor")
    first = client.send("POST", "/api/profiles", {"handle": "some.one", "is_own": False})

    again = client.send("POST", "/api/profiles", {"handle": handle, "is_own": True})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["is_own"] is True
    assert CrawlJob.objects.count() == 1


def test_what_is_said_again_without_ownership_leaves_it(people: People) -> None:
    client = people.client("editor")
    client.send("POST", "/api/profiles", {"handle": "some.one", "is_own": True})

    assert client.send("POST", "/api/profiles", {"handle": "some.one"}).json()["is_own"] is True


def test_douyin_profiles_go_by_their_id(people: People) -> None:
    body = {"handle": "https://www.douyin.com/user/MS4wLjABAAAA-x_9abcdefgh", "platform": "douyin"}

    response = people.client("editor").send("POST", "/api/profiles", body)

    assert response.status_code == 201, response.content
    assert (response.json()["platform"], response.json()["handle"]) == ("douyin", "MS4wLjABAAAA-x_9abcdefgh")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "handle"),
        ({"handle": ""}, "handle"),
        ({"handle": "@"}, "handle"),
        ({"handle": "two words"}, "handle"),
        ({"handle": "../x"}, "handle"),
        ({"handle": "ends.with."}, "handle"),
        ({"handle": "https://example.org/@someone"}, "handle"),
        ({"handle": "https://www.tiktok.com/@someone/video/7000000000000000001"}, "handle"),
        ({"handle": "https://vm.tiktok.com/ZTabc"}, "handle"),
        ({"handle": "a" * 600}, "handle"),
        ({"handle": 5}, "handle"),
        ({"handle": "x", "is_own": "yes"}, "is_own"),
        ({"handle": "x", "platform": "link"}, "platform"),
        ({"handle": "x", "workspace": 1}, "workspace"),
    ],
)
def test_a_wrong_profile_is_refused_by_field(people: People, body: Any, field: str) -> None:
    response = people.client("editor").send("POST", "/api/profiles", body)

    assert response.status_code == 400, response.content
    assert list(response.json()["fields"]) == [field]
    assert not Source.objects.exists()


def followed(people: People, **changes: Any) -> Source:
    source: Source = SourceFactory.create(
        **{"workspace": people.owner.workspace, "platform": "tiktok", "kind": "profile", "value": "someone", **changes}
    )
    return source


def test_monitoring_is_switched_off_and_on(people: People) -> None:
    source = followed(people, interval_minutes=90)
    client, path = people.client("editor"), f"/api/profiles/{source.pk}/monitoring"

    off = client.send("PATCH", path, {"enabled": False})
    assert (off.status_code, off.json()["monitoring"], off.json()["next_run_at"]) == (200, False, None)
    source.refresh_from_db()
    assert not source.is_active

    on = client.send("PATCH", path, {"enabled": True})
    assert on.json()["monitoring"] is True
    assert on.json()["next_run_at"] is not None


@pytest.mark.parametrize("body", [{}, {"enabled": None}, {"enabled": "true"}, {"is_active": False}, []])
def test_monitoring_wants_a_clear_word(people: People, body: Any) -> None:
    source = followed(people)

    assert people.client("editor").send("PATCH", f"/api/profiles/{source.pk}/monitoring", body).status_code == 400


def test_a_wish_goes_before_the_schedule_and_can_force_the_media(people: People) -> None:
    source = followed(people, is_active=False)
    waiting = CrawlJobFactory.create(source=source, priority=50)
    client, path = people.client("editor"), f"/api/profiles/{source.pk}/monitoring/trigger"

    plain = client.send("POST", path)
    forced = client.send("POST", path, {"force_recache": True})

    assert (plain.status_code, forced.status_code) == (202, 202)
    assert plain.json()["id"] == forced.json()["id"] == waiting.pk
    waiting.refresh_from_db()
    assert (waiting.priority, waiting.force_recache) == (10, True)


def test_one_profile_tells_its_last_run_and_whose_it_is(people: People) -> None:
    author = AuthorFactory.create(platform="tiktok", handle="new.name", followers=12)
    source = followed(people, author=author, outcome=Outcome.RENAMED, outcome_detail="It is called new.name now.")
    SourceVideoFactory.create_batch(2, source=source)
    counts = {"seen": 30, "new": 2, "updated": 28, "credits": 4, "malformed": 1}
    CrawlJobFactory.create(source=source, completed=True, pages=3, counts=counts)

    shown = people.client("viewer").get(f"/api/profiles/{source.pk}").json()

    assert shown["counts"] == {"pages": 3, "seen": 30, "new": 2, "updated": 28, "errors": 1, "credits": 4}
    assert (shown["outcome"], shown["videos"], shown["run_state"]) == ("renamed", 2, "completed")
    assert (shown["author"]["handle"], shown["author"]["followers"]) == ("new.name", 12)
    assert "performance" in shown["author"]


def test_a_paused_service_is_told(people: People) -> None:
    source = followed(people)
    pauses.pause("scrapecreators", OutOfCredits("no credits left"))

    assert people.client("viewer").get(f"/api/profiles/{source.pk}").json()["paused"] == "no credits left"


def test_a_source_of_another_kind_is_no_profile(people: People) -> None:
    topic = SourceFactory.create(workspace=people.owner.workspace)

    for path in ("", "/monitoring", "/monitoring/trigger"):
        for method in ("GET", "PATCH", "POST"):
            answered = people.client("editor").send(method, f"/api/profiles/{topic.pk}{path}", {"enabled": True})
            assert answered.status_code in (404, 405)
    assert not CrawlJob.objects.exists()


def test_the_list_is_narrowed_and_costs_the_same_however_long(people: People, django_assert_num_queries: Any) -> None:
    own = followed(people, is_own=True)
    followed(people, value="other")
    SourceFactory.create(workspace=people.owner.workspace)
    SourceFactory.create(platform="tiktok", kind="profile", value="foreign")
    client = people.client("viewer")
    client.get("/api/profiles")  # what a process reads once

    with django_assert_num_queries(5):
        assert len(client.get("/api/profiles").json()["results"]) == 2
    for n in range(5):
        followed(people, value=f"more{n}", author=AuthorFactory.create())
    with django_assert_num_queries(5):
        assert len(client.get("/api/profiles").json()["results"]) == 7
    assert [one["id"] for one in client.get("/api/profiles?is_own=true&platform=tiktok").json()["results"]] == [own.pk]
