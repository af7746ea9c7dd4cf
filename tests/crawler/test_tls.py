"""TLS through the outgoing door: an address is dialled, and the name is what is asked for and checked."""

import threading

import pytest

from crawler.outbound import Door, FetchError, TimedOut
from tests.crawler.raw_server import MEGABYTE, answer, headers_of, raw_server


def fetch_tls(server, context):
    door = Door(allowed_hosts=server.allowed, resolve=lambda host, port: ["127.0.0.1"], ssl_context=context)
    return door.fetch_bytes(server.url(host="site.test"), max_bytes=MEGABYTE, deadline_seconds=5)


def test_the_original_name_is_asked_for_and_checked_though_an_address_is_dialled(authority):
    asked_for = []
    context = authority.server(names=["site.test"])
    context.sni_callback = lambda socket, name, context: asked_for.append(name)
    with raw_server(lambda c, r: c.sendall(answer(b"secure")), context) as server:
        got = fetch_tls(server, authority.trust())

    assert got.body == b"secure"
    assert asked_for == ["site.test"]
    assert headers_of(server.requests[0])["host"] == f"site.test:{server.port}"


@pytest.mark.parametrize("options", [{"names": ["other.test"]}, {"names": ["site.test"], "days": (-30, -1)}])
def test_a_certificate_for_another_name_or_time_is_refused(authority, options):
    with (
        raw_server(lambda c, r: c.sendall(answer(b"x")), authority.server(**options)) as server,
        pytest.raises(FetchError) as refused,
    ):
        fetch_tls(server, authority.trust())

    assert refused.value.code == "bad_certificate"


def test_an_unknown_authority_is_refused(authority):
    with (
        raw_server(lambda c, r: c.sendall(answer(b"x")), authority.server(names=["site.test"])) as server,
        pytest.raises(FetchError) as refused,
    ):
        fetch_tls(server, None)

    assert refused.value.code == "bad_certificate"


def test_a_tls_drip_ends_at_the_deadline(authority):
    stopped = threading.Event()

    def handle(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not stopped.wait(0.05):
            connection.sendall(b"x")

    with raw_server(handle, authority.server(names=["site.test"])) as server:
        door = Door(allowed_hosts=server.allowed, resolve=lambda h, p: ["127.0.0.1"], ssl_context=authority.trust())
        with pytest.raises(TimedOut):
            door.fetch_bytes(server.url(host="site.test"), max_bytes=MEGABYTE, deadline_seconds=0.6)
        stopped.set()
