"""Where the outgoing door goes, and what it says of itself. Every server is our own, on loopback."""

import socket
import threading

import pytest

from crawler.outbound import Door, FetchError, ForbiddenAddress, TimedOut, TooManyRedirects
from tests.crawler.raw_server import MEGABYTE, answer, door_to, fetch, headers_of, path_of, raw_server


def test_an_answer_of_any_status_is_handed_back_whole():
    with raw_server(lambda c, r: c.sendall(answer(b"gone", "404 Not Found", X_Reason="removed"))) as server:
        got = fetch(server)

    assert (got.status, got.body, got.headers["x-reason"]) == (404, b"gone", "removed")


def test_it_asks_as_itself_and_for_plain_bytes():
    with raw_server(lambda c, r: c.sendall(answer(b"ok"))) as server:
        fetch(server, "/clip?x=1", headers={"referer": "https://www.douyin.com/", "host": "inside", "accept-encoding": "gzip"})

    sent = headers_of(server.requests[0])
    assert path_of(server.requests[0]) == "/clip?x=1"
    assert sent["host"] == f"127.0.0.1:{server.port}"
    assert sent["accept-encoding"] == "identity"
    assert sent["referer"] == "https://www.douyin.com/"


def test_a_chunked_answer_without_length_is_read_to_its_end():
    def handle(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n")

    with raw_server(handle) as server:
        assert fetch(server).body == b"hello there"


def test_what_must_not_be_done_twice_is_sent_once():
    """The server takes the order on a connection kept from before, and hangs up without a word."""
    orders = []

    def handle(connection, request):
        if request.startswith(b"POST"):
            orders.append(request)
            connection.shutdown(socket.SHUT_RDWR)
        else:
            connection.sendall(answer(b"ok"))

    with raw_server(handle) as server:
        door = door_to(server)
        door.fetch_bytes(server.url(), max_bytes=100)
        with pytest.raises(FetchError) as error:
            door.fetch_bytes(server.url("/order"), max_bytes=100, method="POST", body=b"one")

    assert (len(orders), error.value.was_sent) == (1, True)


def test_a_request_that_never_left_says_so():
    with raw_server(lambda c, r: None) as server:
        pass

    with pytest.raises(FetchError) as error:
        door_to(server).fetch_bytes(server.url(), max_bytes=100, method="POST", body=b"one")

    assert error.value.was_sent is False


def test_one_connection_serves_many_requests_of_a_thread():
    with raw_server(lambda c, r: c.sendall(answer(b"ok"))) as server:
        door = door_to(server)
        for _ in range(5):
            door.fetch_bytes(server.url(), max_bytes=10)

        assert server.connections == 1


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_in_silence():
    def handle(connection, request):
        connection.sendall(answer(b"ok"))
        connection.close()

    with raw_server(handle) as server:
        door = door_to(server)
        for _ in range(3):
            assert door.fetch_bytes(server.url(), max_bytes=10).body == b"ok"

        assert server.connections == 3


def test_threads_do_not_share_connections():
    gate = threading.Barrier(4)

    def handle(connection, request):
        gate.wait(60)
        connection.sendall(answer(path_of(request).encode()))

    with raw_server(handle) as server:
        door, got = door_to(server), {}

        def ask(path):
            got[path] = door.fetch_bytes(server.url(path), max_bytes=10).body

        threads = [threading.Thread(target=ask, args=[f"/{n}"]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)

    assert got == {f"/{n}": f"/{n}".encode() for n in range(4)}


def test_a_caller_that_leaves_early_leaves_no_half_read_connection_behind():
    with raw_server(lambda c, r: c.sendall(answer(b"x" * MEGABYTE))) as server:
        door = door_to(server)
        with door.open_stream(server.url(), max_bytes=2 * MEGABYTE, deadline_seconds=5) as stream:
            assert stream.readinto(memoryview(bytearray(10))) == 10

        assert door.fetch_bytes(server.url(), max_bytes=2 * MEGABYTE).body == b"x" * MEGABYTE
        assert server.connections == 2


# -- where it leads --------------------------------------------------------------------------------


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_dialled():
    """DNS rebinding: the second answer would be ours, and is never asked for."""
    answers = [["8.8.4.4"], ["127.0.0.1"], ["127.0.0.1"]]
    asked = []

    def resolve(host, port):
        asked.append(host)
        return answers[len(asked) - 1]

    with raw_server(lambda c, r: c.sendall(answer(b"inside"))) as canary:
        # Port 80 of a public address: the suite's closed network says where the door went.
        with pytest.raises(RuntimeError, match=r"8\.8\.4\.4"):
            Door(resolve=resolve).fetch_bytes("http://rebind.test/", max_bytes=10)

        assert asked == ["rebind.test"]
        assert canary.connections == 0


def test_a_name_that_turns_inside_after_it_was_saved_is_refused_when_it_is_used():
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    door = Door(resolve=lambda host, port: next(answers))
    door.check_url("http://later.test/")

    with pytest.raises(ForbiddenAddress):
        door.fetch_bytes("http://later.test/", max_bytes=10)


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/",
        "//10.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "http://u:p@8.8.8.8/",
        "http://8.8.8.8:22/",
        "http://[never.closed/",
    ],
)
def test_a_redirect_is_checked_like_the_first_address(location):
    with (
        raw_server(lambda c, r: c.sendall(answer(status="302 Found", Location=location))) as server,
        pytest.raises(ForbiddenAddress),
    ):
        fetch(server)


