"""The data calls, as a client sees them, and beside the captured ones."""

import json
from typing import Any

import pytest
import requests

from tests.sample import Sample

TOPICS = ("猫", "美食", "旅行", "dance", "street food", "健身", "手工", "科技")


def everything(site: Sample, words: str) -> list[dict[str, Any]]:
    cards, offset = [], 0
    while True:
        page = site.search(words, offset, 10)
        cards += page["data"]
        if not page["has_more"]:
            return cards
        assert page["cursor"] == offset + 10
        offset = page["cursor"]


def aweme_of(card: dict[str, Any]) -> dict[str, Any] | None:
    info = card.get("aweme_info") or (card.get("aweme_mix_info") or {}).get("mix_items", [None])[0]
    return info if isinstance(info, dict) and isinstance(info.get("aweme_id"), str) and info.get("video") else None


@pytest.mark.parametrize("topic", TOPICS)
def test_paging_a_topic_gives_each_of_its_videos_once(site, topic):
    cards = everything(site, topic)

    found = [aweme["aweme_id"] for card in cards if (aweme := aweme_of(card))]
    planned = {plan["id"] for plan in site.truth()["videos"] if plan["topic"] == topic and plan["is_published"]}
    assert planned <= set(found)
    assert len(found) == len(set(found))


def test_a_search_holds_all_kinds_of_cards(site):
    cards = [card for topic in TOPICS for card in everything(site, topic)]
    awemes = [aweme for card in cards if (aweme := aweme_of(card))]

    assert any(card["type"] == 6 and card["related_word_list"] for card in cards)
    assert any(card["type"] == 4 for card in cards)
    assert any("aweme_mix_info" in card for card in cards)
    assert any(json.loads(card["lives"]["rawdata"])["title"] for card in cards if "lives" in card)
    assert any(card["type"] == 1 and aweme_of(card) is None and "lives" not in card for card in cards)  # broken
    assert any(aweme["status"]["is_delete"] for aweme in awemes)
    assert any(aweme["is_ads"] for aweme in awemes)
    assert any(aweme["music"] is None for aweme in awemes)
    assert any("\x00" in aweme["desc"] for aweme in awemes)
    assert any(len(aweme["desc"]) > 10_000 for aweme in awemes)


@pytest.mark.parametrize("words", ["qwertyzxcv", "没有人会这样写", ""])
def test_unknown_words_find_nothing_and_say_so(site, words):
    page = site.search(words)

    assert page["status_code"] == 0
    assert page["data"] == []
    assert page["has_more"] == 0
    assert page["search_nil_info"]["search_nil_type"] == "no_result"


@pytest.mark.parametrize("words", ["#养猫日常", "养猫日常", "拉面", "DIY"])
def test_a_hashtag_or_a_part_of_a_title_finds_videos(site, words):
    wanted = words.lstrip("#").lower()

    awemes = [aweme for card in everything(site, words) if (aweme := aweme_of(card))]

    assert awemes
    assert all(
        wanted in aweme["desc"].lower() or any(wanted in tag["hashtag_name"] for tag in aweme["text_extra"]) for aweme in awemes
    )


def test_a_carousel_is_told_by_its_images_and_plays_only_sound(site):
    plan = next(plan for plan in site.truth()["videos"] if plan["kind"] == "carousel" and not plan["is_deleted"])

    aweme = site.detail(plan["id"])

    assert (aweme["aweme_type"], aweme["media_type"], aweme["duration"]) == (68, 2, 0)
    assert len(aweme["images"]) == len(plan["slides"]) >= 4
    assert all(".webp" in image["url_list"][0] and ".jpeg" in image["url_list"][-1] for image in aweme["images"])
    assert aweme["video"]["bit_rate"] == []
    assert aweme["video"]["play_addr"]["uri"].endswith(".mp3")


def test_numbers_grow_with_the_sites_time(site, clip):
    before = clip["statistics"]

    site.advance(24)
    after = site.detail(clip["aweme_id"])["statistics"]

    assert after["digg_count"] > before["digg_count"]
    assert after["play_count"] >= before["play_count"]


