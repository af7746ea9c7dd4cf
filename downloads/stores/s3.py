"""Objects in S3 and in what speaks like it (R2, MinIO, Supabase). Small pieces, bounded waits, conditional writes.

Checksums are sent by us as plain headers and only when we ask: SDK defaults since 2025 send trailers that several
services refuse or store as content.
"""

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils import timezone
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _
from storages.backends.s3 import S3Storage

from downloads.errors import StorageError
from downloads.stores.base import CHUNK, Blob, Listed, OnProgress, missing, sha256_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART = 8 * 1024 * 1024
_REFUSED = {"AccessDenied", "Unauthorized", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket", "403", "401"}


@deconstructible(path="downloads.stores.s3.S3Store")
class S3Store(S3Storage):
    """See stores.base.Store."""

    def __init__(self, **options: Any) -> None:
        addressing: Any = options.get("addressing_style") or "auto"
        config = Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "max_attempts": 5},
            max_pool_connections=32,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Signing each body would hash it once more; the checksum header already guards it.
            s3={"addressing_style": addressing, "payload_signing_enabled": False},
        )
        super().__init__(**options, client_config=config, default_acl=None, file_overwrite=False)
        self._client: S3Client | None = None
        self._client_lock = threading.Lock()

    @property
    def client(self) -> "S3Client":
        """One for all threads: it is safe to share, and each costs megabytes."""
        with self._client_lock:
            if self._client is None:
                self._client = self._create_session().client(
                    "s3",
                    region_name=self.region_name,
                    endpoint_url=self.endpoint_url,
                    config=self.client_config,
                    use_ssl=self.use_ssl,
                    verify=self.verify,
                )
            return self._client

    def put(self, blob: Blob, on_progress: OnProgress | None = None) -> bool:
        with _named_errors():
            if (found := self._head(blob.key)) is not None:
                if self._is_whole(found, blob):
                    return False
                # The name says what the bytes must be, so replacing wrong ones is safe.
                self._send(blob, on_progress, overwrite=True)
                return True
            try:
                checksum = self._send(blob, on_progress)
            except ClientError as error:
                if _code(error) not in ("PreconditionFailed", "412", "ConditionalRequestConflict"):
                    raise
                checksum = None  # somebody else was faster
            found = self._head(blob.key)
            if found is None or not self._is_whole(found, blob, checksum):
                raise StorageError(_("The stored object differs from what was sent."), code="storage")
            return checksum is not None

    def size_of(self, key: str) -> int | None:
        with _named_errors():
            found = self._head(key)
        return None if found is None else int(found["ContentLength"])

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        if end is not None and end <= start:
            return iter(())
        with _named_errors():
            try:
                body = self.client.get_object(
                    Bucket=self.bucket_name,
                    Key=self._name(key),
                    Range=f"bytes={start}-{'' if end is None else end - 1}",
                )["Body"]
            except ClientError as error:
                if _code(error) == "InvalidRange":  # an empty object, or nothing left of it
                    return iter(())
                if _code(error) in ("NoSuchKey", "404"):
                    raise missing(key) from None
                raise
        return self._pieces(body)

    def remove(self, key: str) -> bool:
        with _named_errors():
            if self._head(key) is None:
                return False
            self.client.delete_object(Bucket=self.bucket_name, Key=self._name(key))
        return True

    def entries(self, prefix: str = "") -> Iterator[Listed]:
        start = self._name(prefix)
        with _named_errors():
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name, Prefix=start)
            for page in pages:
                for item in page.get("Contents", ()):
                    key = item["Key"][len(self._name("")) :]
                    yield Listed(key, item["Size"], item["LastModified"])

    def direct_link(self, key: str, *, mime: str, disposition: str, seconds: int) -> str | None:
        with _named_errors():
            return self.client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.bucket_name,
                    "Key": self._name(key),
                    "ResponseContentDisposition": disposition,
                    "ResponseContentType": mime,
                },
                ExpiresIn=seconds,
            )

    def try_write(self) -> None:
        with _named_errors():
            trial = self._name("trial")
            self.client.put_object(Bucket=self.bucket_name, Key=trial, Body=b"trial")
            self.client.delete_object(Bucket=self.bucket_name, Key=trial)

    def ensure_ready(self, origins: list[str]) -> list[str]:
        said = []
        with _named_errors():
            if not self._bucket_exists():
                self._make_bucket()
                said.append(_("The bucket %(name)s was made.") % {"name": self.bucket_name})
        self.try_write()
        return said + self._allow_origins(origins)

    def sweep(self, older_than: timedelta) -> int:
        """Abort multipart uploads that a killed worker left behind."""
        before, aborted = timezone.now() - older_than, 0
        with _named_errors():
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket_name, Prefix=self._name(""))
            for page in pages:
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before:
                        self.client.abort_multipart_upload(
                            Bucket=self.bucket_name, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        aborted += 1
        return aborted

    def free_bytes(self) -> int | None:
        return None

    def _name(self, key: str) -> str:
        return f"{self.location}/{key}" if self.location else key

    def _head(self, key: str) -> Any:
        try:
            return self.client.head_object(Bucket=self.bucket_name, Key=self._name(key), ChecksumMode="ENABLED")
        except ClientError as error:
            if _code(error) in ("404", "NoSuchKey", "NotFound"):
                if self._bucket_exists():
                    return None
                raise StorageError(
                    _("The bucket %(name)s does not exist.") % {"name": self.bucket_name}, code="storage_refused"
                ) from error
            raise

    def _is_whole(self, found: Any, blob: Blob, sent: str | None = None) -> bool:
        """Size and checksum, read back. A service that keeps no checksum is asked for all the bytes instead."""
        if found["ContentLength"] != blob.size:
            return False
        kept = str(found.get("ChecksumSHA256", "")).partition("-")[0]
        if kept and kept == (sent or _checksum(blob)):
            return True
        return sha256_of(self.read(blob.key)) == blob.sha256

    def _send(self, blob: Blob, on_progress: OnProgress | None, *, overwrite: bool = False) -> str:
        """Write the object; return the checksum that the service should now hold."""
        condition: dict[str, Any] = {} if overwrite else {"IfNoneMatch": "*"}
        if blob.size > PART:
            return self._send_parts(blob, on_progress, condition)
        checksum = _base64(bytes.fromhex(blob.sha256))
        with blob.path.open("rb") as body:
            self.client.put_object(
                Bucket=self.bucket_name,
                Key=self._name(blob.key),
                Body=body,
                ContentLength=blob.size,
                ContentType=blob.mime,
                ChecksumSHA256=checksum,
                **condition,
            )
        return checksum

    def _send_parts(self, blob: Blob, on_progress: OnProgress | None, condition: dict[str, Any]) -> str:
        """One part in memory at a time, all of equal size but the last, as R2 wants them."""
        name = {"Bucket": self.bucket_name, "Key": self._name(blob.key)}
        upload_id = self.client.create_multipart_upload(**name, ContentType=blob.mime, ChecksumAlgorithm="SHA256")["UploadId"]
        parts: list[Any] = []
        digests = bytearray()
        try:
            with blob.path.open("rb", buffering=0) as file:
                for number, part in enumerate(iter(lambda: file.read(PART), b""), 1):
                    digest = hashlib.sha256(part).digest()
                    digests += digest
                    answer = self.client.upload_part(
                        **name,
                        UploadId=upload_id,
                        PartNumber=number,
                        Body=part,
                        ChecksumSHA256=_base64(digest),
                    )
                    parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": _base64(digest)})
                    if on_progress:
                        on_progress(min(number * PART, blob.size))
            self.client.complete_multipart_upload(**name, UploadId=upload_id, MultipartUpload={"Parts": parts}, **condition)
        except BaseException:
            with suppress(ClientError, BotoCoreError):  # the sweep takes what stays behind
                self.client.abort_multipart_upload(**name, UploadId=upload_id)
            raise
        return _base64(hashlib.sha256(digests).digest())

    @staticmethod
    def _pieces(body: Any) -> Iterator[bytes]:
        with _named_errors(), body:
            while piece := body.read(CHUNK):
                yield piece

    def _bucket_exists(self) -> bool:
        try:
            self.client.head_bucket(Bucket=self.bucket_name)
        except ClientError as error:
            if _code(error) in ("404", "NoSuchBucket"):
                return False
            raise
        return True

    def _make_bucket(self) -> None:
        """Where the endpoint likes. Services that want their region named, as Amazon does, are told it."""
        try:
            self.client.create_bucket(Bucket=self.bucket_name)
        except ClientError as error:
            if _code(error) != "IllegalLocationConstraintException":
                raise
            place: Any = {"LocationConstraint": self.region_name}
            self.client.create_bucket(Bucket=self.bucket_name, CreateBucketConfiguration=place)

    def _allow_origins(self, origins: list[str]) -> list[str]:
        """Scripts on our pages may read the bucket (players seek with Range). Some services have no such call."""
        wanted = {"AllowedMethods": ["GET", "HEAD"], "AllowedHeaders": ["Range", "If-Range"], "MaxAgeSeconds": 3600}
        rule: Any = {
            **wanted,
            "AllowedOrigins": origins,
            "ExposeHeaders": ["Content-Length", "Content-Range", "Accept-Ranges", "ETag"],
        }
        try:
            rules = self.client.get_bucket_cors(Bucket=self.bucket_name)["CORSRules"]
        except ClientError as error:
            if _code(error) == "NotImplemented":
                return [_("This service has no CORS rules of its own; see to it that it answers to any origin.")]
            rules = []
        allowed = {origin for found in rules for origin in found["AllowedOrigins"] if "GET" in found["AllowedMethods"]}
        if "*" in allowed or allowed.issuperset(origins):
            return []
        try:
            self.client.put_bucket_cors(Bucket=self.bucket_name, CORSConfiguration={"CORSRules": [*rules, rule]})
        except (ClientError, BotoCoreError) as error:
            return [_("The bucket's CORS rules could not be set: %(why)s") % {"why": error}]
        return [_("The bucket now answers to %(origins)s.") % {"origins": ", ".join(origins)}]


def _checksum(blob: Blob) -> str:
    """What S3 keeps for bytes sent by us: of a single piece its SHA-256, of several the SHA-256 of theirs."""
    if blob.size <= PART:
        return _base64(bytes.fromhex(blob.sha256))
    digests = bytearray()
    with blob.path.open("rb", buffering=0) as file:
        for part in iter(lambda: file.read(PART), b""):
            digests += hashlib.sha256(part).digest()
    return _base64(hashlib.sha256(digests).digest())


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if _code(error) in _REFUSED:
            message = _("The bucket refuses us (%(code)s): check its name and the credentials.")
            raise StorageError(message % {"code": _code(error)}, code="storage_refused") from error
        raise StorageError(_("The bucket answered %(code)s.") % {"code": _code(error)}) from error
    except (BotoCoreError, OSError) as error:
        code = "storage_refused" if "Credentials" in type(error).__name__ else "storage"
        raise StorageError(_("The bucket cannot be reached: %(why)s") % {"why": error}, code=code) from error
