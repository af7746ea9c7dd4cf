"""Bytes through the app: ranges, conditions, safe headers, links that end."""

import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.test import Client

from downloads import bundles, serving, storage
from downloads.filenames import filename_for
from downloads.models import AssetRole, AssetState, StoredObject
from downloads.stores.base import Blob, Store
from tests.factories import AssetFactory, StoredObjectFactory, VideoFactory

pytestmark = pytest.mark.django_db

CONTENT = random.Random(3).randbytes(100_000)


@pytest.fixture
def kept(settings: Any, tmp_path: Path, make_blob: Callable[[bytes], Blob]) -> StoredObject:
    from tests.downloads.conftest import use_media

    use_media(settings, f"file:{tmp_path / 'media'}")
    blob = make_blob(CONTENT)
    storage.media().put(blob)
    row: StoredObject = StoredObjectFactory.create(sha256=blob.sha256, size=blob.size, mime="video/mp4")
    return row


def get(row: StoredObject, name: str = "clip.mp4", *, inline: bool = True, method: str = "get", **headers: str) -> Any:
    link = storage.link(row.sha256, row.mime, name, inline=inline)
    return getattr(Client(), method)(link, headers={key.replace("_", "-"): value for key, value in headers.items()})


def test_the_whole_file_with_safe_headers(kept: StoredObject) -> None:
    answer = get(kept)

    assert answer.status_code == 200
    assert answer.getvalue() == CONTENT
    assert answer["Content-Length"] == "100000"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["ETag"] == f'"{kept.sha256}"'
    assert answer["Content-Type"] == "video/mp4"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Content-Disposition"] == 'inline; filename="clip.mp4"'
    assert "Set-Cookie" not in answer


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-", 0, 100_000),
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=99999-", 99_999, 100_000),
        ("bytes=50-999999999", 50, 100_000),
        ("bytes=-10", 99_990, 100_000),
        ("bytes=-999999", 0, 100_000),
    ],
)
def test_a_range_brings_just_that(kept: StoredObject, header: str, start: int, end: int) -> None:
    answer = get(kept, Range=header)

    assert answer.status_code == 206
    assert answer.getvalue() == CONTENT[start:end]
    assert answer["Content-Range"] == f"bytes {start}-{end - 1}/100000"
    assert answer["Content-Length"] == str(end - start)


@pytest.mark.parametrize("header", ["bytes=100000-", "bytes=200000-300000", "bytes=-0"])
def test_a_range_past_the_end_is_refused_with_the_length(kept: StoredObject, header: str) -> None:
    answer = get(kept, Range=header)

    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */100000")


@pytest.mark.parametrize(
    "header",
    ["bytes=9-5", "bytes=", "bytes=-", "items=0-5", "bytes=a-b", "bytes=0-1,5-6", "bytes=٠-٥", "bytes=" + "9" * 500 + "-"],
)
def test_a_range_that_makes_no_sense_is_ignored(kept: StoredObject, header: str) -> None:
    answer = get(kept, Range=quote(header, safe="=-, ,") if not header.isascii() else header)

    assert (answer.status_code, len(answer.getvalue())) == (200, 100_000)


def test_a_range_holds_only_for_the_file_it_was_asked_of(kept: StoredObject) -> None:
    same = get(kept, Range="bytes=0-9", If_Range=f'"{kept.sha256}"')
    other = get(kept, Range="bytes=0-9", If_Range='"other"')
    weak = get(kept, Range="bytes=0-9", If_Range=f'W/"{kept.sha256}"')
    nonsense = get(kept, Range="bytes=0-9", If_Range="Sun, 99 Foo")
    dated = get(kept, Range="bytes=0-9", If_Range=same["Last-Modified"])

    answers = [same, other, weak, nonsense, dated]
    assert [answer.status_code for answer in answers] == [206, 200, 200, 200, 206]
    assert [len(answer.getvalue()) for answer in answers] == [10, 100_000, 100_000, 100_000, 10]


def test_what_the_browser_has_is_not_sent_again(kept: StoredObject) -> None:
    assert get(kept, If_None_Match=f'"{kept.sha256}"').status_code == 304
    assert get(kept, If_None_Match='"other"').getvalue() == CONTENT


def test_head_says_the_same_without_the_bytes(kept: StoredObject) -> None:
    answer = get(kept, method="head", Range="bytes=0-9")

    assert (answer.status_code, answer["Content-Length"], answer.content) == (206, "10", b"")


def test_other_methods_are_refused(kept: StoredObject) -> None:
    assert get(kept, method="post").status_code == 405


@pytest.mark.parametrize("change", ["token", "name", "place", "time", "short", "long"])
def test_a_changed_link_is_refused(kept: StoredObject, change: str) -> None:
    link = storage.link(kept.sha256, kept.mime, "clip.mp4", inline=False)
    _root, _media, token, name = link.split("/")
    sha256, place, ends, signature = token.split(".")
    token = {
        "token": f"{sha256}.{place}.{ends}.{signature[:-1]}x",
        "name": token,
        "place": f"{sha256}.i.{ends}.{signature}",
        "time": f"{sha256}.{place}.{int(ends, 16) + 9999:x}.{signature}",
        "short": sha256,
        "long": token + ".x",
    }[change]

    answer = Client().get(f"/media/{token}/{'other.mp4' if change == 'name' else name}")

    assert answer.status_code == 403


def test_a_link_ends(kept: StoredObject) -> None:
    link = storage.app_link(storage.Ticket(kept.sha256, "clip.mp4", True, int(time.time()) - 1))

    answer = Client().get(link)

    assert answer.status_code == 410
    assert b"expired" in answer.content


