"""When the storage is full or refuses us, downloads stop being claimed, with one reason for all to see, until it is well."""

import logging
import shutil
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from downloads import storage
from downloads.errors import StorageError
from jobs import nudge
from jobs.models import PausedKind

logger = logging.getLogger(__name__)

KINDS = ("download", "asset")
MARK = "storage: "
"""Begins the reason of a pause of ours, to tell it from a person's, which we leave alone."""
LEAST_FREE_BYTES = 512 * 1024**2


def pause(error: StorageError) -> None:
    """Stop claiming downloads and assets until `check` finds the storage well."""
    for kind in KINDS:
        _paused, is_new = PausedKind.objects.get_or_create(kind=kind, defaults={"reason": f"{MARK}{error.message}"[:200]})
        if is_new:
            logger.error("Paused because of the storage", extra={"kind": kind, "code": error.code, "reason": error.message})


def check() -> dict[str, int]:
    """Pause when room runs out; resume what we paused once there is room and a trial write succeeds. Returns counts."""
    trouble = _trouble()
    paused = PausedKind.objects.filter(kind__in=KINDS, reason__startswith=MARK)
    if trouble is not None:
        if paused.count() < len(KINDS):
            pause(trouble)
            return {"paused": 1}
        return {}
    resumed, _rows = paused.delete()
    for kind in KINDS if resumed else ():
        logger.warning("Resumed: the storage is well again", extra={"kind": kind})
        nudge.nudge(kind)
    return {"resumed": resumed} if resumed else {}


def _trouble() -> StorageError | None:
    """What keeps files from being stored now. A trial write is made only while something is paused."""
    temp = next(path for path in (Path(settings.TEMP_DIR), *Path(settings.TEMP_DIR).parents) if path.exists())
    if shutil.disk_usage(temp).free < LEAST_FREE_BYTES:
        return StorageError(_("The disk for temporary files is nearly full."), code="storage_full")
    try:
        free = storage.media().free_bytes()
        if free is not None and free < LEAST_FREE_BYTES:
            return StorageError(_("The media storage is nearly full."), code="storage_full")
        if PausedKind.objects.filter(kind__in=KINDS, reason__startswith=MARK).exists():
            storage.media().try_write()
    except StorageError as error:
        return error
    return None
