"""Single TikTok posts by their pages, and who is asked when a page says too little."""

import json
from typing import Any

import pytest

from crawler import outbound, services
from crawler.looking import look_at
from crawler.models import ProviderPause
from crawler.providers import tiktok_links
from crawler.providers.base import Access
from crawler.providers.errors import Blocked, Changed, Gone, RateLimited, Unreachable, Unsupported
from crawler.providers.tiktok_page import NOT_VISIBLE, TikTokPage
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.crawler.raw_server import answer, path_of, raw_server
from tests.factories import WorkspaceFactory

KEY = "sample-scrapecreators-key"


@pytest.fixture
def tiktok(sample, settings):
    settings.TIKTOK_URL = sample.tiktok_url
    settings.SCRAPECREATORS_URL = sample.scrapecreators_url
    settings.SCRAPECREATORS_API_KEY = ""
    sample.clear_faults()
    yield sample
    sample.clear_faults()


def shown(sample, kind: str) -> dict[str, Any]:
    """Some post that anybody can see."""
    return next(v for v in sample.get("/control/tiktok.json")["videos"] if v["is_shown"] and v["kind"] == kind)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["clip", "carousel"])
@pytest.mark.parametrize("link", ["url", "short_url"])
def test_a_link_is_read_without_any_key(tiktok, kind, link):
    planned = shown(tiktok, kind)

    job = services.import_url(planned[link], workspace=WorkspaceFactory())
    assert drain(kinds.get("crawl"), most=1) == 1

    job.refresh_from_db()
    assert (job.state, job.outcome) == (State.COMPLETED, "ok"), job.error
    video = services.imported_video(job)
    assert (video.platform, video.external_id, video.kind) == ("tiktok", str(planned["id"]), kind)
    assert video.sound is not None
    assert bool(video.slides) == (kind == "carousel")
    assert job.counts.get("credits", 0) == 0


@pytest.mark.django_db(transaction=True)
def test_where_the_page_blocks_us_the_service_is_asked(tiktok, settings):
    planned = shown(tiktok, "carousel")
    tiktok.set_fault("block", places=["tiktok"])
    with pytest.raises(Blocked):
        look_at("tiktok", planned["url"])

    settings.SCRAPECREATORS_API_KEY = KEY
    video, charged = look_at("tiktok", planned["url"])

    assert (video.external_id, video.kind, charged) == (str(planned["id"]), "carousel", 1)


@pytest.mark.django_db(transaction=True)
def test_a_service_that_refuses_leaves_the_page_its_say(tiktok, settings):
    settings.SCRAPECREATORS_API_KEY = "wrong"
    planned = shown(tiktok, "clip")
    tiktok.set_fault("block", places=["tiktok"])

    for _ in range(3):
        with pytest.raises(Blocked):
            look_at("tiktok", planned["url"])

    assert ProviderPause.objects.get().code == "key_refused"


# -- what pages say ----------------------------------------------------------------------------------


def page(facts: Any, name="__UNIVERSAL_DATA_FOR_REHYDRATION__", key="webapp.video-detail") -> bytes:
    data = {"__DEFAULT_SCOPE__": {key: facts}} if name.startswith("__UNI") else facts
    return f'<html><script id="{name}" type="application/json">{json.dumps(data)}</script></html>'.encode()


def item(**changes) -> dict[str, Any]:
    return {
        "id": "7524919459643919624",
        "desc": "hello",
        "createTime": "1752031845",
        "author": {"id": "42", "uniqueId": "someone"},
        "stats": {"diggCount": 5, "playCount": 10},
        "video": {"playAddr": "https://cdn.test/a.mp4", "duration": 3},
        **changes,
    }


def read(server, link="/@someone/video/7524919459643919624"):
    site = server.url("").rstrip("/")
    access = Access(base_url=site, site_url=site, door=outbound.Door(allowed_hosts=server.allowed))
    return TikTokPage().fetch_video(site + link, access)


def serving(*bodies: bytes, status="200 OK", **headers):
    queue = list(bodies)

    def handle(connection, request):
        connection.sendall(answer(queue.pop(0) if len(queue) > 1 else queue[0], status, **headers))

    return raw_server(handle)


