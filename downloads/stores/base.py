"""What every media store can do. Keys are made of hexadecimal digits and slashes; objects never change once written."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext as _

from downloads.errors import StorageError

CHUNK = 256 * 1024
OnProgress = Callable[[int], None]
"""Called with the bytes written so far; may raise to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes in a local file that are to become an object: already hashed, flushed to disk and verified."""

    path: Path
    key: str
    sha256: str
    size: int
    mime: str


@dataclass(frozen=True, slots=True)
class Listed:
    key: str
    size: int
    modified_at: datetime


class Store(Protocol):
    """A place for objects. Every method raises StorageError when the place cannot do it now."""

    def put(self, blob: Blob, on_progress: OnProgress | None = None) -> bool:
        """Store and read back; False when the same bytes were there already. Never leaves a partial object."""

    def size_of(self, key: str) -> int | None:
        """The object's size, or None when there is none."""

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`, in pieces of at most CHUNK. Raises StorageError: missing."""

    def remove(self, key: str) -> bool:
        """Delete; False when there was none."""

    def entries(self, prefix: str = "") -> Iterator[Listed]:
        """Every object, in order of key."""

    def direct_link(self, key: str, *, mime: str, disposition: str, seconds: int) -> str | None:
        """A link that works without the app, or None where the store gives none."""

    def try_write(self) -> None:
        """Write something tiny and remove it. Raises StorageError."""

    def ensure_ready(self, origins: list[str]) -> list[str]:
        """Make what is missing, try a write; return what was done or is still wrong with direct links, as sentences."""

    def sweep(self, older_than: timedelta) -> int:
        """Remove unfinished uploads; return how many."""

    def free_bytes(self) -> int | None:
        """Room left, or None where that is no question."""


def missing(key: str) -> StorageError:
    return StorageError(_("The stored object %(key)s is missing.") % {"key": key[-12:]}, code="missing")


def sha256_of(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
