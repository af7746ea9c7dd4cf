"""TikTok by ScrapeCreators, against the stand-in that is as strict as the catalogue, and against servers that lie."""

import json
from typing import Any

import pytest

from crawler import outbound
from crawler.models import AuthorSnapshot, MetricSnapshot, Outcome, Source, Video
from crawler.providers.base import Access, Query
from crawler.providers.errors import Changed, Gone, KeyRefused, OutOfCredits, RateLimited, Unreachable, Unsupported
from crawler.providers.scrapecreators import ScrapeCreators
from crawler.signals import videos_observed
from jobs.models import State
from tests.crawler.looks import look
from tests.crawler.raw_server import answer, headers_of, path_of, raw_server
from tests.factories import SourceFactory

BUSY = "meonhabo"


def watched(kind="profile", value="", **changes) -> Source:
    return SourceFactory(platform="tiktok", kind=kind, value=value, **changes)


# -- the whole way -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_profile_is_read_page_by_page_with_its_own_counters(tiktok):
    source = watched(value=BUSY, pages_per_run=2)

    with tiktok.standing_still():  # the posts bring the author's followers too, a moment after the profile
        job = look(source)

    assert (job.state, job.outcome, job.pages) == (State.COMPLETED, "ok", 2)
    assert job.counts["seen"] >= job.counts["new"] == Video.objects.count() > 10
    assert job.counts["credits"] == 3
    assert source.author.handle == BUSY
    snapshot = AuthorSnapshot.objects.get()
    assert (snapshot.author, snapshot.followers) == (source.author, source.author.followers)
    assert set(Video.objects.values_list("author", flat=True)) == {source.author_id}


@pytest.mark.django_db(transaction=True)
def test_a_second_look_observes_what_is_known_and_reads_by_the_lasting_id(tiktok):
    source = watched(value=BUSY)

    with tiktok.standing_still():  # a new post would push an old one off the page
        first, second = look(source), look(source)

    assert second.counts["updated"] == first.counts["new"]  # what is pinned is listed twice, and observed once
    assert "updated" not in first.counts
    assert MetricSnapshot.objects.count() == first.counts["new"] * 2 + second.counts.get("new", 0)
    assert AuthorSnapshot.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_renamed_profile_is_read_on_and_says_its_new_name(tiktok):
    source = watched(value="trammay", pages_per_run=1)
    look(source)
    tiktok._call("PUT", "/control/people/trammay", {"handle": "tram.moi"})
    try:
        job = look(source)
    finally:
        tiktok._call("PUT", "/control/people/tram.moi", {"handle": "trammay"})

    assert (job.state, job.outcome, source.outcome) == (State.COMPLETED, "renamed", Outcome.RENAMED)
    assert "tram.moi" in source.outcome_detail
    assert source.value == "trammay"
    assert source.author.handle == "tram.moi"
    assert job.counts["updated"] > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("handle", "outcome", "state"),
    [
        ("quiet.account", Outcome.PRIVATE, State.FAILED),
        ("nobody.yet", Outcome.EMPTY, State.COMPLETED),
        ("gone.creator", Outcome.GONE, State.FAILED),
        ("never.was.there", Outcome.GONE, State.FAILED),
    ],
)
def test_private_empty_and_deleted_profiles_are_told_apart(tiktok, handle, outcome, state):
    source = watched(value=handle)

    job = look(source)

    assert (job.state, job.outcome, source.outcome) == (state, outcome, outcome)
    assert bool(source.author) == (outcome != Outcome.GONE)
    assert source.last_good_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "value", "pages"), [("hashtag", "#cattok", 2), ("topic", "mèo", 2), ("trending", "VN", 1)])
def test_hashtags_keywords_and_trending_lists_are_read(tiktok, kind, value, pages):
    source = watched(kind, value, pages_per_run=pages)

    job = look(source)

    assert (job.state, job.outcome) == (State.COMPLETED, "ok"), job.error
    assert job.counts["new"] == Video.objects.filter(platform="tiktok").count() > 0
    assert job.counts["credits"] == job.pages <= pages


@pytest.mark.django_db(transaction=True)
def test_whoever_wants_photo_posts_alone_is_read_the_mixed_search(tiktok):
    source = watched("topic", "mèo", kinds=["carousel"], pages_per_run=2)

    job = look(source)

    assert job.outcome == "ok", job.error
    assert set(Video.objects.values_list("kind", flat=True)) == {"carousel"}
    assert all(len(video.slides) > 1 for video in Video.objects.all())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fault", "value"), [("stuck_cursor", None), ("empty_page", None)])
