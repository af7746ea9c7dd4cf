"""TikTok's side: what ScrapeCreators sells of it, its own pages, and its media."""

import json
import re
from typing import Any

import pytest
import requests

from tests.sample import Sample, running_sample
from tests.sample_platform.conftest import BROWSER

KEY = {"x-api-key": "sample-scrapecreators-key"}
VIDEOS = "/v3/tiktok/profile/videos"


def call(site: Sample, path: str, headers: dict[str, str] = KEY, **query: Any) -> requests.Response:
    return requests.get(f"{site.scrapecreators_url}{path}", params=query, headers=headers, timeout=60)


def pages(site: Sample, path: str, cursor: str = "cursor", **query: Any) -> list[dict[str, Any]]:
    found, asked = [], {}
    while True:
        page = call(site, path, **query, **asked).json()
        found.append(page)
        if not page["has_more"]:
            return found
        assert page[cursor] != asked.get(cursor)
        asked = {cursor: page[cursor]}


def person(site: Sample, **facts: Any) -> dict[str, Any]:
    people = site.tiktok_truth()["creators"]
    found: dict[str, Any] = next(one for one in people if all(one[name] == value for name, value in facts.items()))
    return found


def page_data(answer: requests.Response) -> dict[str, Any]:
    found = re.search(r'id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">(.*?)</script>', answer.text)
    assert found, "no data in the page"
    scope: dict[str, Any] = json.loads(found[1])["__DEFAULT_SCOPE__"]
    return scope


def a_post(site: Sample, **facts: Any) -> dict[str, Any]:
    found: dict[str, Any] = next(
        plan for plan in site.tiktok_truth()["videos"] if all(plan[name] == value for name, value in facts.items())
    )
    return found


def test_paging_a_profile_gives_every_post_and_pinned_ones_first(site):
    big = max(site.tiktok_truth()["creators"], key=lambda one: one["videos"])

    found = pages(site, VIDEOS, "max_cursor", handle=big["handle"])
    entries = [entry for page in found for entry in page["aweme_list"]]

    assert len(found) > 4
    assert len({entry["aweme_id"] for entry in entries}) == big["videos"]
    assert [entry["aweme_id"] for entry in entries if entry["is_top"]] == big["pinned"]
    own = [entry["create_time"] for entry in entries if not entry["is_top"]]
    assert own == sorted(own, reverse=True)
    assert all(len(str(page["max_cursor"])) == 13 for page in found)
    assert all(entry["statistics"]["play_count"] > 0 for entry in entries)


def test_photo_posts_keep_their_slides_and_their_address_is_a_sound(site):
    plan = a_post(site, kind="carousel", is_shown=True)

    post = call(site, "/v2/tiktok/video", url=plan["url"]).json()["aweme_detail"]

    assert (post["aweme_type"], post["content_type"]) == (150, "multi_photo")
    assert len(post["image_post_info"]["images"]) == len(plan["slides"])
    assert (post["video"]["duration"], post["video"]["bit_rate"]) == (0, [])
    sound = requests.get(post["video"]["play_addr"]["url_list"][0], headers=BROWSER, timeout=60)
    assert sound.headers["content-type"] == "audio/mpeg"


def test_numbers_beyond_javascript_are_rounded_and_their_texts_are_not(site):
    entry = next(post for post in call(site, VIDEOS, handle="meonhabo").json()["aweme_list"] if post["music"])

    assert entry["music"]["id_str"] == entry["music"]["mid"] != str(entry["music"]["id"])
    assert str(entry["author_user_id"]).endswith("000")
    assert entry["author"]["uid"] != str(entry["author_user_id"])


@pytest.mark.parametrize(
    ("facts", "status"), [({"state": "deleted"}, 404), ({"state": "private"}, 200), ({"state": "empty"}, 200)]
)
def test_closed_profiles_differ(site, facts, status):
    one = person(site, **facts)

    profile = call(site, "/v1/tiktok/profile", handle=one["handle"])
    posts = call(site, VIDEOS, handle=one["handle"])

    assert (profile.status_code, posts.status_code) == (status, status)
    if status == 200:
        assert profile.json()["user"]["privateAccount"] is (facts["state"] == "private")
        assert (posts.json()["aweme_list"], posts.json()["has_more"]) == ([], 0)


def test_a_renamed_profile_answers_to_both_names_with_the_same_id(site):
    one = person(site, handle="vy.dance")
    site.set_person("vy.dance", handle="vy.moves")

    by_old, by_id = call(site, "/v1/tiktok/profile", handle="vy.dance"), call(site, "/v1/tiktok/profile", user_id=one["uid"])
    site.set_person("vy.moves", handle="vy.dance")

    assert by_old.json()["user"]["uniqueId"] == by_id.json()["user"]["uniqueId"] == "vy.moves"
    assert by_old.json()["user"]["id"] == one["uid"]


