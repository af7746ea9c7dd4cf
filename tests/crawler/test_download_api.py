"""A self-hosted download API as collector: a server that keeps to version 5's interface, and one that does not."""

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler import access as accesses
from crawler.outbound import door_to
from crawler.providers import download_api
from crawler.providers.base import Access, Query
from crawler.providers.download_api import DownloadAPI
from crawler.providers.errors import (
    Blocked,
    Changed,
    Gone,
    KeyRefused,
    NotConfigured,
    Private,
    RateLimited,
    Unreachable,
    Unsupported,
)
from tests.crawler.raw_server import answer, headers_of, path_of, raw_server

POSTS = json.loads((Path(__file__).resolve().parents[1] / "data" / "douyin" / "posts.json").read_text())["aweme_list"]
GOOD = next(post for post in POSTS if post.get("video", {}).get("play_addr") and not post.get("status", {}).get("is_delete"))
PERSON = {"uid": "68310389333", "sec_uid": "MS4wLjABAAAA-x", "nickname": "Li", "follower_count": 40, "aweme_count": 3}
KNOWN = {"url", "aweme_id", "sec_user_id", "cursor", "count", "include_raw", "wait", "refresh", "lang"}


def ok(data, **meta):
    return "200 OK", {"success": True, "data": data, "error": None, "meta": {"request_id": "r", **meta}}


def error(code, status="400 Bad Request", **more):
    return status, {"success": False, "data": None, "error": {"code": code, "message": "said", **more}, "meta": {}}


def post(number):
    return {**GOOD, "aweme_id": str(7400000000000000000 + number)}


def item(raw):
    return {"platform": "douyin", "content_id": "1", "kind": "video", "raw": raw}


class Server:
    """Answers each path as told; refuses a wrong key and unknown parameters, and hands work to a queue if it is slow."""

    def __init__(self):
        self.says, self.asked, self.most_wait, self.polls = {}, [], 30, 0
        self.access = None

    def handle(self, connection, request):
        parts = urlsplit(path_of(request))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((parts.path.removeprefix("/api/v1"), query))
        status, body = self._answer(parts.path.removeprefix("/api/v1"), query, headers_of(request))
        said = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.sendall(answer(said, status, Content_Type="application/json"))

    def _answer(self, path, query, headers):
        if headers.get("x-api-key") != "dtk-key":
            return error("UNAUTHENTICATED", "401 Unauthorized")
        if set(query) - KNOWN:
            return error("INVALID_PARAM", details={"field": "?"})
        if float(query.get("wait", 0)) > self.most_wait:
            return error("INVALID_PARAM", details={"field": "wait", "max": self.most_wait})
        said = self.says.get(path, error("NOT_FOUND", "404 Not Found"))
        return said(query) if callable(said) else said


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download_api, "ASK_AGAIN_SECONDS", 0.01)
    told = Server()
    with raw_server(told.handle) as running:
        base = running.url(host="localhost")[:-1]
        told.access = Access(
            base_url=base, platform="douyin", site_url="https://www.douyin.com", key="dtk-key", door=door_to(base)
        )
        told.says["/douyin/user"] = ok({"uid": "MS4wLjABAAAA-x", "raw": PERSON})
        yield told


def crawl(server, *, kind="profile", value="MS4wLjABAAAA-x", cursor=None, pages=5):
    return list(DownloadAPI().crawl(Query(kind=kind, value=value), server.access, cursor=cursor, pages=pages))


def paged(query):
    first = int(query.get("cursor", 0))
    items = [item(post(first + n)) for n in range(2)]
    return ok({"items": items, "cursor": str(first + 2), "has_more": first < 4})


