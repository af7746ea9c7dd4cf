"""The worker that serves the pages, in a process of its own with two threads: visitors who wait do not make others wait."""

import http.client
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from config.engines import PROJECT

HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\na"


class Site:
    def __init__(self, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.port, self.process = port, process

    def connect(self, said: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sendall(said)
        return connection

    def ask(self, method: str, path: str, body: bytes | None = None, patience: float = 20, **headers: str) -> bytes:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        client.request(method, path, body, headers)
        answer = client.getresponse().read()
        client.close()
        return answer


@pytest.fixture
def site() -> Iterator[Site]:
    options = ["--workers", "1", "--threads", "2", "--no-control-socket", "--graceful-timeout", "20"]
    with socket.create_server(("127.0.0.1", 0)) as door:  # handed over open: a free port may be another's by then
        port = door.getsockname()[1]
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "tests.config.little_site", "--bind", f"fd://{door.fileno()}"),
                *("--worker-class", "config.web.PatientWorker", *options),
            ],
            cwd=PROJECT,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            stderr=subprocess.DEVNULL,
            pass_fds=[door.fileno()],
        )
    site = Site(port, process)
    try:
        assert site.ask("GET", "/", patience=180) == b"0"
        yield site
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\r\n\r\n",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        HALF_A_BODY,
        HALF_A_BODY.replace(b"Content-Length", b"Expect: 100-continue\r\nContent-Length"),
        b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\na",
        b"POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
    ],
    ids=[
        "silent",
        "empty lines",
        "half a line",
        "half a head",
        "half a body",
        "expectant",
        "unread",
        "chunks",
        "stays",
        "goes on",
    ],
)
def test_visitors_who_wait_make_nobody_wait(site: Site, said: bytes) -> None:
    others = [site.connect(said) for _ in range(12)]

    assert site.ask("GET", "/") == b"0"
    assert site.ask("GET", "/") == b"0"
    assert not any(is_given_up(each) for each in others), "answered because the others had been sent away"
    for each in others:
        each.close()


def is_given_up(visitor: socket.socket) -> bool:
    """Whether the site has closed the connection, having said nothing."""
    if not select.select([visitor], [], [], 0)[0]:
        return False
    try:
        return not visitor.recv(1, socket.MSG_PEEK)
    except ConnectionResetError:
        return True


def test_an_answer_that_nobody_takes_is_given_up(site: Site) -> None:
    others = [site.connect(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(4)]

    assert site.ask("GET", "/") == b"0"  # within a visitor's patience; both threads are held
    for each in others:
        each.close()


def test_requests_are_served_as_ever(site: Site) -> None:
    large = b"x" * 3_000_000
    assert site.ask("POST", "/", large) == b"3000000"
    assert site.ask("POST", "/", large * 2) == b"6000000"  # more than is collected beforehand
    assert site.ask("HEAD", "/") == b""
    assert len(site.ask("GET", "/big")) == 64 * 1024 * 1024
    assert site.ask("POST", "/", b"abc", Expect="100-continue") == b"3"

    client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    for size in (0, 5, 100_000, 7):  # on one connection
        client.request("POST", "/", b"x" * size)
        assert client.getresponse().read() == str(size).encode()
    client.close()


def test_a_request_may_come_in_pieces_and_two_at_once(site: Site) -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd"
    with site.connect() as connection:
        for place in range(len(request)):
            connection.sendall(request[place : place + 1])
        assert read_answers(connection, 1) == [b"4"]
        connection.sendall(request + request + request[:30])
        assert read_answers(connection, 2) == [b"4", b"4"]
        connection.sendall(request[30:])
        assert read_answers(connection, 1) == [b"4"]


def read_answers(connection: socket.socket, count: int) -> list[bytes]:
    said = b""
    while said.count(b"\r\n\r\n") < count or not said[-1:].isdigit():
        piece = connection.recv(65536)
        assert piece, said
        said += piece
    return [part.partition(b"\r\n\r\n")[2] for part in said.split(b"HTTP/1.1 200 OK\r\n")[1:]]


def test_who_never_asked_does_not_keep_it_from_stopping(site: Site) -> None:
    with site.connect(), site.connect(b"GET / HT"):
        assert site.ask("GET", "/") == b"0"
        site.process.terminate()

        assert site.process.wait(10) == 0
