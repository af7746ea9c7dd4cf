"""No request crosses a workspace: every route, every method, every role, generated from the routes themselves."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import URLPattern

from analysis.models import AnalysisJob
from api import urls
from api.documentation import document
from api.views import ApiView, NoSuchPath
from crawler.models import CrawlJob, Source
from downloads.models import Batch, DownloadJob
from tests.api.conftest import People
from tests.factories import BatchFactory, DownloadJobFactory, SourceFactory, SourceVideoFactory, VideoFactory

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
ROLES = ["anonymous", "foreigner", "viewer", "editor", "owner", "staff"]
ROUTES = [route for route in urls.urlpatterns if route.name != "api-nothing"]
OWNED_PROFILE = ["api-profile", "api-profile-monitoring", "api-profile-trigger"]
SOUND = ["api-sound", "api-sound-videos", "api-sound-scrape"]
OWNED = [*OWNED_PROFILE, *SOUND, "api-source", "api-source-scan", "api-source-runs"]

BODIES: dict[tuple[str, str], Any] = {
    ("POST", "api-sources"): {"value": "another topic"},
    ("POST", "api-profiles"): {"handle": "@another.one"},
    ("PATCH", "api-profile-monitoring"): {"enabled": False},
    ("POST", "api-profile-trigger"): {"force_recache": True},
    ("POST", "api-sounds"): {"url": "https://www.tiktok.com/music/wave-7016547803243022338"},
    ("PATCH", "api-source"): {"interval_minutes": 7},
    ("POST", "api-import"): {"url": "https://www.douyin.com/video/7000000000000000001"},
    ("PATCH", "api-video"): {"category": "x"},
    ("POST", "api-batches"): {"ids": ["video"]},
    ("POST", "api-bulk-ocr"): {"ids": ["video"]},
}
"""What makes a request that would be done, were it allowed."""


class World:
    """One workspace's rows, asked for by everybody."""

    def __init__(self, people: People) -> None:
        sighting = SourceVideoFactory.create(source__workspace=people.owner.workspace)
        self.video = sighting.video
        self.source = sighting.source
        self.profile = SourceFactory.create(
            workspace=people.owner.workspace, platform="tiktok", kind="profile", value="someone", author=self.video.author
        )
        workspace = people.owner.workspace
        self.sound = SourceFactory.create(workspace=workspace, platform="tiktok", kind="sound", value="7016547803243022337")
        self.carousel = VideoFactory.create(carousel=True)
        self.batch = BatchFactory.create(user=people.owner.user, jobs=[DownloadJobFactory.create()])

    def path(self, route: URLPattern) -> str:
        pk = {
            **dict.fromkeys(OWNED, self.source.pk),
            **dict.fromkeys(OWNED_PROFILE, self.profile.pk),
            **dict.fromkeys(SOUND, self.sound.pk),
            **dict.fromkeys(["api-video", "api-video-metrics", "api-video-download"], self.video.pk),
            "api-video-ocr": self.carousel.pk,
            "api-author": self.video.author_id,
            "api-batch": self.batch.pk,
        }.get(str(route.name))
        path = re.sub(r"<\w+:pk>", str(pk), str(route.pattern))
        assert "<" not in path
        return f"/api/{path}"

    def body(self, method: str, name: str) -> Any:
        body = BODIES.get((method, name))
        return {"ids": [self.carousel.pk if name == "api-bulk-ocr" else self.video.pk]} if body == {"ids": ["video"]} else body

    def state(self) -> Any:
        rows = (Source, CrawlJob, DownloadJob, Batch, AnalysisJob)
        self.video.refresh_from_db()
        return [list(model.objects.order_by("pk").values()) for model in rows], self.video.category


