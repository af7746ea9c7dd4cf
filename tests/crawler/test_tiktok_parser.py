"""TikTok's answers of every family, from captured ones and from what hostile servers make of them."""

import contextlib
import copy
import json
import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.cleaning import Unusable, clean_external
from crawler.providers.aweme import exact_id
from crawler.providers.tiktok_page import data_of
from crawler.providers.tiktok_parser import parse_listing, sound_info

NOW = datetime(2026, 11, 20, tzinfo=UTC)

# What each captured answer holds: clips, carousels, lives, ads, entries of other kinds, errors.
CAPTURED = {
    "scrapecreators/v1_tiktok_creators_popular.json": (0, 0, 0, 0, 2, 0),  # people
    "scrapecreators/v1_tiktok_live.json": (0, 0, 1, 0, 0, 0),
    "scrapecreators/v1_tiktok_profile.json": (0, 0, 0, 0, 0, 0),  # a person, without their posts
    "scrapecreators/v1_tiktok_profile_region.json": (0, 0, 0, 0, 0, 0),  # a country
    "scrapecreators/v1_tiktok_search_hashtag.json": (1, 0, 0, 0, 0, 0),
    "scrapecreators/v1_tiktok_search_hashtag.trim.json": (1, 0, 0, 0, 0, 0),
    "scrapecreators/v1_tiktok_search_keyword.json": (1, 0, 0, 0, 0, 0),
    "scrapecreators/v1_tiktok_search_suggestions.json": (0, 0, 0, 0, 10, 0),  # words
    "scrapecreators/v1_tiktok_search_users.json": (0, 0, 0, 0, 1, 0),  # people
    "scrapecreators/v1_tiktok_search_users.trim.json": (0, 0, 0, 0, 2, 0),
    "scrapecreators/v1_tiktok_song.json": (0, 0, 0, 0, 0, 0),  # a sound
    "scrapecreators/v1_tiktok_song_videos.json": (1, 0, 0, 0, 0, 0),
    "scrapecreators/v1_tiktok_user_audience.json": (0, 0, 0, 0, 7, 0),  # countries
    "scrapecreators/v1_tiktok_user_followers.json": (0, 0, 0, 0, 1, 0),  # people
    "scrapecreators/v1_tiktok_user_followers.trim.json": (0, 0, 0, 0, 2, 0),
    "scrapecreators/v1_tiktok_user_following.json": (0, 0, 0, 0, 20, 0),
    "scrapecreators/v1_tiktok_user_following.trim.json": (0, 0, 0, 0, 2, 0),
    "scrapecreators/v1_tiktok_user_live.json": (0, 0, 1, 0, 0, 0),
    "scrapecreators/v1_tiktok_video_comment_replies.json": (0, 0, 0, 0, 2, 0),  # comments
    "scrapecreators/v1_tiktok_video_comments.json": (0, 0, 0, 0, 1, 0),
    "scrapecreators/v1_tiktok_video_comments.trim.json": (0, 0, 0, 0, 1, 0),
    "scrapecreators/v1_tiktok_video_transcript.json": (0, 0, 0, 0, 0, 0),  # spoken words
    "scrapecreators/v2_tiktok_video.json": (1, 0, 0, 0, 0, 0),
    "scrapecreators/v2_tiktok_video_photo_carousel_2025-09.json": (0, 1, 0, 0, 0, 0),
    "scrapecreators/v3_tiktok_profile_videos.json": (1, 0, 0, 0, 0, 0),
    "tiktok-app/comments_page_2024-11.json": (0, 0, 0, 0, 80, 0),  # comments
    "tiktok-web/general_search_full.json": (11, 0, 0, 1, 1, 0),  # the other is a card of people
    "tiktok-web/hashtag_videos_2022.json": (30, 0, 0, 0, 0, 0),
    "tiktok-web/item_detail_2023-12.json": (1, 0, 0, 0, 0, 0),
    "tiktok-web/item_detail_missing_10204_2026-09.json": (0, 0, 0, 0, 0, 0),  # a post that is gone
    "tiktok-web/rehydration_video_detail.json": (1, 0, 0, 0, 0, 0),
    "tiktok-web/search_hashtag_2022.json": (0, 0, 0, 0, 28, 0),  # hashtags
    "tiktok-web/search_music_2022.json": (0, 0, 0, 0, 28, 0),  # sounds
    "tiktok-web/trending_music_2022.json": (0, 0, 0, 0, 10, 0),
    "tiktok-web/userMeta_page_2021.html": (3, 0, 0, 1, 0, 0),
    "tiktok-web/user_popular_posts_2025-10.json": (1, 0, 0, 0, 0, 0),
    "tiktok-web/user_videos_2022.json": (25, 0, 0, 0, 0, 0),
    "tiktok-web/videoMeta_page_2021.html": (1, 0, 0, 0, 0, 0),
    "tiktok-web/video_detail_by_id_2022.json": (1, 0, 0, 0, 0, 0),
    "tiktok-web/video_page.html": (1, 0, 0, 0, 0, 0),
}


