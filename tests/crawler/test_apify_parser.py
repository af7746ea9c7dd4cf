"""Apify's real answers are read with stated counts; made-up ones cannot break the reading."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cleaning import clean_external
from crawler.providers.apify_parser import parse_items
from crawler.providers.sound_links import NotASound, ShortLink, SoundLink, read_sound

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SITE = "https://www.tiktok.com"
SOUND = "7016547803243022337"

COUNTS = {
    "clockworks_slideshow_item_2025-09.json": {"clips": 0, "carousels": 1, "lives": 0, "ads": 0, "errors": 0},
    "tiktok-profile-items_2025-07.json": {"clips": 9, "carousels": 0, "lives": 0, "ads": 1, "errors": 0},
}
"""By file: what is in it."""


def test_every_captured_answer_has_stated_counts(shared_dir):
    found = {}
    for path in sorted((shared_dir / "payloads" / "apify").glob("*.json")):
        body = json.loads(path.read_text())
        items = parse_items(body if isinstance(body, list) else [body], site_url=SITE, now=NOW)
        assert all(clean_external(video, NOW).external_id for video in items.videos)
        kinds = [video.kind for video in items.videos]
        found[path.name] = {
            "clips": kinds.count("clip"),
            "carousels": kinds.count("carousel"),
            "lives": items.skipped.get("live", 0),
            "ads": items.skipped.get("ad", 0),
            "errors": items.skipped.get("errors", 0) + items.skipped.get("malformed", 0),
        }

    assert found == COUNTS


def test_a_slideshow_keeps_its_slides_and_the_sound_it_was_found_under(shared_dir):
    body = json.loads((shared_dir / "payloads/apify/clockworks_slideshow_item_2025-09.json").read_text())

    [alone], [searched] = (parse_items(body, site_url=SITE, sound_id=sound).videos for sound in ("", SOUND))

    assert (alone.kind, len(alone.slides), alone.media, alone.sound) == ("carousel", 1, (), None)
    assert (alone.counts.views, alone.counts.saves, alone.author.followers) == (348_100, 105, 2_200_000)
    assert alone.published_at == datetime(2025, 8, 6, 12, 28, 22, tzinfo=UTC)
    assert searched.sound.external_id == SOUND


def test_the_other_actors_shape_is_read_too():
    page = "https://www.tiktok.com/@some.one/video/7535448384170331414"
    item = {
        **{"id": "7535448384170331414", "title": "Hi", "views": 10, "likes": 9, "comments": 8, "shares": 7, "bookmarks": 6},
        "hashtags": ["a", "b"],
        "channel": {"id": "70", "name": "Some One", "username": "some.one", "followers": 5, "videos": 4, "verified": True},
        "uploadedAt": 1_754_483_302,
        "video": {"width": 576, "height": 1024, "duration": 12.5, "url": "https://v.example/1.mp4", "cover": "https://c/x.heic"},
        "song": {"id": 7_016_547_803_243_022_000, "title": "Wave", "artist": "Sea", "duration": 30},
        "postPage": page,
    }
    nameless = {**item, "id": None}
    photo = {
        **item,
        "postPage": page.replace("video", "photo"),
        "images": ["https://p/1.jpg", {"url": "https://p/2.jpg"}],
    }

    [video] = parse_items([item, nameless], site_url=SITE, sound_id=SOUND).videos
    [carousel] = parse_items([photo], site_url=SITE).videos

    assert (video.counts.views, video.counts.saves, video.duration_ms, video.width) == (10, 6, 12_500, 576)
    assert (video.author.handle, video.author.videos, video.author.is_verified) == ("some.one", 4, True)
    assert (video.sound.external_id, video.sound.title, video.sound.duration_seconds) == (SOUND, "Wave", 30)
    assert (carousel.kind, len(carousel.slides)) == ("carousel", 2)
    assert (carousel.sound, carousel.flags) == (None, ("sound_id_rounded",))


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"error": "Post not found or private", "url": "https://x"}, "errors"),
        ({"error": "x", "errorCode": "NOT_FOUND", "input": "7"}, "errors"),
        ({"noResults": True}, "errors"),
        ({"id": "7535448384170331414", "isAd": True}, "ad"),
        ({"id": 1.5}, "malformed"),
        ({"id": "abc"}, "malformed"),
        ({"id": "7535448384170331414", "isSlideshow": True}, "malformed"),
        ({}, "malformed"),
        (None, "malformed"),
        ([], "malformed"),
    ],
)
def test_what_is_no_video_is_counted_by_reason(row, kind):
    items = parse_items([row], site_url=SITE)

    assert (items.videos, dict(items.skipped)) == ((), {kind: 1})


def test_counts_as_text_are_no_counts():
    row = {"id": "7535448384170331414", "playCount": "1.2M", "diggCount": "1.2万", "commentCount": -3, "shareCount": "12"}

    cleaned = clean_external(parse_items([row], site_url=SITE).videos[0], NOW)

    assert (cleaned.counts.views, cleaned.counts.likes, cleaned.counts.comments, cleaned.counts.shares) == (None, None, None, 12)
    assert set(cleaned.flags) == {"not_a_number_views", "not_a_number_likes", "negative_comments"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = (
    *("id", "error", "createTime", "createTimeISO", "authorMeta", "musicMeta", "videoMeta", "slideshowImageLinks", "isSlideshow"),
    *("hashtags", "channel", "song", "video", "postPage", "images", "mediaUrls", "searchMusic", "uploadedAt", "playCount"),
)


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), JSON | st.just("7535448384170331414")) | JSON, max_size=5))
def test_no_json_breaks_the_reading(rows):
    items = parse_items(rows, site_url=SITE, sound_id=SOUND, now=NOW)

    for video in items.videos:
        clean_external(video, NOW)
    assert len(items.videos) + sum(items.skipped.values()) <= len(rows)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"https://www.tiktok.com/music/original-sound-{SOUND}", SoundLink(SOUND, "original-sound")),
        (f"tiktok.com/music/original-sound-{SOUND}?is_from_webapp=1", SoundLink(SOUND, "original-sound")),
        (f"https://www.tiktok.com/music/{SOUND}", SoundLink(SOUND)),
        (f"https://www.tiktok.com/h5/share/music/{SOUND}.html", SoundLink(SOUND)),
        (f"https://m.tiktok.com/music/Nh%E1%BA%A1c-{SOUND}/", SoundLink(SOUND, "Nh%E1%BA%A1c")),
        (f"Nghe nè: https://www.tiktok.com/music/a-b-c-{SOUND}, hay!", SoundLink(SOUND, "a-b-c")),
        (f"  {SOUND} ", SoundLink(SOUND)),
        ("https://vm.tiktok.com/ZMabc123/", ShortLink("https://vm.tiktok.com/ZMabc123/")),
        ("see https://www.tiktok.com/t/ZTabc/ .", ShortLink("https://www.tiktok.com/t/ZTabc/")),
    ],
)
def test_a_sound_is_found_in_what_people_paste(text, found):
    assert read_sound(text) == found


def test_another_site_may_stand_for_the_platform():
    site = "http://localhost:9222/tiktok"

    assert read_sound(f"{site}/music/wave-{SOUND}", site) == SoundLink(SOUND, "wave")
    assert read_sound(f"{site}/t/abc123", site) == ShortLink(f"{site}/t/abc123")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no_sound"),
        ("wave", "no_sound"),
        ("https://www.tiktok.com/music/original-sound-0", "no_id"),
        ("00000", "no_id"),
        ("https://www.tiktok.com/@someone", "other_page"),
        (f"https://example.org/music/wave-{SOUND}", "no_sound"),
        (f"https://nottiktok.com/music/wave-{SOUND}", "no_sound"),
        (f"https://a@tiktok.com/music/wave-{SOUND}", "no_sound"),
        ("https://[bad/music/x-7016547803243022337", "no_sound"),
        ("https://www.tiktok.com:99999/music/x-7016547803243022337", "no_sound"),
    ],
)
def test_what_names_no_sound_says_so(text, code):
    with pytest.raises(NotASound) as error:
        read_sound(text)

    assert error.value.code == code