@pytest.mark.parametrize(
    ("facts", "error", "code"),
    [
        ({"statusCode": 10204, "statusMsg": ""}, Gone, NOT_VISIBLE),
        ({"statusCode": 10204, "status_code": 0, "status_msg": ""}, Gone, NOT_VISIBLE),
        ({"statusCode": 10204, "statusMsg": "item_privacy_authorization&status_deleted"}, Gone, "gone"),
        ({"statusCode": 10204, "statusMsg": "status_reviewing"}, Unreachable, "in_review"),
        ({"statusCode": 10204, "statusMsg": "person_geo_fencing"}, Blocked, "geo_blocked"),
        ({"statusCode": 0, "status_code": 10217}, Gone, "gone"),
        ({"statusCode": 10222}, Gone, "gone"),
        ({"statusCode": 10221}, Gone, "gone"),
        ({"statusCode": 10101}, Unreachable, "unreachable"),
        ({"statusCode": "10000"}, Blocked, "blocked"),
        ({"statusCode": 4711}, Changed, "changed"),
        ({"statusCode": 0}, Changed, "changed"),
        ({"statusCode": 0, "itemInfo": {"itemStruct": {"id": "x"}}}, Changed, "changed"),
        ({"statusCode": 0, "itemInfo": {"itemStruct": item(privateItem=True)}}, Gone, "gone"),
    ],
)
def test_each_status_means_what_it_means(facts, error, code):
    with serving(page(facts)) as server, pytest.raises(error) as raised:
        read(server)

    assert raised.value.code == code


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("200 OK", b"", Blocked),
        ("200 OK", b"<html>captcha</html>", Blocked),
        ("200 OK", b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{"a": </script>', Changed),
        ("403 Forbidden", b"", Blocked),
        ("404 Not Found", b"", Gone),
        ("429 Too Many Requests", b"", RateLimited),
        ("502 Bad Gateway", b"", Unreachable),
    ],
)
def test_a_page_without_data_is_a_refusal(status, body, error):
    with serving(body, status=status) as server, pytest.raises(error):
        read(server)


def test_a_photo_post_whose_page_has_no_data_is_asked_for_as_a_clip():
    photo = item(imagePost={"images": [{"imageURL": {"urlList": ["https://cdn.test/1.jpeg"]}}]})
    with serving(b"<html></html>", page({"itemInfo": {"itemStruct": photo}, "statusCode": 0})) as server:
        video = read(server, "/@someone/photo/7524919459643919624")

        assert [path_of(request) for request in server.requests] == [
            "/@someone/photo/7524919459643919624",
            "/@someone/video/7524919459643919624",
        ]
    assert (video.kind, len(video.slides)) == ("carousel", 1)


def test_older_pages_are_read_too():
    old = {
        "ItemModule": {"7524919459643919624": item(author="someone")},
        "UserModule": {"users": {"someone": {"id": "42", "uniqueId": "someone"}}, "stats": {"someone": {"followerCount": 7}}},
    }
    with serving(page(old, "SIGI_STATE")) as server:
        video = read(server)

    assert (video.author.external_id, video.author.followers) == ("42", 7)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://www.tiktok.com/@a.b/video/7524919459643919624?lang=en", ("a.b", "video", "7524919459643919624")),
        ("https://www.tiktok.com/@a/photo/7524919459643919624", ("a", "photo", "7524919459643919624")),
        ("https://m.tiktok.com/v/7524919459643919624.html", ("", "video", "7524919459643919624")),
        ("https://www.tiktok.com/embed/v2/7524919459643919624", ("", "video", "7524919459643919624")),
        ("https://www.tiktok.com/@/video/7524919459643919624", ("", "video", "7524919459643919624")),
        ("https://www.tiktok.com/@a", None),
        ("https://www.tiktok.com/@a/video/x", None),
    ],
)
def test_links_to_posts_are_known(url, found):
    assert tiktok_links.find_post(url) == found


@pytest.mark.parametrize(
    ("url", "is_known"),
    [
        ("https://vm.tiktok.com/ZMabc/", True),
        ("https://vt.tiktok.com/ZSabc", True),
        ("https://www.tiktok.com/t/ZTabc/", True),
        ("https://www.tiktok.com/@a/video/7524919459643919624", True),
        ("https://www.tiktok.com/@a", False),
        ("https://nottiktok.com/@a/video/7524919459643919624", False),
        ("https://tiktok.com.evil.test/@a/video/7524919459643919624", False),
        ("http://[", False),
    ],
)
def test_only_tiktoks_own_links_are_its(url, is_known):
    assert TikTokPage().knows(url, "https://www.tiktok.com") is is_known


def test_a_link_to_something_else_is_not_fetched():
    with serving(b"x") as server:
        with pytest.raises(Unsupported):
            read(server, "/@someone")
        assert server.requests == []
