"""Bytes without a row: found by listing the media storage, deleted when unclaimed for two days, and never in doubt."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.utils.translation import gettext as _

from downloads import objects, storage
from downloads.models import StoredObject
from downloads.stores.base import Store
from monitoring.models import UnclaimedObject

logger = logging.getLogger(__name__)

PREFIX = "blobs/"
GRACE = timedelta(hours=48)
FRESH = timedelta(hours=1)
"""An object so young may be about to get its row."""
LARGEST_SHARE = 0.05
FEW = 3
"""So many strays may go whatever their share: of ten objects, one is 10 %."""
MOST_STRAYS = 1000
MOST_AT_ONCE = 5000
BATCH = 1000


class SweepRefused(Exception):
    """The storage and the rows do not fit together: nothing was deleted, a person should look."""


@dataclass(slots=True)
class Swept:
    listed: int = 0
    unclaimed: int = 0
    """In the storage and without a row, their grace over or not."""
    deleted: int = 0
    bytes: int = 0
    uploads: int = 0
    """Unfinished uploads that were given up."""

    def as_counts(self) -> dict[str, int]:
        named = {"deleted_objects": self.deleted, "deleted_bytes": self.bytes, "unfinished_uploads": self.uploads}
        return {"listed": self.listed, "unclaimed": self.unclaimed} | {name: n for name, n in named.items() if n}


def sweep(now: datetime) -> Swept:
    """List, note what nobody claims, delete what was noted two days ago. Raises SweepRefused, StorageError."""
    store, swept = storage.media(), Swept()
    rows = StoredObject.objects.count()
    present = _note(store, now, swept)
    if swept.listed and not rows:
        raise SweepRefused(_("There are %d objects in the storage and not one row for them.") % swept.listed)
    if rows and not swept.listed:
        raise SweepRefused(_("The storage lists nothing, but %d objects should be there.") % rows)
    UnclaimedObject.objects.exclude(key__in=present).filter(since__lt=now - GRACE).delete()  # gone by other hands
    due = UnclaimedObject.objects.filter(since__lt=now - GRACE)
    strays = due.filter(was_released=False).count()
    if strays > MOST_STRAYS or strays > max(FEW, rows * LARGEST_SHARE):
        raise SweepRefused(
            _("%(strays)d objects were never released and have no row, beside %(rows)d that have one: too many to be strays.")
            % {"strays": strays, "rows": rows}
        )
    for unclaimed in due[:MOST_AT_ONCE]:
        if _delete(store, unclaimed):
            swept.deleted += 1
            swept.bytes += unclaimed.size
    swept.uploads = store.sweep(timedelta(days=1))
    logger.info("Storage swept", extra=swept.as_counts())
    return swept


def _note(store: Store, now: datetime, swept: Swept) -> set[str]:
    """Keep the list of unclaimed objects true; return those of it that are in the storage."""
    present: set[str] = set()
    entries = iter(store.entries(PREFIX))
    while page := list(islice(entries, BATCH)):
        swept.listed += len(page)
        claimed = _claimed(entry.key for entry in page)
        UnclaimedObject.objects.filter(key__in=claimed).delete()
        unclaimed = [entry for entry in page if entry.key not in claimed and entry.modified_at < now - FRESH]
        strays = [UnclaimedObject(key=entry.key, size=entry.size, since=now, was_released=False) for entry in unclaimed]
        UnclaimedObject.objects.bulk_create(strays, ignore_conflicts=True)
        present |= {entry.key for entry in unclaimed}
    swept.unclaimed = len(present)
    return present


def _claimed(keys: Iterable[str]) -> set[str]:
    names = {key.rpartition("/")[2]: key for key in keys}
    rows = StoredObject.objects.filter(sha256__in=names).values_list("sha256", flat=True)
    return {names[sha256] for sha256 in rows if storage.key_of(sha256) == names[sha256]}


def _delete(store: Store, unclaimed: UnclaimedObject) -> bool:
    """Delete the bytes unless somebody is storing the same ones, or has since; False then, and the next listing sees it."""
    with objects.forgetting(unclaimed.key.rpartition("/")[2]) as is_unclaimed:
        if is_unclaimed:
            store.remove(unclaimed.key)
            unclaimed.delete()
    return is_unclaimed
