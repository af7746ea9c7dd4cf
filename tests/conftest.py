"""Fixtures of the whole suite. Facts that live outside the project are read where they exist, and skipped where not."""

import ipaddress
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sample import sample  # noqa: F401  (a fixture for every folder)

PROJECT = Path(__file__).resolve().parent.parent


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _keep_off_the_internet() -> None:
    """No test reaches another machine: connecting is an error of the test, and no outside name resolves.

    Not by an audit hook: it is asked whenever a thread installs coverage's trace, too, and if another does so meanwhile, CPython
    3.11 lets the thread die."""
    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, _only_here(getattr(socket.socket, name)))
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *args: Any, **options: Any) -> Any:
        if host and not _is_name_here(host):
            raise socket.gaierror(socket.EAI_NONAME, "The network is closed in tests")
        return resolve(host, *args, **options)

    socket.getaddrinfo = resolve_here


def _only_here(method: Callable[..., Any]) -> Callable[..., Any]:
    def checked(connection: socket.socket, *args: Any) -> Any:
        if isinstance(args[-1], tuple) and not _is_here(str(args[-1][0])):
            raise RuntimeError(f"A test connects to {args[-1]}; the network is closed")
        return method(connection, *args)

    return checked


def _is_name_here(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    try:
        ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return name in ("localhost", socket.gethostname())
    return True  # written as a number: nobody is asked


_keep_off_the_internet()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Captured answers and contracts beside the project; tests driven by them skip where they are missing."""
    path = Path(os.environ.get("SHARED_DIR") or PROJECT.parent / "shared")
    if not path.is_dir():
        pytest.skip("no captured answers beside this checkout")
    return path


@pytest.fixture(scope="session", autouse=True)
def _close_browser() -> Iterator[None]:
    """While there still is somewhere to say what went wrong with it."""
    yield
    if browser := sys.modules.get("crawler.providers.browser"):
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def _empty_quickly() -> None:
    """After a test that commits, Django truncates all of a hundred tables and makes the content types anew: half a second.
    A test leaves rows in some ten of them."""
    from django.test import TransactionTestCase

    from tests.emptying import empty_tables

    TransactionTestCase._fixture_teardown = lambda case: empty_tables()  # type: ignore[attr-defined,method-assign]


@pytest.fixture(scope="session", autouse=True)
def _keep_leases_by_hand() -> None:
    """The keeper's thread looks every 15 s, by a connection of its own. A job that a test made within its transaction is not
    there for it, so whichever test was at work just then had its job taken for lost."""
    from jobs import lease

    lease.RENEW_EVERY_SECONDS = 24 * 3600


@pytest.fixture(scope="session", autouse=True)
def _wait_for_redis() -> None:
    """A nudge gives up after half a second, and none is sent for five: on a busy machine Redis is slow, and not away."""
    from jobs import nudge

    nudge.ANSWER_SECONDS = 60.0


@pytest.fixture(scope="session", autouse=True)
def _let_many_in() -> None:
    """Ten may wait at the door of Django's server. Whom the kernel turns away there tries again by itself, up to half a minute
    later, even when nobody waits for the answer any more: in another test."""
    from django.core.servers.basehttp import WSGIServer

    WSGIServer.request_queue_size = 1024


@pytest.fixture(autouse=True)
def _let_requests_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a page asked for last is answered before the tables are emptied: not into the next test, nor across the emptying."""
    browser = request.getfixturevalue("browser") if "browser" in request.fixturenames else None
    before = set(threading.enumerate())  # of a stand-in that a module or the session keeps: its connections may stay open
    yield
    if "live_server" in request.fixturenames:
        for context in browser.contexts if browser else ():  # of a test that failed before it closed them
            context.close()
        ends = time.monotonic() + 60
        while answering := [
            thread.name for thread in set(threading.enumerate()) - before if "process_request_thread" in thread.name
        ]:
            assert time.monotonic() < ends, f"still answering: {answering}"
            time.sleep(0.005)


@pytest.fixture(autouse=True)
def _clean_cache(request: pytest.FixtureRequest) -> None:
    """A test that has a database starts with an empty cache; the others never touch Redis."""
    if {"db", "transactional_db", "live_server"} & set(request.fixturenames) or request.node.get_closest_marker("django_db"):
        from django.core.cache import cache

        cache.clear()


@pytest.fixture
def user(db: None) -> Any:
    from tests.factories import UserFactory

    return UserFactory()


@pytest.fixture
def staff(db: None) -> Any:
    """A person who may do everything."""
    from tests.factories import UserFactory

    return UserFactory(staff=True)


@pytest.fixture
def staff_client(staff: Any) -> Any:
    from django.test import Client

    client = Client()
    client.force_login(staff)
    return client
