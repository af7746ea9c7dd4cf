import copy
import json
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.providers.aweme import expires_at
from crawler.providers.base import Counts
from crawler.providers.douyin_parser import parse_listing

DATA = Path(__file__).resolve().parents[1] / "data" / "douyin"
NOW = datetime(2026, 11, 20, tzinfo=UTC)

# What each captured answer holds: clips, carousels, lives, and entries of other kinds.
CAPTURED = {
    "douyin-app/aweme_detail_2021.json": (1, 0, 0, 0),
    "douyin-app/general_search_cat_2026-02.json": (8, 8, 0, 2),
    "douyin-app/hot_list_2021.json": (0, 0, 0, 9),
    "douyin-app/live_room_info_2021.json": (0, 0, 1, 0),
    "douyin-app/search_challenge_2021.json": (0, 0, 0, 1),
    "douyin-app/search_music_2021.json": (0, 0, 0, 2),
    "douyin-app/search_video_one_2021.json": (1, 0, 0, 0),
    "douyin-app/user_posts_one_2021.json": (1, 0, 0, 0),
    "douyin-web/comments_7260749400622894336.json": (0, 0, 0, 40),
    "douyin-web/live_room_reflow_info.json": (0, 0, 1, 0),
    "douyin-web/profile_videos_api_2022.json": (20, 0, 0, 0),
    "douyin-web/user_posts_12345xiaolaohu.json": (86, 0, 0, 0),
    "douyin-web/user_posts_13632088.json": (54, 2, 0, 0),
    "douyin-web/user_posts_71158770.json": (69, 0, 0, 0),
    "douyin-web/user_posts_LL991221.json": (42, 1, 0, 0),
    "douyin-web/user_posts_elfin16.json": (68, 1, 0, 0),
    "douyin-web/user_posts_full_response.json": (18, 0, 0, 0),
    "douyin-web/users.json": (0, 0, 0, 13),
}


def read(name):
    return json.loads((DATA / name).read_text())


def by_id(listing):
    return {video.external_id[-3:]: video for video in listing.videos}


@pytest.mark.parametrize("name", CAPTURED)
def test_captured_answers_are_counted_by_kind(shared_dir, name):
    listing = parse_listing(json.loads((shared_dir / "payloads" / name).read_text("utf-8")))

    kinds = Counter(video.kind for video in listing.videos)
    found = (kinds["clip"], kinds["carousel"], listing.skipped.get("live", 0), listing.skipped.get("other", 0))
    assert (found, listing.errors) == (CAPTURED[name], ())


def test_no_captured_answer_is_forgotten(shared_dir):
    files = {str(f.relative_to(shared_dir / "payloads")) for f in (shared_dir / "payloads").glob("douyin-*/*")}

    assert files <= set(CAPTURED)


def test_captured_videos_have_what_a_row_needs(shared_dir):
    for name in CAPTURED:
        for video in parse_listing(json.loads((shared_dir / "payloads" / name).read_text("utf-8"))).videos:
            assert video.external_id.isdigit()
            assert video.counts.views is None  # none of the captures shows any
            assert video.counts.likes is not None
            assert (len(video.media) > 0) != (len(video.slides) > 0)
            assert all(media.url.startswith("https://") for media in video.media)
            assert "heic" not in "".join(slide.urls[0] for slide in video.slides)
            assert video.author
            assert video.flags == ()


def test_a_search_is_sorted_into_videos_and_the_rest():
    listing = parse_listing(read("search.json"), now=NOW)

    assert Counter(video.kind for video in listing.videos) == {"clip": 3, "carousel": 1}
    assert listing.skipped == {"deleted": 2, "ad": 1, "live": 2, "other": 2, "malformed": 9}
    assert len(listing.errors) == 9
    assert (listing.has_more, listing.next_offset, listing.search_id[:8]) == (True, 10, "20261120")


def test_a_clip_keeps_what_matters():
    video = by_id(parse_listing(read("search.json"), now=NOW))["001"]

    assert video.url == "https://www.douyin.com/video/7400000000000000001"
    assert video.title == "三分钟番茄炒蛋 #家常菜 #番茄炒蛋"
    assert video.hashtags == ("家常菜", "番茄炒蛋")
    assert (video.width, video.height, video.duration_ms) == (1080, 1920, 15400)
    assert video.published_at == datetime(2025, 11, 20, 0, 53, 20, tzinfo=UTC)
    assert video.counts == Counts(views=None, likes=60149, comments=3296, shares=3468, saves=44218)
    assert video.cover_url == "https://p3-pc-sign.douyinpic.com/c.webp?x-expires=1763700000"
    assert (video.author.external_id, video.author.handle, video.author.followers) == ("1000000000000001", "invented_cook", 12345)
    assert video.author.url == "https://www.douyin.com/user/MS4wLjABAAAAinvented_person_1"
    assert video.author.avatar_url.endswith(".jpeg?from=1")
    assert video.sound.external_id == "7330596189502229302"  # not the rounded number beside it
    assert video.sound.is_original


