"""Objects in a local folder. A temporary file becomes an object by a hard link, which cannot overwrite and cannot be partial."""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.utils import timezone
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from downloads.errors import StorageError
from downloads.stores.base import CHUNK, Blob, Listed, OnProgress, missing, sha256_of

INCOMING = ".incoming"


@deconstructible(path="downloads.stores.local.LocalStore")
class LocalStore(FileSystemStorage):
    """See stores.base.Store."""

    def __init__(self, location: str, **options: Any) -> None:
        super().__init__(location=location, allow_overwrite=False, **options)
        self.root = Path(location)

    def put(self, blob: Blob, on_progress: OnProgress | None = None) -> bool:
        target = self.root / blob.key
        with _named_errors():
            if self._holds(target, blob):
                return False
            changed = _make_folders(target.parent)
            with self._on_this_volume(blob, on_progress) as source:
                try:
                    os.link(source, target)
                except FileExistsError:
                    if self._holds(target, blob):
                        return False
                    # Damaged from outside: the name says what the bytes must be, so putting them right is safe.
                    staged = self._incoming()
                    os.link(source, staged)
                    staged.replace(target)
            target.chmod(0o444)
            for folder in (target.parent, *changed):
                _flush_folder(folder)
            if not self._holds(target, blob):
                raise StorageError(_("The stored file differs from what was written."), code="storage")
        return True

    def size_of(self, key: str) -> int | None:
        try:
            return (self.root / key).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        try:
            file = (self.root / key).open("rb", buffering=0)
        except FileNotFoundError:
            raise missing(key) from None
        return _pieces(file, start, end)

    def remove(self, key: str) -> bool:
        target = self.root / key
        with _named_errors():
            try:
                target.unlink()
            except FileNotFoundError:
                return False
        return True

    def entries(self, prefix: str = "") -> Iterator[Listed]:
        for folder, folders, files in os.walk(self.root / prefix):
            folders[:] = sorted(name for name in folders if name != INCOMING)
            for name in sorted(files):
                path = Path(folder, name)
                with suppress(FileNotFoundError):
                    facts = path.stat()
                    modified_at = datetime.fromtimestamp(facts.st_mtime, UTC)
                    yield Listed(path.relative_to(self.root).as_posix(), facts.st_size, modified_at)

    def direct_link(self, key: str, *, mime: str, disposition: str, seconds: int) -> str | None:
        return None

    def try_write(self) -> None:
        with _named_errors():
            trial = self._incoming()
            trial.write_bytes(b"trial")
            trial.unlink()

    def ensure_ready(self, origins: list[str]) -> list[str]:
        self.try_write()
        return []

    def sweep(self, older_than: timedelta) -> int:
        before, removed = (timezone.now() - older_than).timestamp(), 0
        for path in (self.root / INCOMING).glob("*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed

    def free_bytes(self) -> int | None:
        folder = next(path for path in (self.root, *self.root.parents) if path.exists())
        return shutil.disk_usage(folder).free

    def _holds(self, target: Path, blob: Blob) -> bool:
        """Whether the object is there whole. Bytes that were linked are those that were hashed; only a stranger's are read."""
        try:
            facts = target.stat()
        except FileNotFoundError:
            return False
        if facts.st_size != blob.size:
            return False
        with suppress(FileNotFoundError):
            if os.path.samestat(facts, blob.path.stat()):
                return True
        return sha256_of(_pieces(target.open("rb", buffering=0), 0, None)) == blob.sha256

    @contextmanager
    def _on_this_volume(self, blob: Blob, on_progress: OnProgress | None) -> Iterator[Path]:
        """The file itself, or a flushed copy when it lies on another volume, whence no link can be made."""
        if blob.path.stat().st_dev == self.root.stat().st_dev:
            yield blob.path
            return
        copy = self._incoming()
        try:
            self._copy(blob, copy, on_progress)
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def _copy(self, blob: Blob, copy: Path, on_progress: OnProgress | None) -> None:
        digest, done = hashlib.sha256(), 0
        with copy.open("xb") as target:
            for piece in _pieces(blob.path.open("rb", buffering=0), 0, None):
                target.write(piece)
                digest.update(piece)
                done += len(piece)
                if on_progress:
                    on_progress(done)
            target.flush()
            os.fsync(target.fileno())
        if digest.hexdigest() != blob.sha256:
            raise StorageError(_("The file changed while it was being stored."), code="storage")

    def _incoming(self) -> Path:
        folder = self.root / INCOMING
        folder.mkdir(parents=True, exist_ok=True)
        return folder / uuid.uuid4().hex


def _pieces(file: Any, start: int, end: int | None) -> Iterator[bytes]:
    with file:
        if start:
            file.seek(start)
        left = None if end is None else end - start
        while left is None or left > 0:
            piece = file.read(CHUNK if left is None else min(CHUNK, left))
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and its parents; return those whose listing changed, to be flushed."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [path.parent for path in new]


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageError(_("The media storage is full."), code="storage_full") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = _("The media folder cannot be written to: %(why)s") % {"why": error.strerror}
            raise StorageError(message, code="storage_refused") from error
        raise StorageError(_("The media folder failed: %(why)s") % {"why": error.strerror}, code="storage") from error
