"""Objects in an Azure container: staged blocks, committed only if the name is still free."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobSasPermissions, ContentSettings, generate_blob_sas
from django.utils import timezone
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _
from storages.backends.azure_storage import AzureStorage

from downloads.errors import StorageError
from downloads.stores.base import CHUNK, Blob, Listed, OnProgress, missing, sha256_of

BLOCK = 8 * 1024 * 1024


@deconstructible(path="downloads.stores.azure.AzureStore")
class AzureStore(AzureStorage):
    """See stores.base.Store."""

    def __init__(self, **options: Any) -> None:
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
            except ResourceExistsError:
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
            except ResourceNotFoundError:
                return None

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        if end is not None and end <= start:
            return iter(())
        with _named_errors():
            try:
                stream = self._blob(key).download_blob(
                    offset=start, length=None if end is None else end - start, max_concurrency=1
                )
            except ResourceNotFoundError:
                raise missing(key) from None
        return self._pieces(stream)

    def remove(self, key: str) -> bool:
        with _named_errors():
            try:
                self._blob(key).delete_blob(delete_snapshots="include")
            except ResourceNotFoundError:
                return False
        return True

    def entries(self, prefix: str = "") -> Iterator[Listed]:
        with _named_errors():
            for item in self.client.list_blobs(name_starts_with=self._name(prefix)):
                yield Listed(item.name[len(self._name("")) :], item.size, item.last_modified)

    def direct_link(self, key: str, *, mime: str, disposition: str, seconds: int) -> str | None:
        if not self.account_key:
            return None
        blob = self._blob(key)
        token = generate_blob_sas(
            account_name=self.account_name,
            account_key=self.account_key,
            container_name=self.azure_container,
            blob_name=self._name(key),
            permission=BlobSasPermissions(read=True),
            expiry=timezone.now() + timedelta(seconds=seconds),
            content_type=mime,
            content_disposition=disposition,
        )
        return f"{blob.url}?{token}"

    def try_write(self) -> None:
        with _named_errors():
            trial = self._blob("trial")
            trial.upload_blob(b"trial", overwrite=True)
            trial.delete_blob()

    def ensure_ready(self, origins: list[str]) -> list[str]:
        said = []
        with _named_errors():
            try:
                self.client.create_container()
                said.append(_("The container %(name)s was made.") % {"name": self.azure_container})
            except ResourceExistsError:
                pass
        self.try_write()
        return said + self._allow_origins(origins)

    def sweep(self, older_than: timedelta) -> int:
        return 0  # Azure drops uncommitted blocks by itself after a week

    def free_bytes(self) -> int | None:
        return None

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

    def _allow_origins(self, origins: list[str]) -> list[str]:
        """CORS belongs to the whole account; it is read, and only spoken of: others may use the account too."""
        try:
            rules = self.service_client.get_service_properties()["cors"]
        except (AzureError, KeyError):
            return [_("The account's CORS rules could not be read; players need GET with Range from this site.")]
        allowed = {origin.strip() for rule in rules for origin in str(rule.allowed_origins).split(",")}
        if "*" in allowed or allowed.issuperset(origins):
            return []
        return [_("Add %(origins)s to the storage account's CORS rules (GET, HEAD).") % {"origins": ", ".join(origins)}]


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except ResourceExistsError:
        raise
    except (ClientAuthenticationError, ResourceNotFoundError) as error:
        message = _("The container refuses us: check its name and the credentials.")
        raise StorageError(message, code="storage_refused") from error
    except HttpResponseError as error:
        code = "storage_refused" if error.status_code in (401, 403) else "storage"
        raise StorageError(_("The container answered %(code)s.") % {"code": error.status_code}, code=code) from error
    except (AzureError, OSError) as error:
        raise StorageError(_("The container cannot be reached: %(why)s") % {"why": error}) from error
