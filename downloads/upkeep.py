"""What interrupted work leaves behind, and whether rows, objects and hashes agree."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from downloads import objects, storage, workplace
from downloads.errors import StorageError
from downloads.models import AssetJob, DownloadJob, IncomingObject, StoredObject
from downloads.stores.base import sha256_of
from jobs.models import FINAL, Job

KEEP_PARTS = timedelta(hours=24)
MOST_NAMED = 100
BATCH = 500


def clear_temporary_files() -> dict[str, int]:
    """Remove the folders of ended jobs and of forgotten ones, and announcements that came to nothing. Returns counts."""
    stale = IncomingObject.objects.filter(announced_at__lt=timezone.now() - 2 * objects.ANNOUNCED_FOR)
    return {"folders": workplace.sweep(KEEP_PARTS, ended=_ended(workplace.names())), "announcements": stale.delete()[0]}


def _ended(names: list[str]) -> set[str]:
    """Folders whose job has ended or no longer exists."""
    ended: set[str] = set()
    kinds: dict[str, type[Job]] = {"job": DownloadJob, "asset": AssetJob}
    for prefix, model in kinds.items():
        by_id: dict[int, list[str]] = {}
        for name in names:
            kind, _dash, rest = name.partition("-")
            number = rest.partition("-")[0]
            if kind == prefix and number.isdecimal():
                by_id.setdefault(int(number), []).append(name)
        alive = set(model.objects.filter(pk__in=by_id).exclude(state__in=FINAL).values_list("pk", flat=True))
        ended.update(name for pk, folders in by_id.items() if pk not in alive for name in folders)
    return ended


@dataclass(slots=True)
class Audit:
    """What `audit` found. `missing` and `wrong` are broken promises; an unclaimed object is only waste for a while."""

    rows: int = 0
    listed: int = 0
    hashed: int = 0
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unclaimed: list[str] = field(default_factory=list)
    unclaimed_bytes: int = 0
    parts: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.missing and not self.wrong


def audit(*, hashes: bool = True) -> Audit:
    """Compare rows with the storage's listing and, with `hashes`, each object's bytes with its name. Raises StorageError."""
    found = Audit(parts=len(workplace.names()))
    sizes = {entry.key: entry.size for entry in storage.media().entries("blobs/")}
    found.listed = len(sizes)
    for row in _rows():
        found.rows += 1
        size = sizes.pop(row.key, None)
        if size is None:
            found.missing.append(row.sha256)
        elif size != row.size or (hashes and not _hash_fits(row, found)):
            found.wrong.append(row.sha256)
        elif hashes:
            StoredObject.objects.filter(pk=row.pk).update(verified_at=timezone.now())
    found.unclaimed = sorted(sizes)[:MOST_NAMED]
    found.unclaimed_bytes = sum(sizes.values())
    return found


def _rows() -> Iterator[StoredObject]:
    return StoredObject.objects.order_by("pk").iterator(BATCH)


def _hash_fits(row: StoredObject, found: Audit) -> bool:
    found.hashed += 1
    try:
        return sha256_of(storage.media().read(row.key)) == row.sha256
    except StorageError as error:
        if error.code != "missing":
            raise
        return False
