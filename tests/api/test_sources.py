"""Sources over HTTP: made, read, changed, looked at, deleted, by those who may."""

from typing import Any

import pytest
from django.utils import timezone

from api.sources import SETTINGS
from crawler.models import CrawlJob, Source
from jobs.models import State
from tests.api.conftest import People
from tests.factories import CrawlJobFactory, SourceFactory, SourceVideoFactory


def test_a_topic_is_watched(people: People) -> None:
    response = people.client("editor").send("POST", "/api/sources", {"value": "猫咪", "interval_minutes": 30, "kinds": ["clip"]})

    assert response.status_code == 201
    source = Source.objects.get()
    assert response["Location"] == f"/api/sources/{source.pk}"
    assert (source.workspace, source.platform, source.kind, source.value) == (people.owner.workspace, "douyin", "topic", "猫咪")
    assert people.client("viewer").get(response["Location"]).json() == response.json()
    assert response.json()["outcome"] == ""


def test_the_same_thing_twice_is_a_conflict(people: People) -> None:
    client = people.client("editor")
    assert client.send("POST", "/api/sources", {"value": "cats"}).status_code == 201

    again = client.send("POST", "/api/sources", {"value": "cats"})

    assert (again.status_code, again.json()["code"]) == (409, "already_watched")
    assert people.client("foreigner").send("POST", "/api/sources", {"value": "cats"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "value"),
        ({"value": ""}, "value"),
        ({"value": "  "}, "value"),
        ({"value": "x" * 501}, "value"),
        ({"value": "\u202e\x7f"}, "value"),
        ({"value": "x", "platform": "myspace"}, "platform"),
        ({"value": "x", "platform": "link"}, "kind"),
        ({"value": "x", "kind": "smell"}, "kind"),
        ({"value": "x", "cron": "* * *"}, "cron"),
        ({"value": "x", "cron": "61 * * * *"}, "cron"),
        ({"value": "x", "cron": "0 0 31 2 *"}, "cron"),
        ({"value": "x", "interval_minutes": 0}, "interval_minutes"),
        ({"value": "x", "interval_minutes": "60"}, "interval_minutes"),
        ({"value": "x", "pages_per_run": 100_000}, "pages_per_run"),
        ({"value": "x", "min_views": -1}, "min_views"),
        ({"value": "x", "min_views": 2**63}, "min_views"),
        ({"value": "x", "kinds": []}, "kinds"),
        ({"value": "x", "kinds": ["live"]}, "kinds"),
        ({"value": "x", "kinds": "clip"}, "kinds"),
        ({"value": "x", "auto_download": "some"}, "auto_download"),
        ({"value": "x", "is_active": "yes"}, "is_active"),
        ({"value": "http://127.0.0.1/a", "kind": "url", "platform": "link"}, "value"),
        ({"value": "file:///etc/passwd", "kind": "url", "platform": "link"}, "value"),
        ({"value": "http://127.0.0.1/x", "kind": "profile"}, "value"),
        ({"value": "https://www.douyin.com/video/7400000000000000001", "kind": "profile"}, "value"),
        ({"value": "x", "workspace": 1}, "workspace"),
        ({"value": "x", "id": 1}, "id"),
        ({"value": "x", "outcome": "ok"}, "outcome"),
        ({"value": "x", "next_run_at": "2026-01-01T00:00:00Z"}, "next_run_at"),
    ],
)
def test_a_wrong_source_is_refused_by_field(people: People, body: dict[str, Any], field: str) -> None:
    response = people.client("editor").send("POST", "/api/sources", body)

    assert response.status_code == 400
    assert field in {name.partition(".")[0] for name in response.json()["fields"]}
    assert not Source.objects.exists()


def test_settings_are_changed_and_the_next_look_is_planned_anew(people: People) -> None:
    source = SourceFactory.create(workspace=people.owner.workspace)
    next_year = timezone.now().year + 1

    response = people.client("editor").send("PATCH", f"/api/sources/{source.pk}", {"cron": "0 0 1 1 *", "min_likes": None})

    assert response.status_code == 200
    assert response.json()["next_run_at"].startswith(f"{next_year}-01-01T00:00:00")
    assert response.json()["min_likes"] is None


