"""What doctor says of the proxies that are set."""

import pytest
from pytest_django import Settings

from config.doctor import Level, service_proxies
from config.proxies import PROXIES
from tests.crawler.proxy_server import proxy_server
from tests.crawler.raw_server import raw_server


@pytest.fixture(autouse=True)
def _no_proxies(settings: Settings) -> None:
    for name in PROXIES:
        setattr(settings, name, "")


def test_without_proxies_it_says_so() -> None:
    assert [(found.name, found.level) for found in service_proxies()] == [("Proxies", Level.OFF)]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_each_proxy_is_tried_and_shown_without_its_password(settings: Settings, scheme: str) -> None:
    with raw_server(lambda connection, request: None) as service, proxy_server(scheme, user="me", password="geheim") as proxy:
        settings.GEMINI_URL = settings.COBALT_URL = service.url(host="127.0.0.1")[:-1]
        settings.GEMINI_PROXY = proxy.url()
        settings.COBALT_PROXY = proxy.url(password="wrong")

        cobalt, gemini = sorted(service_proxies(), key=lambda found: found.name.lower())

    assert (gemini.level, gemini.detail) == (Level.OK, f"{scheme}://me:***@127.0.0.1:{proxy.port} connects us")
    assert (cobalt.name, cobalt.level) == ("cobalt proxy", Level.WARNING)
    assert "does not accept our user name and password" in cobalt.detail
    assert "COBALT_PROXY" in cobalt.mend
    assert "geheim" not in gemini.detail + cobalt.detail
    assert proxy.asked == [("127.0.0.1", service.port)]


def test_a_proxy_that_is_not_there_is_a_warning(settings: Settings) -> None:
    settings.DOUYIN_URL = "http://127.0.0.1:9"
    settings.DOUYIN_PROXY = "socks5://127.0.0.1:1"

    (found,) = service_proxies()

    assert (found.level, "cannot be reached" in found.detail) == (Level.WARNING, True)
