from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cleaning import (
    MAX_COUNT,
    MAX_TITLE,
    Unusable,
    clean_count,
    clean_external,
    clean_id,
    clean_json,
    clean_text,
    clean_time,
    clean_url,
)
from crawler.providers.base import AuthorData, Counts, MediaURL, SlideData, SoundData, VideoData

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def video(**changes):
    return VideoData(**{"platform": "douyin", "external_id": "1", "kind": "clip", "url": "https://x.test/1", **changes})


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("plain 猫", "plain 猫"),
        ("nul\x00 and bell\x07", "nul and bell"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("\u202eevil\u202c \u2066isolated\u2069 \u200fmark", "evil isolated mark"),
        ("👩‍🍳 joined", "👩‍🍳 joined"),
        ("e\u0301", "é"),
        ("\ufeffbom\uffff", "bom"),
        ("  space  ", "space"),
        (None, ""),
        (5, ""),
        (b"bytes", ""),
    ],
)
def test_text_keeps_what_people_wrote_and_loses_what_breaks_storage(value, cleaned):
    assert clean_text(value, 100) == (cleaned, False)


@pytest.mark.parametrize("value", ["x" * 11, "猫" * 100_000, "e\u0301" * 50_000])
def test_long_text_is_cut_and_says_so(value):
    text, is_cut = clean_text(value, 10)

    assert (len(text), is_cut) == (10, True)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (0, (0, "")),
        (5, (5, "")),
        ("60149", (60149, "")),
        (3.0, (3, "")),
        (MAX_COUNT, (MAX_COUNT, "")),
        (None, (None, "")),
        ("", (None, "")),
        (-5, (None, "negative")),
        ("-1", (None, "negative")),
        (2**63, (None, "absurd")),
        (2**31, (2**31, "")),
        (1e300, (None, "absurd")),
        (float("nan"), (None, "not_a_number")),
        (float("inf"), (None, "not_a_number")),
        (3.5, (None, "not_a_number")),
        ("1.2M", (None, "not_a_number")),
        ("1.2万", (None, "not_a_number")),
        ("１２", (None, "not_a_number")),
        ("9" * 5000, (None, "not_a_number")),
        (True, (None, "not_a_number")),
        ([], (None, "not_a_number")),
        ({"low": 1}, (None, "not_a_number")),
    ],
)
def test_a_count_is_a_number_or_nothing_with_a_reason(value, result):
    assert clean_count(value) == result


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("https://a.test/x?y=1", "https://a.test/x?y=1"),
        ("//a.test/x", "https://a.test/x"),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("https://a.test/x y", ""),
        ('https://a.test/"onload=', ""),
        ("https://a.test/\x00", ""),
        ("https://[::1", ""),
        ("https://a.test/" + "x" * 5000, ""),
        ("/relative", ""),
        (None, ""),
        (["https://a.test/"], ""),
    ],
)
def test_a_link_is_http_or_nothing(value, cleaned):
    assert clean_url(value) == cleaned


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        (7330596189502229302, "7330596189502229302"),
        ("MS4w-_.:", "MS4w-_.:"),
        ("../../etc", ""),
        ("a b", ""),
        ("猫", ""),
        ("", ""),
        (True, ""),
        (None, ""),
        ("x" * 200, ""),
    ],
)
def test_an_id_is_made_of_letters_that_are_safe_anywhere(value, cleaned):
    assert clean_id(value) == cleaned


@pytest.mark.parametrize(
    ("value", "moment", "is_odd"),
    [
        (1763600000, datetime(2025, 11, 20, 0, 53, 20, tzinfo=UTC), False),
        ("1763600000", datetime(2025, 11, 20, 0, 53, 20, tzinfo=UTC), False),
        (1763600000123, datetime(2025, 11, 20, 0, 53, 20, tzinfo=UTC), False),
        (0, None, False),
        (None, None, False),
        (1, None, True),
        (4102444800, None, True),
        (2**80, None, True),
        (-1, None, True),
        ("yesterday", None, True),
        (float("nan"), None, True),
    ],
)
def test_a_time_is_believable_or_nothing(value, moment, is_odd):
    assert clean_time(value, NOW) == (moment, is_odd)


def test_json_is_made_fit_for_the_database():
    deep = value = {}
    for _ in range(20):
        value["x"] = {}
        value = value["x"]

    assert clean_json({"a\x00": "b\ud800", "n": float("nan"), "big": 2**70, "l": (1, None, True), "o": object()}) == {
        "a": "b",
        "n": None,
        "big": None,
        "l": [1, None, True],
        "o": None,
    }
    assert str(clean_json(deep)).count("x") == 8


def test_a_video_is_made_fit_to_store():
    cleaned = clean_external(
        video(
            title="T\x00itle " * 3000,
            url="javascript:x",
            author=AuthorData(external_id="5", name="Na\x00me\nhere", url="ftp://x", followers=-1),
            sound=SoundData(external_id="6", title="\ud800s", duration_seconds=float("nan")),
            hashtags=("#猫", "猫", "", "x" * 500),
            media=(MediaURL(url="https://a.test/1", bitrate=2**80, height=-4), MediaURL(url="file:///etc/passwd")),
            slides=(SlideData(urls=("https://a.test/1", "nonsense"), width=10**9),),
            duration_ms=-1,
            height=2**40,
            published_at=NOW + timedelta(days=400),
            counts=Counts(views=-1, likes=2**63, comments=4),
        ),
        NOW,
    )

    assert len(cleaned.title) <= MAX_TITLE
    assert (cleaned.url, cleaned.duration_ms, cleaned.height, cleaned.published_at) == ("", None, None, None)
    assert (cleaned.author.name, cleaned.author.url, cleaned.author.followers) == ("Name here", "", None)
    assert (cleaned.sound.title, cleaned.sound.duration_seconds) == ("s", None)
    assert cleaned.hashtags == ("猫", "x" * 100)
    assert cleaned.media == (MediaURL(url="https://a.test/1"),)
    assert cleaned.slides == (SlideData(urls=("https://a.test/1",)),)
    assert cleaned.counts == Counts(comments=4)
    assert set(cleaned.flags) == {"title_cut", "odd_published_at", "negative_views", "absurd_likes"}


@pytest.mark.parametrize("changes", [{"external_id": ""}, {"external_id": "../x"}, {"external_id": None}, {"kind": "live"}])
def test_a_video_without_identity_is_refused(changes):
    with pytest.raises(Unusable):
        clean_external(video(**changes), NOW)


@given(st.text(max_size=200), st.integers(), st.floats())
def test_whatever_comes_in_can_be_written_as_utf8_and_json(text, number, real):
    cleaned = clean_external(
        video(title=text, hashtags=(text,), flags=(text,), width=number, counts=Counts(views=number, likes=real)), NOW
    )

    assert "\x00" not in cleaned.title
    cleaned.title.encode("utf-8")
    "".join(cleaned.hashtags + cleaned.flags).encode("utf-8")
