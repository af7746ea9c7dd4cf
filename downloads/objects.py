"""Objects and their rows: first the bytes, then the row; and nobody deletes bytes whose row is on its way.

A worker announces a hash before it stores the bytes. Who wants to delete bytes without a row asks `remove_unclaimed`,
which looks for row and announcement under the same lock: so an object that was found to be "there already" is still
there when its row is committed.
"""

import hashlib
import os
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
    with transaction.atomic():
        _lock(sha256)
        IncomingObject.objects.update_or_create(sha256=sha256, defaults={"announced_at": timezone.now()})
    return storage.put(path, sha256=sha256, size=size, mime=mime, on_progress=on_progress)


def record(sha256: str, *, size: int, mime: str, **facts: Any) -> StoredObject:
    """The row of stored bytes, made if it is new. Inside the transaction that refers to it."""
    found, is_new = StoredObject.objects.get_or_create(sha256=sha256, defaults={"size": size, "mime": mime, **facts})
    if not is_new:
        StoredObject.objects.filter(pk=found.pk).update(verified_at=timezone.now())
    IncomingObject.objects.filter(sha256=sha256).delete()
    return found


def store_bytes(content: bytes, *, mime: str, folder: Path) -> tuple[str, int]:
    """Store something small that is in memory; return its hash and size."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = folder / f"{sha256}.small"
    path.write_bytes(content)
    store(path, sha256=sha256, size=len(content), mime=mime)
    path.unlink()
    return sha256, len(content)


def remove_unclaimed(key: str) -> bool:
    """Delete an object that has no row and that nobody is about to store; False if it has, or was not there.

    The only door for deleting bytes. Holds a lock on the hash while the storage deletes, so a worker which
    announces it meanwhile waits, and then stores it anew.
    """
    sha256 = key.rpartition("/")[2]
    with transaction.atomic():
        _lock(sha256)
        young = IncomingObject.objects.filter(sha256=sha256, announced_at__gt=timezone.now() - ANNOUNCED_FOR)
        if StoredObject.objects.filter(sha256=sha256).exists() or young.exists():
            return False
        return storage.media().remove(key)


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