def test_a_profile_is_read_page_by_page_with_its_counters(server):
    server.says["/douyin/user/posts"] = paged

    pages = crawl(server)

    assert [video.external_id[-1] for page in pages for video in page.videos] == ["0", "1", "2", "3", "4", "5"]
    assert [page.cursor for page in pages] == [{"cursor": "2"}, {"cursor": "4"}, None]
    assert (pages[0].author.external_id, pages[0].author.followers, pages[1].author) == ("68310389333", 40, None)
    assert pages[0].videos[0].media


def test_a_run_goes_on_at_its_cursor(server):
    server.says["/douyin/user/posts"] = paged

    pages = crawl(server, cursor={"cursor": "4"})

    assert [video.external_id[-1] for page in pages for video in page.videos] == ["4", "5"]


def test_the_cursor_may_stand_beside_the_data_and_a_list_alone(server):
    server.says["/douyin/user/posts"] = ok([item(post(1))], cursor={"next": "9", "has_more": True})

    assert crawl(server, pages=1)[0].cursor == {"cursor": "9"}


def test_a_cursor_that_comes_again_ends_the_run(server):
    server.says["/douyin/user/posts"] = ok({"items": [item(post(1))], "cursor": "7", "has_more": True})

    assert len(crawl(server, pages=9)) == 2


def test_a_task_is_waited_for(server):
    def task(query):
        server.polls += 1
        if server.polls < 3:
            return ok({"task_id": "t-1", "state": "running"})
        page = {"items": [item(post(1))], "cursor": None, "has_more": False}
        return ok({"task_id": "t-1", "state": "done", "data": page, "result_meta": {}})

    server.says["/douyin/user/posts"] = ("202 Accepted", ok({"task_id": "t-1", "state": "queued"})[1])
    server.says["/tasks/t-1"] = task

    assert len(crawl(server)[0].videos) == 1
    assert server.polls == 3


def test_a_task_that_fails_fails_as_it_would_have_at_once(server):
    server.says["/douyin/user/posts"] = ("202 Accepted", ok({"task_id": "t-1", "state": "queued"})[1])
    server.says["/tasks/t-1"] = ok({"state": "failed", "error": {"code": "UPSTREAM_RISK_CONTROL"}})

    with pytest.raises(Blocked):
        crawl(server)


def test_a_task_that_never_ends_is_left(server, monkeypatch):
    monkeypatch.setattr(download_api, "SECONDS", 0.2)
    server.says["/douyin/user"] = ("202 Accepted", ok({"task_id": "t-1", "state": "queued"})[1])
    server.says["/tasks/t-1"] = ok({"state": "running"})

    with pytest.raises(Unreachable):
        crawl(server)


def test_a_server_that_lets_nobody_wait_so_long_is_asked_for_less(server):
    server.most_wait = 5
    server.says["/douyin/user/posts"] = paged

    assert crawl(server, pages=1)[0].videos
    assert {query["wait"] for _path, query in server.asked} == {"25", "5"}


def test_one_post_is_read_by_its_id_and_a_short_link_as_it_is(server):
    server.says["/douyin/video"] = lambda query: ok(item({**GOOD, "aweme_id": query["aweme_id"]}))
    server.says["/parse"] = ok(item(post(9)))

    by_id = DownloadAPI().fetch_video("https://www.douyin.com/video/7300000000000000001?x=1", server.access)
    short = DownloadAPI().fetch_video("https://v.douyin.com/abc/", server.access)

    assert (by_id.external_id, short.external_id[-1]) == ("7300000000000000001", "9")