def test_a_sound_counts_its_uses_and_lists_its_posts_again_and_again(site):
    with site.standing_still():
        sound = site.tiktok_truth()["sounds"][0]
        info = call(site, "/v1/tiktok/song", clipId=sound["id"]).json()["music_info"]
    listed = [
        post["aweme_id"] for page in pages(site, "/v1/tiktok/song/videos", clipId=sound["id"]) for post in page["aweme_list"]
    ]

    assert info["user_count"] == sound["uses"] > len(listed)
    assert len(set(listed)) == sound["videos"] < len(listed)  # pages overlap


def test_a_keyword_search_holds_videos_only_and_the_top_search_photos_too(site):
    keyword = call(site, "/v1/tiktok/search/keyword", query="a").json()
    top = [
        item for cursor in (0, 12, 24) for item in call(site, "/v1/tiktok/search/top", query="a", cursor=cursor).json()["items"]
    ]
    trimmed = call(site, "/v1/tiktok/search/keyword", query="a", trim="true").json()

    assert {entry["aweme_info"]["content_type"] for entry in keyword["search_item_list"]} == {"video"}
    assert "has_more" not in keyword
    assert {item["content_type"] for item in top} == {"video", "multi_photo"}
    assert all(isinstance(url, str) for item in top for url in item["images"])
    assert "aweme_type" not in trimmed["search_item_list"][0]
    assert call(site, "/v1/tiktok/search/keyword", query="a", cursor=5000).json()["search_item_list"] == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/tiktok/profile", {}),
        ("/v1/tiktok/profile", {"username": "meonhabo"}),
        ("/v1/tiktok/profile", {"handle": "https://www.tiktok.com/@meonhabo"}),
        (VIDEOS, {"handle": "meonhabo", "max_cursor": 20}),
        (VIDEOS, {"handle": "meonhabo", "cursor": 0}),
        (VIDEOS, {"handle": "meonhabo", "sort_by": "newest"}),
        ("/v1/tiktok/search/hashtag", {"hashtag": "#cattok"}),
        ("/v1/tiktok/search/keyword", {"query": "cat", "date_posted": "today"}),
        ("/v1/tiktok/get-trending-feed", {}),
        ("/v1/tiktok/get-trending-feed", {"region": "USA"}),
        ("/v2/tiktok/video", {"url": "https://www.tiktok.com/@meonhabo"}),
        ("/v1/tiktok/song", {"clipId": "Paper-Lanterns"}),
    ],
)
def test_parameters_against_the_catalogue_are_bad_requests_and_cost_nothing(site, path, query):
    before = call(site, "/v1/credit-balance").json()["creditCount"]

    answer = call(site, path, **query)

    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert call(site, "/v1/credit-balance").json()["creditCount"] == before


def test_keys_are_checked_and_answers_only_read(site):
    assert call(site, "/v1/tiktok/profile", headers={}, handle="meonhabo").json() == {
        "success": False,
        "message": "apiKey is required",
    }
    assert call(site, "/v1/tiktok/profile", headers={"x-api-key": "no"}, handle="meonhabo").status_code == 401
    assert requests.post(f"{site.scrapecreators_url}/v1/tiktok/profile", headers=KEY, timeout=10).status_code == 405
    assert call(site, "/v1/tiktok/popular-songs").status_code == 404


def test_credits_are_spent_and_run_out(site):
    site.set_credits(2)

    first = call(site, "/v1/tiktok/profile", handle="meonhabo").json()
    second = call(site, VIDEOS, handle="meonhabo")
    third = call(site, VIDEOS, handle="meonhabo")
    site.set_credits(25_000)

    assert (first["credits_remaining"], first["credits_charged"], second.status_code) == (1, 1, 200)
    assert (third.status_code, third.json()["message"]) == (402, "Looks like you're out of credits")


def test_switches_of_what_is_sold(site):
    site.set_fault("soft_refusal", topic="meonhabo", count=1)
    assert call(site, VIDEOS, handle="meonhabo").json()["status_code"] == 2154
    site.set_fault("stuck_cursor", count=1)
    stuck = call(site, VIDEOS, handle="meonhabo", max_cursor="1794000000000").json()
    assert (stuck["max_cursor"], stuck["has_more"]) == (1794000000000, 1)
    site.set_fault("empty_page", count=1)
    empty = call(site, VIDEOS, handle="meonhabo").json()
    assert (empty["aweme_list"], empty["has_more"]) == ([], 1)
    site.set_fault("cut_json", places=["scrapecreators"], count=1)
    with pytest.raises(requests.JSONDecodeError):
        call(site, VIDEOS, handle="meonhabo").json()
    site.set_fault("ratelimit", places=["scrapecreators"], count=1)
    assert call(site, VIDEOS, handle="meonhabo").status_code == 429
    assert call(site, VIDEOS, handle="meonhabo").status_code == 200


