"""A folder of its own for each job's unfinished files, which a later attempt on this machine finds again."""

import fcntl
import os
import shutil
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings


def root() -> Path:
    return Path(settings.TEMP_DIR) / "downloads"


@contextmanager
def workplace(name: str, fence: int) -> Iterator[Path]:
    """The job's folder, held by this worker alone; removed when the work ends well, kept for a later attempt when not.

    A worker that lost its lease may still be writing: then its successor works in a folder of its own.
    """
    folder, lock = _take(root() / name) or _take(root() / f"{name}-{fence}") or _fresh(root() / f"{name}-{fence}-{os.getpid()}")
    try:
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def names() -> list[str]:
    """Of the folders there are."""
    return [folder.name for folder in root().glob("*")]


def sweep(older_than: timedelta, *, ended: Container[str] = ()) -> int:
    """Remove folders that nobody holds and nobody touched for a while, or whose job has ended; return how many."""
    removed = 0
    for folder in root().glob("*"):
        with suppress(FileNotFoundError, NotADirectoryError):
            newest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
            if folder.name not in ended and time.time() - newest < older_than.total_seconds():
                continue
            taken = _take(folder)
            if taken is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(taken[1])
                removed += 1
    return removed


def _take(folder: Path) -> tuple[Path, int] | None:
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    # Between opening and locking, its last holder may have removed the folder.
    with suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(lock), (folder / ".lock").stat()):
            return folder, lock
    os.close(lock)
    return None


def _fresh(folder: Path) -> tuple[Path, int]:
    taken = _take(folder)
    if taken is None:
        raise BlockingIOError(f"{folder} is held by another worker")
    return taken
