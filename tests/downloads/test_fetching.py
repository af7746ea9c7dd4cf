"""Servers lie; what is fetched is whole and hashed, or it is an error with its own code."""

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from crawler import outbound
from crawler.providers.errors import Gone
from downloads import fetching
from downloads.errors import Expired, MoreLater, VerificationError
from downloads.fetching import Fetched, fetch_to_file, forget, retry_after
from downloads.processing.containers import container_of
from jobs.errors import JobError, TransientError
from tests.downloads.servers import Liar, file_answer, http, running_liar

CONTENT = random.Random(5).randbytes(700_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def liar(settings: Any) -> Iterator[Liar]:
    with running_liar() as running:
        settings.FETCH_ALLOWED_HOSTS = [f"127.0.0.1:{running.port}"]
        yield running


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "work" / "file.part"


def fetch(*urls: str, dest: Path, **options: Any) -> Fetched:
    return fetch_to_file(urls, dest, **{"deadline_seconds": 20, "max_bytes": 10**7, **options})


def test_a_file_is_fetched_and_hashed(liar: Liar, dest: Path) -> None:
    seen: list[tuple[int, int | None]] = []

    fetched = fetch(liar.serve("/a", file_answer(CONTENT)), dest=dest, on_progress=lambda *args: seen.append(args))

    assert (fetched.sha256, fetched.size, fetched.resumed_from) == (SHA256, len(CONTENT), 0)
    assert dest.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert liar.asked[0].headers["accept-encoding"] == "identity"


def test_a_broken_off_file_is_continued_where_it_stopped(liar: Liar, dest: Path) -> None:
    url = liar.serve("/a", file_answer(CONTENT, send=300_000))
    with pytest.raises(outbound.Truncated):
        fetch(url, dest=dest)
    liar.serve("/a", file_answer(CONTENT))

    fetched = fetch(url, dest=dest)

    assert fetched.sha256 == SHA256
    assert 0 < fetched.resumed_from <= 300_000
    assert liar.asked[-1].headers["if-range"] == '"v1"'


def test_a_mirror_goes_on_where_another_broke_off(liar: Liar, dest: Path) -> None:
    broken = liar.serve("/a", file_answer(CONTENT, send=300_000))

    fetched = fetch(broken, liar.serve("/b", file_answer(CONTENT)), dest=dest)

    assert fetched.sha256 == SHA256
    assert fetched.resumed_from > 0


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(lambda asked: http(200, CONTENT, ETag='"v1"'), id="range ignored"),
        pytest.param(file_answer(CONTENT, etag='"v2"'), id="another version"),
        pytest.param(
            lambda asked: (
                http(206, CONTENT[5:], Content_Range=f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}")
                if "range" in asked.headers
                else http(200, CONTENT)
            ),
            id="another range",
        ),
        pytest.param(
            lambda asked: (
                http(206, b"x", Content_Range="bytes 262144-262144/999") if "range" in asked.headers else http(200, CONTENT)
            ),
            id="another length",
        ),
        pytest.param(lambda asked: http(206, b"x") if "range" in asked.headers else http(200, CONTENT), id="no range named"),
        pytest.param(lambda asked: http(416) if "range" in asked.headers else http(200, CONTENT), id="no such range"),
    ],
)
def test_a_part_is_never_continued_with_anything_else(liar: Liar, dest: Path, second: Any) -> None:
    url = liar.serve("/a", file_answer(CONTENT, send=300_000))
    with pytest.raises(outbound.Truncated):
        fetch(url, dest=dest)
    liar.serve("/a", second)

    fetched = fetch(url, dest=dest)

    assert (fetched.sha256, fetched.resumed_from) == (SHA256, 0)


