"""The door, and the browser, through proxies of our own."""

import socket
import threading

import pytest

from crawler.outbound import Door, FetchError, ForbiddenAddress, TimedOut
from crawler.providers import browser
from crawler.providers.base import Access, Query
from crawler.providers.douyin import Douyin
from crawler.proxies import Proxy
from tests.crawler.proxy_server import proxy_server
from tests.crawler.raw_server import answer, raw_server

SCHEMES = pytest.mark.parametrize("scheme", ["http", "socks5"])


def door_through(address, *servers, **options):
    return Door(allowed_hosts=[name for server in servers for name in server.allowed], proxy=Proxy.parse(address), **options)


@SCHEMES
@pytest.mark.parametrize(("user", "password"), [("", ""), ("me", "p@ss:wörd/")])
def test_a_request_goes_through_the_proxy_to_the_checked_address(scheme, user, password):
    with raw_server(lambda c, r: c.sendall(answer(b"ok"))) as origin, proxy_server(scheme, user=user, password=password) as proxy:
        address = proxy.url(password="p%40ss%3Aw%C3%B6rd%2F")
        door = door_through(address, origin, resolve=lambda host, port: ["127.0.0.1"])
        got = [door.fetch_bytes(origin.url(host="site.test"), max_bytes=10).body for _ in range(2)]

    assert got == [b"ok", b"ok"]
    assert proxy.asked == [("127.0.0.1", origin.port)]  # an address, not a name; one connection for both


@SCHEMES
def test_tls_runs_inside_to_the_origin_itself(scheme, authority):
    context = authority.server(names=["site.test"])
    with raw_server(lambda c, r: c.sendall(answer(b"secret")), context) as origin, proxy_server(scheme) as proxy:
        door = door_through(proxy.url(), origin, resolve=lambda h, p: ["127.0.0.1"], ssl_context=authority.trust())
        assert door.fetch_bytes(origin.url("/private", host="site.test"), max_bytes=10).body == b"secret"

        assert b"/private" not in proxy.carried
        with pytest.raises(FetchError) as refused:
            door.fetch_bytes(origin.url(host="127.0.0.1"), max_bytes=10)
        assert refused.value.code == "bad_certificate"


@SCHEMES
def test_no_proxy_is_asked_for_an_address_that_is_forbidden(scheme):
    with proxy_server(scheme) as proxy:
        with pytest.raises(ForbiddenAddress):
            door_through(proxy.url(), resolve=lambda h, p: ["10.0.0.1"]).fetch_bytes("http://inside.test/", max_bytes=10)

        assert proxy.asked == []


@SCHEMES
@pytest.mark.parametrize(("user", "password"), [("", ""), ("me", "wrong")])
def test_a_proxy_that_wants_another_password_says_so_and_not_the_password(scheme, user, password):
    with raw_server(lambda c, r: c.sendall(answer(b"ok"))) as origin, proxy_server(scheme, user="me", password="right") as proxy:
        with pytest.raises(FetchError) as refused:
            door_through(proxy.url(user=user, password=password), origin).fetch_bytes(origin.url(), max_bytes=10)

        assert refused.value.code == "proxy_failed"
        assert "user name and password" in refused.value.message
        assert "wrong" not in refused.value.message
        assert origin.connections == 0


@pytest.mark.parametrize(
    ("scheme", "says"),
    [
        ("http", b"HTTP/1.1 403 Forbidden\r\n\r\n"),
        ("http", b"SSH-2.0-nothing\r\n\r\n"),
        ("http", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000),
        ("http", b"HTTP/1.1 200"),
        ("socks5", b"\x04\x00"),
        ("socks5", b"\x05\x01"),
        ("socks5", b"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
        ("socks5", b"\x05"),
        ("socks5", b"HTTP/1.1 400 Bad\r\n\r\n"),
    ],
)
def test_what_is_no_proxy_is_named_as_such(scheme, says):
    with raw_server(lambda c, r: None) as origin, proxy_server(scheme, says=says) as proxy:
        with pytest.raises(FetchError) as refused:
            door_through(proxy.url(), origin).fetch_bytes(origin.url(), max_bytes=10)

        assert refused.value.code == "proxy_failed"
        assert origin.connections == 0


def test_a_proxy_that_is_not_there_is_named_and_nothing_goes_around_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with raw_server(lambda c, r: c.sendall(answer(b"ok"))) as origin:
        with pytest.raises(FetchError, match="cannot be reached") as refused:
            door_through(f"socks5://127.0.0.1:{port}", origin).fetch_bytes(origin.url(), max_bytes=10)

        assert refused.value.code == "proxy_failed"
        assert origin.connections == 0


def test_a_silent_proxy_does_not_outlast_the_deadline():
    with raw_server(lambda c, r: None) as origin, socket.create_server(("127.0.0.1", 0)) as silent:
        door = door_through(f"http://127.0.0.1:{silent.getsockname()[1]}", origin)
        with pytest.raises(TimedOut):
            door.fetch_bytes(origin.url(), max_bytes=10, deadline_seconds=0.3)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://proxy.test:3128", "http://proxy.test:3128"),
        ("socks5://me:s%3Acret@10.0.0.9:1080/", "socks5://me:***@10.0.0.9:1080"),
        ("http://[::1]:3128", "http://[::1]:3128"),
    ],
)
def test_a_proxy_is_shown_without_its_password(text, shown):
    proxy = Proxy.parse(text)

    assert str(proxy) == shown
    assert "cret" not in repr(proxy)


