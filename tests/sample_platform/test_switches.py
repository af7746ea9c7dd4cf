"""Each fault, seen from outside."""

import hashlib

import pytest
import requests

from tests.sample_platform.conftest import fetch, smallest

SEARCH = "/aweme/v1/web/general/search/single/?keyword=%E7%8C%AB"


def search(site):
    return requests.get(f"{site.web_url}{SEARCH}", timeout=30)


@pytest.mark.parametrize(
    ("value", "body"),
    [(None, ""), ("empty", ""), ("blocked", "blocked")],
)
def test_a_block_answers_200_with_no_data(site, value, body):
    site.set_fault("block", topic="猫", value=value)

    answer = search(site)

    assert (answer.status_code, answer.text) == (200, body)
    assert site.search("dance")["data"]


def test_a_block_may_be_a_captcha_or_an_answer_without_data(site):
    site.set_fault("block", value="captcha")
    assert search(site).json()["search_nil_info"]["search_nil_type"] == "verify_check"

    site.set_fault("block", value="no_data")
    assert "data" not in search(site).json()

    site.set_fault("block", value="page")
    assert "验证码中间页" in requests.get(f"{site.web_url}/search/x", timeout=10).text


def test_a_login_wall_lets_in_who_is_signed_in(site):
    site.set_fault("login")

    assert search(site).json()["status_code"] == 2483
    known = requests.get(f"{site.web_url}{SEARCH}", cookies={"sessionid": "sample-session"}, timeout=30).json()
    assert known["status_code"] == 0
    assert known["data"]


def test_empty_is_a_proper_answer_without_entries(site):
    site.set_fault("empty", topic="猫")

    answer = search(site).json()

    assert (answer["status_code"], answer["data"], answer["has_more"]) == (0, [], 0)


@pytest.mark.parametrize(("value", "header"), [(None, "30"), (7, "7"), ("soon", "soon")])
def test_too_many_requests_name_the_time_to_wait(site, value, header):
    site.set_fault("ratelimit", count=1, value=value)

    answer = search(site)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, header)
    assert search(site).status_code == 200


def test_a_changed_answer_is_json_of_another_shape(site):
    site.set_fault("changed")

    answer = search(site).json()

    assert not {"data", "aweme_list", "status_code"} & answer.keys()


def test_unreachable_is_for_pages_data_and_media_alike(site, clip):
    site.set_fault("unreachable")

    for url in (f"{site.web_url}{SEARCH}", f"{site.web_url}/search/x", smallest(clip)["url_list"][0]):
        assert fetch(site, url).status_code == 503
    assert site.get("/control/health")["status"] == "ok"


def test_a_gone_video_has_no_detail_and_no_media(site, clip):
    urls = smallest(clip)["url_list"]
    site.set_fault("gone", video=clip["aweme_id"])

    assert site.detail(clip["aweme_id"]) is None
    assert [fetch(site, url).status_code for url in urls] == [404] * len(urls)

    site.set_fault("gone", video=clip["aweme_id"], value=403)
    assert fetch(site, urls[0]).status_code == 403


def test_a_truncated_file_ends_early_and_can_be_resumed(site, clip):
    address = smallest(clip)
    url = address["url_list"][0]
    whole = fetch(site, url).content
    site.set_fault("truncated", video=clip["aweme_id"], count=1)

    headers = {"User-Agent": "x", "Referer": f"{site.web_url}/"}
    got = b""
    with requests.get(url, headers=headers, stream=True, timeout=30) as answer:
        assert answer.headers["content-length"] == str(address["data_size"])
        try:
            for chunk in answer.iter_content(4096):
                got += chunk
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError):
            pass
        else:
            pytest.fail("the answer came whole")
    rest = fetch(site, url, Range=f"bytes={len(got)}-", **{"If-Range": answer.headers["etag"]})

    assert 0 < len(got) < len(whole)
    assert rest.status_code == 206
    assert hashlib.sha256(got + rest.content).digest() == hashlib.sha256(whole).digest()


def test_a_wrong_length_is_a_whole_answer_with_part_of_a_file(site, clip):
    address = smallest(clip)
    site.set_fault("wrong_length", video=clip["aweme_id"])

    answer = fetch(site, address["url_list"][0])

    assert answer.status_code == 200
    assert len(answer.content) == int(address["data_size"] * 0.8) == int(answer.headers["content-length"])


def test_an_ignored_range_gets_everything(site, clip):
    address = smallest(clip)
    site.set_fault("range_ignored", video=clip["aweme_id"])

    answer = fetch(site, address["url_list"][0], Range="bytes=100-")

    assert (answer.status_code, len(answer.content)) == (200, address["data_size"])


def test_a_web_page_may_come_as_a_clip(site, clip):
    site.set_fault("html_as_mp4", video=clip["aweme_id"])

    answer = fetch(site, smallest(clip)["url_list"][0])

    assert answer.headers["content-type"] == "video/mp4"
    assert answer.content.startswith(b"<!doctype html>")


def test_a_redirect_may_never_end(site, clip):
    url = smallest(clip)["url_list"][0]
    site.set_fault("redirect_loop", video=clip["aweme_id"])

    session = requests.Session()
    session.headers.update({"User-Agent": "x", "Referer": f"{site.web_url}/"})
    with session, pytest.raises(requests.TooManyRedirects):
        session.get(url, timeout=30)


def test_links_may_all_be_expired(site, clip):
    site.set_fault("expired", video=clip["aweme_id"], count=1)

    answers = [fetch(site, smallest(clip)["url_list"][0]).status_code for _ in range(2)]

    assert answers == [403, 200]


def test_a_slow_file_drips(site, clip):
    site.set_fault("slow", video=clip["aweme_id"], value=5000)

    headers = {"User-Agent": "x", "Referer": f"{site.web_url}/"}
    with requests.get(smallest(clip)["url_list"][0], headers=headers, stream=True, timeout=30) as answer:
        first = answer.raw.read1()

    assert 0 < len(first) <= 1000  # a fifth of a second's share at a time


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults/nonsense", "{}"),
        ("faults/block", "[]"),
        ("faults/block", "not json"),
        ("faults/block", '{"count": -1}'),
        ("clock", '{"speed": -1}'),
        ("clock", '{"speed": NaN}'),
        ("clock", '{"advance_hours": 1e9}'),
        ("clock", '{"advance_hours": "x"}'),
        ("media", "{}"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused_with_a_reason(site, path, body):
    answer = requests.put(f"{site.web_url}/control/{path}", data=body, timeout=10)

    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_the_state_shows_what_is_on_and_clearing_ends_it(site):
    site.set_fault("block", topic="猫", count=3)
    state = site.get("/control/state.json")

    assert [(fault["name"], fault["topic"], fault["count"]) for fault in state["faults"]] == [("block", "猫", 3)]
    site.clear_faults()
    assert site.get("/control/state.json")["faults"] == []