def test_a_list_that_turns_in_circles_or_only_promises_comes_to_an_end(tiktok, fault, value):
    source = watched(value=BUSY, pages_per_run=20)
    tiktok.set_fault(fault, places=["scrapecreators"])

    job = look(source)

    if fault == "stuck_cursor":
        assert (job.state, job.outcome) == (State.COMPLETED, "ok")
        assert job.pages <= 3
    else:  # the profile says that it has posts: an empty list is a refusal, not the truth
        assert (job.state, job.outcome, source.outcome) == (State.RETRYING, "unreachable", Outcome.UNREACHABLE)


@pytest.mark.django_db(transaction=True)
def test_a_forced_look_tells_the_later_stages(tiktok):
    source, heard = watched(value=BUSY, pages_per_run=1), []

    def listen(is_forced, **_):
        heard.append(is_forced)

    videos_observed.connect(listen)
    try:
        look(source)
        look(source, force_recache=True)
    finally:
        videos_observed.disconnect(listen)

    assert heard == [False, True]


# -- what refusals mean ------------------------------------------------------------------------------


def asked(server, kind="hashtag", value="cats", cursor=None, pages=3, site="https://www.tiktok.com"):
    base = server.url("").rstrip("/")
    access = Access(base_url=base, site_url=site, key="secret-key", door=outbound.Door(allowed_hosts=server.allowed))
    return list(ScrapeCreators().crawl(Query(kind=kind, value=value), access, cursor=cursor, pages=pages))


def told(*bodies, status="200 OK", **headers):
    """A server that answers with these bodies, one after the other, the last for ever."""
    queue = list(bodies)

    def handle(connection, request):
        body = queue.pop(0) if len(queue) > 1 else queue[0]
        connection.sendall(answer(body if isinstance(body, bytes) else json.dumps(body).encode(), status, **headers))

    return raw_server(handle)


def post(number, **changes) -> dict[str, Any]:
    return {
        "aweme_id": str(7_000_000_000_000_000_000 + number),
        "create_time": 1_790_000_000,
        "statistics": {"play_count": 10, "digg_count": 5},
        "author": {"uid": "42", "unique_id": "someone"},
        "video": {"play_addr": {"url_list": ["https://cdn.test/a.mp4"]}},
        **changes,
    }


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("401 Unauthorized", {"success": False, "message": "Invalid API key"}, KeyRefused),
        ("401 Unauthorized", b"", KeyRefused),
        ("500 Internal Server Error", {"success": False, "message": "apiKey is required"}, KeyRefused),
        ("402 Payment Required", {"success": False, "message": "Looks like you're out of credits"}, OutOfCredits),
        ("402 Payment Required", {"success": False, "message": "Invalid API key"}, KeyRefused),
        ("404 Not Found", {"success": False, "message": "not found"}, Gone),
        ("400 Bad Request", {"success": False, "message": "bad region"}, Changed),
        ("500 Internal Server Error", b"<html>", Unreachable),
        ("503 Service Unavailable", b"", Unreachable),
        ("200 OK", {"status_code": 2154, "aweme_list": []}, Unreachable),
        ("200 OK", {"status_code": 0}, Unreachable),
        ("200 OK", {"status_code": 0, "aweme_list": None}, Unreachable),
        ("200 OK", {"status_code": 0, "aweme_list": [], "has_more": 1, "cursor": 12}, Unreachable),
        ("200 OK", {"success": False, "message": "Something went wrong"}, Unreachable),
        ("200 OK", {"success": False, "message": "Looks like you're out of credits"}, OutOfCredits),
        ("200 OK", b'{"aweme_list": [{"aweme_id": "7', Unreachable),
        ("200 OK", b"<!doctype html>", Changed),
        ("200 OK", b"[1]", Changed),
        ("200 OK", {"aweme_list": [{"aweme_id": "x", "video": {}}]}, Changed),
    ],
)
def test_each_refusal_is_known_for_what_it_is_and_never_taken_for_empty(status, body, error):
    with told(body, status=status) as server, pytest.raises(error) as raised:
        asked(server)

    assert raised.value.message
    assert "secret-key" not in raised.value.message