@pytest.mark.parametrize("field", sorted({field.name for field in Source._meta.get_fields()} - set(SETTINGS)))
def test_no_other_field_can_be_assigned(people: People, field: str) -> None:
    """Mass assignment: whatever the model has or will have."""
    source = SourceFactory.create(workspace=people.owner.workspace)
    before = Source.objects.values().get()

    response = people.client("editor").send("PATCH", f"/api/sources/{source.pk}", {field: people.foreigner.workspace.pk})

    assert response.status_code == 400
    assert field in response.json()["fields"]
    assert Source.objects.values().get() == before


def test_a_scan_is_accepted_once_while_it_waits(people: People) -> None:
    source = SourceFactory.create(workspace=people.owner.workspace)
    client = people.client("editor")

    first, second = (client.send("POST", f"/api/sources/{source.pk}/scan") for _ in range(2))

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"] == CrawlJob.objects.get().pk
    assert CrawlJob.objects.get().requested_by == people.editor.user


def test_runs_are_listed_newest_first_with_what_they_counted(people: People) -> None:
    source = SourceFactory.create(workspace=people.owner.workspace)
    runs = [CrawlJobFactory.create(source=source, completed=True, counts={"seen": n}) for n in range(3)]
    CrawlJobFactory.create()

    first = people.client("viewer").get(f"/api/sources/{source.pk}/runs?limit=2").json()
    second = people.client("viewer").get(first["next"]).json()

    assert [run["id"] for run in first["results"] + second["results"]] == [run.pk for run in reversed(runs)]
    assert second["next"] is None
    assert first["results"][0]["counts"] == {"seen": 2}
    assert first["results"][0]["next_attempt_at"] is None


def test_a_retrying_run_tells_why_and_when_it_goes_on(people: People) -> None:
    run = CrawlJobFactory.create(source__workspace=people.owner.workspace, retrying=True)

    [shown] = people.client("viewer").get(f"/api/sources/{run.source_id}/runs").json()["results"]

    assert shown["state"] == State.RETRYING
    assert shown["error_code"] == "unreachable"
    assert shown["next_attempt_at"]


def test_deleting_a_source_keeps_its_videos(people: People) -> None:
    sighting = SourceVideoFactory.create(source__workspace=people.owner.workspace)

    response = people.client("editor").send("DELETE", f"/api/sources/{sighting.source_id}")

    assert response.status_code == 204
    assert response.content == b""
    assert not Source.objects.exists()
    assert people.client("anonymous").get(f"/api/videos/{sighting.video_id}").status_code == 200


def test_the_list_is_the_workspaces_own_and_can_be_narrowed(people: People) -> None:
    mine = SourceFactory.create(workspace=people.owner.workspace, blocked=True)
    SourceFactory.create(workspace=people.owner.workspace, is_active=False)
    SourceFactory.create()
    client = people.client("viewer")

    assert len(client.get("/api/sources").json()["results"]) == 2
    for query in ("outcome=blocked", "is_active=true", "outcome=blocked&is_active=true&kind=topic"):
        assert [source["id"] for source in client.get(f"/api/sources?{query}").json()["results"]] == [mine.pk]


@pytest.mark.parametrize(
    "query",
    [
        "outcome=fine",
        "is_active=yes",
        "kind=x",
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=5&limit=6",
        "cursor=!",
        "cursor=eA",
        "q=x",
    ],
)
def test_a_wrong_filter_is_named(people: People, query: str) -> None:
    response = people.client("viewer").get(f"/api/sources?{query}")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == [query.partition("=")[0]]


def test_an_import_becomes_a_source_and_a_run(people: People) -> None:
    client = people.client("editor")

    response = client.send("POST", "/api/videos/import", {"url": "https://www.douyin.com/video/7000000000000000001"})

    assert response.status_code == 202
    job = CrawlJob.objects.get()
    assert response.json()["run"]["id"] == job.pk
    assert response.json()["video_id"] is None
    assert (job.source.kind, job.source.workspace) == ("url", people.owner.workspace)
    assert client.get(f"/api/sources/{response.json()['source_id']}/runs").status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest", "http://2130706433/", "http://0x7f.1/"),
        *("file:///etc/passwd", "javascript:alert(1)", "gopher://x/", "ftp://example.org/a", "http://", "x", "", "http://a b/"),
        *("http://no-such-host.invalid/", "http://user:pw@127.0.0.1/", "https://example.org/" + "a" * 600, "http://a\nb/"),
    ],
)
def test_a_link_that_the_house_does_not_follow_is_refused(people: People, url: str) -> None:
    response = people.client("editor").send("POST", "/api/videos/import", {"url": url})

    assert response.status_code == 400, response.content
    assert list(response.json()["fields"]) == ["url"]
    assert not Source.objects.exists()