@pytest.fixture
def captured(shared_dir):
    def read(name: str) -> Any:
        text = (shared_dir / "payloads" / name).read_text("utf-8")
        return data_of(text) if name.endswith(".html") else json.loads(text)

    return read


def of(listing) -> tuple[int, ...]:
    kinds = Counter(video.kind for video in listing.videos)
    others = (listing.skipped.get(kind, 0) for kind in ("live", "ad", "other", "malformed"))
    return (kinds["clip"], kinds["carousel"], *others)


def test_no_captured_file_is_left_out(shared_dir):
    folders = [shared_dir / "payloads" / name for name in ("scrapecreators", "tiktok-app", "tiktok-web")]
    assert {f"{path.parent.name}/{path.name}" for folder in folders for path in folder.iterdir()} == set(CAPTURED)


@pytest.mark.parametrize("name", CAPTURED)
def test_a_captured_answer_holds_what_it_held(captured, name):
    listing = parse_listing(captured(name), now=NOW)

    assert of(listing) == CAPTURED[name]
    for video in listing.videos:
        clean = clean_external(video, NOW)
        assert clean.platform == "tiktok"
        assert clean.url.startswith("https://www.tiktok.com/@")
        assert clean.author.external_id.isdigit()
        assert clean.published_at is not None
        assert clean.counts.likes is not None
        assert clean.counts.views is not None
        assert clean.media or clean.slides
        assert clean.cover_url


def test_a_photo_post_keeps_every_slide_and_its_sound_and_has_no_clip(captured):
    (video,) = parse_listing(captured("scrapecreators/v2_tiktok_video_photo_carousel_2025-09.json"), now=NOW).videos

    assert video.url == "https://www.tiktok.com/@emily.growth/photo/7506215463664274710"
    assert (len(video.slides), video.media, video.duration_ms) == (7, (), None)
    assert all(len(slide.urls) == 2 and ".jpeg" in slide.urls[0] and slide.width == 1080 for slide in video.slides)
    assert video.cover_url == video.slides[0].urls[0]
    assert (video.sound.external_id, bool(video.sound.play_url)) == ("7140790914893236998", True)
    assert video.flags == ("promoted",)


def test_the_exact_counters_win_over_the_rounded(captured):
    first = parse_listing(captured("tiktok-web/general_search_full.json"), now=NOW).videos[0]

    assert (first.counts.views, first.counts.likes, first.counts.saves) == (2_414_227, 178_670, 13_122)


def test_an_id_that_javascript_rounded_is_nobodys(captured):
    body = captured("scrapecreators/v3_tiktok_profile_videos.json")
    music = body["aweme_list"][0]["music"]
    assert (music["id"], music["id_str"]) == (7470969632736710000, "7470969632736709422")
    assert parse_listing(body, now=NOW).videos[0].sound.external_id == "7470969632736709422"

    del music["id_str"], music["mid"], body["aweme_list"][0]["added_sound_music_info"]

    assert parse_listing(body, now=NOW).videos[0].sound is None
    assert [exact_id(value) for value in (7470969632736709422, 7265752733188277000, 42, "7265752733188277000")] == [
        "7470969632736709422",
        "",
        "42",
        "7265752733188277000",
    ]


def test_a_sound_by_itself_tells_how_many_use_it(captured):
    sound = sound_info(captured("scrapecreators/v1_tiktok_song.json"))

    assert (sound.external_id, sound.uses) == ("6717159721276540930", 358)
    assert sound.url == "https://www.tiktok.com/music/Different-Acoustic-6717159721276540930"


# -- made up -----------------------------------------------------------------------------------------


def aweme(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "aweme_id": str(7_000_000_000_000_000_000 + number),
        "aweme_type": 0,
        "desc": f"clip {number} #cat",
        "create_time": 1_790_000_000,
        "statistics": {"play_count": 10, "digg_count": 5, "comment_count": 1, "share_count": 0, "collect_count": 2},
        "author": {"uid": "42", "unique_id": "someone", "nickname": "Some One"},
        "video": {"play_addr": {"url_list": ["https://cdn.test/a.mp4"]}, "cover": {"url_list": ["https://cdn.test/a.jpeg"]}},
        **changes,
    }


def test_what_is_not_a_post_to_keep_is_counted_by_its_reason():
    listing = parse_listing(
        {
            "aweme_list": [
                aweme(1),
                aweme(1),  # pinned posts come twice
                aweme(2, is_ads=True),
                aweme(3, is_ad=True),
                aweme(4, aweme_type=101),
                aweme(5, status={"is_delete": True}),
                aweme(6, status={"private_status": 1}),
                aweme(7, video={}),
                aweme(8, aweme_id="x"),
                aweme(9, aweme_type=150, image_post_info={"images": []}),
                "nonsense",
                {"live_info": {"room_id": "1"}},
                {"type": 4, "user_list": []},
            ]
        },
        now=NOW,
    )

    assert [video.external_id for video in listing.videos] == ["7000000000000000001"]
    assert listing.skipped == {"ad": 2, "live": 2, "deleted": 2, "malformed": 4, "other": 1}
    assert len(listing.errors) == 4


