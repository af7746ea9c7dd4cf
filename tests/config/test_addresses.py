"""One place turns the two addresses into what each library wants."""

from pathlib import Path

import pytest
from kombu import Connection
from pytest_django import Settings
from redis import ConnectionPool

from config import engines


@pytest.mark.parametrize(
    ("given", "for_redis", "third", "for_kombu"),
    [
        ("redis://h:6379", "redis://h:6379/0", "redis://h:6379/2", "redis://h:6379/0"),
        ("redis://:p%40ss@h:6379/5", "redis://:p%40ss@h:6379/5", "redis://:p%40ss@h:6379/7", "redis://:p%40ss@h:6379/5"),
        (
            "rediss://h/1?ssl_cert_reqs=none",
            "rediss://h/1?ssl_cert_reqs=none",
            "rediss://h/3?ssl_cert_reqs=none",
            "rediss://h/1?ssl_cert_reqs=none",
        ),
        (
            "unix:///run/redis.sock",
            "unix:///run/redis.sock?db=0",
            "unix:///run/redis.sock?db=2",
            "redis+socket:///run/redis.sock?virtual_host=0",
        ),
        (
            "redis+socket:///run/redis.sock?virtual_host=3",
            "unix:///run/redis.sock?db=3",
            "unix:///run/redis.sock?db=5",
            "redis+socket:///run/redis.sock?virtual_host=3",
        ),
    ],
)
def test_each_library_gets_its_own_spelling_of_redis(
    monkeypatch: pytest.MonkeyPatch, given: str, for_redis: str, third: str, for_kombu: str
) -> None:
    monkeypatch.setenv("REDIS_URL", given)

    assert (engines.redis_url(), engines.redis_url(2), engines.broker_url()) == (for_redis, third, for_kombu)
    assert ConnectionPool.from_url(engines.redis_url(2)).connection_kwargs["db"] == int(third.split("?ssl")[0][-1])
    assert Connection(engines.broker_url()).transport_cls in ("redis", "rediss", "redis+socket")


def test_asking_for_an_address_starts_nothing_and_a_long_folder_gets_short_sockets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / ("深い" * 20)))

    where = engines.paths()

    assert str(where.sockets) in engines.database_url()
    assert len(bytes(where.sockets / ".s.PGSQL.5432.lock")) < 108
    assert not where.sockets.exists()
    assert list(where.data_dir.iterdir()) == []


def test_the_cache_the_events_and_the_queue_do_not_share_a_database(settings: Settings) -> None:
    (events,) = settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]

    assert len({settings.CACHES["default"]["LOCATION"], events, engines.redis_url()}) == 3
