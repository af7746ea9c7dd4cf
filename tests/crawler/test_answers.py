"""The outgoing door against servers that lie, drip, and never end: how much it takes, and how long it waits."""

import gzip
import random
import threading
import time
import zlib

import pytest

from crawler.outbound import FetchError, TimedOut, TooLarge, Truncated
from tests.crawler.raw_server import MEGABYTE, answer, fetch, raw_server


def test_a_promise_above_the_cap_is_refused_before_a_byte_is_read():
    with (
        raw_server(lambda c, r: c.sendall(answer(Content_Length="99999999"))) as server,
        pytest.raises(TooLarge),
    ):
        fetch(server)


def test_an_endless_stream_ends_at_the_cap():
    def handle(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with raw_server(handle) as server, pytest.raises(TooLarge):
        fetch(server)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_measured_inflated(encoding):
    bomb = gzip.compress(bytes(64 * MEGABYTE)) if encoding == "gzip" else zlib.compress(bytes(64 * MEGABYTE))
    with raw_server(lambda c, r: c.sendall(answer(bomb, Content_Encoding=encoding))) as server, pytest.raises(TooLarge):
        fetch(server)


def test_what_was_packed_though_not_asked_for_is_unpacked_once():
    text = b"a page " * 10_000
    with raw_server(lambda c, r: c.sendall(answer(gzip.compress(text), Content_Encoding="gzip"))) as server:
        assert fetch(server).body == text


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip, br", "nonsense"])
def test_other_packings_are_refused(encoding):
    with (
        raw_server(lambda c, r: c.sendall(answer(b"\x00", Content_Encoding=encoding))) as server,
        pytest.raises(FetchError) as refused,
    ):
        fetch(server)

    assert refused.value.code == "bad_answer"


@pytest.mark.parametrize("cut", [0, 10, 500])
def test_a_packed_body_that_breaks_off_is_truncated(cut):
    packed = gzip.compress(random.Random(1).randbytes(5_000))[: cut or -4]
    with raw_server(lambda c, r: c.sendall(answer(packed, Content_Encoding="gzip"))) as server, pytest.raises(Truncated):
        fetch(server)


def test_a_body_shorter_than_promised_is_truncated():
    def handle(connection, request):
        connection.sendall(answer(b"x" * 100, Content_Length="1000"))
        connection.close()

    with raw_server(handle) as server, pytest.raises(Truncated):
        fetch(server)


def test_a_chunked_body_that_breaks_off_is_truncated():
    def handle(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf")
        connection.close()

    with raw_server(handle) as server, pytest.raises(Truncated):
        fetch(server)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX: ",  # within a header
        b"HTTP/1.1 ",  # within the status line
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",  # within the body
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",  # within a chunk's size
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2",
    ],
)
def test_a_drip_ends_at_the_deadline_wherever_it_drips(head):
    stopped = threading.Event()

    def handle(connection, request):
        connection.sendall(head)
        while not stopped.wait(0.05):
            connection.sendall(b"1")

    with raw_server(handle) as server:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            fetch(server, deadline_seconds=0.6)
        took = time.monotonic() - began
        stopped.set()

    assert 0.5 < took < 30  # it would drip for ever


def test_silence_ends_at_the_deadline():
    stopped = threading.Event()
    with raw_server(lambda c, r: stopped.wait(60)) as server:
        with pytest.raises(TimedOut):
            fetch(server, deadline_seconds=0.3)
        stopped.set()


@pytest.mark.parametrize(
    "lie",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x00\xa5",
        b"HTTP/9.9 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        b"",
    ],
)
def test_what_is_not_http_is_a_named_error(lie):
    def handle(connection, request):
        connection.sendall(lie)
        connection.close()

    with raw_server(handle) as server, pytest.raises(FetchError):
        fetch(server)
