"""A picture and its copies on their way into the storage: bytes first, then rows, as one fact."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from downloads import objects, storage
from downloads.models import StoredObject
from downloads.processing.pictures import MEDIUM, SMALL, Copy, Picture, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """Of one object: as it is, or is about to be, in the storage."""

    sha256: str
    size: int
    mime: str
    width: int
    height: int

    def row(self) -> StoredObject:
        return StoredObject(sha256=self.sha256, size=self.size, mime=self.mime, width=self.width, height=self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """The bytes of a picture are in the storage; `record` makes their rows."""

    shown: Bytes
    original: Bytes | None
    thumbnails: dict[int, Bytes]
    phash: int | None

    def record(self) -> tuple[StoredObject, StoredObject | None]:
        """What pages and people get, and the original where that is another. Inside the transaction that refers to them."""
        others = {each.sha256: each for each in (*self.thumbnails.values(), self.original) if each}
        rows = dict(zip(others, objects.record_all([each.row() for each in others.values()]), strict=True))
        shown = self.shown.row()
        shown.phash = self.phash
        for name, side in (("small", SMALL), ("medium", MEDIUM)):
            if side in self.thumbnails:
                setattr(shown, name, rows[self.thumbnails[side].sha256])
        (shown,) = objects.record_all([shown], measured=("phash", "small", "medium"))
        return shown, rows[self.original.sha256] if self.original else None


def store_picture(wish: Wish, picture: Picture, *, sha256: str, size: int, folder: Path) -> StoredPicture:
    """Store what is kept of a picture: `sha256` and `size` are of its file. Not inside a transaction. Raises StorageError."""
    original = None
    if wish.keeps_original:
        original = Bytes(sha256=sha256, size=size, mime=picture.mime, width=picture.width, height=picture.height)
    shown = _bytes_of(picture.shown) if picture.shown else original
    assert shown is not None
    thumbnails = {side: _bytes_of(copy) for side, copy in picture.thumbnails.items()}
    objects.announce(each.sha256 for each in (shown, original, *thumbnails.values()) if each)
    if original is not None:
        storage.put(wish.path, sha256=sha256, size=size, mime=picture.mime)
    if picture.shown is not None:
        _put(picture.shown, shown, folder)
    for side, copy in picture.thumbnails.items():
        _put(copy, thumbnails[side], folder)
    return StoredPicture(shown=shown, original=original if picture.shown else None, thumbnails=thumbnails, phash=picture.phash)


def _bytes_of(copy: Copy) -> Bytes:
    digest = hashlib.sha256(copy.content).hexdigest()
    return Bytes(sha256=digest, size=len(copy.content), mime=copy.mime, width=copy.width, height=copy.height)


def _put(copy: Copy, known: Bytes, folder: Path) -> None:
    path = folder / f"{known.sha256}.small"
    path.write_bytes(copy.content)
    storage.put(path, sha256=known.sha256, size=known.size, mime=known.mime)
    path.unlink()
