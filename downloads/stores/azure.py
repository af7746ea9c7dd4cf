"""Objects in an Azure container: staged blocks, committed only if the name is still free. Small pieces, bounded waits."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import requests
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import (
    BlobSasPermissions,
    BlobServiceClient,
    ContentSettings,
    CorsRule,
    ExponentialRetry,
    generate_blob_sas,
)
from django.utils import timezone
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from storages.backends.azure_storage import AzureStorage

from downloads.errors import StorageError
from downloads.stores.base import CHUNK, Blob, Listed, OnProgress, missing, sha256_of

BLOCK = 8 * 1024 * 1024
READ = 4 * 1024 * 1024  # held in memory by every reader
RETRIES = 4
_TAKEN = {"BlobAlreadyExists", "ConditionNotMet", "InvalidBlockList"}
"""Answers to a commit when somebody else's came first; the last when that one also used our blocks up."""


@deconstructible(path="downloads.stores.azure.AzureStore")
class AzureStore(AzureStorage):
    """See stores.base.Store."""

    def __init__(self, **options: Any) -> None:
        # Read when first needed: one that is badly written must not keep everything else from starting.
        self._connection = options.pop("connection_string", None)
        super().__init__(**options, overwrite_files=False)

    def put(self, blob: Blob, on_progress: OnProgress | None = None) -> bool:
        with _named_errors():
            if self.size_of(blob.key) is not None:
                if self._is_whole(blob):
                    return False
                # The name says what the bytes must be, so replacing wrong ones is safe.
                self._send(blob, on_progress, overwrite=True)
                return True
            try:
                self._send(blob, on_progress, overwrite=False)
            except HttpResponseError as error:
                if _code(error) not in _TAKEN:
                    raise
                is_new = False  # somebody else was faster
            else:
                is_new = True
            if not self._is_whole(blob):
                raise StorageError(_("The stored object differs from what was sent."), code="storage")
            return is_new

    def size_of(self, key: str) -> int | None:
        with _named_errors():
            try:
                return int(self._blob(key).get_blob_properties().size)
            except ResourceNotFoundError as error:
                if _is_without_container(error):
                    raise
                return None

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        if end is not None and end <= start:
            return iter(())
        with _named_errors():
            try:
                stream = self._blob(key).download_blob(
                    offset=start, length=None if end is None else end - start, max_concurrency=1
                )
            except ResourceNotFoundError as error:
                if _is_without_container(error):
                    raise
                raise missing(key) from None
            except HttpResponseError as error:
                if error.status_code == 416:  # an empty object, or nothing left of it
                    return iter(())
                raise
        return self._pieces(stream)

    def remove(self, key: str) -> bool:
        with _named_errors():
            try:
                self._blob(key).delete_blob(delete_snapshots="include")
            except ResourceNotFoundError as error:
                if _is_without_container(error):
                    raise
                return False
        return True

    def entries(self, prefix: str = "") -> Iterator[Listed]:
        with _named_errors():
            for item in self.client.list_blobs(name_starts_with=self._name(prefix)):
                yield Listed(item.name[len(self._name("")) :], item.size, item.last_modified)

    def direct_link(self, key: str, *, mime: str, disposition: str, seconds: int) -> str | None:
        with _named_errors():
            signer = self.service_client.credential
            if not hasattr(signer, "account_key"):
                return None  # a signature given to us cannot sign
            try:
                token = generate_blob_sas(
                    account_name=signer.account_name,
                    account_key=signer.account_key,
                    container_name=self.azure_container,
                    blob_name=self._name(key),
                    permission=BlobSasPermissions(read=True),
                    expiry=timezone.now() + timedelta(seconds=seconds),
                    content_type=mime,
                    content_disposition=disposition,
                )
            except ValueError as error:
                raise _unusable(error) from error
            return f"{self._blob(key).url}?{token}"

    def try_write(self) -> None:
        with _named_errors():
            trial = self._blob("trial")
            trial.upload_blob(b"trial", overwrite=True)
            trial.delete_blob()

    def ensure_ready(self, origins: list[str]) -> list[str]:
        said = []
        with _named_errors():
            if not self._container_exists():
                with suppress(ResourceExistsError):  # somebody else was faster
                    self.client.create_container()
                    said.append(_("The container %(name)s was made.") % {"name": self.azure_container})
        self.try_write()
        return said + self._allow_origins(origins)

    def sweep(self, older_than: timedelta) -> int:
        return 0  # Azure drops uncommitted blocks by itself after a week

    def free_bytes(self) -> int | None:
        return None

    def _get_service_client(self) -> BlobServiceClient:
        """One for all threads. The SDK's own would try for minutes and hold 32 MB for each reader."""
        session = requests.Session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=32))
        options: dict[str, Any] = {
            "transport": RequestsTransport(session=session),
            "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=RETRIES, random_jitter_range=1),
            "connection_timeout": 5,
            "read_timeout": 30,
            "max_single_get_size": READ,
            "max_chunk_get_size": READ,
        }
        try:
            if self._connection:
                return BlobServiceClient.from_connection_string(self._connection, **options)
            if not self.account_name:
                raise ValueError(_("no account is named"))
            self.client_options = options
            service: BlobServiceClient = super()._get_service_client()
            return service
        except ValueError as error:
            raise _unusable(error) from error

    def _name(self, key: str) -> str:
        return f"{self.location}/{key}" if self.location else key

    def _blob(self, key: str) -> Any:
        return self.client.get_blob_client(self._name(key))

    def _send(self, blob: Blob, on_progress: OnProgress | None, *, overwrite: bool) -> None:
        target = self._blob(blob.key)
        blocks: list[Any] = []
        with blob.path.open("rb", buffering=0) as file:
            for number, block in enumerate(iter(lambda: file.read(BLOCK), b"")):
                name = base64.b64encode(f"{number:08d}".encode()).decode()
                target.stage_block(name, block, length=len(block), validate_content=True)
                blocks.append(name)
                if on_progress:
                    on_progress(min((number + 1) * BLOCK, blob.size))
        target.commit_block_list(
            blocks,
            content_settings=ContentSettings(content_type=blob.mime),
            metadata={"sha256": blob.sha256},
            match_condition=None if overwrite else MatchConditions.IfMissing,
        )

    def _is_whole(self, blob: Blob) -> bool:
        """Size and content, read back: Azure keeps no SHA-256 of its own."""
        return self.size_of(blob.key) == blob.size and sha256_of(self.read(blob.key)) == blob.sha256

    @staticmethod
    def _pieces(stream: Any) -> Iterator[bytes]:
        with _named_errors():
            for chunk in stream.chunks():
                for at in range(0, len(chunk), CHUNK):
                    yield chunk[at : at + CHUNK]

    def _container_exists(self) -> bool:
        try:
            self.client.get_container_properties()
        except ResourceNotFoundError:
            return False
        except HttpResponseError as error:
            if error.status_code != 403:
                raise  # a signature for its objects alone may not ask; the trial write will tell
        return True

    def _allow_origins(self, origins: list[str]) -> list[str]:
        """Scripts on our pages may read the objects (players seek with Range). The rules are the account's: ours is added."""
        rule = CorsRule(
            allowed_origins=origins,
            allowed_methods=["GET", "HEAD"],
            allowed_headers=["Range", "If-Range"],
            exposed_headers=["Content-Length", "Content-Range", "Accept-Ranges", "ETag"],
            max_age_in_seconds=3600,
        )
        try:
            rules = self.service_client.get_service_properties()["cors"]
            allowed = {
                origin.strip()
                for found in rules
                if "GET" in str(found.allowed_methods).split(",")
                for origin in str(found.allowed_origins).split(",")
            }
            if "*" in allowed or allowed.issuperset(origins):
                return []
            self.service_client.set_service_properties(cors=[*rules, rule])
        except AzureError as error:
            wanted = {"origins": ", ".join(origins), "why": _code(error)}
            return [_("Add %(origins)s to the storage account's CORS rules (GET, HEAD): we could not (%(why)s).") % wanted]
        return [_("The storage account now answers to %(origins)s.") % {"origins": ", ".join(origins)}]


def _code(error: AzureError) -> str:
    """What the service calls it, or what the SDK does where nothing answered."""
    code = getattr(error, "error_code", None) or getattr(error, "status_code", None) or type(error).__name__
    return str(getattr(code, "value", code))


def _is_without_container(error: ResourceNotFoundError) -> bool:
    return _code(error) == "ContainerNotFound"


def _unusable(error: ValueError) -> StorageError:
    message = _("The credentials for Azure cannot be used (%(why)s): check AZURE_STORAGE_CONNECTION_STRING or its parts.")
    return StorageError(message % {"why": error}, code="storage_refused")


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (ClientAuthenticationError, ResourceNotFoundError) as error:
        raise _refused(error) from error
    except HttpResponseError as error:
        if error.status_code in (401, 403):
            raise _refused(error) from error
        raise StorageError(_("The container answered %(code)s.") % {"code": _code(error)}) from error
    except (AzureError, OSError) as error:
        raise StorageError(_("The container cannot be reached: %(why)s") % {"why": error}) from error


def _refused(error: AzureError) -> StorageError:
    message = _("The container refuses us (%(code)s): check its name and the credentials.")
    return StorageError(message % {"code": _code(error)}, code="storage_refused")
