import json
import time
from datetime import UTC, datetime

import pytest

from crawler.sessions import BadCookies, read_session

HOSTS = ("douyin.com",)
LATER = 4_000_000_000


def cookie(**changes):
    return {"name": "sessionid", "value": "abc", "domain": ".douyin.com", "path": "/", "expires": LATER, **changes}


def test_a_storage_state_is_taken_as_it_is():
    state = {"cookies": [cookie(httpOnly=True, secure=True, sameSite="None")], "origins": [{"origin": "https://x"}]}

    session = read_session(json.dumps(state), HOSTS)

    assert session.storage_state == {
        "cookies": [
            {
                "name": "sessionid",
                "value": "abc",
                "domain": ".douyin.com",
                "path": "/",
                "expires": float(LATER),
                "httpOnly": True,
                "secure": True,
                "sameSite": "None",
            }
        ],
        "origins": [],
    }
    assert session.expires_at == datetime.fromtimestamp(LATER, UTC)


def test_an_extensions_list_is_translated():
    text = json.dumps(
        [{"name": "a", "value": "1", "domain": "www.douyin.com", "expirationDate": LATER + 0.5, "sameSite": "no_restriction"}]
    )

    [found] = read_session(text, HOSTS).storage_state["cookies"]

    assert (found["sameSite"], found["secure"], found["path"], found["expires"]) == ("None", True, "/", LATER + 0.5)


def test_a_cookies_txt_is_read_line_by_line():
    text = (
        "# Netscape HTTP Cookie File\n\n"
        f".douyin.com\tTRUE\t/\tTRUE\t{LATER}\tttwid\t1%7Cabc\n"
        "#HttpOnly_www.douyin.com\tFALSE\t/x\tFALSE\t0\tsessionid\tdef\r\n"
        "nonsense\n"
    )

    first, second = read_session(text, HOSTS).storage_state["cookies"]

    assert (first["name"], first["value"], first["secure"], first["expires"]) == ("ttwid", "1%7Cabc", True, LATER)
    assert (second["name"], second["value"], second["httpOnly"], second["path"], second["expires"]) == (
        "sessionid",
        "def",
        True,
        "/x",
        -1,
    )


def test_cookies_of_other_places_are_left_out():
    text = json.dumps(
        [cookie(), cookie(domain="bank.test"), cookie(domain="notdouyin.com"), cookie(domain="douyin.com.evil.test")]
    )

    assert len(read_session(text, HOSTS).storage_state["cookies"]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "hello",
        "{",
        "[[[",
        "[" * 5000,
        "null",
        "[]",
        "{}",
        '{"cookies": {}}',
        '{"cookies": [5, null, []]}',
        json.dumps([cookie(domain="elsewhere.test")]),
        json.dumps([cookie(name="")]),
        json.dumps([cookie(value=5)]),
        json.dumps([cookie(value="a\r\nSet-Cookie: b")]),
        json.dumps([cookie(value="a;b")]),
        json.dumps([cookie(value="x" * 9000)]),
        json.dumps([cookie(expires=time.time() - 5)]),
        json.dumps([cookie(name=f"n{n}") for n in range(501)]),
        "x" * 600_000,
    ],
)
def test_what_holds_no_usable_cookie_is_refused_with_a_sentence(text):
    with pytest.raises(BadCookies, match=r"\w+ \w+"):
        read_session(text, HOSTS)


@pytest.mark.parametrize("expires", [None, True, "soon", -5, float("inf"), 2**80])
def test_an_odd_expiry_is_that_of_a_session(expires):
    [found] = read_session(json.dumps([cookie(expires=expires)]), HOSTS).storage_state["cookies"]

    assert found["expires"] == -1
