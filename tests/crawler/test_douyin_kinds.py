"""Hashtags, sounds, profiles and the hot list by the browser: on the sample platform, and on a site that answers oddly."""

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.providers import browser, douyin
from crawler.providers.base import Access, Query
from crawler.providers.douyin import Douyin
from crawler.providers.errors import Blocked, Changed, Gone, LoginRequired, Private
from tests.crawler.raw_server import answer, path_of, raw_server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def _one_browser():
    yield
    browser.close()


@pytest.fixture
def access(sample):
    sample.clear_faults()
    return Access(base_url=sample.web_url, page_timeout_seconds=60)


def crawl(access, kind, value, *, cursor=None, pages=3):
    return list(Douyin().crawl(Query(kind=kind, value=value), access, cursor=cursor, pages=pages))


def videos_of(pages):
    return [video for page in pages for video in page.videos]


# -- against the sample platform -------------------------------------------------------------------


def test_a_hashtag_is_read_by_its_name_and_by_its_id(access, sample):
    post = next(entry for entry in sample.search("猫")["data"] if entry.get("aweme_info", {}).get("text_extra"))["aweme_info"]
    tag = next(extra for extra in post["text_extra"] if extra.get("hashtag_name"))

    by_id = videos_of(crawl(access, "hashtag", str(tag["hashtag_id"]), pages=20))
    by_name = videos_of(crawl(access, "hashtag", tag["hashtag_name"], pages=2))

    assert post["aweme_id"] in {video.external_id for video in by_id}
    assert all(tag["hashtag_name"] in video.hashtags for video in [*by_id, *by_name])
    assert by_name


def test_a_sound_is_read_page_by_page(access, sample):
    music = next(e["aweme_info"]["music"] for e in sample.search("猫")["data"] if e.get("aweme_info", {}).get("music"))

    pages = crawl(access, "sound", music["id_str"], pages=20)

    assert {video.sound.external_id for video in videos_of(pages)} == {music["id_str"]}
    assert pages[-1].cursor is None


# -- against a site of our own, which answers as it is told ------------------------------------------

SCRIPT = b"""<script>(async () => { for (const path of PATHS) await (await fetch(path)).text() })()</script>"""
PERSON = {"uid": "68310389333", "sec_uid": "MS4wLjABAAAA-x", "nickname": "Li", "follower_count": 40, "following_count": 1}


class Site:
    """Pages that ask for the paths they are told to, which answer with what they are told to."""

    def __init__(self):
        self.access = None
        self.asks = {}
        self.answers = {}

    def handle(self, connection, request):
        parts = urlsplit(path_of(request))
        path = parts.path.rstrip("/") + "/"
        if path in self.answers:
            said = self.answers[path]
            said = said(parse_qs(parts.query)) if callable(said) else said
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            connection.sendall(answer(body, Content_Type="application/json"))
            return
        script = SCRIPT.replace(b"PATHS", json.dumps(self.asks.get(parts.path, [])).encode())
        connection.sendall(answer(script, Content_Type="text/html"))


@pytest.fixture
def site():
    told = Site()
    with raw_server(told.handle) as server:
        told.access = Access(base_url=server.url(host="localhost")[:-1], page_timeout_seconds=60)
        yield told


PROFILE, POSTS = "/aweme/v1/web/user/profile/other/", "/aweme/v1/web/aweme/post/"


def profile(site, user, posts, *, posts_first=False, **extra):
    """A profile's page; `posts` None: it never asks for them, which only its time can tell."""
    if posts is None:
        site.access = replace(site.access, page_timeout_seconds=10)
    asked = [PROFILE] if posts is None else [POSTS, PROFILE] if posts_first else [PROFILE, POSTS]
    site.asks["/user/MS4wLjABAAAA-x"] = asked
    site.answers[PROFILE] = user if isinstance(user, bytes) else {"status_code": 0, "user": user}
    listed = [] if posts is None else posts
    site.answers[POSTS] = {"status_code": 0, "aweme_list": listed, "has_more": 0, "max_cursor": 0, **extra}
    return crawl(site.access, "profile", "MS4wLjABAAAA-x")


def post(number):
    address = {"url_list": [f"https://v.test/{number}.mp4"], "width": 720, "height": 1280}
    return {"aweme_id": str(7400000000000000000 + number), "desc": "x", "video": {"play_addr": address}, "statistics": {}}


