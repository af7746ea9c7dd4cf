"""Objects and their rows: first the bytes, then the row; and nobody deletes bytes whose row is on its way.

A worker announces a hash before it stores the bytes. Who wants to delete bytes without a row does so inside `forgetting`,
which looks for row and announcement under the same lock: so an object that was found to be "there already" is still
there when its row is committed.
"""

import hashlib
import os
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from downloads import storage
from downloads.models import IncomingObject, StoredObject
from downloads.stores.base import OnProgress

ANNOUNCED_FOR = timedelta(hours=24)


def store(path: Path, *, sha256: str, size: int, mime: str, on_progress: OnProgress | None = None) -> bool:
    """Announce and store a verified file; False if its bytes were there. Not inside a transaction. Raises StorageError."""
    announce([sha256])
    return storage.put(path, sha256=sha256, size=size, mime=mime, on_progress=on_progress)


def announce(hashes: Iterable[str]) -> None:
    """Say that these bytes are about to be stored, by storage.put. Not inside a transaction."""
    hashes, now = sorted(set(hashes)), timezone.now()  # all take the locks in one order
    with transaction.atomic():
        for sha256 in hashes:
            _lock(sha256)
        IncomingObject.objects.bulk_create(
            [IncomingObject(sha256=sha256, announced_at=now) for sha256 in hashes],
            update_conflicts=True,
            unique_fields=["sha256"],
            update_fields=["announced_at"],
        )


def record(sha256: str, *, size: int, mime: str, **facts: Any) -> StoredObject:
    """The row of stored bytes, made if it is new. Inside the transaction that refers to it."""
    (found,) = record_all([StoredObject(sha256=sha256, size=size, mime=mime, **facts)], measured=facts)
    return found


def record_all(rows: Sequence[StoredObject], *, measured: Container[str] = ()) -> list[StoredObject]:
    """The rows of stored bytes, different ones, in their order. Inside the transaction that refers to them.

    Of those that there are, what an earlier version of us did not make or measure is made good: `measured` names it.
    """
    made = StoredObject.objects.bulk_create(
        sorted(rows, key=lambda row: row.sha256),
        update_conflicts=True,
        unique_fields=["sha256"],
        update_fields=["verified_at", *(name for name in ("phash", "small", "medium") if name in measured)],
    )
    IncomingObject.objects.filter(sha256__in=[row.sha256 for row in made]).delete()
    by_hash = {row.sha256: row for row in made}
    return [by_hash[row.sha256] for row in rows]


def store_bytes(content: bytes, *, mime: str, folder: Path) -> tuple[str, int]:
    """Store something small that is in memory; return its hash and size."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / f"{sha256}.small"
    path.write_bytes(content)
    store(path, sha256=sha256, size=len(content), mime=mime)
    path.unlink()
    return sha256, len(content)


@contextmanager
def forgetting(sha256: str) -> Iterator[bool]:
    """Hold while bytes without a row are deleted; False when somebody is about to store them, or did.

    A worker that announces the hash meanwhile waits for the end of this, and then stores the bytes anew.
    """
    with transaction.atomic():
        _lock(sha256)
        young = IncomingObject.objects.filter(sha256=sha256, announced_at__gt=timezone.now() - ANNOUNCED_FOR)
        yield not young.exists() and not StoredObject.objects.filter(sha256=sha256).exists()


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Until the disk has it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(sha256: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [sha256])