def test_a_page_holds_its_post_with_rounded_and_exact_counts(site):
    plan = max((one for one in site.tiktok_truth()["videos"] if one["is_shown"]), key=lambda one: one["counts"]["play_count"])

    detail = page_data(requests.get(plan["url"], headers=BROWSER, timeout=30))["webapp.video-detail"]
    item = detail["itemInfo"]["itemStruct"]

    assert (detail["statusCode"], item["id"]) == (0, plan["id"])
    assert isinstance(item["createTime"], str)
    assert int(item["statsV2"]["playCount"]) >= plan["counts"]["play_count"] > item["stats"]["playCount"]
    assert isinstance(item["stats"]["collectCount"], str)


@pytest.mark.parametrize(
    ("facts", "code"), [({"is_deleted": True}, 10204), ({"is_published": False}, 10204), ({"handle": "quiet.account"}, 10222)]
)
def test_a_post_that_is_not_shown_is_a_status_in_a_whole_page(site, facts, code):
    answer = requests.get(a_post(site, **facts)["url"], headers=BROWSER, timeout=30)

    detail = page_data(answer)["webapp.video-detail"]

    assert (answer.status_code, detail["statusCode"], "itemInfo" in detail) == (200, code, False)


def test_a_pages_clip_wants_its_cookie_and_its_referer(site):
    plan = a_post(site, kind="clip", is_shown=True)
    session = requests.Session()
    session.headers.update(BROWSER)
    item = page_data(session.get(plan["url"], timeout=30))["webapp.video-detail"]["itemInfo"]["itemStruct"]
    address = item["video"]["playAddr"]
    referer = {"Referer": f"{site.tiktok_url}/"}

    assert session.get(address, headers=referer, timeout=90).status_code == 200
    assert session.get(address, timeout=30).status_code == 403
    assert requests.get(address, headers=BROWSER | referer, timeout=30).status_code == 403


def test_short_links_lead_to_the_post(site):
    plan = a_post(site, kind="carousel", is_shown=True)

    hop = requests.get(plan["short_url"], headers=BROWSER, timeout=30, allow_redirects=False)

    assert (hop.status_code, hop.headers["location"].split("?")[0]) == (301, plan["url"])


def test_unsigned_data_calls_get_nothing(site):
    answer = requests.get(f"{site.tiktok_url}/api/post/item_list/?secUid=x&count=30", headers=BROWSER, timeout=30)

    assert (answer.status_code, answer.content) == (200, b"")


def test_covers_come_in_the_kinds_of_phones(site):
    posts = call(site, VIDEOS, handle="linhansap").json()["aweme_list"]

    kinds = set()
    for post in posts:
        answer = requests.get(post["video"]["cover"]["url_list"][0], headers=BROWSER, timeout=60)
        kinds.add(
            (answer.headers["content-type"], answer.content[4:12] if answer.content[4:8] == b"ftyp" else answer.content[:2])
        )

    assert ("image/heic", b"ftypheic") in kinds
    assert len(kinds) > 2


def test_every_link_can_be_made_to_end_at_once(site):
    cover = call(site, VIDEOS, handle="linhansap").json()["aweme_list"][0]["video"]["cover"]["url_list"][0]
    site.expire_links()

    old = requests.get(cover, headers=BROWSER, timeout=60)
    fresh = call(site, VIDEOS, handle="linhansap").json()["aweme_list"][0]["video"]["cover"]["url_list"][0]

    assert (old.status_code, old.text) == (403, "forbidden: expired")
    assert requests.get(fresh, headers=BROWSER, timeout=60).status_code == 200


def test_a_picture_may_be_huge_or_a_page(site):
    cover = call(site, VIDEOS, handle="linhansap").json()["aweme_list"][0]["video"]["cover"]["url_list"][0]
    site.set_fault("huge", count=1)
    huge = requests.get(cover, headers=BROWSER, timeout=60)
    site.set_fault("html_as_mp4", places=["cover", "slide"], count=1)
    page = requests.get(cover, headers=BROWSER, timeout=60)

    assert (huge.content[:4], huge.content[16:24]) == (b"\x89PNG", (12_000).to_bytes(4, "big") + (9_000).to_bytes(4, "big"))
    assert page.content.startswith(b"<!doctype html>")


def test_clips_of_the_other_side_are_shown_again_byte_for_byte(site):
    plan = next(
        one
        for one in site.tiktok_truth()["videos"]
        if one["is_repost"] and one["is_shown"] and one["kind"] == "clip" and one["sizes"]
    )

    post = call(site, "/v2/tiktok/video", url=plan["url"]).json()["aweme_detail"]

    sizes = {gear["play_addr"]["data_size"] for gear in post["video"]["bit_rate"]}
    originals = [one for one in site.truth()["videos"] if one["seconds"] == plan["seconds"] and one["sizes"] == plan["sizes"]]
    assert originals
    assert sizes


def test_a_creators_followers_grow_with_time(tmp_path):
    with running_sample(tmp_path) as own:  # there is no way back, and other tests need posts that are still to come
        before = person(own, handle="meonhabo")["followers"]
        own.advance(200)
        after = person(own, handle="meonhabo")["followers"]

    assert after > before