@pytest.mark.parametrize(
    "text",
    [
        "proxy.test:3128", "https://proxy.test:3128", "socks5h://proxy.test:1080", "socks4://a:1", "http://proxy.test",
        "http://:3128", "http://a:b", "http://a:99999", "http://[::1", "http://a:3128/path", "http://a:3128?x=1",
        "http://:secret@a:3128", "http://a%0d%0ab:secret@c:3128", "http://a%3Ab:secret@c:3128", f"http://{'u' * 256}:x@c:3128",
    ],
)  # fmt: skip
def test_what_cannot_be_a_proxy_is_refused_without_its_password(text):
    with pytest.raises(ValueError, match=r"^(it|nothing)") as refused:
        Proxy.parse(text)

    assert "secret" not in str(refused.value)


# -- the browser -----------------------------------------------------------------------------------


@pytest.mark.browser
@SCHEMES
def test_the_browser_goes_through_the_proxy_too(scheme, sample):
    sample.clear_faults()
    port = int(sample.web_url.rpartition(":")[2])
    with proxy_server(scheme, user="me", password="secret") as proxy:
        door = Door(allowed_hosts=[f"localhost:{port}"], proxy=Proxy.parse(proxy.url()))
        access = Access(base_url=sample.web_url, proxy=proxy.url(), door=door, page_timeout_seconds=60)
        pages = list(Douyin().crawl(Query(kind="topic", value="猫"), access, cursor=None, pages=1))
    browser.close()

    assert pages[0].videos
    assert set(proxy.asked) <= {("127.0.0.1", port), ("::1", port)}
    assert b"/search/" in proxy.carried


@pytest.mark.browser
def test_behind_a_proxy_a_page_reaches_the_platform_and_nothing_else():
    page = b"""<script>
        const get = url => fetch(url, {mode: "no-cors"}).catch(() => 0);
        (async () => { for (const url of CANARIES) await get(url); await get("/api/answer") })()</script>"""
    with raw_server(lambda c, r: c.sendall(answer(b"inside"))) as canary, proxy_server("socks5") as proxy:
        urls = [f"http://{host}:{canary.port}/" for host in ("127.0.0.1", "[::1]", "2130706433", "tracker.test")]

        def handle(connection, request):
            is_page = request.startswith(b"GET / ")
            body = page.replace(b"CANARIES", str(urls).encode()) if is_page else b"{}"
            connection.sendall(answer(body, Content_Type="text/html" if is_page else "application/json"))

        with raw_server(handle) as site:
            door = Door(allowed_hosts=[*site.allowed, *canary.allowed], proxy=Proxy.parse(proxy.url()))
            with (
                door.relay(["localhost"]) as relay,
                browser.open_page(hosts=["localhost"], paths=["/api/"], timeout_seconds=60, relay=relay) as opened,
            ):
                opened.goto(site.url(host="localhost"))
                assert opened.next_answer().body == b"{}"
        assert canary.connections == 0
        assert {port for _host, port in proxy.asked} == {site.port}
    browser.close()


def test_a_relay_hangs_up_on_everybody_when_it_is_left():
    with raw_server(lambda c, r: threading.Event().wait(60)) as site:
        door = Door(allowed_hosts=site.allowed)
        with door.relay(["127.0.0.1"]) as address:
            client = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=60)
            client.sendall(b"\x05\x01\x00" + b"\x05\x01\x00\x01\x7f\x00\x00\x01" + site.port.to_bytes(2, "big"))
            assert client.recv(2) == b"\x05\x00"
            assert client.recv(10)[:2] == b"\x05\x00"
        with client:
            assert client.recv(1) == b""


@pytest.mark.parametrize(("host", "reply"), [("elsewhere.test", 2), ("inside.test", 1)])
def test_a_relay_leads_to_its_hosts_only_and_only_where_the_door_goes(host, reply):
    door = Door(resolve=lambda h, p: ["10.0.0.1"])
    with (
        door.relay(["inside.test"]) as address,
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=60) as client,
    ):
        name = host.encode()
        client.sendall(b"\x05\x01\x00" + bytes([5, 1, 0, 3, len(name)]) + name + (443).to_bytes(2, "big"))
        assert client.recv(2) == b"\x05\x00"
        assert client.recv(10)[1] == reply
