"""So many requests a minute: by person or address, as staff set it, and never what takes the service down."""

from typing import Any

import pytest
import time_machine
from constance import config

from api import throttles
from config.cache import SteadyCache
from tests.api.conftest import ApiClient, People

pytestmark = pytest.mark.django_db

NOW = "2026-11-20T12:00:10Z"


@pytest.fixture(autouse=True)
def _tight_limits() -> Any:
    for name in ("API_ANONYMOUS_READS_PER_MINUTE", "API_ANONYMOUS_WRITES_PER_MINUTE", "API_USER_READS_PER_MINUTE"):
        setattr(config, name, 2)
    with time_machine.travel(NOW, tick=False):
        throttles.forget()
        yield


def read(client: ApiClient, **extra: Any) -> Any:
    return client.get("/api/queues", **extra)


def test_one_more_than_allowed_is_429_until_the_minute_is_over(anonymous: ApiClient) -> None:
    assert [read(anonymous).status_code for _ in range(3)] == [200, 200, 429]

    refused = read(anonymous)
    assert refused.json()["code"] == refused.json()["reason"] == "throttled"
    assert refused["Retry-After"] == "50"
    assert refused.json()["retry_after"] == 50

    with time_machine.travel("2026-11-20T12:01:00Z", tick=False):
        throttles.forget()
        assert read(anonymous).status_code == 200


def test_reads_and_writes_are_counted_apart(anonymous: ApiClient) -> None:
    for _ in range(3):
        read(anonymous)

    assert read(anonymous).status_code == 429
    assert anonymous.send("POST", "/api/videos/1/download", {}).status_code == 404


def test_known_people_are_counted_by_name_and_not_by_address(people: People, anonymous: ApiClient) -> None:
    for _ in range(3):
        read(anonymous)
    editor = people.client("editor")

    assert [read(editor).status_code for _ in range(3)] == [200, 200, 429]
    assert read(people.client("viewer")).status_code == 200


def test_a_forged_forwarded_address_changes_nothing(anonymous: ApiClient) -> None:
    answers = [read(anonymous, headers={"x-forwarded-for": f"8.8.8.{n}"}).status_code for n in range(3)]

    assert answers == [200, 200, 429]


def test_behind_a_known_proxy_its_word_counts_and_no_other(anonymous: ApiClient, settings: Any) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}

    forged = [read(anonymous, headers={"x-forwarded-for": f"1.1.1.{n}, 8.8.8.8"}).status_code for n in range(3)]

    assert forged == [200, 200, 429]
    assert read(anonymous, headers={"x-forwarded-for": "8.8.8.8, 9.9.9.9"}).status_code == 200


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_an_address_is_what_one_client_holds(rf: Any, address: str, key: str) -> None:
    assert throttles.PerMinute().address(rf.get("/", REMOTE_ADDR=address)) == key


def test_zero_means_no_limit(anonymous: ApiClient) -> None:
    config.API_ANONYMOUS_READS_PER_MINUTE = 0

    assert {read(anonymous).status_code for _ in range(5)} == {200}


def test_without_redis_the_service_goes_on_and_says_so_once(
    anonymous: ApiClient, settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SteadyCache, "rest_until", 0.0)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}

    answers = [read(anonymous).status_code for _ in range(3)]

    assert answers == [200, 200, 429]  # counted by this process alone
    assert [record.levelname for record in caplog.records if record.name == "config.cache"] == ["WARNING"]


def test_processes_share_one_limit() -> None:
    processes = [throttles.Allowances() for _ in range(3)]

    first = [processes[n % 3].take("key", 1, 300) for n in range(250)]
    then = [processes[n % 3].take("key", 1, 300) for n in range(250)]

    assert all(first)
    assert 300 - 2 * 5 <= (first + then).count(True) <= 300
    assert processes[0].take("key", 2, 300)


def test_a_last_bit_of_an_allowance_is_given_out_too() -> None:
    process = throttles.Allowances()

    assert [process.take("key", 1, 101) for _ in range(103)].count(True) == 101