def test_what_a_profile_promotes_of_its_own_is_still_its_post():
    body = {"aweme_list": [aweme(1, is_ad=True), aweme(2, is_ads=True)]}

    listing = parse_listing(body, now=NOW, own="42")

    assert [(video.external_id, video.flags) for video in listing.videos] == [("7000000000000000001", ("promoted",))]
    assert listing.skipped == {"ad": 1}


@pytest.mark.parametrize("counter", ["1.2万", "1.2M", "12,345", "", None, True, -1, [], 10**15])
def test_a_counter_in_words_is_no_number_and_leaves_a_flag(counter):
    statistics = {"play_count": counter, "digg_count": "17"}

    (video,) = parse_listing({"aweme_list": [aweme(1, statistics=statistics)]}, now=NOW).videos

    assert (video.counts.views, video.counts.likes) == (None, 17)
    assert bool(video.flags) == (counter not in ("", None))


def test_the_flat_search_holds_photo_posts_as_plain_addresses():
    flat = {
        "id": "7506215463664274710",
        "desc": "two pictures #a",
        "content_type": "multi_photo",
        "create_time": 1_790_000_000,
        "statistics": {"play_count": 7, "digg_count": 3},
        "author": {"uid": "42", "unique_id": "someone"},
        "images": ["https://cdn.test/1.jpeg", "https://cdn.test/2.jpeg"],
        "music": {"id_str": "71", "title": "a sound", "play_url": {"url_list": ["https://cdn.test/a.mp3"]}},
    }
    clip = {**flat, "id": "7506215463664274711", "content_type": "video", "images": [], "video": aweme(1)["video"]}

    photo, video = parse_listing({"success": True, "items": [flat, clip], "cursor": 12}, now=NOW).videos

    assert (photo.kind, [slide.urls for slide in photo.slides]) == (
        "carousel",
        [("https://cdn.test/1.jpeg",), ("https://cdn.test/2.jpeg",)],
    )
    assert (video.kind, len(video.media), video.sound.play_url) == ("clip", 1, "https://cdn.test/a.mp3")


def test_photo_posts_of_the_web_keep_their_slides_and_take_their_sound_from_the_play_address():
    item = {
        "id": "7506215463664274710",
        "createTime": "1790000000",
        "desc": "",
        "author": {"id": "42", "uniqueId": "someone"},
        "stats": {"playCount": 5, "diggCount": 1},
        "music": {"id": "71", "title": "", "playUrl": ""},
        "video": {"id": "1", "duration": 0, "playAddr": "https://cdn.test/sound.mp3"},
        "imagePost": {
            "title": "A title",
            "images": [
                {"imageURL": {"urlList": [f"https://cdn.test/{n}.heic", f"https://cdn.test/{n}.jpeg"]}, "imageWidth": 1080}
                for n in range(35)
            ],
        },
    }

    (video,) = parse_listing({"itemInfo": {"itemStruct": item}}, now=NOW).videos

    assert (video.kind, len(video.slides), video.title) == ("carousel", 35, "A title")
    assert video.slides[0].urls == ("https://cdn.test/0.jpeg", "https://cdn.test/0.heic")
    assert video.sound.play_url == "https://cdn.test/sound.mp3"


def test_an_answer_without_a_list_is_not_an_empty_list():
    assert parse_listing({"aweme_list": []}).has_list
    assert not parse_listing({"status_code": 0}).has_list
    assert not parse_listing({"aweme_list": None}).has_list


JUNK = [None, True, -1, 0, 2**70, 1.5, float("nan"), "", "x", "\x00", "9" * 5000, [], {}, [None], {"a": 1}, [[]], "https://x"]


def leaves(node: Any, path: tuple = ()) -> Any:
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield (*path, key)
            yield from leaves(value, (*path, key))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "name",
    [
        "scrapecreators/v2_tiktok_video_photo_carousel_2025-09.json",
        "scrapecreators/v1_tiktok_search_keyword.json",
        "tiktok-web/user_popular_posts_2025-10.json",
    ],
)
def test_no_json_makes_it_raise(captured, name, seed):
    """Any value in any place."""
    chance = random.Random(seed)
    body = captured(name)
    places = list(leaves(body))
    for _ in range(250):
        broken = copy.deepcopy(body)
        for path in chance.sample(places, 3):
            node = broken
            try:
                for key in path[:-1]:
                    node = node[key]
                node[path[-1]] = chance.choice(JUNK)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change took this place away
        for video in parse_listing(broken, now=NOW).videos:
            with contextlib.suppress(Unusable):
                clean_external(video, NOW)


@pytest.mark.parametrize("body", [*JUNK, {"data": None}, {"itemList": {}}, {"__DEFAULT_SCOPE__": []}, {"props": 1}])
def test_no_body_makes_it_raise(body):
    parse_listing(body, now=NOW)