@pytest.mark.parametrize("posts_first", [False, True])
def test_a_profile_comes_with_its_own_counters_whichever_answer_is_first(site, posts_first, monkeypatch):
    monkeypatch.setattr(douyin, "ABOUT_SECONDS", 60.0)  # its page asks, however slow this machine is
    pages = profile(site, PERSON | {"aweme_count": 772, "total_favorited": "9"}, [post(1)], posts_first=posts_first)

    author = pages[0].author
    assert (author.external_id, author.followers, author.following, author.videos, author.likes) == ("68310389333", 40, 1, 772, 9)
    assert len(videos_of(pages)) == 1


@pytest.mark.parametrize(
    ("user", "posts", "more", "error"),
    [
        (PERSON | {"secret": 1, "aweme_count": 5}, [], {}, Private),
        (PERSON | {"secret": 1}, None, {}, Private),
        (PERSON | {"user_canceled": True}, [], {}, Gone),
        (None, [], {}, Gone),
        ({"uid": "0"}, [], {}, Gone),
        (PERSON | {"aweme_count": 7}, [], {}, Blocked),
        (PERSON | {"aweme_count": 7}, [], {"not_login_module": {"guide": True}}, LoginRequired),
        (b"", [], {}, Blocked),
    ],
)
def test_an_empty_list_is_not_taken_for_a_profile_without_videos(site, user, posts, more, error):
    with pytest.raises(error):
        profile(site, user, posts, **more)


def test_a_profile_without_videos_is_empty(site):
    pages = profile(site, PERSON | {"aweme_count": 0}, [])

    assert (videos_of(pages), pages[0].author.videos) == ([], 0)


def test_trouble_with_the_counters_alone_costs_no_video(site):
    pages = profile(site, b"<html>", [post(1)])

    assert (len(videos_of(pages)), pages[0].author) == (1, None)


HOT, SEARCH = "/aweme/v1/web/hot/search/list/", "/aweme/v1/web/general/search/single/"


@pytest.fixture
def hot(site):
    words = [
        {"word": "cat", "position": 2, "hot_value": 80},
        {"word": "dog", "position": 1, "hot_value": 90},
        {"word": "no place of its own"},
        {"word": "ox", "position": 3, "hot_value": "many"},
    ]
    site.asks["/hot"] = [HOT]
    site.answers[HOT] = {"status_code": 0, "data": {"word_list": words}}
    for number, word in enumerate(("cat", "dog", "ox"), 1):
        site.asks[f"/search/{word}"] = [f"{SEARCH}?keyword={word}&offset=0&n={number}"]
    card = lambda query: [{"type": 1, "aweme_info": post(int(query["n"][0]))}]  # noqa: E731
    site.answers[SEARCH] = lambda query: {"status_code": 0, "data": card(query), "has_more": 1, "cursor": 10}
    return site


def test_the_hot_list_is_its_words_and_what_a_search_shows_for_each(hot):
    pages = crawl(hot.access, "trending", "hot", pages=2)

    assert [(w.word, w.position, w.heat) for w in pages[0].words] == [("dog", 1, 90), ("cat", 2, 80), ("ox", 3, None)]
    assert [page.word for page in pages] == ["dog", "cat"]
    assert [video.external_id[-1] for video in videos_of(pages)] == ["2", "1"]
    assert pages[-1].cursor == {"word": 2}


def test_a_run_over_the_hot_list_goes_on_at_the_next_word(hot):
    pages = crawl(hot.access, "trending", "hot", cursor={"word": 2}, pages=5)

    assert [(page.word, page.cursor) for page in pages] == [("ox", None)]


def test_a_hot_list_without_words_is_a_change_and_not_a_quiet_day(hot):
    hot.answers[HOT] = {"status_code": 0, "data": {"word_list": []}}

    with pytest.raises(Changed):
        crawl(hot.access, "trending", "hot")


def test_what_was_found_for_the_first_words_is_kept_when_a_later_one_is_refused(hot):
    pages = Douyin().crawl(Query(kind="trending", value="hot"), hot.access, cursor=None, pages=3)
    assert next(pages).word == "dog"
    hot.answers[SEARCH] = b""

    with pytest.raises(Blocked):
        next(pages)


def test_the_sample_platforms_hot_list_is_read(access):
    pages = crawl(access, "trending", "hot", pages=2)

    assert len(pages[0].words) == 30
    assert [page.word for page in pages] == [hot.word for hot in pages[0].words[:2]]
    assert videos_of(pages)