def test_a_part_without_a_mark_of_its_whole_is_begun_again(liar: Liar, dest: Path) -> None:
    url = liar.serve("/a", lambda asked: http(200, CONTENT[:1000], Content_Length=str(len(CONTENT))))
    with pytest.raises(outbound.Truncated):
        fetch(url, dest=dest)
    liar.serve("/a", file_answer(CONTENT))

    assert fetch(url, dest=dest).resumed_from == 0
    assert "range" not in liar.asked[-1].headers


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (http(404), Gone, "gone"),
        (http(410), Gone, "gone"),
        (http(403), Expired, "expired"),
        (http(429, Retry_After="7"), MoreLater, "rate_limited"),
        (http(503, Retry_After="7"), MoreLater, "rate_limited"),
        (http(500), TransientError, "server_error"),
        (http(206, b"abc", Content_Range="bytes 5-7/8"), TransientError, "wrong_range"),
        pytest.param(
            http(206, b"abc", Content_Range=f"bytes 5-7/{'9' * 5000}"), TransientError, "wrong_range", id="endless range"
        ),
        (http(200, CONTENT[:10], Content_Length="99"), TransientError, "truncated"),
        (http(302, Location="/a"), outbound.TooManyRedirects, "redirect_loop"),
        (http(302, Location="http://127.0.0.2/x"), outbound.ForbiddenAddress, "forbidden_address"),
        (http(302, Location="file:///etc/passwd"), outbound.ForbiddenAddress, "forbidden_scheme"),
        (b"nonsense\r\n\r\n", TransientError, "bad_answer"),
        (http(200, Content_Length="99999999999"), outbound.TooLarge, "too_large"),
    ],
)
def test_each_failure_has_its_own_code(liar: Liar, dest: Path, answer: bytes, error: type[JobError], code: str) -> None:
    with pytest.raises(error) as caught:
        fetch(liar.serve("/a", answer), dest=dest)

    assert caught.value.code == code


def test_an_endless_answer_stops_at_the_cap(liar: Liar, dest: Path) -> None:
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    url = liar.serve("/a", lambda asked: [http(200, Transfer_Encoding="chunked"), *[chunk] * 200])

    with pytest.raises(outbound.TooLarge):
        fetch(url, dest=dest, max_bytes=1_000_000)

    assert dest.stat().st_size <= 1_000_000


def test_a_web_page_is_refused_after_its_first_bytes(liar: Liar, dest: Path) -> None:
    page = b"<!doctype html>" + b" " * 500_000
    url = liar.serve("/a", http(200, page, Content_Type="video/mp4", ETag='"p"'))

    with pytest.raises(VerificationError) as caught:
        fetch(url, dest=dest, check_head=container_of)

    assert caught.value.code == "not_media"
    assert not dest.exists()


def test_gone_needs_all_mirrors_to_say_so(liar: Liar, dest: Path) -> None:
    gone, busy = liar.serve("/gone", http(404)), liar.serve("/busy", http(500))

    with pytest.raises(TransientError) as caught:
        fetch(gone, busy, dest=dest)

    assert caught.value.code == "server_error"


def test_a_drip_is_given_up(liar: Liar, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "WATCH_SECONDS", 0.2)
    url = liar.serve("/a", lambda asked: _drip())

    with pytest.raises(TransientError) as caught:
        fetch(url, dest=dest)

    assert caught.value.code == "too_slow"


def _drip() -> Any:
    import time

    yield http(200, Content_Length="100000")
    while True:
        yield b"x"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", timedelta(seconds=7)),
        ("0", timedelta(seconds=1)),
        ("-5", timedelta(minutes=1)),
        ("99999999999999999999", timedelta(hours=1)),
        ("soon", timedelta(minutes=1)),
        ("", timedelta(minutes=1)),
        (None, timedelta(minutes=1)),
        (format_datetime(datetime(2200, 1, 1, tzinfo=UTC), usegmt=True), timedelta(hours=1)),
        (format_datetime(datetime(2000, 1, 1, tzinfo=UTC), usegmt=True), timedelta(seconds=1)),
    ],
)
def test_retry_after_is_read_and_kept_within_bounds(header: str | None, expected: timedelta) -> None:
    assert retry_after(header) == expected


def test_nothing_to_fetch_from_is_an_error(dest: Path) -> None:
    with pytest.raises(TransientError) as caught:
        fetch(dest=dest)

    assert caught.value.code == "no_address"


def test_forgetting_leaves_nothing(liar: Liar, dest: Path) -> None:
    fetch(liar.serve("/a", file_answer(CONTENT)), dest=dest)

    forget(dest)

    assert list(dest.parent.iterdir()) == []