def test_a_redirect_to_an_own_port_that_is_not_excepted_never_arrives():
    with raw_server(lambda c, r: c.sendall(answer(b"inside"))) as canary:
        with (
            raw_server(lambda c, r: c.sendall(answer(status="307 x", Location=canary.url()))) as server,
            pytest.raises(ForbiddenAddress),
        ):
            fetch(server)

        assert canary.connections == 0


def test_a_meta_refresh_is_only_text():
    page = b'<meta http-equiv="refresh" content="0;url=http://127.0.0.1/">'
    with raw_server(lambda c, r: c.sendall(answer(page, Refresh="0;url=http://127.0.0.1/"))) as server:
        assert fetch(server).body == page


def test_three_redirects_are_followed_and_a_fourth_is_not():
    def handle(connection, request):
        left = int(path_of(request).strip("/"))
        connection.sendall(answer(status="302 Found", Location=f"/{left - 1}") if left else answer(b"there"))

    with raw_server(handle) as server:
        assert fetch(server, "/3").body == b"there"
        with pytest.raises(TooManyRedirects) as refused:
            fetch(server, "/4")

    assert refused.value.code == "redirect_loop"


def test_secrets_stay_with_the_origin_they_were_given_to():
    secrets = {
        "Authorization": "Bearer x",
        "Cookie": "sessionid=x",
        "X-Api-Key": "x",
        "Referer": "https://www.douyin.com/search/secret",
        "Range": "bytes=5-",
        "If-Range": '"tag"',
    }
    with raw_server(lambda c, r: c.sendall(answer(b"ok"))) as other:

        def handle(connection, request):
            target = {"/out": other.url("/in"), "/here": "/same"}.get(path_of(request))
            connection.sendall(answer(status="302 Found", Location=target) if target else answer(b"ok"))

        with raw_server(handle) as server:
            door = door_to(server, other)
            door.fetch_bytes(server.url("/out"), headers=secrets, max_bytes=10)
            door.fetch_bytes(server.url("/here"), headers=secrets, max_bytes=10)

    across, same = headers_of(other.requests[0]), headers_of(server.requests[-1])
    assert not {"authorization", "cookie", "x-api-key"} & set(across)
    assert across["referer"] == "https://www.douyin.com/"
    assert (across["range"], across["if-range"]) == ("bytes=5-", '"tag"')
    assert {"authorization", "cookie", "x-api-key"} <= set(same)


def test_the_environments_proxies_are_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with raw_server(lambda c, r: c.sendall(answer(b"direct"))) as server:
        assert fetch(server).body == b"direct"


def test_a_post_is_sent_with_its_body_and_not_sent_again_elsewhere():
    with raw_server(lambda c, r: c.sendall(answer(status="302 Found", Location="/elsewhere"))) as server:
        got = fetch(server, method="POST", body=b"payload")

    assert got.status == 302
    assert [path_of(r) for r in server.requests] == ["/"]
    assert server.requests[0].endswith(b"payload")


# -- what cannot be reached ------------------------------------------------------------------------


def test_a_name_server_that_says_nothing_ends_at_the_deadline():
    stopped = threading.Event()

    def resolve(host, port):
        stopped.wait(5)
        return []

    door = Door(resolve=resolve)

    with pytest.raises(TimedOut):
        door.fetch_bytes("http://slow.test/", max_bytes=10, deadline_seconds=0.3)
    stopped.set()


def test_an_unknown_name_and_a_closed_port_are_unreachable():
    def resolve(host, port):
        raise OSError("no such name")

    with pytest.raises(FetchError) as unknown:
        Door(resolve=resolve).fetch_bytes("http://nobody.test/", max_bytes=10)
    with raw_server(lambda c, r: None) as server:
        pass
    with pytest.raises(FetchError) as closed:
        fetch(server)

    assert (unknown.value.code, closed.value.code) == ("unknown_host", "unreachable")