def test_a_pasted_address_becomes_the_id_in_it(people: People) -> None:
    body = {"value": "https://www.douyin.com/user/MS4wLjABAAAA?from=web", "kind": "profile"}

    first = people.client("editor").send("POST", "/api/sources", body)
    again = people.client("editor").send("POST", "/api/sources", {**body, "value": "MS4wLjABAAAA"})

    assert (first.status_code, first.json()["value"]) == (201, "MS4wLjABAAAA")
    assert again.status_code == 409


@pytest.fixture
def _real_sites(settings: Any) -> None:
    settings.DOUYIN_URL, settings.TIKTOK_URL = "https://www.douyin.com", "https://www.tiktok.com"


@pytest.mark.usefixtures("_real_sites")
@pytest.mark.parametrize(
    ("body", "platform", "kind", "value"),
    [
        ({"value": "https://www.tiktok.com/@some.one"}, "tiktok", "profile", "some.one"),
        ({"value": "look: https://www.tiktok.com/tag/cats !"}, "tiktok", "hashtag", "cats"),
        ({"value": "https://www.tiktok.com/@some.one", "platform": "tiktok"}, "tiktok", "profile", "some.one"),
        ({"value": "https://www.tiktok.com/@some.one", "kind": "profile"}, "tiktok", "profile", "some.one"),
        ({"value": "https://www.douyin.com/user/MS4w", "platform": "douyin", "kind": "profile"}, "douyin", "profile", "MS4w"),
        (
            {"value": "https://www.tiktok.com/@x/video/7300000000000000001", "kind": "url"},
            *("tiktok", "url", "https://www.tiktok.com/@x/video/7300000000000000001"),
        ),
        ({"value": "https://vm.tiktok.com/ZM12345/", "kind": "url"}, "tiktok", "url", "https://vm.tiktok.com/ZM12345/"),
        ({"value": "https://1.1.1.1/film"}, "link", "url", "https://1.1.1.1/film"),
    ],
)
def test_a_link_says_itself_what_is_watched(people: People, body: dict[str, Any], platform: str, kind: str, value: str) -> None:
    response = people.client("editor").send("POST", "/api/sources", body)

    assert response.status_code == 201, response.content
    assert (response.json()["platform"], response.json()["kind"], response.json()["value"]) == (platform, kind, value)


@pytest.mark.usefixtures("_real_sites")
@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"value": "https://www.tiktok.com/@some.one", "kind": "topic"}, "platform “tiktok” and kind “profile”"),
        ({"value": "https://www.tiktok.com/@some.one", "platform": "douyin"}, "platform “tiktok” and kind “profile”"),
        ({"value": "https://www.tiktok.com/tag/cats", "platform": "tiktok", "kind": "profile"}, "kind “hashtag”"),
        ({"value": "https://1.1.1.1/film", "platform": "douyin", "kind": "url"}, "platform “link” and kind “url”"),
        ({"value": "https://vm.tiktok.com/ZM12345/", "platform": "douyin", "kind": "url"}, "platform “tiktok”"),
        ({"value": "https://www.tiktok.com/about"}, "nothing that can be watched"),
        ({"value": "https://www.tiktok.com/about", "platform": "tiktok", "kind": "url"}, "leads to no video"),
        ({"value": "https://vm.tiktok.com/ZM12345/"}, "short link"),
        ({"value": "tiktok.com/about"}, "nothing that can be watched"),
        ({"value": "ftp://example.org/cats"}, "nothing that can be watched"),
    ],
)
def test_a_link_of_something_else_or_of_nothing_is_refused_with_what_it_is(
    people: People, body: dict[str, Any], says: str
) -> None:
    response = people.client("editor").send("POST", "/api/sources", body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert says in response.json()["detail"]
    assert list(response.json()["fields"]) == ["value"]
    assert not Source.objects.exists()
