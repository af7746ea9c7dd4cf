"""The same promises from a folder, from a bucket and from a container."""

import hashlib
import os
import random
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from downloads import locations, storage
from downloads.errors import StorageError
from downloads.stores.azure import AzureStore
from downloads.stores.base import CHUNK, Blob, Store
from downloads.stores.s3 import S3Store
from tests.downloads.conftest import use_media

MakeBlob = Callable[[bytes], Blob]
PART = 8 * 1024 * 1024


def everything(store: Store, key: str, **span: Any) -> bytes:
    return b"".join(store.read(key, **span))


@pytest.mark.parametrize("size", [0, 1, 300_000, PART, PART + 1])
def test_what_is_put_can_be_read_back_whole_and_in_part(store: Store, make_blob: MakeBlob, size: int) -> None:
    content = random.Random(size).randbytes(size)
    blob = make_blob(content)

    assert store.put(blob) is True

    assert store.size_of(blob.key) == size
    assert everything(store, blob.key) == content
    assert everything(store, blob.key, start=size // 2, end=size // 2 + 10) == content[size // 2 : size // 2 + 10]
    pieces = list(store.read(blob.key, start=size // 4, end=size + 10))
    assert b"".join(pieces) == content[size // 4 :]
    assert all(len(piece) <= CHUNK for piece in pieces)
    assert everything(store, blob.key, start=size) == b""
    assert [(item.key, item.size) for item in store.entries()] == [(blob.key, size)]


def test_the_same_bytes_are_stored_once(store: Store, make_blob: MakeBlob) -> None:
    assert store.put(make_blob(b"same")) is True
    assert store.put(make_blob(b"same")) is False

    assert len(list(store.entries())) == 1


def test_an_object_with_wrong_bytes_is_put_right(store: Store, make_blob: MakeBlob) -> None:
    wrong, right = make_blob(b"wrong"), make_blob(b"right")
    store.put(Blob(path=wrong.path, key=right.key, sha256=wrong.sha256, size=5, mime="video/mp4"))

    store.put(right)

    assert everything(store, right.key) == b"right"


def test_many_at_once_store_one_object(store: Store, make_blob: MakeBlob) -> None:
    blobs = [make_blob(b"x" * 100_000) for _ in range(8)]
    barrier, news = threading.Barrier(8), []

    def put(blob: Blob) -> None:
        barrier.wait()
        news.append(store.put(blob))

    threads = [threading.Thread(target=put, args=[blob]) for blob in blobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert news.count(True) == 1
    assert everything(store, blobs[0].key) == b"x" * 100_000


def test_objects_are_listed_in_order_and_by_how_they_begin(store: Store, make_blob: MakeBlob) -> None:
    keys = []
    for content in (b"one", b"two", b"three"):
        blob = make_blob(content)
        store.put(blob)
        keys.append(blob.key)

    assert [item.key for item in store.entries()] == sorted(keys)
    assert [item.key for item in store.entries(keys[0][:8])] == keys[:1]


def test_a_missing_object_has_no_size_and_cannot_be_read(store: Store) -> None:
    key = storage.key_of("0" * 64)

    assert store.size_of(key) is None
    assert store.remove(key) is False
    with pytest.raises(StorageError) as caught:
        everything(store, key)
    assert caught.value.code == "missing"


def test_a_removed_object_is_gone(store: Store, make_blob: MakeBlob) -> None:
    blob = make_blob(b"away")
    store.put(blob)

    assert store.remove(blob.key) is True

    assert list(store.entries()) == []


def test_progress_can_stop_an_upload_and_leaves_nothing(store: Store, make_blob: MakeBlob) -> None:
    if store.free_bytes() is not None:
        pytest.skip("a link is made at once")
    blob = make_blob(random.Random(1).randbytes(3 * PART))

    def stop(done: int) -> None:
        if done >= 2 * PART:
            raise InterruptedError

    with pytest.raises((InterruptedError, StorageError)):
        store.put(blob, stop)

    assert store.size_of(blob.key) is None
    assert store.sweep(timedelta(0)) == 0


def test_a_killed_upload_is_swept(store: Any) -> None:
    if isinstance(store, AzureStore):
        pytest.skip("Azure sweeps by itself")
    if isinstance(store, S3Store):
        store.client.create_multipart_upload(Bucket=store.bucket_name, Key="some/prefix/blobs/x")
    else:
        (store.root / ".incoming").mkdir(exist_ok=True)
        (store.root / ".incoming" / "left").write_bytes(b"x")
        assert store.sweep(timedelta(hours=1)) == 0  # the stand-in for S3 dates every upload to 2010

    assert store.sweep(timedelta(seconds=-5)) == 1
    assert store.sweep(timedelta(seconds=-5)) == 0


def test_making_ready_twice_changes_nothing_more(store: Store) -> None:
    assert store.ensure_ready(["http://localhost:8000"]) == []


def test_a_link_of_a_bucket_works_for_anybody_and_names_the_file(store: Store, make_blob: MakeBlob) -> None:
    blob = make_blob(b"linked")
    store.put(blob)

    link = storage.link(blob.sha256, "video/webm", "春天.mp4", inline=False)

    if store.free_bytes() is not None:
        assert link.startswith("/media/")
        return
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"linked"
        assert "filename*=UTF-8''%E6%98%A5%E5%A4%A9.mp4" in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Type"] == "video/webm"
    with urllib.request.urlopen(urllib.request.Request(link, headers={"Range": "bytes=1-3"})) as answer:
        assert (answer.status, answer.read()) == (206, b"ink")
    assert storage.link(blob.sha256, "video/webm", "春天.mp4", inline=False) == link


def test_a_bucket_that_is_not_there_says_so(store: Any, make_blob: MakeBlob) -> None:
    blob = make_blob(b"x")
    if isinstance(store, AzureStore):
        store.client.delete_container()
    elif isinstance(store, S3Store):
        store.client.delete_bucket(Bucket=store.bucket_name)
    else:
        pytest.skip("a folder is made")
    asked: list[Callable[[], Any]] = [
        *(lambda: store.put(blob), lambda: store.size_of(blob.key), lambda: store.read(blob.key)),
        *(lambda: store.remove(blob.key), lambda: list(store.entries()), store.try_write),
    ]

    for ask in asked:
        with pytest.raises(StorageError) as caught:
            ask()
        assert caught.value.code == "storage_refused"


def test_a_folder_on_another_volume_gets_a_flushed_copy(tmp_path: Path) -> None:
    from downloads.stores.local import LocalStore

    here, there = tmp_path / "media", Path("/dev/shm")
    if not there.is_dir() or there.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second volume")
    source = there / f"groundswell-test-{os.getpid()}"
    source.write_bytes(b"elsewhere")
    try:
        sha256 = hashlib.sha256(b"elsewhere").hexdigest()
        blob = Blob(path=source, key=storage.key_of(sha256), sha256=sha256, size=9, mime="video/mp4")
        store = LocalStore(str(here))
        store.ensure_ready([])

        assert store.put(blob) is True

        assert everything(store, blob.key) == b"elsewhere"
        assert list((here / ".incoming").iterdir()) == []
    finally:
        source.unlink()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("file:var/media", {"location": "/base/var/media"}),
        ("file:/srv/media", {"location": "/srv/media"}),
        ("file:///srv/my%20media", {"location": "/srv/my media"}),
        (
            "s3://clips?endpoint=https://abc.r2.cloudflarestorage.com&region=auto",
            {"bucket_name": "clips", "endpoint_url": "https://abc.r2.cloudflarestorage.com", "addressing_style": "path"},
        ),
        ("s3://clips/a/b?region=eu-west-1", {"location": "a/b", "region_name": "eu-west-1", "endpoint_url": None}),
        ("azure://clips?account=us", {"azure_container": "clips", "account_name": "us"}),
    ],
)
def test_a_storage_url_becomes_settings(url: str, expected: dict[str, Any]) -> None:
    options = locations.storage_settings(url, base=Path("/base"))["OPTIONS"]

    assert {name: options[name] for name in expected} == expected


@pytest.mark.parametrize(
    "url", ["", "var/media", "ftp://x", "file:", "s3://", "s3://b?acl=public", "s3://b?endpoint=x", "azure://"]
)
def test_a_wrong_storage_url_stops_the_start_with_a_reason(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="MEDIA_STORAGE"):
        locations.storage_settings(url, base=Path("/base"))


@pytest.mark.parametrize(
    ("url", "public", "origins"),
    [
        ("file:var/media", "", []),
        ("file:var/media", "https://cdn.example.org/x", ["https://cdn.example.org"]),
        ("s3://b?endpoint=http://localhost:9000", "", ["http://localhost:9000"]),
        ("s3://b?region=eu-west-1", "", ["https://b.s3.eu-west-1.amazonaws.com"]),
        ("azure://c?account=a", "", ["https://a.blob.core.windows.net"]),
    ],
)
def test_pages_may_load_media_from_where_links_point(url: str, public: str, origins: list[str]) -> None:
    assert locations.link_origins(url, public) == origins


@pytest.mark.parametrize(
    ("told", "origin"),
    [
        ("DefaultEndpointsProtocol=https;AccountName=us;AccountKey=a2V5==;EndpointSuffix=x.org", "https://us.blob.x.org"),
        ("BlobEndpoint=http://127.0.0.1:10000/us;AccountName=us;AccountKey=a2V5", "http://127.0.0.1:10000"),
        ("AccountName=us;AccountKey=a2V5", "https://us.blob.core.windows.net"),
        ("nonsense", "https://a.blob.core.windows.net"),
    ],
)
def test_a_connection_string_says_where_links_point(monkeypatch: pytest.MonkeyPatch, told: str, origin: str) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", told)

    assert locations.link_origins("azure://c?account=a") == [origin]


@pytest.mark.parametrize("region", ["auto", "eu-west-1", "us-east-1"])
def test_a_missing_bucket_is_made_in_any_region(place: Callable[..., str], settings: Any, region: str) -> None:
    use_media(settings, place("s3").replace("us-east-1", region))

    assert "was made" in storage.media().ensure_ready([])[0]
    assert not any("was made" in sentence for sentence in storage.media().ensure_ready([]))
