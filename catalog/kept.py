"""What we keep of a platform's pictures and sounds: the file with its thumbnails, or how far it is. Its own address never."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from catalog.cards import StoredFile
from crawler.models import Author, Sound
from downloads.filenames import filename_for
from downloads.models import Asset, AssetRole, AssetState, StoredObject

READY, PENDING, FAILED, REMOVED, NONE = "ready", "pending", "failed", "removed", "none"
_WORDS = {AssetState.FAILED: FAILED, AssetState.REMOVED: REMOVED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """`state`: ready, pending, failed, removed (by retention) or none (the platform shows none)."""

    state: str
    error_code: str = ""
    position: int = 0
    file: StoredFile | None = None


def kept(asset: Asset | None, name: str, *, has_address: bool = True, position: int = 0) -> Kept:
    """Of an asset with its object and thumbnails at hand. What is fetched again is shown as it was until then."""
    if asset is not None and asset.object is not None and asset.state != AssetState.REMOVED:
        return Kept(state=READY, position=position, file=file_of(asset.object, name))
    waiting = PENDING if has_address else NONE
    if asset is None:
        return Kept(state=waiting, position=position)
    return Kept(state=_WORDS.get(AssetState(asset.state), waiting), error_code=asset.error_code, position=position)


def file_of(row: StoredObject, name: str) -> StoredFile:
    copies = tuple(StoredFile(copy.sha256, copy.mime, name, copy.width, copy.height) for copy in (row.small, row.medium) if copy)
    return StoredFile(row.sha256, row.mime, name, row.width, row.height, copies)


def with_objects(assets: QuerySet[Asset]) -> QuerySet[Asset]:
    return assets.select_related("object__small", "object__medium")


def of_author(author: Author) -> Kept:
    """The face, by one statement."""
    asset = with_objects(Asset.objects.filter(author=author, role=AssetRole.AVATAR)).first()
    return kept(asset, f"avatar-{author.pk}", has_address=bool(author.avatar_url))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSound:
    audio: Kept
    cover: Kept


def of_sound(sound: Sound) -> KeptSound:
    """The sound itself and its picture, by one statement."""
    return sound_from(sound, with_objects(Asset.objects.filter(sound=sound)))


def sound_from(sound: Sound, assets: Iterable[Asset]) -> KeptSound:
    by_role = {asset.role: asset for asset in assets}
    name = filename_for(sound.title, sound.external_id, "").removesuffix(".")
    return KeptSound(
        audio=kept(by_role.get(AssetRole.AUDIO), name, has_address=bool(sound.play_url)),
        cover=kept(by_role.get(AssetRole.COVER), f"sound-{sound.pk}", has_address=bool(sound.cover_url)),
    )