def test_media_are_ordered_for_a_player():
    media = by_id(parse_listing(read("search.json"), now=NOW))["001"].media

    names = [next(part for part in ("best", "low", "middle", "newer", "dash") if part in m.url) for m in media]
    assert names == ["best"] * 3 + ["middle"] * 3 + ["newer"] * 3
    assert [(m.codec, m.height, m.bitrate) for m in media[::3]] == [
        ("h264", 1920, 1500000),
        ("h264", 1280, 700000),
        ("h265", 1920, 800000),
    ]
    assert all(m.url.startswith("https://") for m in media)
    assert media[0].expires_at == datetime.fromtimestamp(0x6A0F0000, UTC)
    assert media[2].expires_at is None


def test_a_carousel_is_its_pictures_though_it_has_a_play_address():
    video = by_id(parse_listing(read("search.json"), now=NOW))["002"]

    assert (video.kind, video.media, video.duration_ms, video.sound) == ("carousel", (), None, None)
    assert [slide.urls[0].split("?")[0] for slide in video.slides] == [
        "https://p3-sign.douyinpic.com/i1~tplv:q80.jpeg",
        "https://p3-sign.douyinpic.com/i2.webp",
    ]
    assert video.url.endswith("/note/7400000000000000002")
    assert (video.title, video.hashtags, video.author.handle) == ("五个步骤", ("做饭",), "46429056777")
    assert video.counts == Counts(views=991, likes=12, comments=None, shares=3, saves=None)
    assert video.flags == ("not_a_number_saves",)


def test_doubtful_values_are_dropped_and_flagged():
    video = by_id(parse_listing(read("search.json"), now=NOW))["105"]

    assert video.counts == Counts()
    assert set(video.flags) == {
        "odd_published_at",
        "not_a_number_views",
        "negative_likes",
        "absurd_comments",
        "absurd_shares",
        "not_a_number_saves",
    }
    assert (video.published_at, video.sound, video.duration_ms) == (None, None, 15400)


def test_a_post_without_an_author_is_known_by_the_authors_number():
    assert by_id(parse_listing(read("search.json"), now=NOW))["105"].author.external_id == "1000000000000001"


def test_a_collection_card_is_its_first_post():
    assert "101" in by_id(parse_listing(read("search.json"), now=NOW))


def test_a_profile_goes_on_from_its_times():
    listing = parse_listing(read("posts.json"), now=NOW)

    assert [video.external_id[-3:] for video in listing.videos] == ["107", "002"]
    assert (listing.has_more, listing.next_offset) == (True, 1763400000000)


def test_links_lead_to_where_the_platform_is():
    listing = parse_listing(read("posts.json"), base_url="http://localhost:8002", now=NOW)

    assert listing.videos[0].url == "http://localhost:8002/video/7400000000000000107"


@pytest.mark.parametrize(
    "body", [None, 1, "text", [], {}, [None, 1, []], {"data": None}, {"data": {"data": []}}, {"aweme_list": {}}]
)
def test_an_answer_of_any_shape_is_an_empty_listing(body):
    assert parse_listing(body).videos == ()


def test_nothing_raises_however_an_answer_is_mutilated():
    """Values of a real shape are replaced, one or many at a time, by values of every other type."""
    chance = random.Random(20261120)
    odd = [
        None,
        True,
        -1,
        0,
        2**70,
        1.5,
        float("nan"),
        float("inf"),
        "",
        "x",
        "\ud800\x00",
        [],
        [[]],
        {},
        {"url_list": [None, 5]},
    ]
    original = read("search.json")

    def places(value, path=()):
        yield path
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            yield from places(item, (*path, key))

    everywhere = [path for path in places(original) if path]
    for round_number in range(400):
        body = copy.deepcopy(original)
        for path in chance.sample(everywhere, 1 if round_number % 2 else 25):
            place = body
            try:
                for key in path[:-1]:
                    place = place[key]
                place[path[-1]] = chance.choice(odd)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change took that place away
        parse_listing(body, now=NOW)


@pytest.mark.parametrize(
    ("url", "seconds"),
    [
        ("https://p3.test/a.jpeg?x-expires=1772874000&x-signature=abc", 1772874000),
        ("https://v26-web.test/99998f0b382c8e05bce68e972af73387/65f4182c/video/tos/x/?a=1", 0x65F4182C),
        ("https://www.douyin.com/aweme/v1/play/?video_id=v0", None),
        ("https://p3.test/a.jpeg?x-expires=soon", None),
        ("https://p3.test/a.jpeg?x-expires=99999999999999999999", None),
        ("https://p3.test/a.jpeg?x-expires=１２", None),
        ("https://v26.test/99998f0b382c8e05bce68e972af73387/00000001/video/", None),
    ],
)
def test_a_link_says_when_it_expires(url, seconds):
    assert expires_at(url) == (datetime.fromtimestamp(seconds, UTC) if seconds else None)
