"""More ways in on the Douyin side: the hot list, hashtags, sounds, and people who closed their door."""

from urllib.parse import quote

import pytest

from tests.sample import Sample

API = "/aweme/v1/web"


def test_the_hot_list_names_words_that_find_videos(site):
    words = site.get(f"{API}/hot/search/list/?detail_list=1")["data"]["word_list"]

    assert [word["position"] for word in words] == list(range(1, len(words) + 1))
    assert len({word["word"] for word in words}) == len(words) > 10
    assert [word["hot_value"] for word in words] == sorted((word["hot_value"] for word in words), reverse=True)
    first = site.get(f"{API}/general/search/single/?keyword={quote(words[0]['word'])}&count=10")
    assert any("aweme_info" in card or "aweme_mix_info" in card for card in first["data"])


def test_the_hot_list_can_be_walled(site):
    site.set_fault("login", topic="hot")

    assert site.get(f"{API}/hot/search/list/?detail_list=1")["status_code"] == 2483


@pytest.mark.parametrize(("state", "secret", "canceled"), [("private", 1, False), ("deleted", 0, True), ("empty", 0, False)])
def test_a_person_may_close_the_door(site, state, secret, canceled):
    author = site.detail(somebody(site))["author"]
    site.set_person(author["sec_uid"], state=state)

    user = site.get(f"{API}/user/profile/other/?sec_user_id={author['sec_uid']}")["user"]
    posts = site.get(f"{API}/aweme/post/?sec_user_id={author['sec_uid']}&max_cursor=0&count=18")

    site.set_person(author["sec_uid"], state="")
    assert (user["secret"], user.get("user_canceled", False), user["aweme_count"]) == (secret, canceled, 0)
    assert (posts["aweme_list"], posts["has_more"], posts["status_code"]) == ([], 0, 0)
    assert site.get(f"{API}/aweme/post/?sec_user_id={author['sec_uid']}&max_cursor=0&count=18")["aweme_list"]


def test_hashtags_and_sounds_are_listed_page_by_page(site):
    aweme = site.detail(somebody(site))
    hashtag = aweme["text_extra"][0]
    lists = {
        f"{API}/challenge/aweme/?ch_id={hashtag['hashtag_id']}": aweme["aweme_id"],
        f"{API}/music/aweme/?music_id={aweme['music']['id_str']}": aweme["aweme_id"],
    }
    for path, wanted in lists.items():
        found, cursor, more = [], 0, 1
        while more:
            page = site.get(f"{path}&cursor={cursor}&count=5")
            found += [entry["aweme_id"] for entry in page["aweme_list"]]
            cursor, more = page["cursor"], page["has_more"]
        assert wanted in found
        assert len(found) == len(set(found))


def somebody(site: Sample) -> str:
    """A post with hashtags and a sound whose author has others, too."""
    plans = site.truth()["videos"]
    for plan in plans:
        if plan["is_published"] and not plan["is_deleted"] and plan["kind"] == "clip":
            aweme = site.detail(plan["id"])
            if aweme["text_extra"] and aweme["music"]:
                return str(plan["id"])
    raise AssertionError("no such post")