def test_videos_that_come_out_later_are_dated_when_they_came_out(site):
    waiting = [plan for plan in site.truth()["videos"] if not plan["is_published"]]
    site.advance(48)
    now = site.truth()["first_day"] + 3600

    for plan in waiting:
        assert site.detail(plan["id"])["create_time"] < now


def test_about_half_of_the_videos_show_their_views(site):
    plans = [plan for plan in site.truth()["videos"] if plan["kind"] == "clip" and not plan["is_deleted"]]
    shown = [site.detail(plan["id"])["statistics"]["play_count"] > 0 for plan in plans[:40]]

    assert 8 < sum(shown) < 32


def test_a_deleted_video_has_no_detail_but_a_reason(site):
    gone = next(plan for plan in site.truth()["videos"] if plan["is_deleted"])

    for id_ in (gone["id"], "1", "", "' OR 1=1"):
        answer = requests.get(f"{site.web_url}/aweme/v1/web/aweme/detail/", params={"aweme_id": id_}, timeout=10).json()
        assert answer["aweme_detail"] is None
        assert answer["filter_detail"]["aweme_id"] == id_


def test_a_persons_posts_page_by_time_from_the_newest(site, clip):
    url = f"{site.web_url}/aweme/v1/web/aweme/post/"
    cursor, seen = 0, []
    while True:
        query = {"sec_user_id": clip["author"]["sec_uid"], "max_cursor": str(cursor), "count": "2"}
        page = requests.get(url, params=query, timeout=10).json()
        seen += page["aweme_list"]
        if not page["has_more"]:
            break
        cursor = page["max_cursor"]

    times = [aweme["create_time"] for aweme in seen]
    assert clip["aweme_id"] in {aweme["aweme_id"] for aweme in seen}
    assert times == sorted(times, reverse=True)
    assert len(seen) == seen[0]["author"]["aweme_count"]


@pytest.mark.parametrize(
    "path",
    [
        "/aweme/v1/web/general/search/single/?keyword=%E7%8C%AB&offset=-4&count=abc",
        "/aweme/v1/web/general/search/single/?keyword=%E7%8C%AB&offset=99999999999999999999999",
        "/aweme/v1/web/general/search/single/?keyword=%FF%00",
        "/aweme/v1/web/aweme/post/?sec_user_id=nobody",
        "/aweme/v1/web/music/detail/?music_id=nothing",
        "/aweme/v1/web/music/aweme/?music_id=",
        "/aweme/v1/web/challenge/detail/?ch_id=x",
        "/aweme/v1/web/challenge/aweme/?ch_id=",
        "/aweme/v1/web/user/profile/other/",
        "/aweme/v1/web/hot/search/list/",
    ],
)
def test_odd_questions_get_proper_answers(site, path):
    answer = requests.get(f"{site.web_url}{path}", timeout=10)

    assert answer.status_code == 200
    assert answer.json()["status_code"] == 0


def missing(real: object, ours: object, path: str = "") -> list[str]:
    """Where our answer has another type than the captured one, or lacks what it has in most places."""
    if isinstance(real, dict) and isinstance(ours, dict):
        return [hit for key in real.keys() & ours.keys() for hit in missing(real[key], ours[key], f"{path}.{key}")]
    if isinstance(real, list) and isinstance(ours, list):
        return missing(real[0], ours[0], f"{path}[]") if real and ours else []
    number = (int, float)
    alike = real is None or ours is None or type(real) is type(ours) or (isinstance(real, number) and isinstance(ours, number))
    return [] if alike else [f"{path}: {type(real).__name__} there, {type(ours).__name__} here"]


def test_an_entry_has_the_shape_of_captured_ones(site, clip, shared_dir):
    real = json.loads((shared_dir / "payloads/douyin-web/user_posts_full_response.json").read_text())["aweme_list"][3]

    assert real["video"].keys() - clip["video"].keys() <= {
        "gaussian_cover", "big_thumbs", "use_static_cover", "video_model", "play_addr_265", "bit_rate_audio"
    }  # fmt: skip
    assert real["statistics"].keys() <= clip["statistics"].keys()
    assert real["status"].keys() - {"listen_video_status"} <= clip["status"].keys()
    assert missing(real, clip) == []