def test_a_request_for_rest_is_kept():
    with told({}, status="429 Too Many Requests", Retry_After="90") as server, pytest.raises(RateLimited) as raised:
        asked(server)

    assert raised.value.retry_after.total_seconds() == 90


def test_the_key_goes_in_its_header_and_a_cursor_back_as_it_was_given():
    pages = [
        {"aweme_list": [post(1)], "cursor": "a b&c", "has_more": 1, "credits_charged": 0},
        {"aweme_list": [post(2)], "cursor": 24, "has_more": 1},
        {"aweme_list": [post(3)], "cursor": 36, "has_more": 0, "credits_charged": 2},
    ]
    with told(*pages) as server:
        found = asked(server, value="#cats")

        paths = [path_of(request) for request in server.requests]
        assert paths == [
            "/v1/tiktok/search/hashtag?hashtag=cats",
            "/v1/tiktok/search/hashtag?hashtag=cats&cursor=a+b%26c",
            "/v1/tiktok/search/hashtag?hashtag=cats&cursor=24",
        ]
        assert {headers_of(request)["x-api-key"] for request in server.requests} == {"secret-key"}
    assert [page.credits for page in found] == [0, 1, 2]
    assert [page.cursor and page.cursor["cursor"] for page in found] == ["a b&c", 24, None]


def test_a_run_goes_on_from_the_place_it_was_given():
    with told({"aweme_list": [post(1)], "cursor": 36, "has_more": 0}) as server:
        asked(server, cursor={"cursor": 24, "used": ["12"]})

        assert [path_of(request) for request in server.requests] == ["/v1/tiktok/search/hashtag?hashtag=cats&cursor=24"]


@pytest.mark.parametrize(
    "second",
    [
        {"aweme_list": [post(2)], "cursor": 12, "has_more": 1},  # the place it came from
        {"aweme_list": [post(1)], "cursor": 36, "has_more": 1},  # what was shown before
        {"aweme_list": [], "cursor": 36, "has_more": 1},  # promises
        {"aweme_list": [post(2)], "has_more": 1},  # no place
        {"aweme_list": [post(2)], "cursor": None, "has_more": 1},
        {"aweme_list": [post(2)], "cursor": {"x": 1}, "has_more": 1},
    ],
)
def test_no_list_turns_for_ever(second):
    with told({"aweme_list": [post(1)], "cursor": 12, "has_more": 1}, second) as server:
        found = asked(server, pages=50)

        assert len(server.requests) == 2
    assert found[-1].cursor is None


def test_an_empty_list_for_a_profile_with_posts_is_asked_for_from_elsewhere():
    person = {"user": {"id": "42", "uniqueId": "someone"}, "stats": {"videoCount": 3, "followerCount": 9}}
    empty = {"aweme_list": [], "has_more": 0, "max_cursor": 0, "status_code": 0}
    with told(person, empty, {**empty, "aweme_list": [post(1)]}) as server:
        (page,) = asked(server, "profile", "@Someone")

        assert [path_of(request) for request in server.requests] == [
            "/v1/tiktok/profile?handle=someone",
            "/v3/tiktok/profile/videos?user_id=42&sort_by=latest",
            "/v3/tiktok/profile/videos?user_id=42&sort_by=latest&region=US",
        ]
    assert (len(page.videos), page.credits, page.author.followers) == (1, 3, 9)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("profile", "two words"), ("profile", "https://x.test/@a"), ("trending", "Vietnam"), ("sound", "0"), ("x", "y")],
)
def test_what_cannot_be_asked_is_not_asked(kind, value):
    with told({}) as server:
        with pytest.raises(Unsupported):
            asked(server, kind, value)
        assert server.requests == []


def test_a_service_that_thinks_for_long_is_waited_for():
    """Longer than the silence after which other servers are given up."""
    opened: dict[str, Any] = {}

    class Attentive(outbound.Door):
        def open_stream(self, url, **how):
            opened.update(how)
            return super().open_stream(url, **how)

    with told({"aweme_list": []}) as server:
        access = Access(base_url=server.url("").rstrip("/"), key="k", door=Attentive(allowed_hosts=server.allowed))
        list(ScrapeCreators().crawl(Query(kind="hashtag", value="cats"), access, cursor=None, pages=1))
    assert opened["deadline_seconds"] >= 60
    assert opened["stall_seconds"] >= 60
