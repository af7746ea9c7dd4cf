"""A picture and its copies on their way into the storage: bytes first, then rows, as one fact."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from downloads import objects
from downloads.models import StoredObject
from downloads.processing.pictures import MEDIUM, SMALL, Copy, Picture, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """Of one object, stored already."""

    sha256: str
    size: int
    mime: str
    width: int | None
    height: int | None

    def record(self, **facts: Any) -> StoredObject:
        return objects.record(self.sha256, size=self.size, mime=self.mime, width=self.width, height=self.height, **facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """The bytes of a picture are in the storage; `record` makes their rows."""

    shown: Bytes
    original: Bytes | None
    small: Bytes | None
    medium: Bytes | None
    phash: int | None

    def record(self) -> tuple[StoredObject, StoredObject | None]:
        """What pages and people get, and the original where that is another. Inside the transaction that refers to them."""
        small, medium = (each and each.record() for each in (self.small, self.medium))
        shown = self.shown.record(phash=self.phash, small=small, medium=medium)
        return shown, self.original.record() if self.original else None


def store_picture(wish: Wish, picture: Picture, *, sha256: str, size: int, folder: Path) -> StoredPicture:
    """Store what is kept of a picture: `sha256` and `size` are of its file. Not inside a transaction. Raises StorageError."""
    original = None
    if wish.keeps_original:
        objects.store(wish.path, sha256=sha256, size=size, mime=picture.mime)
        original = Bytes(sha256=sha256, size=size, mime=picture.mime, width=picture.width, height=picture.height)
    thumbnails = {side: _store(copy, folder) for side, copy in picture.thumbnails.items()}
    shown = _store(picture.shown, folder) if picture.shown else None
    assert shown or original
    return StoredPicture(
        shown=shown or original,  # type: ignore[arg-type]  # one of them is there
        original=original if shown else None,
        small=thumbnails.get(SMALL),
        medium=thumbnails.get(MEDIUM),
        phash=picture.phash,
    )


def _store(copy: Copy, folder: Path) -> Bytes:
    sha256, size = objects.store_bytes(copy.content, mime=copy.mime, folder=folder)
    return Bytes(sha256=sha256, size=size, mime=copy.mime, width=copy.width, height=copy.height)