def test_tiktok_is_read_by_its_own_parser(server, shared_dir):
    data = json.loads((shared_dir / "payloads/tiktok-web/user_videos_2022.json").read_text())
    items = data if isinstance(data, list) else next(value for value in data.values() if isinstance(value, list))
    raws = [entry.get("item", entry) if isinstance(entry, dict) else entry for entry in items]
    server.access = Access(
        base_url=server.access.base_url,
        platform="tiktok",
        site_url="https://www.tiktok.com",
        key="dtk-key",
        door=server.access.door,
    )
    stats = {"follower_count": 7, "following_count": 1, "content_count": 3, "total_digg": 9}
    server.says["/tiktok/user"] = ok({"uid": "123", "unique_id": "cat", "nickname": "Cat", "stats": stats, "raw": {}})
    server.says["/tiktok/user/posts"] = ok({"items": [item(raw) for raw in raws], "cursor": None, "has_more": False})

    pages = crawl(server, value="cat")

    assert pages[0].videos
    assert {video.platform for video in pages[0].videos} == {"tiktok"}
    assert (pages[0].author.handle, pages[0].author.followers) == ("cat", 7)
    assert server.asked[0][1]["url"] == "https://www.tiktok.com/@cat"


@pytest.mark.parametrize(
    ("says", "raised"),
    [
        (error("RATE_LIMITED", "429 Too Many", retry_after=9), RateLimited),
        (error("IDENTITY_POOL_EXHAUSTED", "503 Busy"), RateLimited),
        (error("FORBIDDEN_SCOPE", "403 Forbidden"), KeyRefused),
        (error("NOT_FOUND", "404 Not Found"), Gone),
        (error("CONTENT_PRIVATE", "403 Forbidden"), Private),
        (error("UPSTREAM_RISK_CONTROL", "502 Bad"), Blocked),
        (error("UPSTREAM_CHANGED", "502 Bad"), Changed),
        (error("INVALID_PARAM"), Unsupported),
        (error("NOT_CONFIGURED", "501 No"), NotConfigured),
        (error("INTERNAL", "500 Oops"), Unreachable),
        (error("NEVER_HEARD_OF"), Unreachable),
        (("200 OK", {"success": False}), Unreachable),
        (("404 Not Found", {"detail": "Not Found"}), Changed),
        (("200 OK", {"code": 200, "data": {}}), Changed),
        (("502 Bad Gateway", b"<html>"), Unreachable),
        (("200 OK", b"<html>"), Changed),
        (("200 OK", b"[" * 100_000), Changed),
        (ok({"items": None}), Changed),
        (ok({"items": [item({}), item(None), 7, {}]}), Changed),
        (ok({"items": [], "has_more": True, "cursor": "1"}), Blocked),
    ],
)
def test_each_answer_has_its_meaning(server, says, raised):
    server.says["/douyin/user/posts"] = says

    with pytest.raises(raised) as told:
        crawl(server)

    if says[1] and b"retry_after" in json.dumps(says[1], default=str).encode():
        assert told.value.retry_after == timedelta(seconds=9)


def test_a_key_that_is_not_accepted_says_where_to_look(server):
    server.access = Access(base_url=server.access.base_url, platform="douyin", key="wrong", door=server.access.door)

    with pytest.raises(KeyRefused, match="DOWNLOAD_API_KEY"):
        crawl(server)


@pytest.mark.parametrize("kind", ["topic", "hashtag", "sound", "trending"])
def test_what_it_does_not_offer_stays_with_the_other_provider(server, settings, kind):
    settings.DOUYIN_PROVIDER = "download_api"

    assert accesses.provider_name("douyin", kind) == "browser"
    assert accesses.provider_name("douyin", "profile") == accesses.provider_name("douyin") == "download_api"
    with pytest.raises(Unsupported):
        crawl(server, kind=kind)


@pytest.mark.django_db
def test_it_is_chosen_by_a_setting_and_needs_its_address(settings):
    settings.TIKTOK_PROVIDER, settings.DOWNLOAD_API_URL = "download_api", "http://api.test/"
    reader = accesses.reader_for("tiktok", "profile")
    assert (reader.name, reader.access.platform, reader.access.base_url) == ("download_api", "tiktok", "http://api.test")

    settings.DOWNLOAD_API_URL = ""
    with pytest.raises(NotConfigured, match="DOWNLOAD_API_URL"):
        accesses.reader_for("tiktok", "profile")
