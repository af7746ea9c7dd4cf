"""What only Azure does: keys and signatures, the account's CORS rules, blocks that were never committed."""

import base64
import http.client
import os
import socket
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.blob import ContainerSasPermissions, CorsRule, generate_container_sas
from django.test import Client
from django.utils import timezone

from downloads import storage
from downloads.errors import StorageError
from downloads.stores import azure
from downloads.stores.azure import AzureStore
from downloads.stores.base import Blob
from tests.downloads.conftest import use_media
from tests.factories import StoredObjectFactory

MakeBlob = Callable[[bytes], Blob]


@pytest.fixture
def container(settings: Any, place: Callable[..., str]) -> AzureStore:
    """A container that is not there yet."""
    use_media(settings, place("azure"))
    store: Any = storage.media()
    return store


@pytest.fixture
def account(container: AzureStore) -> Any:
    """The whole account, its CORS rules taken away before and after."""
    container.service_client.set_service_properties(cors=[])
    yield container.service_client
    container.service_client.set_service_properties(cors=[])


def origins_of(account: Any) -> list[str]:
    return [str(rule.allowed_origins) for rule in account.get_service_properties()["cors"]]


def connect(settings: Any, monkeypatch: pytest.MonkeyPatch, **parts: str | None) -> AzureStore:
    """The same container by a connection string of which some parts are others, or (None) left out."""
    known = dict(part.split("=", 1) for part in os.environ["AZURE_STORAGE_CONNECTION_STRING"].strip(";").split(";"))
    text = ";".join(f"{name}={value}" for name, value in {**known, **parts}.items() if value is not None)
    return use_connection(settings, monkeypatch, text)


def use_connection(settings: Any, monkeypatch: pytest.MonkeyPatch, text: str) -> AzureStore:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    use_media(settings, f"azure://{settings.STORAGES['media']['OPTIONS']['azure_container']}")
    store: Any = storage.media()
    return store


def refusal(ask: Callable[[], Any]) -> StorageError:
    with pytest.raises(StorageError) as caught:
        ask()
    return caught.value


def test_making_ready_makes_the_container_and_says_so(container: AzureStore, account: Any) -> None:
    said = container.ensure_ready(["https://groundswell.example"])

    assert len(said) == 2
    assert container.azure_container in said[0]
    assert "https://groundswell.example" in said[1]
    assert container.ensure_ready(["https://groundswell.example"]) == []


def test_players_on_our_pages_may_ask_for_ranges(container: AzureStore, account: Any, make_blob: MakeBlob) -> None:
    container.ensure_ready(["https://groundswell.example"])
    blob = make_blob(b"linked")
    container.put(blob)
    host, _slash, path = storage.link(blob.sha256, "video/mp4", "a.mp4").removeprefix("http://").partition("/")

    def ask(method: str, origin: str, **headers: str) -> http.client.HTTPResponse:
        with closing(http.client.HTTPConnection(host)) as connection:
            connection.request(method, f"/{path}", headers={"Origin": origin, **headers})
            answer = connection.getresponse()
            answer.read()
            return answer

    wish = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    before = ask("OPTIONS", "https://groundswell.example", **wish)
    answer = ask("GET", "https://groundswell.example", Range="bytes=0-1")

    assert before.status == 200
    assert before.headers["Access-Control-Allow-Origin"] == "https://groundswell.example"
    assert answer.status == 206
    assert answer.headers["Access-Control-Allow-Origin"] == "https://groundswell.example"
    assert "content-range" in answer.headers["Access-Control-Expose-Headers"].lower()
    assert ask("OPTIONS", "https://other.example", **wish).status == 403


def test_the_rules_of_others_stay(container: AzureStore, account: Any) -> None:
    account.set_service_properties(cors=[CorsRule(["https://shop.example"], ["PUT"], allowed_headers=["x-*"])])

    container.ensure_ready(["https://groundswell.example"])

    rules = account.get_service_properties()["cors"]
    assert origins_of(account) == ["https://shop.example", "https://groundswell.example"]
    assert (str(rules[0].allowed_methods), str(rules[0].allowed_headers)) == ("PUT", "x-*")


def test_an_origin_that_may_only_write_is_not_yet_allowed_to_read(container: AzureStore, account: Any) -> None:
    account.set_service_properties(cors=[CorsRule(["https://groundswell.example"], ["PUT"])])

    container.ensure_ready(["https://groundswell.example"])

    assert len(origins_of(account)) == 2


def test_a_link_is_refused_when_its_time_is_over_or_it_was_changed(container: AzureStore, make_blob: MakeBlob) -> None:
    container.ensure_ready([])
    blob, other = make_blob(b"linked"), make_blob(b"other")
    container.put(blob)
    container.put(other)
    good = container.direct_link(blob.key, mime="video/mp4", disposition="inline", seconds=60)
    over = container.direct_link(blob.key, mime="video/mp4", disposition="inline", seconds=-1)
    assert good
    assert over

    for link in (over, good.replace(blob.key, other.key), good.replace("video", "text"), good.partition("?")[0]):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(link)
        assert caught.value.code in (403, 404)
        caught.value.close()