def expected(name: str, method: str, role: str) -> int:
    """The answer's status, from the rules as people are told them."""
    allowed = {
        "api-sources": ["GET", "POST"],
        "api-source": ["GET", "PATCH", "DELETE"],
        "api-source-scan": ["POST"],
        "api-profiles": ["GET", "POST"],
        "api-profile-monitoring": ["PATCH"],
        "api-profile-trigger": ["POST"],
        "api-sounds": ["GET", "POST"],
        "api-sound-scrape": ["POST"],
        "api-import": ["POST"],
        "api-video": ["GET", "PATCH"],
        "api-video-download": ["GET", "POST"],
        "api-batches": ["POST"],
        "api-video-ocr": ["POST"],
        "api-bulk-ocr": ["POST"],
        "api-webhook-apify": ["POST"],
    }.get(name, ["GET"])
    reads = method in ("GET", "HEAD")
    if ("GET" if method == "HEAD" else method) not in allowed:
        return 405
    listed = ("api-sources", "api-profiles", "api-sounds")
    if name in (*listed, *OWNED, "api-import", "api-video-ocr", "api-bulk-ocr") or (name, method) == ("api-video", "PATCH"):
        if role == "anonymous":
            return 401
        if role == "viewer" and not reads:
            return 403
    if name == "api-webhook-apify":
        return 401  # for it, nobody is anybody
    if name in OWNED and role in ("foreigner", "staff"):
        return 404
    if name == "api-batch" and role != "owner":
        return 404
    return {
        ("api-sources", "POST"): 201,
        ("api-sounds", "POST"): 201,
        ("api-sound-scrape", "POST"): 202,
        ("api-source", "DELETE"): 204,
        ("api-source-scan", "POST"): 202,
        ("api-profiles", "POST"): 201,
        ("api-profile-trigger", "POST"): 202,
        ("api-import", "POST"): 202,
        ("api-video-download", "POST"): 202,
        ("api-batches", "POST"): 202,
        ("api-video-ocr", "POST"): 202,
        ("api-bulk-ocr", "POST"): 202,
    }.get((name, method), 200)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_who_may_do_what(people: People, route: URLPattern, method: str) -> None:
    world = World(people)
    before = world.state()
    name = str(route.name)
    headers = {"accept": "text/html"} if name == "api-docs" else {}

    for role in ROLES:
        with transaction.atomic():
            response = people.client(role).send(method, world.path(route), world.body(method, name), headers=headers)

            assert response.status_code == expected(name, method, role), role
            if response.status_code >= 400 and method != "HEAD":
                assert set(response.json()) >= {"code", "detail"}
            if response.status_code >= 400 or method in ("GET", "HEAD"):
                assert world.state() == before, role
            transaction.set_rollback(True)


@pytest.mark.parametrize("role", ["foreigner", "staff"])
@pytest.mark.parametrize("name", OWNED)
def test_another_workspaces_source_is_told_apart_from_none_by_nothing(people: People, name: str, role: str) -> None:
    world = World(people)
    client = people.client(role)
    route = next(route for route in ROUTES if route.name == name)
    missing = re.sub(r"[0-9]+", "999999999", world.path(route))

    for method in METHODS:
        body = world.body(method, name)
        foreign, nothing = client.send(method, world.path(route), body), client.send(method, missing, body)
        assert (foreign.status_code, foreign.content) == (nothing.status_code, nothing.content)
        assert dict(foreign.items()).keys() == dict(nothing.items()).keys()


@pytest.mark.parametrize("path", ["/api/sources", "/api/sounds"])
def test_the_list_of_sources_holds_no_foreign_one(people: People, path: str) -> None:
    World(people)

    assert people.client("foreigner").get(path).json() == {"results": [], "next": None}


def test_every_route_is_in_the_document_and_no_other() -> None:
    documented = {re.sub(r"{\w+}", "{}", path): set(methods) for path, methods in document()["paths"].items()}
    routed = {}
    for route in ROUTES:
        view: type[ApiView] = getattr(route.callback, "view_class")  # noqa: B009  (Django notes it on a function)
        methods = {name for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        routed[re.sub(r"<\w+:\w+>", "{}", f"/api/{route.pattern}")] = methods
    assert getattr(urls.urlpatterns[-1].callback, "view_class") is NoSuchPath  # noqa: B009

    assert documented == routed


def test_a_batch_that_does_not_exist_is_404(people: People) -> None:
    assert people.client("owner").get(f"/api/videos/batch-download/{uuid4()}").status_code == 404