def test_a_link_lives_no_longer_than_the_setting_and_is_the_same_for_a_while(kept: StoredObject, settings: Any) -> None:
    settings.MEDIA_LINK_SECONDS = 100

    token = storage.link(kept.sha256, kept.mime, "a.mp4").split("/")[2]

    left = int(token.split(".")[2], 16) - time.time()
    assert 50 <= left <= 100


def test_an_object_without_a_row_or_without_bytes_is_not_found(kept: StoredObject) -> None:
    link = storage.link(kept.sha256, kept.mime, "a.mp4")
    storage.media().remove(kept.key)
    assert Client().get(link).status_code == 404

    kept.delete()
    assert Client().get(link).status_code == 404


def test_only_media_is_shown_in_place(kept: StoredObject) -> None:
    StoredObject.objects.update(mime="text/html")
    kept.refresh_from_db()
    ticket = storage.Ticket(kept.sha256, "x.html", True, int(time.time()) + 100)

    answer = Client().get(storage.app_link(ticket))
    answer.close()
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_player_that_hangs_up_leaves_no_file_open(kept: StoredObject) -> None:
    answer = get(kept)

    answer.close()

    assert not any(kept.sha256 in name for name in open_files())


def open_files() -> list[str]:
    names = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            names.append(str(link.readlink()))
    return names


@pytest.mark.parametrize(
    ("title", "external_id", "name"),
    [
        ("春天来了 #春天", "7", "春天来了 春天 7.mp4"),
        ("", "7", "7.mp4"),
        ("../../etc/passwd", "7", "etc passwd 7.mp4"),
        ("-i file", "7", "i file 7.mp4"),
        ("a|b;c`d$e", "7", "a b c d e 7.mp4"),
        ("CON", "7", "7.mp4"),
        ("com1", "7", "7.mp4"),
        ("x\u202egnp.exe", "7", "x gnp.exe 7.mp4"),
        ("nul\x00in\r\nthe: middle", "7", "nul in the middle 7.mp4"),
        ("\ud800half", "7", "half 7.mp4"),
        ("👩‍🍳 cooks", "7", "👩 🍳 cooks 7.mp4"),
        ("a" * 10_000, "7", "a" * 80 + " 7.mp4"),
        ("x", "../../..", "x video.mp4"),
        ("x", "a/b\\c" * 100, f"x {('a-b-c' * 100)[:60].strip('-')}.mp4"),
        ("...", "7", "7.mp4"),
    ],
)
def test_names_of_files_are_readable_and_harmless(title: str, external_id: str, name: str) -> None:
    assert filename_for(title, external_id, "mp4") == name


@pytest.mark.parametrize("name", ["春天.mp4", 'a"b\\c;d%.mp4', "x\r\nSet-Cookie: a=b.mp4", "é.mp4"])
def test_the_disposition_carries_any_name(name: str) -> None:
    header = storage.content_disposition(name, inline=False)

    assert "\r" not in header
    assert "\n" not in header
    assert header.isascii()
    assert unquote(header.partition("''")[2]) == name


def test_a_carousel_zip_by_its_link(kept: StoredObject) -> None:
    video = VideoFactory.create(carousel=True)
    for position in range(2):
        AssetFactory.create(video=video, role=AssetRole.SLIDE, position=position, state=AssetState.READY, object=kept)
    link = bundles.link(bundles.of_video(video.pk), "春天.zip")

    head = Client().head(link)
    answer = Client().get(link)

    assert answer.status_code == 200
    content = answer.getvalue()
    assert len(content) == int(answer["Content-Length"]) == int(head["Content-Length"])
    assert content.count(b"PK\x03\x04") == 2
    assert CONTENT in content  # stored, not packed
    assert Client().get(f"{link.rpartition('/')[0]}/setup.hta").status_code == 403


@pytest.mark.parametrize("token", ["v1.ffffffff.bad", "x", "v1", "b0.0.0", "v999999.0.x"])
def test_a_made_up_zip_link_is_refused(token: str) -> None:
    assert Client().get(f"/media/zip/{token}/x.zip").status_code == 403


def test_an_empty_zip_is_not_found() -> None:
    assert Client().get(bundles.link("v123456", "x.zip")).status_code == 404


def test_files_of_the_same_name_are_told_apart() -> None:
    entries = [bundles.Entry("a.mp4", "0" * 64, 1)] * 3

    assert [entry.name for entry in bundles._unique(entries)] == ["a.mp4", "a (2).mp4", "a (3).mp4"]


def test_a_public_address_goes_before_everything(kept: StoredObject, settings: Any) -> None:
    settings.MEDIA_PUBLIC_URL = "https://cdn.example.org/x"

    assert storage.link(kept.sha256, kept.mime, "a.mp4") == f"https://cdn.example.org/x/{kept.key}"


def test_without_the_proxy_a_folder_gives_no_link(kept: StoredObject, settings: Any) -> None:
    from downloads.errors import StorageError

    settings.MEDIA_PROXY = False

    with pytest.raises(StorageError) as caught:
        storage.link(kept.sha256, kept.mime, "a.mp4")

    assert caught.value.code == "no_link"


def test_a_bucket_is_served_through_the_app_where_it_must_be(store: Store, make_blob: Callable[[bytes], Blob], rf: Any) -> None:
    blob = make_blob(CONTENT)
    store.put(blob)
    row = StoredObjectFactory.create(sha256=blob.sha256, size=blob.size, mime="video/mp4")

    answer: Any = serving.serve(rf.get("/", headers={"Range": "bytes=10-19"}), row, filename="a.mp4", inline=True)

    assert (answer.status_code, answer.getvalue()) == (206, CONTENT[10:20])
