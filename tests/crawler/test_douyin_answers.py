import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.providers import douyin_answers
from crawler.providers.douyin import Douyin
from crawler.providers.douyin_links import post_of
from crawler.providers.errors import Blocked, Changed, Gone, LoginRequired, RateLimited, Unreachable
from jobs.errors import PermanentError, Snooze, TransientError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DETAIL = json.loads((Path(__file__).resolve().parents[1] / "data" / "douyin" / "detail.json").read_text())


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", Blocked),
        (b"  \n", Blocked),
        (b"blocked", Blocked),
        (b'"blocked"', Blocked),
        (b"<html><title>\xe9\xaa\x8c\xe8\xaf\x81\xe7\xa0\x81\xe4\xb8\xad\xe9\x97\xb4\xe9\xa1\xb5</title>", Blocked),
        ("<html>请先登录</html>".encode(), LoginRequired),
        (b"<html>hello</html>", Changed),
        (b"{broken", Changed),
        (b"[" * 100_000, Changed),
        (b"[]", Changed),
        (b"null", Changed),
        (b"\xff\xfe\x00", Changed),
        (b'{"status_code": 2483}', LoginRequired),
        ('{"status_code": 8, "status_msg": "用户未登录"}'.encode(), LoginRequired),
        (b'{"status_code": 0, "data": [], "search_nil_info": {"search_nil_type": "verify_check"}}', Blocked),
        (b'{"status_code": 2053}', Gone),
        (b'{"status_code": 77, "status_msg": "?"}', Changed),
        (b'{"status_code": "x"}', Changed),
    ],
)
def test_a_refusal_in_place_of_data_has_its_name(body, error):
    with pytest.raises(error):
        douyin_answers.decode(body)


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, Blocked), (401, Blocked), (404, Changed), (429, RateLimited), (500, Unreachable), (503, Unreachable)],
)
def test_a_status_has_its_meaning(status, error):
    with pytest.raises(error):
        douyin_answers.check_status(status, {})


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30),
        ("0", 1),
        ("315360000", 3600),
        ("Fri, 20 Nov 2026 12:10:00 GMT", 600),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 1),
        ("Fri, 20 Nov 2036 12:10:00 GMT", 3600),
        ("soon", 60),
        ("-5", 60),
        ("1e9", 60),
        ("", 60),
        (None, 60),
        ("\x00", 60),
        ("9" * 500, 60),
    ],
)
def test_the_wait_that_was_asked_for_is_kept_within_an_hour(header, seconds):
    with pytest.raises(RateLimited) as refused:
        douyin_answers.check_status(429, {"retry-after": header}, NOW)

    assert refused.value.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"status_code": 0}, Blocked),
        ({"status_code": 0, "extra": {}, "guide_search_words": None}, Blocked),
        ({"data": {"items": []}}, Changed),
        ({"v": 3, "payload": {"tiles": []}}, Changed),
        ({}, Changed),
        ({"items": [{"aweme_info": {}}]}, Changed),
        ({"data": []}, None),
        ({"data": None, "has_more": 0}, None),
        ({"aweme_list": None}, None),
    ],
)
def test_an_answer_without_results_is_blocked_changed_or_empty(body, error):
    if error is None:
        douyin_answers.check_listing(body)
    else:
        with pytest.raises(error):
            douyin_answers.check_listing(body)


def test_a_refusal_says_what_the_job_does_next():
    assert issubclass(RateLimited, Snooze)
    assert issubclass(Unreachable, TransientError)
    for error in (Blocked, LoginRequired, Changed, Gone):
        assert issubclass(error, PermanentError)
        assert error("x").outcome == error("x").code


def test_a_detail_is_one_video():
    video = douyin_answers.video_of_detail(DETAIL, base_url="https://www.douyin.com", now=NOW)

    assert (video.external_id, video.kind) == ("7400000000000000001", "clip")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"aweme_detail": None, "filter_detail": {"filter_reason": "status_self_see", "detail_msg": "因作品权限"}}, Gone),
        ({"aweme_detail": None}, Gone),
        ({"filter_detail": None}, Gone),
        ({"aweme_detail": {**DETAIL["aweme_detail"], "status": {"is_delete": True}}}, Gone),
        ({"aweme_detail": {"aweme_type": 101}}, Gone),
        ({"something": 1}, Changed),
        ({"aweme_detail": {"aweme_id": "7400000000000000001", "video": None}}, Changed),
    ],
)
def test_a_detail_without_a_video_is_gone_or_changed(body, error):
    with pytest.raises(error):
        douyin_answers.video_of_detail(body, base_url="", now=NOW)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://www.douyin.com/video/7400000000000000001", ("video", "7400000000000000001")),
        ("https://www.douyin.com/video/7400000000000000001/?previous_page=app", ("video", "7400000000000000001")),
        ("https://www.douyin.com/note/7400000000000000002", ("note", "7400000000000000002")),
        ("https://www.iesdouyin.com/share/video/7400000000000000001/?region=CN", ("video", "7400000000000000001")),
        ("https://www.iesdouyin.com/share/slides/7400000000000000002/", ("note", "7400000000000000002")),
        ("https://www.douyin.com/discover?modal_id=7400000000000000001", ("video", "7400000000000000001")),
        ("https://www.douyin.com/user/MS4w", None),
        ("https://www.douyin.com/video/abc", None),
        ("https://www.douyin.com/video/１２３４５６７８９", None),
    ],
)
def test_a_link_names_a_video_or_note(url, link):
    assert post_of(url) == link


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://www.douyin.com/video/7400000000000000001", True),
        ("https://v.douyin.com/iABCdef/", True),
        ("http://localhost:8002/note/7400000000000000001", True),
        ("https://www.douyin.com/", False),
        ("https://evil.test/video/7400000000000000001", False),
        ("https://notdouyin.com/video/7400000000000000001", False),
        ("https://douyin.com.evil.test/video/7400000000000000001", False),
        ("http://[broken/video/7400000000000000001", False),
        ("", False),
    ],
)
def test_only_its_own_links_are_its_own(url, known):
    assert Douyin().knows(url, "http://localhost:8002") is known