def test_blocks_left_by_a_killed_upload_are_not_an_object_and_in_nobodys_way(container: AzureStore, make_blob: MakeBlob) -> None:
    container.ensure_ready([])
    blob = make_blob(b"whole")
    container._blob(blob.key).stage_block(base64.b64encode(b"00000000").decode(), b"half")

    assert container.size_of(blob.key) is None
    assert list(container.entries()) == []
    assert container.sweep(timedelta(0)) == 0
    assert container.put(blob) is True
    assert b"".join(container.read(blob.key)) == b"whole"


def test_a_wrong_key_is_said_to_be_refused(
    container: AzureStore, settings: Any, monkeypatch: pytest.MonkeyPatch, make_blob: MakeBlob
) -> None:
    container.ensure_ready([])
    stranger = connect(settings, monkeypatch, AccountKey=base64.b64encode(b"wrong" * 12).decode())
    blob = make_blob(b"x")

    asked: list[Callable[[], Any]] = [
        *(lambda: stranger.put(blob), lambda: stranger.size_of(blob.key), lambda: stranger.read(blob.key)),
        *(lambda: stranger.remove(blob.key), lambda: list(stranger.entries()), stranger.try_write),
        lambda: stranger.ensure_ready([]),
    ]

    assert [refusal(ask).code for ask in asked] == ["storage_refused"] * len(asked)


def test_a_key_that_is_none_is_said_to_be_refused(
    container: AzureStore, settings: Any, monkeypatch: pytest.MonkeyPatch, make_blob: MakeBlob
) -> None:
    garbled = connect(settings, monkeypatch, AccountKey="abc")

    assert refusal(garbled.try_write).code == "storage_refused"
    assert refusal(lambda: storage.link("0" * 64, "video/mp4", "a.mp4")).code == "storage_refused"


@pytest.mark.parametrize("text", ["", "nonsense", "DefaultEndpointsProtocol=https"])
def test_credentials_that_cannot_be_read_are_said_to_be_refused(
    container: AzureStore, settings: Any, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    store = use_connection(settings, monkeypatch, text)

    error = refusal(lambda: store.ensure_ready([]))

    assert error.code == "storage_refused"
    assert "AZURE_STORAGE_CONNECTION_STRING" in error.message


def test_a_server_that_is_down_is_waited_for(
    container: AzureStore, settings: Any, monkeypatch: pytest.MonkeyPatch, make_blob: MakeBlob
) -> None:
    monkeypatch.setattr(azure, "RETRIES", 0)
    with socket.socket() as nobody:  # bound, but not listening
        nobody.bind(("127.0.0.1", 0))
        store = connect(settings, monkeypatch, BlobEndpoint=f"http://127.0.0.1:{nobody.getsockname()[1]}/test")
        blob = make_blob(b"x")

        asked: list[Callable[[], Any]] = [
            *(lambda: store.put(blob), lambda: store.size_of(blob.key), lambda: store.read(blob.key)),
            *(lambda: store.remove(blob.key), lambda: list(store.entries()), store.try_write),
            lambda: store.ensure_ready([]),
        ]

        assert [refusal(ask).code for ask in asked] == ["storage"] * len(asked)


def test_a_name_that_azure_does_not_allow_is_given_back_with_its_reason(
    container: AzureStore, settings: Any, make_blob: MakeBlob
) -> None:
    use_media(settings, f"azure://x{uuid.uuid4().hex}--y")

    error = refusal(lambda: storage.media().ensure_ready([]))

    assert "InvalidResourceName" in error.message


@pytest.mark.django_db
def test_with_a_signature_for_one_container_the_app_serves_what_it_cannot_link_to(
    container: AzureStore, settings: Any, monkeypatch: pytest.MonkeyPatch, make_blob: MakeBlob
) -> None:
    container.ensure_ready([])
    signer = container.service_client.credential
    signature = generate_container_sas(
        signer.account_name,
        container.azure_container,
        account_key=signer.account_key,
        permission=ContainerSasPermissions(read=True, write=True, delete=True, list=True, create=True),
        expiry=timezone.now() + timedelta(minutes=5),
    )
    narrow = connect(settings, monkeypatch, AccountKey=None, SharedAccessSignature=signature)
    blob = make_blob(b"through the app")

    said = narrow.ensure_ready(["https://groundswell.example"])
    assert len(said) == 1
    assert "https://groundswell.example" in said[0]
    assert "CORS" in said[0]
    assert narrow.put(blob) is True
    StoredObjectFactory.create(sha256=blob.sha256, size=blob.size, mime="video/mp4")
    link = storage.link(blob.sha256, "video/mp4", "a.mp4")
    answer: Any = Client().get(link, headers={"Range": "bytes=8-"})

    assert link.startswith("/media/")
    assert (answer.status_code, answer.getvalue()) == (206, b"the app")
    assert [item.key for item in narrow.entries()] == [blob.key]
    assert narrow.remove(blob.key) is True
